"""What the harness offers to workloads that need more than one quality by epochs: real runs of a small task."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from reference_impls.harness import DataError, Task, TrainerError  # noqa: E402
from reference_impls.harness.configs import StepsConfig  # noqa: E402
from reference_impls.harness.data.files import hash_file  # noqa: E402
from reference_impls.harness.run import training, weights  # noqa: E402
from reference_impls.harness.run.devices import make_strategy  # noqa: E402
from reference_impls.harness.run.launching import make_environments  # noqa: E402
from reference_impls.harness.run.loop import Loop  # noqa: E402
from reference_impls.harness.run.pretrained import PretrainedConfig, load_pretrained  # noqa: E402
from reference_impls.harness.run.requests import RunRequest, RunResult  # noqa: E402
from reference_impls.harness.run.runtime import Ragged, Runtime, Share  # noqa: E402
from reference_impls.harness.workload import Batch, Collected, Evaluation, HostState, Quality  # noqa: E402
from tests.logs import read_records  # noqa: E402
from tests.trainers.made_up import Rows, Sides, SidesConfig  # noqa: E402

WORKLOAD: list[type[Sides]] = []
"""What the task of these tests trains; a `Task` names its workload by module and name."""


def __getattr__(name: str) -> type[Sides]:
    if name == "Trained":
        return WORKLOAD[-1]
    raise AttributeError(name)


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunResult]:
    """Does a run of a workload as `mlperf train` does; its log is ``run.log`` or another in the test's folder."""

    def do_run(workload: type[Sides], config: SidesConfig, name: str = "run", **options: Any) -> RunResult:
        WORKLOAD.append(workload)
        task = Task(
            "sides", "ncf", "points", {("mini", "open"): config}, f"{__name__}:Trained", "tests.trainers"
        )
        for module in (training, weights):
            monkeypatch.setattr(module, "find_task", lambda _: task)
        (tmp_path / "data").mkdir(exist_ok=True)
        request = RunRequest(
            **{
                "task": "sides",
                "benchmark": "ncf",
                "scale": "mini",
                "division": "open",
                "seed": 1,
                "data": str(tmp_path / "data"),
                "data_command": "",
                "log": str(tmp_path / f"{name}.log"),
                "work": str(tmp_path / name),
                "strategy": "single",
                "org": "o",
                "platform": "p",
                "status": "research",
                "ruleset": "mini/1.0.0",
                **options,
            }
        )
        return training.train(request)

    return do_run


def read_course(log: Path) -> list[tuple[str, Any, Any]]:
    """Key, value and progress of the events between the start and the end of a run."""
    units = ("epoch_num", "samples_count", "step_num", "status")
    keys = ("epoch_start", "epoch_stop", "block_start", "block_stop", "eval_start", "eval_stop", "run_stop")
    return [
        (
            event["key"],
            event["value"],
            {name: event["metadata"][name] for name in units if name in event["metadata"]},
        )
        for event in read_records(log.read_text())
        if event["key"] in (*keys, "eval_accuracy")
    ]


class BySide(Sides):
    """Two qualities: how many of the points on each side are recognized."""

    metric = "recall"
    collects = "rows"

    @property
    def target(self) -> Quality:
        return {"above": self.config.target, "below": self.config.target}

    def eval_step(self, batch: Batch) -> Mapping[str, Any]:
        """For each point its side, and as a row of any length the guesses that are right."""
        guesses = self.model(batch["points"], training=False)[:, 0] > 0
        is_right = guesses == (batch["sides"][:, 0] > 0)
        lengths = tf.cast(is_right, tf.int64)
        return {
            "sides": tf.where(batch["weight"] > 0, batch["sides"][:, 0], -1.0),
            "right": tf.RaggedTensor.from_row_lengths(tf.boolean_mask(batch["points"], is_right), lengths),
        }

    def measure(self, collected: Collected) -> Evaluation:
        sides, right = collected["sides"], collected["right"]
        assert isinstance(right, Ragged)
        found = np.array([len(row) for row in right.split()])
        assert len(found) == len(sides)
        return Evaluation(
            {name: float(found[sides == side].mean()) for name, side in (("below", 0), ("above", 1))},
            {"right": int(found[sides >= 0].sum())},
        )


