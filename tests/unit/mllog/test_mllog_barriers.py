"""Events of many processes: which of them log, and when they wait for each other."""

from __future__ import annotations

import pickle
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

from mlperf_logging import mllog
from mlperf_logging.events import Event
from mlperf_logging.mllog.callbacks.loop import TrainingRun
from mlperf_logging.mllog.testing import capture_events

pytestmark = pytest.mark.usefixtures("shared_logger")


@pytest.fixture
def events(shared_logger: None) -> Iterator[list[Event]]:
    """What the shared logger logs during the test."""
    with capture_events() as captured:
        yield captured


@pytest.fixture
def waits(events: list[Event]) -> list[int]:
    """How many events were logged before each wait of a barrier that is configured."""
    counts: list[int] = []
    mllog.config(barrier=lambda: counts.append(len(events)))
    return counts


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The groups that stand-ins for torch, JAX and MPI were told to wait for, by the names of the frameworks."""
    waited: list[Any] = []

    def note(name: str) -> Any:
        return lambda *group: waited.append((name, *group))

    torch = types.SimpleNamespace(
        is_available=lambda: True, is_initialized=lambda: True, get_rank=lambda: 0, barrier=note("torch")
    )
    jax = types.SimpleNamespace(
        distributed=types.SimpleNamespace(is_initialized=lambda: True), process_index=lambda: 0
    )
    mpi = types.SimpleNamespace(
        Is_initialized=lambda: True,
        Is_finalized=lambda: False,
        COMM_WORLD=types.SimpleNamespace(Barrier=note("mpi")),
    )
    utilities = types.SimpleNamespace(sync_global_devices=note("jax"))
    for name, module in (
        ("torch.distributed", torch),
        ("jax", jax),
        ("jax.experimental.multihost_utils", utilities),
        ("mpi4py.MPI", mpi),
    ):
        monkeypatch.setitem(sys.modules, name, module)  # type: ignore[arg-type]
    return waited


@pytest.mark.parametrize(
    ("rank", "options", "logs"),
    [
        (0, {"unique": True}, True),
        (3, {"unique": True}, False),
        (3, {"unique": True, "unique_log_rank": 3}, True),
        (0, {"unique": True, "unique_log_rank": 3}, False),
        (3, {"unique": False}, True),
        (3, {}, False),
    ],
)
def test_unique_events(
    events: list[Event], monkeypatch: pytest.MonkeyPatch, rank: int, options: dict[str, Any], logs: bool
) -> None:
    """Unique says for one event what ranks says for all, and wins."""
    monkeypatch.setenv("RANK", str(rank))
    mllog.config(ranks="0")
    for log in (mllog.event, mllog.start, mllog.end, mllog.bind(job=1).event):
        log("eval_accuracy", 0.5, **options)
    assert len(events) == 4 * logs


def test_runs_wait_before_they_start_and_stop(events: list[Event], waits: list[int]) -> None:
    """A barrier that is configured is met before run_start and run_stop, and no other event."""
    mllog.start("init_start")
    with mllog.run() as run:
        run.event("seed", 7)
    assert [event.key for event in events] == ["init_start", "run_start", "seed", "run_stop"]
    assert waits == [1, 3]


def test_those_that_do_not_log_wait_too(
    events: list[Event], waits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process whose rank does not log meets the others all the same."""
    monkeypatch.setenv("RANK", "5")
    mllog.config(ranks="0")
    with TrainingRun() as run:
        run.start()
    assert (len(waits), events) == (2, [])


def test_a_crash_waits_for_nobody(events: list[Event], waits: list[int]) -> None:
    """The process that crashed ends its run at once; the others may never come to its end."""
    with pytest.raises(OSError, match="no data"), mllog.run():
        raise OSError("no data")

    def train() -> None:
        with TrainingRun() as run:
            run.start()
            raise OSError("no data")

    with pytest.raises(OSError, match="no data"):
        train()
    assert [event.metadata.get("status") for event in events if event.key == "run_stop"] == ["aborted"] * 2
    assert len(waits) == 2


