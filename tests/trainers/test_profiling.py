"""Profiles: phases of an epoch, operations by class, floating-point operations, and the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

import keras  # noqa: E402
from commands import run_mlperf  # noqa: E402

from benchmarks.profile_trainers import BEGIN, END, write_page  # noqa: E402
from reference_impls.harness import SettingError, TrainerError  # noqa: E402
from reference_impls.harness.profiling import process  # noqa: E402
from reference_impls.harness.profiling.classes import (  # noqa: E402
    _OPERATIONS,
    CLASSES,
    classify_operation,
)
from reference_impls.harness.profiling.flops import count_flops, trace_step  # noqa: E402
from reference_impls.harness.profiling.phases import (  # noqa: E402
    LimitedRuntime,
    begin_epoch,
    measure_evaluation,
    measure_stages,
    subtract_stages,
)
from reference_impls.harness.profiling.profiles import (  # noqa: E402
    add_up_phases,
    count_bytes,
    count_samples,
    count_step_flops,
    share_classes,
    take_profile,
    trace_steps,
)
from reference_impls.harness.profiling.requests import PHASES, Profile, ProfileRequest  # noqa: E402
from reference_impls.harness.profiling.traces import (  # noqa: E402
    Event,
    Operation,
    measure_own_time,
    trace_operations,
)
from reference_impls.harness.run.devices import make_strategy  # noqa: E402
from reference_impls.harness.run.loop import Loop  # noqa: E402
from tests.trainers.conftest import TINY  # noqa: E402
from tests.trainers.made_up import Sides, SidesConfig  # noqa: E402


def make_loop(**settings: Any) -> tuple[Loop, LimitedRuntime]:
    """The loop of the made-up task, whose data is loaded."""
    workload = Sides(SidesConfig(**settings), Path(), 1)
    strategy = make_strategy("single")
    loop = Loop(workload, strategy)
    loop.runtime = runtime = workload.runtime = LimitedRuntime(strategy)
    loop.build()
    workload.load(loop.share)
    return loop, runtime


def count(step: Callable[[Any], Any], batch: Any) -> int:
    """The floating-point operations of a step on a batch."""
    return count_flops(*trace_step(step, batch))


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("MatMul", "dense/MatMul", "matrix product"),
        ("_MklNativeFusedMatMul", "dense/BiasAdd", "matrix product"),
        ("_FusedConv2D", "conv/BiasAdd", "convolution"),
        ("_MklNativeConv2DBackpropFilterWithBias", "gradient_tape/conv/Filter", "convolution"),
        ("_MklNativeFusedBatchNormEx", "norm/FusedBatchNormV3", "normalization"),
        ("Mul", "adam/Mul", "elementwise"),
        ("Sum", "Sum", "reduction"),
        ("UnsortedSegmentSum", "adam/UnsortedSegmentSum", "gather and scatter"),
        ("_MklTranspose", "transpose", "data movement"),
        ("StatelessRandomUniformV2", "dropout/uniform", "random numbers"),
        ("CTCLoss", "CTCLoss", "other"),
        ("GRUBlockCell", "gru", "recurrence"),
        ("MatMul", "model/gru/while/body/_1/model/gru/while/cell/MatMul", "recurrence"),
        ("MatMul", "gradient_tape/model/gru/while/model/gru/while_grad/body/_3/MatMul", "recurrence"),
        ("MatMul", "while/body/_1/while/MatMul", "matrix product"),
        ("MatMul", "while/body/_1/while/gradient_tape/while/model/dense/MatMul", "matrix product"),
        ("MatMul", "while/body/_1/model/gru/while_2/body/_9/MatMul", "recurrence"),
    ],
)
def test_operation_has_a_class(kind: str, name: str, expected: str) -> None:
    """Operations and the kernels that replace them are classified alike; loops within layers are the recurrence."""
    assert classify_operation(kind, name) == expected


def test_classes_list_operations_that_exist_once() -> None:
    """Every listed operation is one of TensorFlow's, and is in one class alone."""
    names = [name for listed in _OPERATIONS.values() for name in listed.split()]

    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(tf.raw_ops, name)] == []


def test_time_of_an_operation_leaves_out_what_runs_within_it() -> None:
    """Nested operations are not counted twice, and what is no operation does not count at all."""
    events = [
        Event("call:PartitionedCall", 0, 100),
        Event("ExecutorState::Process", 5, 90),
        Event("a:Mul", 10, 30),
        Event("b:Add", 15, 5),
        Event("c:Sum", 50, 20),
        Event("EagerExecute", 100, 50),
        Event("d:Sub", 100, 7),
    ]

    found = dict(measure_own_time(events))

    assert found == {"call:PartitionedCall": 50, "a:Mul": 25, "b:Add": 5, "c:Sum": 20, "d:Sub": 7}


