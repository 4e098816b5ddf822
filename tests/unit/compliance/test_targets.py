"""Quality targets out of the rule files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlperf_logging import check_log, judge_run, load_ruleset, read_log
from mlperf_logging.analysis.reading import read_rows
from mlperf_logging.compliance.judge import Judge
from mlperf_logging.compliance.targets import (
    Bound,
    add_targets,
    find_targets,
    list_bounds,
    read_logged_target,
    read_target,
)
from mlperf_logging.events import Event
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.runs.evaluations import Evaluation
from mlperf_logging.runs.intervals import Progress
from tests.logs import mll, mllog


def bounds_of(text: str, logged: dict[str | None, float] | None = None, log: bytes = b"") -> list[Bound]:
    """The bounds of a formula, beside what was logged."""
    events = {event.key: event for event in read_log(log).events}
    evaluations = [
        Evaluation(
            "eval_accuracy", value, metric, Progress(), 0, Event("eval_accuracy", value, {}, 0, 1, 1, b"")
        )
        for metric, value in (logged or {}).items()
    ]
    return list(list_bounds([read_target(text)], evaluations, events))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("value >= 0.759 and value < 1.0", [(None, "at least", 0.759)]),
        ("value <= 3.3 and value > 0.0", [(None, "at most", 3.3)]),
        (
            "0.0 <= value.FID <= 90.0 and 0.15 <= value.CLIP <= 1.0",
            [("FID", "at most", 90), ("CLIP", "at least", 0.15)],
        ),
        ("value.SEGM > 0.339", [("SEGM", "at least", 0.339)]),
        ("value[1] >= 0.5", [("1", "at least", 0.5)]),
        ("value >= -2.5", [(None, "at least", -2.5)]),
        ("value == 0.5", []),
        ("value < 1.0", []),
    ],
)
def test_bounds_of_a_formula(text: str, wanted: list[tuple[object, ...]]) -> None:
    """Comparisons with numbers are bounds; 0 and 1 only say that a share is a share."""
    assert bounds_of(text) == wanted


def test_alternative_that_fits_the_log() -> None:
    """Where a score may be 24 or 0.24, the line stands where this log's values are."""
    text = "number(value) >= 24.0 or 0.24 <= number(value) <= 1"

    assert bounds_of(text, {None: 0.23}) == [(None, "at least", 0.24)]
    assert bounds_of(text, {None: 22.0}) == [(None, "at least", 24.0)]


@pytest.mark.parametrize(("batch_size", "target"), [(256, 0.712), (16384, 0.706)])
def test_condition_that_holds_for_the_log(batch_size: int, target: float) -> None:
    """A target that depends on the batch size is that of the logged one."""
    text = "(value >= 0.712 if logged(global_batch_size) < 8192 else value >= 0.706) and value < 1.0"

    assert bounds_of(text, log=mllog("global_batch_size", batch_size)) == [(None, "at least", target)]


def test_every_closed_benchmark_has_a_target_with_a_number() -> None:
    """All rounds but the first state a target for all their benchmarks, and a line can be drawn for each."""
    rulesets = [open_rules().load(entry.name) for entry in open_rules().index()]
    missing = [
        (ruleset.name, benchmark)
        for ruleset in rulesets
        for benchmark in (ruleset.benchmarks if ruleset.has_divisions else ())
        if not list_bounds(find_targets(ruleset, "closed", benchmark), (), {})
    ]

    assert missing == []


def test_unknown_benchmark_has_no_target() -> None:
    """A benchmark that the round does not know has no target."""
    assert find_targets(load_ruleset("training/4.0.0"), "closed", "knitting") == []


def test_logged_target_is_a_number() -> None:
    """``eval_target`` counts where it is a number, and nothing else does."""

    def read(log: bytes) -> list[str]:
        return [target.text for target in read_logged_target(read_log(log).events[0])]

    assert read(mllog("eval_target", 0.7)) == ["value >= 0.7 (logged eval_target)"]
    assert read(mllog("eval_target", "high")) == read_logged_target(None) == []
    assert [read(mllog("eval_target", value)) for value in (1e308, -1e308, 10**400)] == [[]] * 3


def test_each_target_has_the_evaluations_that_met_it() -> None:
    """Two targets may be met by different evaluations; a value of the wrong kind meets none."""
    log = read_log(
        mllog("eval_accuracy", 0.8, 1) + mllog("eval_accuracy", "no", 2) + mllog("eval_error", 0.1, 3)
    )
    high, low = (read_target(text)._replace(id=text) for text in ("value > 0.5", "value < 0.5"))
    judge = Judge(add_targets(load_ruleset("training/4.0.0").table(None, None), [high, low]))
    for event in log.events:
        judge.feed(event)

    assert (judge.met[high.id], judge.met[low.id]) == ([log.events[0]], [log.events[2]])


def test_target_that_is_added_breaks_no_rule() -> None:
    """A target of the caller's is tried, may look at any key, and is not held against the log."""
    log = mllog("eval_accuracy", 3, 1) + mllog("my_goal", 2, 2) + mllog("eval_accuracy", 3, 3)
    met = judge_run(log, ruleset="4.0.0", target="value > logged(my_goal)")
    unmet = judge_run(log, ruleset="4.0.0", target="value > 99")

    assert [event.line for event in met.targets[0].met] == [3]
    assert unmet.targets[0].met == ()
    assert met.verdict == unmet.verdict == check_log(log, ruleset="4.0.0")


def test_alternative_of_another_scale_is_not_met(tmp_path: Path) -> None:
    """0.4 of 100 is not a score of 0.25 and more: the log's own scale says which number is meant."""
    log = tmp_path / "result_0.txt"
    values = ((0.4, 110.0), (20.0, 120.0), (25.1, 130.0))
    log.write_bytes(
        mll("submission_benchmark", "transformer", 90.0)
        + mll("submission_division", "closed", 90.0)
        + mll("run_start", None, 100.0)
        + b"".join(mll("eval_accuracy", value, seconds, epoch_num=1) for value, seconds in values)
        + mll("run_stop", None, 140.0, status="success")
    )
    rows = read_rows(str(log))

    assert rows.run["time_to_quality_seconds"] == 30
    assert [row["meets_target"] for row in rows.evaluations] == [False, False, True]