def test_a_run_that_misses_its_target_waits(waits: list[int]) -> None:
    """All processes come to the regular end of a run, also to that of one without success."""
    with TrainingRun(target=0.5) as run:
        for _ in run.epochs(1):
            run.evaluate(lambda: 0.1)
    assert len(waits) == 2


def test_an_event_can_be_told_to_wait_or_not(waits: list[int]) -> None:
    """Sync overrides what is configured, for any event."""
    mllog.event("eval_accuracy", 0.5, sync=True)
    mllog.start("run_start", sync=False)
    assert waits == [0]


def test_a_barrier_ends_with_none(waits: list[int]) -> None:
    """barrier="none" is the way back."""
    mllog.config(barrier="none")
    mllog.start("run_start")
    assert waits == []


@pytest.mark.parametrize(
    ("choice", "waited"),
    [("torch", ("torch",)), ("jax", ("jax", "mllog")), ("mpi", ("mpi",)), ("auto", ("torch",))],
)
def test_frameworks_wait(groups: list[Any], choice: str, waited: tuple[str, ...]) -> None:
    """Each framework is asked in its own way; auto is the first that is in use."""
    mllog.config(barrier=choice, ranks="1")
    mllog.start("run_start")
    assert groups == [waited]


def test_a_group_is_passed_on(groups: list[Any]) -> None:
    """sync_group is what the framework calls a group."""
    group = object()
    mllog.config(ranks="1")
    mllog.event("seed", 7, sync=True, sync_group=group)
    assert groups == [("torch", group)]


@pytest.mark.parametrize("choice", ["auto", "torch", "jax", "mpi"])
def test_a_process_alone_waits_for_nobody(
    events: list[Event], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], choice: str
) -> None:
    """Without a framework, and before its processes have met, there is nothing to wait for."""
    for name in ("torch.distributed", "jax", "mpi4py.MPI"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    mllog.config(barrier=choice)
    mllog.start("run_start")
    monkeypatch.setitem(sys.modules, "jax", types.ModuleType("jax"))
    mllog.end("run_stop")
    assert (len(events), capsys.readouterr().err) == (2, "")


def test_a_barrier_that_fails_does_not_cost_the_event(
    events: list[Event], capsys: pytest.CaptureFixture[str]
) -> None:
    """A timeout of the others is reported, and the event logged."""

    def fail() -> None:
        raise TimeoutError("rank 3 is gone")

    mllog.config(barrier=fail)
    mllog.start("run_start")
    assert [event.key for event in events] == ["run_start"]
    assert "the barrier before run_start failed: TimeoutError('rank 3 is gone')" in capsys.readouterr().err


def test_a_copy_in_another_process_has_no_barrier(waits: list[int]) -> None:
    """A worker that gets the logger does not take part in its parent's barriers."""
    assert pickle.loads(pickle.dumps(mllog.mllogger.bind(a=1))).barrier is None  # noqa: S301 - made here


def test_facts_of_the_submission_come_from_the_environment(
    events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable gives a fact that the script leaves out; what the script says wins."""
    for name in ("org", "division", "platform", "status"):
        monkeypatch.setenv(f"MLLOG_SUBMISSION_{name.upper()}", f"the {name}")
    mllog.submission(benchmark="bert", platform="8 nodes", poc_name=None)
    with TrainingRun(submission={"benchmark": "bert"}):
        pass
    facts = {event.key.removeprefix("submission_"): event.value for event in events[:5]}
    assert facts == {
        "benchmark": "bert",
        "org": "the org",
        "division": "the division",
        "platform": "8 nodes",
        "status": "the status",
    }
    assert [event.value for event in events if event.key == "submission_platform"] == [
        "8 nodes",
        "the platform",
    ]


def test_facts_that_nothing_gives_are_named_with_their_variables() -> None:
    """A submission without a fact says what to pass and what to set."""
    with pytest.raises(TypeError, match=r"needs division, status; .* MLLOG_SUBMISSION_STATUS"):
        mllog.submission(benchmark="bert", org="o", platform="p")
