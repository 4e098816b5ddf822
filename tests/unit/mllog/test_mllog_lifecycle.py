"""The life cycle and the helper for hand-written loops."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from mlperf_logging.events import Event
from mlperf_logging.mllog import lifecycle
from mlperf_logging.mllog.callbacks.loop import TrainingRun
from mlperf_logging.mllog.errors import ConfigError
from mlperf_logging.mllog.lifecycle import LifeCycle
from mlperf_logging.mllog.testing import capture_events

SUBMISSION = {"benchmark": "b", "org": "o", "division": "open", "platform": "p", "status": "onprem"}


def brief(events: list[Event]) -> list[tuple[str, Any]]:
    """Key and what the event says besides its call site: progress, status, else the value."""
    told = []
    for event in events:
        rest = {name: value for name, value in event.metadata.items() if name not in ("file", "lineno")}
        told.append((event.key, rest or event.value))
    return told


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What the shared logger logs during the test."""
    with capture_events() as captured:
        yield captured


def test_epochs_until_the_target(events: list[Event]) -> None:
    """The whole life of a run in the order of the rules; the loop ends when the target is reached."""
    qualities = iter([0.4, 0.6, 0.9])
    with TrainingRun(
        submission=SUBMISSION,
        seed=3,
        hyperparameters={"opt_name": "sgd"},
        train_samples=100,
        eval_samples=10,
        target=0.5,
    ) as run:
        epochs = [epoch for epoch in run.epochs(3) if run.evaluate(lambda: next(qualities))]
    assert (epochs, run.is_reached) == ([1, 2], True)
    assert brief(events) == [
        ("cache_clear", True),
        ("init_start", None),
        ("submission_benchmark", "b"),
        ("submission_org", "o"),
        ("submission_division", "open"),
        ("submission_platform", "p"),
        ("submission_status", "onprem"),
        ("seed", 3),
        ("opt_name", "sgd"),
        ("train_samples", 100),
        ("eval_samples", 10),
        ("init_stop", None),
        ("run_start", None),
        ("epoch_start", {"epoch_num": 1}),
        ("epoch_stop", {"epoch_num": 1}),
        ("eval_start", {"epoch_num": 1}),
        ("eval_accuracy", {"epoch_num": 1}),
        ("eval_stop", {"epoch_num": 1}),
        ("epoch_start", {"epoch_num": 2}),
        ("epoch_stop", {"epoch_num": 2}),
        ("eval_start", {"epoch_num": 2}),
        ("eval_accuracy", {"epoch_num": 2}),
        ("eval_stop", {"epoch_num": 2}),
        ("run_stop", {"status": "success", "epoch_num": 2}),
    ]
    assert {event.metadata["file"] for event in events} == {__file__}


def test_blocks_of_samples(events: list[Event]) -> None:
    """Progress in samples: blocks say where they begin and end, evaluations where they stand."""
    with TrainingRun(unit="samples_count", target=0.5, mode="min", quality_key="eval_error") as run:
        sizes = [size for size in run.blocks(40, limit=100) if run.evaluate(lambda: 0.7, metric="error")]
    assert sizes == [40, 40, 20]
    assert brief(events)[4:9] == [
        ("block_start", {"samples_count": 0}),
        ("block_stop", {"samples_count": 40}),
        ("eval_start", {"samples_count": 40}),
        ("eval_error", {"samples_count": 40, "metric": "error"}),
        ("eval_stop", {"samples_count": 40}),
    ]
    assert brief(events)[-1] == ("run_stop", {"status": "aborted", "samples_count": 100})


def test_several_targets_are_reached_by_one_evaluation(events: list[Event]) -> None:
    """With several qualities the run succeeds when one evaluation reaches the targets of all."""
    target = {"BBOX": 0.5, "SEGM": 0.4}
    found = iter(
        [{"BBOX": 0.6, "SEGM": 0.3}, {"BBOX": 0.4, "SEGM": 0.5}, {"BBOX": 0.5, "SEGM": 0.4, "SMALL": 0.1}]
    )
    with TrainingRun(target=target) as run:
        for _ in run.epochs(9):
            run.evaluate(lambda: next(found))
    qualities = [event.value for event in events if event.key == "eval_accuracy"]
    assert len(qualities) == 3
    assert qualities[-1] == {"BBOX": 0.5, "SEGM": 0.4, "SMALL": 0.1}
    assert brief(events)[-1] == ("run_stop", {"status": "success", "epoch_num": 3})
    with pytest.raises(KeyError, match="SEGM"):
        lifecycle.reaches_target({"BBOX": 0.6}, target)
    assert lifecycle.reaches_target({"WER": 0.2, "CER": 0.1}, {"WER": 0.2, "CER": 0.1}, "min")


def test_progress_in_steps(events: list[Event]) -> None:
    """Where progress is counted in steps, blocks and evaluations say after how many."""
    with TrainingRun(unit="step_num") as run:
        for _ in run.blocks(30, limit=60):
            run.evaluate(lambda: 0.5)
    assert brief(events)[4:8] == [
        ("block_start", {"step_num": 0}),
        ("block_stop", {"step_num": 30}),
        ("eval_start", {"step_num": 30}),
        ("eval_accuracy", {"step_num": 30}),
    ]
    assert brief(events)[-1] == ("run_stop", {"status": "success", "step_num": 60})