def test_a_run_reaches_the_targets_of_all_its_qualities(
    train: Callable[..., RunResult], tmp_path: Path
) -> None:
    """The log has every quality by name; the run ends once one evaluation reaches all targets, and so do the weights."""
    result = train(BySide, SidesConfig(target=0.96, learning_rate=0.02))
    assert result.reached
    found = [value for key, value, _ in read_course(tmp_path / "run.log") if key == "eval_accuracy"]
    assert len(found) > 1
    assert all(set(each) == {"above", "below"} for each in found)
    assert [min(each.values()) >= 0.96 for each in found] == [False] * (len(found) - 1) + [True]
    audit = weights.evaluate_weights(tmp_path / "run" / "weights")
    assert audit.quality == audit.recorded == result.quality == found[-1]
    assert audit.is_confirmed


def test_a_run_misses_where_one_of_its_qualities_does(
    train: Callable[..., RunResult], tmp_path: Path
) -> None:
    """A quality below its target is not made up for by the others."""

    class Lopsided(BySide):
        @property
        def target(self) -> Quality:
            return {"above": 0.5, "below": 2.0}

    assert not train(Lopsided, SidesConfig(max_epochs=3)).reached
    assert read_course(tmp_path / "run.log")[-1] == ("run_stop", None, {"status": "aborted", "epoch_num": 3})


