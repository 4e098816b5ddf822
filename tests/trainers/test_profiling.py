"""Profiles: phases of an epoch, what a sample costs, and the command."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from commands import run_mlperf  # noqa: E402

from benchmarks.profile_trainers import BEGIN, END, write_page  # noqa: E402
from reference_impls.harness import SettingError, TrainerError  # noqa: E402
from reference_impls.harness.profiling import process  # noqa: E402
from reference_impls.harness.profiling.flops import trace_step  # noqa: E402
from reference_impls.harness.profiling.phases import (  # noqa: E402
    LimitedRuntime,
    SpacedBatches,
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
    take_profile,
    trace_steps,
)
from reference_impls.harness.profiling.requests import PHASES, Profile, ProfileRequest  # noqa: E402
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


@pytest.mark.parametrize("slow", ["input", "step"])
def test_evaluation_ends_early_where_it_is_long(slow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more batches than wanted evenly spaced ones are evaluated, and their time is that of all, whatever takes it."""
    loop, runtime = make_loop(eval_batch_size=2)
    data, step = loop.workload.eval_data, loop.workload.eval_step
    counts = Counter[str]()

    def count(kind: str, values: Any) -> Any:
        def wait(weight: Any) -> Any:
            counts[kind] += 1
            time.sleep(0.02 if kind == slow else 0)
            return weight

        (weight,) = tf.py_function(wait, [values["weight"]], [tf.float32])
        return {**values, "weight": tf.ensure_shape(weight, values["weight"].shape)}

    monkeypatch.setattr(
        loop.workload, "eval_data", lambda share: data(share).map(lambda batch: count("input", batch))
    )
    monkeypatch.setattr(loop.workload, "eval_step", lambda batch: step(count("step", batch)))
    measure_evaluation(loop, runtime, 1, 1)  # compiles
    counts.clear()

    whole = measure_evaluation(loop, runtime, 1, 50)
    assert counts == {"input": 50, "step": 50}
    counts.clear()
    part = measure_evaluation(loop, runtime, 1, 5)
    assert counts == {"input": 50, "step": 5}

    assert (whole.done, whole.of) == (50, 50)
    assert (part.done, part.of) == (5, 50)
    assert whole.seconds / 3 < part.seconds < 3 * whole.seconds  # ten times as much if input counted often


def test_evaluated_batches_are_evenly_spaced() -> None:
    """Three of ten are every third one, and as many as wanted are given of any number."""
    assert list(SpacedBatches(tf.data.Dataset.range(10), 3)) == [3, 6, 9]
    for most in (1, 7, 100, 249):
        assert len(list(SpacedBatches(tf.data.Dataset.range(250), most))) == most


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
        (["--profile", "--workers", "2"], "--workers does not go with --profile"),
        (["--profile", "--runs", "2"], "--runs does not go with --profile"),
        (["--profile", "--plot", "some.gif"], "name a file that ends in .png"),
        (["--profile"], "there is no data at"),
        (["--plot", "some.png"], "--plot draws a profile; add --profile"),
    ],
)
def test_command_says_what_it_cannot_profile(options: list[str], told: str, tmp_path: Path) -> None:
    """Options that mean nothing to a profile are refused, and missing data is named with how to get it."""
    done = run_mlperf("train", "recommendation", *options, folder=tmp_path)

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