def test_profiler_records_each_execution() -> None:
    """Every execution of an operation is in the trace, small ones and those in loops included."""
    values = tf.random.uniform((200, 200))

    @tf.function
    def work(x: tf.Tensor) -> tf.Tensor:
        for _ in tf.range(3):
            x = tf.matmul(x, values, name="product")
        return tf.transpose(x)

    work(values)  # compiles
    operations = trace_operations(lambda: [work(values).numpy() for _ in range(2)])

    products = [each for each in operations if classify_operation(each.kind) == "matrix product"]
    assert sum(each.executions for each in products) == 6
    assert all(each.seconds > 0 for each in products)
    assert sum(each.executions for each in operations if "Transpose" in each.kind) == 2


def test_shares_of_classes_add_up() -> None:
    """Every class has its share of the time, and all shares make 1."""
    operations = [
        Operation("a", "MatMul", 1, 3.0),
        Operation("b", "Mul", 9, 1.0),
        Operation("c", "Sub", 1, 1.0),
    ]

    shares = share_classes(operations)

    assert tuple(shares) == CLASSES
    assert shares["matrix product"] == pytest.approx(0.6)
    assert shares["elementwise"] == pytest.approx(0.4)
    assert sum(shares.values()) == pytest.approx(1.0)


def test_flops_of_a_dense_layer_are_two_for_each_multiply_add() -> None:
    """A product of 5×7 by 7×3 counts 2·5·7·3, and its two gradients as much each."""
    weights = tf.Variable(tf.ones((7, 3)))
    batch = tf.ones((5, 7))

    def differentiate(x: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.matmul(x, weights)
        return tape.gradient(y, [x, weights])

    assert count(lambda x: tf.matmul(x, weights), batch) == 2 * 5 * 7 * 3
    assert count(differentiate, batch) == 3 * 2 * 5 * 7 * 3


def test_flops_of_a_strided_convolution_and_its_gradients_agree() -> None:
    """Each multiply-add of output and kernel counts two, and gradients count no values of padding."""
    kernel = tf.Variable(tf.ones((3, 3, 4, 6)))
    images = tf.ones((2, 10, 10, 4))

    def convolve(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.conv2d(x, kernel, 2, "VALID")  # [2, 4, 4, 6]

    def differentiate(x: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = convolve(x)
        return tape.gradient(y, [x, kernel])

    once = 2 * (2 * 4 * 4 * 6) * (3 * 3 * 4)
    assert count(convolve, images) == once
    assert count(differentiate, images) == 3 * once


def test_flops_of_a_loop_count_each_turn() -> None:
    """What a loop does counts as often as it runs, even if the number of turns depends on the data."""
    weights = tf.ones((4, 4))

    def repeat(x: tf.Tensor, times: tf.Tensor) -> tf.Tensor:
        return tf.while_loop(
            lambda turn, _: turn < times, lambda turn, y: (turn + 1, tf.matmul(y, weights)), (0, x)
        )[1]

    def turns(times: int) -> int:
        return count(lambda batch: repeat(*batch), (tf.ones((2, 4)), tf.constant(times)))

    # Each turn also counts a comparison and an addition.
    product = 2 * 2 * 4 * 4
    assert turns(8) - turns(5) == pytest.approx(3 * product, abs=3 * 4)
    assert turns(5) >= 5 * product


def test_flops_of_a_recurrent_layer_grow_with_its_sequence() -> None:
    """A GRU counts the products of its cell for each step, forward and, twice as many, backward."""
    layer = keras.layers.GRU(6, use_cudnn=False)
    layer(tf.zeros((2, 5, 4)))
    cell = 2 * 2 * (4 + 6) * 18  # two samples; input and state by three gates

    def differentiate(x: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            y = layer(x)
        return tape.gradient(y, layer.trainable_variables)

    for step, passes in ((layer, 1), (differentiate, 3)):
        short, long = (count(step, tf.zeros((2, length, 4))) for length in (5, 9))
        assert 4 * passes * cell <= long - short <= 2 * 4 * passes * cell


def test_stages_are_differences() -> None:
    """The stages add up to the time of the step; noise never makes one negative."""
    assert subtract_stages({"forward": 2.0, "backward": 5.0, "optimizer": 6.0}) == {
        "forward": 2.0,
        "backward": 3.0,
        "optimizer": 1.0,
    }
    assert subtract_stages({"forward": 2.0, "backward": 5.0, "optimizer": 4.9}) == {
        "forward": 2.0,
        "backward": 3.0,
        "optimizer": 0.0,
    }


def test_a_step_that_ends_early_does_not_do_what_follows() -> None:
    """Without the optimizer no variable changes; without gradients their operations are not in the graph."""
    loop, _ = make_loop(dropout=0.0)
    epoch = begin_epoch(loop, 1, 2)
    before = [each.numpy() for each in loop.workload.model.trainable_variables]
    batch = epoch.batches[0]

    def kinds(stage: str) -> set[str]:
        loop.workload.last_stage = stage
        graph, _ = trace_step(loop.train_step, batch)
        return {each.name.split("/")[0] for each in graph.get_operations()}

    parts = {stage: kinds(stage) for stage in ("forward", "backward", "optimizer")}

    assert "gradient_tape" not in parts["forward"]
    assert "gradient_tape" in parts["backward"]
    optimizer = loop.workload.state()["optimizer"].name
    assert optimizer not in parts["forward"] | parts["backward"]
    assert optimizer in parts["optimizer"]
    loop.workload.last_stage = "backward"
    loop.workload.train_step(batch)
    for old, new in zip(before, loop.workload.model.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, new.numpy())
    loop.workload.last_stage = "optimizer"
    loop.workload.train_step(batch)
    assert any(
        (old != new.numpy()).any()
        for old, new in zip(before, loop.workload.model.trainable_variables, strict=True)
    )


def test_profiled_steps_are_those_of_training() -> None:
    """Taking the time of the stages leaves the workload as training needs it, and each stage takes some time."""
    loop, _ = make_loop()
    epoch = begin_epoch(loop, 1, 3)
    stages = measure_stages(loop, epoch)

    assert loop.workload.last_stage == "optimizer"
    assert len(epoch.batches) == 3
    assert stages["forward"] > 0
    optimizer = f"{loop.workload.state()['optimizer'].name}/"
    assert any(each.name.startswith(optimizer) for each in trace_steps(loop, epoch))


def test_flops_bytes_and_samples_of_a_batch() -> None:
    """They are counted per sample: of a dense layer of 2×8 and one of 8×1 on points and sides of four bytes."""
    loop, _ = make_loop(dropout=0.0)
    (batch,) = begin_epoch(loop, 1, 1).batches
    forward, step = count_step_flops(loop, [batch])

    products = 2 * (2 * 8 + 8 * 1)
    assert (count_samples(batch), count_bytes(batch)) == (32, 32 * 3 * 4)
    assert products < forward < 3 * products  # with biases and the loss
    assert step > forward + products


def test_evaluation_ends_early_where_it_is_long() -> None:
    """Of more batches than wanted evenly spaced ones are evaluated, and their time is that of all."""
    loop, runtime = make_loop(eval_batch_size=10)

    whole = measure_evaluation(loop, runtime, 1, 10)
    part = measure_evaluation(loop, runtime, 1, 3)

    assert (whole.done, whole.of) == (10, 10)
    assert (part.done, part.of) == (3, 10)
    assert whole.seconds > 0
    assert part.seconds > 0


def test_phases_are_those_of_a_whole_epoch() -> None:
    """Steps count as often as an epoch has them, an evaluation as often as it comes."""
    loop, runtime = make_loop(eval_every_epochs=4)
    epoch = begin_epoch(loop, 1, 2)._replace(made_seconds=2.0, first_seconds=1.0, wait_seconds=0.5)
    evaluated = measure_evaluation(loop, runtime, 1, 9)._replace(match_seconds=6.0, seconds=8.0)
    stages = {"forward": 1.0, "backward": 2.0, "optimizer": 3.0}

    plain = add_up_phases(loop.workload.config, epoch, stages, evaluated, 5, self_play=False)
    played = add_up_phases(loop.workload.config, epoch, stages, evaluated, 5, self_play=True)

    assert tuple(plain) == tuple(played) == PHASES
    steps = {"forward": 5.0, "backward": 10.0, "optimizer": 15.0}
    assert plain == {"input": 5.0, "self-play": None, **steps, "match": None, "evaluation": 2.0}
    assert played == {"input": 3.0, "self-play": 2.0, **steps, "match": 1.5, "evaluation": 2.0}


@pytest.fixture(scope="module")
def tiny_profile(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """The profile of recommendation on tiny ratings."""
    request = ProfileRequest(
        task="recommendation",
        division="open",
        settings=tuple(f"{key}={value}" for key, value in TINY.items()),
        data=str(tiny_data / "recommendation" / "mini"),
        steps=3,
    )
    return take_profile(ProfileRequest.from_json(request.to_json()), tmp_path_factory.mktemp("scratch"))


def test_profile_of_a_task_is_whole(tiny_profile: Profile) -> None:
    """Shares add up to 1, and parameters, steps and samples are those of the task."""
    profile = Profile.from_json(tiny_profile.to_json())

    assert sum(share for share in profile.phases.values() if share is not None) == pytest.approx(1.0)
    assert profile.phases["self-play"] is None
    assert sum(profile.classes.values()) == pytest.approx(1.0)
    assert profile.classes["gather and scatter"] > 0
    # Embeddings of four and half of eight factors of 60 users and 40 items; layers of 8 to 8, 8 to 4, 4 + 4 to 1.
    assert profile.parameters == (60 + 40) * (4 + 4) + (8 * 4 + 4) + (4 + 4 + 1)
    assert profile.batch_samples == 70
    assert profile.steps == 60 * 7 * 5 // 70
    assert profile.sample_bytes == 3 * 4
    assert (profile.profiled_eval_batches, profile.eval_batches) == (3, 3)
    assert profile.step_flops > profile.forward_flops > 2 * (8 * 4 + 4 + 4)


def test_profile_is_taken_in_a_process_of_its_own(tiny_data: Path) -> None:
    """A process gives the profile, and its failure is the command's."""
    request = ProfileRequest(
        task="recommendation",
        division="open",
        settings=tuple(f"{key}={value}" for key, value in TINY.items()),
        data=str(tiny_data / "recommendation" / "mini"),
        steps=2,
    )

    assert process.profile_task(request).profiled_steps == 2
    with pytest.raises(TrainerError, match="recommendation was not profiled"):
        process.profile_task(replace(request, settings=("factors=none",)))


def test_gradient_accumulation_is_not_profiled(tiny_data: Path, tmp_path: Path) -> None:
    """A step in parts is refused, because its loop would hide what it consists of."""
    request = ProfileRequest(
        task="recommendation",
        division="open",
        settings=(*(f"{key}={value}" for key, value in TINY.items()), "gradient_accumulation_steps=2"),
        data=str(tiny_data / "recommendation" / "mini"),
    )

    with pytest.raises(SettingError, match="gradient_accumulation_steps"):
        take_profile(request, tmp_path)


def test_command_shows_profiles_and_draws_them(
    tiny_profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables in all formats and a picture, of one trainer and of all; no log is written."""

    def profile(request: ProfileRequest) -> Profile:
        assert request.steps == 4
        return replace(tiny_profile, trainer=request.task)

    monkeypatch.setattr(process, "profile_task", profile)
    options = ["--profile", "--profile-steps", "4"]
    one = run_mlperf("train", "ncf", *options, "--format", "json", folder=tmp_path)
    every = run_mlperf("train", "all", *options, "--plot", "all.png", folder=tmp_path)
    table = run_mlperf("train", "all", *options, "--format", "csv", folder=tmp_path)
    page = run_mlperf("train", "all", *options, "--format", "markdown", folder=tmp_path)

    assert [done.returncode for done in (one, every, table, page)] == [0, 0, 0, 0], every.stderr
    document = json.loads(one.stdout)
    assert document["schema"] == "mlperf-profile/1"
    assert document["profiles"][0]["phases"] == dict(tiny_profile.phases)
    assert document["distances"] == [{"trainer": "recommendation", "recommendation": pytest.approx(0.0)}]
    assert all(name in every.stdout for name in ("speech_recognition", "phases", "gather and scatter"))
    assert (tmp_path / "all.png").read_bytes().startswith(b"\x89PNG")
    assert len(table.stdout.splitlines()) == 1 + 7
    assert page.stdout.count("\n| sentiment |") == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.png"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--workers", "2"], "--workers does not go with --profile"),
        (["--runs", "2"], "--runs does not go with --profile"),
        (["--plot", "some.gif"], "name a file that ends in .png"),
        ([], "there is no data at"),
    ],
)
def test_command_says_what_it_cannot_profile(options: list[str], told: str, tmp_path: Path) -> None:
    """Options that mean nothing to a profile are refused, and missing data is named with how to get it."""
    done = run_mlperf("train", "recommendation", "--profile", *options, folder=tmp_path)

    assert done.returncode == 2
    assert told in done.stderr


def test_page_gets_what_was_measured_between_its_marks(tmp_path: Path) -> None:
    """The tables replace those from before, and all other text stays."""
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nmore\n", "utf-8")

    write_page(page, "new table\n\n", "2020-02-03")

    text = page.read_text("utf-8")
    assert text.startswith(f"# Title\n\n{BEGIN}\nMeasured on 2020-02-03")
    assert text.endswith(f"```text\nnew table\n```\n{END}\n\nmore\n")
    page.write_text("# Title\n", "utf-8")
    with pytest.raises(SystemExit, match="lacks the marks"):
        write_page(page, "new table", "2020-02-03")