def test_several_evaluations_in_a_block_and_none(events: list[Event]) -> None:
    """A block closes once, with an evaluation or without."""
    with TrainingRun() as run:
        for epoch in run.epochs(2):
            if epoch == 1:
                run.evaluate(lambda: 0.1)
                run.evaluate(lambda: 0.2)
    keys = [event.key for event in events]
    assert keys.count("epoch_stop") == keys.count("epoch_start") == 2
    assert keys.count("eval_stop") == keys.count("eval_start") == keys.count("eval_accuracy") == 2
    assert brief(events)[-1] == ("run_stop", {"status": "success", "epoch_num": 2})


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_crash_closes_what_is_open(events: list[Event], error: type[BaseException]) -> None:
    """An exception within an evaluation ends it and the run, as aborted."""

    def fail() -> float:
        raise error

    def train() -> None:
        with TrainingRun() as run:
            for _ in run.epochs(2):
                run.evaluate(fail)

    with pytest.raises(error):
        train()
    assert brief(events)[-2:] == [
        ("eval_stop", {"epoch_num": 1}),
        ("run_stop", {"status": "aborted", "epoch_num": 1}),
    ]


def test_a_loop_that_is_left_early_ends_well(events: list[Event]) -> None:
    """After break the open epoch is closed and the run stops; without a target that is a success."""
    with TrainingRun() as run:
        for _ in run.epochs(5):
            break
    assert [event.key for event in events][-2:] == ["epoch_stop", "run_stop"]
    assert events[-1].metadata["status"] == "success"


def test_a_crash_in_the_preparation_logs_no_run(events: list[Event]) -> None:
    """A run that never started does not stop either."""
    with pytest.raises(OSError, match="no data"), TrainingRun():
        raise OSError("no data")
    assert [event.key for event in events] == ["cache_clear", "init_start"]


def test_an_evaluation_within_an_epoch_leaves_it_open(events: list[Event]) -> None:
    """A part of an epoch as progress means that the epoch continues; its end has its own number."""
    life = LifeCycle()
    life.start_run()
    life.start_block(3)
    life.start_eval(2.5)
    life.log_quality(0.1)
    life.stop_eval()
    life.stop_block()
    life.stop_run()
    assert brief(events)[4:-1] == [
        ("epoch_start", {"epoch_num": 3}),
        ("eval_start", {"epoch_num": 2.5}),
        ("eval_accuracy", {"epoch_num": 2.5}),
        ("eval_stop", {"epoch_num": 2.5}),
        ("epoch_stop", {"epoch_num": 3}),
    ]


def test_calls_out_of_turn_log_nothing(events: list[Event]) -> None:
    """Before the run starts and after it has stopped nothing is logged; stopping twice is stopping once."""
    life = LifeCycle()
    life.start_block(1)
    life.start_eval(1)
    life.log_quality(0.5)
    life.stop_eval()
    life.stop_run()
    assert events == []
    life.start_run()
    life.stop_run("success")
    life.stop_run()
    life.start_run()
    life.start_block(1)
    assert [event.key for event in events] == [
        "cache_clear",
        "init_start",
        "init_stop",
        "run_start",
        "run_stop",
    ]


def test_a_metric_that_is_not_there_is_reported_once(
    events: list[Event], capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong metric name is said on standard error with the names there are."""
    life = LifeCycle(target=0.5)
    life.start_run()
    for _ in range(2):
        life.start_eval(1)
        assert not life.log_metric({"loss": 1.0, "accuracy": 0.5}, "acc")
        life.stop_eval()
    assert capsys.readouterr().err.count("no metric 'acc'") == 1
    assert life.log_metric({"acc": 0.5}, "acc")
    life.stop_run()


@pytest.mark.parametrize("options", [{"unit": "steps"}, {"mode": "most"}])
def test_wrong_options_are_refused(options: dict[str, str]) -> None:
    """Unit and mode are checked when the run is described, not in its third day."""
    with pytest.raises(ConfigError, match="must be"):
        LifeCycle(**options)


def test_call_sites_are_lines_of_the_script(events: list[Event]) -> None:
    """Events of a callback have the script's line that called the framework, not the framework's that called back."""
    life = LifeCycle()
    framework = {"__name__": "lightning.pytorch.trainer.call", "life": life}
    exec(compile("def fit():\n    life.start_run()\n", "/lib/call.py", "exec"), framework)  # noqa: S102
    script = {"__name__": "__main__", "fit": framework["fit"]}
    exec(compile("\n\nfit()\n", "train.py", "exec"), script)  # noqa: S102 - the code is this test's own
    assert {(event.metadata["file"], event.metadata["lineno"]) for event in events} == {("train.py", 3)}
    life.stop_run()


def test_a_muted_run_logs_nothing_and_still_tells(events: list[Event]) -> None:
    """All processes but one go through the same life; what it comes to is known to them too."""
    life = LifeCycle(target=0.5)
    life.mute()
    life.start_run()
    life.start_eval(1)
    assert life.log_quality(0.7)
    life.stop_run()
    assert events == []


def test_typed_options_are_the_arguments() -> None:
    """What editors and type checkers know as options of the callbacks is what the life cycle takes."""
    tree = ast.parse(inspect.getsource(lifecycle))
    (options,) = (node for node in ast.walk(tree) if getattr(node, "name", "") == "LifeCycleOptions")
    named = {
        ast.unparse(node.target): ast.unparse(node.annotation)
        for node in ast.walk(options)
        if isinstance(node, ast.AnnAssign)
    }
    taken = {name: item.annotation for name, item in inspect.signature(LifeCycle).parameters.items()}
    assert named == taken