def test_ragged_rows_are_collected_in_order() -> None:
    """Rows of any length arrive whole and in the order of the data, batch after batch."""
    loop = Loop(Rows(SidesConfig(), Path(), 1), make_strategy("single"))
    loop.build()
    loop.workload.load(loop.share)
    assert loop.evaluate() == Evaluation(100.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BySteps(SidesConfig, StepsConfig):
    """Evaluated every five steps; an epoch has eight."""

    eval_every_steps: int = 5
    target: float = 2.0
    max_epochs: int = 3
    checkpoint_every_epochs: int = 0


@pytest.mark.parametrize(
    ("unit", "opens", "progress"),
    [
        ("epoch", ["epoch_start"] * 3, [0.625, 1.25, 1.875, 2.5]),
        ("samples", ["block_start"] * 5, [160, 320, 480, 640]),
        ("steps", ["block_start"] * 5, [5, 10, 15, 20]),
    ],
)
def test_evaluations_come_by_steps(
    unit: str, opens: list[str], progress: list[float], train: Callable[..., RunResult], tmp_path: Path
) -> None:
    """An evaluation after every so many steps, wherever epochs end, logged in epochs, samples or steps."""
    workload = type("BySteps", (Sides,), {"unit": unit})
    train(workload, BySteps())
    course = read_course(tmp_path / "run.log")
    assert [key for key, _, _ in course if key.endswith(("epoch_start", "block_start"))] == opens
    assert [next(iter(at.values())) for key, _, at in course if key == "eval_accuracy"] == progress


@pytest.mark.parametrize("unit", ["epoch", "samples"])
def test_a_run_resumes_amid_an_epoch_or_a_block(
    unit: str, train: Callable[..., RunResult], tmp_path: Path
) -> None:
    """The log of a run that was interrupted in an evaluation by steps, and resumed, is that of one that was not."""
    workload = type("BySteps", (Sides,), {"unit": unit})
    train(workload, BySteps())

    class Interrupted(workload):  # type: ignore[misc,valid-type]
        def measure(self, collected: Collected) -> Evaluation:
            if int(self.optimizer.iterations) == 15:
                raise KeyboardInterrupt
            return super().measure(collected)

    with pytest.raises(KeyboardInterrupt):
        train(Interrupted, BySteps(), "broken", checkpoint_steps=3)
    train(workload, BySteps(), "broken", checkpoint_steps=3, resume=True)
    assert read_course(tmp_path / "broken.log") == read_course(tmp_path / "run.log")


def test_a_target_reached_within_an_epoch_ends_the_run(
    train: Callable[..., RunResult], tmp_path: Path
) -> None:
    """Training stops at the evaluation that reaches the target, not at the end of its epoch."""
    steps = []

    class Counted(Sides):
        def measure(self, collected: Collected) -> Evaluation:
            steps.append(int(self.optimizer.iterations))
            return super().measure(collected)

    result = train(Counted, BySteps(target=0.8, max_epochs=9))
    assert result.reached
    assert steps == [5 * number for number in range(1, len(steps) + 1)]
    course = read_course(tmp_path / "run.log")
    assert [key for key, _, _ in course][-2:] == ["epoch_stop", "run_stop"]
    assert course[-1][2]["status"] == "success"


class Drawing(Sides):
    """Draws its order from a generator of its own and keeps what it drew: state of the host."""

    saves_within = False

    def build(self) -> None:
        super().build()
        self.rng = np.random.default_rng(self.seed)
        self.drawn = np.zeros((0, self.train_samples), np.int64)
        self.halves: list[np.ndarray] = []

    def host_state(self) -> HostState:
        facts = {"rng": self.rng.bit_generator.state, "halves": [each.tolist() for each in self.halves]}
        return HostState({"drawn": self.drawn}, facts)

    def restore_host_state(self, state: HostState) -> None:
        self.rng.bit_generator.state = state.facts["rng"]
        self.drawn = state.arrays["drawn"]
        self.halves = [np.array(each) for each in state.facts["halves"]]

    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        while len(self.halves) < 2:
            if (epoch, len(self.halves)) == INTERRUPT.get("at"):
                INTERRUPT.clear()
                raise KeyboardInterrupt
            self.halves.append(self.rng.permutation(self.train_samples // 2))
            self.runtime.save()
        order = np.concatenate([self.halves[0], self.halves[1] + self.train_samples // 2])
        self.drawn, self.halves = np.concatenate([self.drawn, order[None]]), []
        arrays = {name: array[order] for name, array in self.train.items()}
        return tf.data.Dataset.from_tensor_slices(arrays).batch(self.config.global_batch_size)

    def measure_work(self, epoch: int, share_of_epoch: float) -> Mapping[str, float]:
        return {**super().measure_work(epoch, share_of_epoch), "orders": len(self.drawn)}


INTERRUPT: dict[str, tuple[int, int]] = {}


@pytest.mark.parametrize("at", [(1, 1), (3, 0)])
def test_the_state_of_the_host_is_resumed(
    at: tuple[int, int], train: Callable[..., RunResult], tmp_path: Path
) -> None:
    """Interrupted while it makes its data, a run resumes from there: the same qualities, an equal log, equal state."""
    config = SidesConfig(target=2.0, max_epochs=4)
    train(Drawing, config)
    INTERRUPT["at"] = at
    with pytest.raises(KeyboardInterrupt):
        train(Drawing, config, "broken")
    train(Drawing, config, "broken", resume=True)
    assert read_course(tmp_path / "broken.log") == read_course(tmp_path / "run.log")
    stats, resumed = (
        [
            event["value"]["orders"]
            for event in read_records(path.read_text())
            if event["key"] == "tracked_stats"
        ]
        for path in (tmp_path / "run.log", tmp_path / "broken.log")
    )
    assert stats == resumed == [1, 2, 3, 4]


def test_a_checkpoint_without_its_host_state_is_refused(
    train: Callable[..., RunResult], tmp_path: Path
) -> None:
    """A checkpoint of which a part is gone is not resumed from."""
    config = SidesConfig(target=2.0, max_epochs=1)
    train(Drawing, config)
    (tmp_path / "run" / "checkpoint" / "epoch_1" / "host" / "prepared.npz").unlink()
    with pytest.raises(TrainerError, match="missing, damaged or of another model"):
        train(Drawing, config, resume=True)


def test_evaluations_are_surrounded(train: Callable[..., RunResult], tmp_path: Path) -> None:
    """What a workload does around an evaluation happens once for each, within the time of the evaluation."""
    calls: list[tuple[str, int]] = []

    class Gated(Sides):
        @contextmanager
        def around_evaluation(self, epoch: int) -> Iterator[None]:
            calls.append(("before", epoch))
            yield
            last = read_records((tmp_path / "run.log").read_text())[-1]
            calls.append((last["key"], epoch))

    train(Gated, SidesConfig(target=2.0, max_epochs=2))
    assert calls == [("before", 1), ("eval_start", 1), ("before", 2), ("eval_start", 2)]


def test_a_scratch_folder_is_of_the_run(train: Callable[..., RunResult], tmp_path: Path) -> None:
    """A workload gets a folder of its own below the run's, which is gone after the run."""
    folders = []

    class Scribbling(Sides):
        def load(self, share: Share) -> None:
            super().load(share)
            (self.runtime.scratch / "note").write_text("x")
            folders.append(self.runtime.scratch)

    train(Scribbling, SidesConfig(max_epochs=1))
    assert folders == [tmp_path / "run" / "scratch_0"]
    assert not folders[0].exists()
    with pytest.raises(TrainerError, match="needs a scratch folder"):
        _ = Runtime(make_strategy("single")).scratch


EXCHANGE = """
import json
from pathlib import Path
import numpy as np
from reference_impls.harness.run.devices import make_strategy
from reference_impls.harness.run.loop import Loop
from tests.trainers.made_up import Rows, SidesConfig
loop = Loop(Rows(SidesConfig(), Path(), 1), make_strategy("workers"))
loop.build()
runtime = loop.runtime
index = runtime.share.index
rows = {"small": np.full((index + 1, 2), 7 * index + 1, np.int8), "big": np.arange(3 * index, dtype=np.float32)}
gathered = runtime.gather(rows)
looked = []
found = runtime.find_on_first(lambda: looked.append(1) or {"index": index, "value": 0.1})
kinds = [str(each.dtype) for each in gathered.values()]
loop.workload.load(loop.share)
quality = loop.evaluate().quality
print(json.dumps([quality, {name: each.tolist() for name, each in gathered.items()}, kinds, found, len(looked)]))
"""


def test_processes_exchange_rows_and_findings() -> None:
    """Rows, ragged ones too, come from both of two processes to both; the first alone finds, both know."""
    processes = [
        subprocess.Popen([sys.executable, "-c", EXCHANGE], env=environment, stdout=subprocess.PIPE, text=True)
        for environment in make_environments(2)
    ]
    told = [json.loads(each.communicate(timeout=500)[0].splitlines()[-1]) for each in processes]
    rows = {"small": [[1, 1], [8, 8], [8, 8]], "big": [0.0, 1.0, 2.0]}
    assert [each[:4] for each in told] == [[100.0, rows, ["int8", "float32"], {"index": 0, "value": 0.1}]] * 2
    assert [each[4] for each in told] == [1, 0]


@dataclasses.dataclass(frozen=True, kw_only=True)
class StartedConfig(SidesConfig, PretrainedConfig):
    """A made-up task that starts from weights."""


class Started(Sides):
    """Starts from pretrained weights."""

    config: StartedConfig

    def build(self) -> None:
        super().build()
        load_pretrained(self.model, self.config, self.folder, "fetch it")


def test_pretrained_weights_are_checked_and_logged(train: Callable[..., RunResult], tmp_path: Path) -> None:
    """A run starts from the file's weights and logs their checksum; other files are refused."""
    source = Sides(SidesConfig(), tmp_path, 7)
    source.build()
    path = tmp_path / "data" / "start.weights.h5"
    path.parent.mkdir()
    source.model.save_weights(path)
    config = StartedConfig(pretrained_weights=path.name, pretrained_checksum=hash_file(path), max_epochs=1)

    loaded = Started(config, path.parent, 1)
    loaded.build()
    for found, expected in zip(loaded.model.get_weights(), source.model.get_weights(), strict=True):
        assert (found == expected).all()
    train(Started, config)
    logged = {event["key"]: event["value"] for event in read_records((tmp_path / "run.log").read_text())}
    assert logged["pretrained_weights"] == "start.weights.h5"
    assert logged["pretrained_weights_checksum"] == config.pretrained_checksum

    with pytest.raises(DataError, match="does not hold the weights"):
        Started(dataclasses.replace(config, units=(9,)), path.parent, 1).build()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="its sha256 differs; get it again with: fetch it"):
        Started(config, path.parent, 1).build()
    path.unlink()
    with pytest.raises(DataError, match="is missing; get it with: fetch it"):
        Started(config, path.parent, 1).build()
