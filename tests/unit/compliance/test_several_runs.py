"""Several runs in one file: what is recognized as such, what judging says, and what must not be taken for it."""

from __future__ import annotations

import heapq
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.compliance import held_log
from mlperf_logging.compliance.checking import check_log, check_runs
from mlperf_logging.compliance.findings import Verdict
from mlperf_logging.compliance.judged_run import judge_run, judge_runs
from mlperf_logging.compliance.several_runs import EACH, LAST, RELAUNCH_PAUSE_MS, find_runs
from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.events import Outcome
from mlperf_logging.parsing import read_log
from tests.logs import mllog
from tests.rule_folders import write_round

CELLS = """\
closed:
  submission_benchmark: exactly one
  seed: exactly one
  init_start: exactly one
  run_start: exactly one
  run_stop: exactly one; meta.status == "success"
"""
HOUR_MS = 3_600_000

Timed = tuple[float, bytes]


@pytest.fixture
def rules(tmp_path: Path) -> dict[str, Any]:
    """A small round whose logs hold one life cycle."""
    folder = tmp_path / "rules"
    folder.mkdir()
    write_round(folder, CELLS, knitting="closed: {}\n")
    return {"rules": folder, "division": "closed"}


def time_run(
    start_ms: float, evaluations: int = 2, *, stops: bool = True, late_names: bool = False
) -> list[Timed]:
    """The lines of one life cycle with their times; a run that does not stop was cut off."""
    names = [("submission_benchmark", "knitting"), ("submission_org", "Example Lab")]
    keys: list[tuple[str, Any]] = [("cache_clear", True), ("init_start", None)]
    keys = keys if late_names else [*names, *keys]
    keys += [("seed", start_ms), ("init_stop", None), ("run_start", None)]
    keys += [("block_start", None), ("eval_start", None), ("eval_accuracy", 0.5)] * evaluations
    lines = [(start_ms + 1_000 * step, key, value, {}) for step, (key, value) in enumerate(keys)]
    if stops:
        lines.append((start_ms + 600_000, "run_stop", None, {"status": "success"}))
    if late_names:
        lines += [(start_ms + 600_001, key, value, {}) for key, value in names]
    return [(time_ms, mllog(key, value, time_ms, **more)) for time_ms, key, value, more in lines]


def write_run(start_ms: float, evaluations: int = 2, **more: bool) -> bytes:
    """The log of one life cycle."""
    return b"".join(line for _, line in time_run(start_ms, evaluations, **more))


def find_lines(log: bytes) -> list[int]:
    """The lines on which runs begin."""
    found = read_log(log)
    return [begin.line for begin in find_runs(found.events, found.dialect)]


TWO = write_run(0) + write_run(HOUR_MS)
ABORTED = write_run(0, stops=False) + write_run(HOUR_MS)


def test_a_relaunched_job_gives_one_finding_that_names_where_each_run_begins(rules: dict[str, Any]) -> None:
    """Nothing else is blamed: what follows from there being two runs is said with `--run`."""
    verdict = check_log(ABORTED, **rules)
    (finding,) = verdict.findings
    assert (finding.code, finding.rule, finding.line) == ("MLP111", "several-runs", 14)
    assert "2 runs, which begin on lines 1 and 14; judged alone, run 2 is compliant" in finding.message
    assert [(run.number, run.line, run.verdict) for run in verdict.runs] == [
        (1, 1, Outcome.FAILED),
        (2, 14, Outcome.PASSED),
    ]
    assert verdict.verdict == Outcome.FAILED
    assert verdict.run.minutes is None
    assert verdict.as_json()["runs"][1] == {"number": 2, "line": 14, "verdict": "pass", "errors": 0}


def test_a_run_that_is_selected_is_judged_alone(rules: dict[str, Any]) -> None:
    """By its number, as the last one, or each."""
    assert check_log(ABORTED, run=1, **rules).verdict == Outcome.FAILED
    last = check_log(ABORTED, run=LAST, **rules)
    assert (last.verdict, last.run.minutes, last.name) == (Outcome.PASSED, 9.9, "<bytes> (run 2)")
    assert [verdict.run.minutes for verdict in check_runs(TWO, run=EACH, **rules)] == [9.9, 9.9]


def test_runs_whose_repeated_values_are_tolerated_give_a_warning(rules: dict[str, Any]) -> None:
    """The public checks accept such a file, so it is compliant; but there is no figure of one run in it."""
    log = TWO.replace(b'"value": 3600000', b'"value": 0')
    verdict = check_log(log, **rules)
    assert [(each.code, each.severity) for each in verdict.findings] == [("MLP111", "warning")]
    assert (verdict.verdict, verdict.run.minutes) == (Outcome.PASSED, None)
    assert judge_run(log, **rules).run.minutes is None


def test_a_run_that_is_not_there_is_said_to_be_missing(rules: dict[str, Any]) -> None:
    """The message counts those that are."""
    with pytest.raises(UnreadableLogError, match="holds 2 runs, so there is no run 3"):
        check_log(TWO, run=3, **rules)
    with pytest.raises(UnreadableLogError, match="holds one run, so there is no run 2"):
        check_log(write_run(0), run=2, **rules)


@pytest.mark.parametrize("run", [None, 1, LAST])
def test_a_log_of_one_run_is_judged_as_it_is(rules: dict[str, Any], run: int | None) -> None:
    """Its verdict has no parts, whichever run is asked for."""
    verdict = check_log(write_run(0), run=run, **rules)
    assert (verdict.verdict, verdict.runs, verdict.name) == (Outcome.PASSED, (), "<bytes>")


def test_no_figure_is_taken_from_a_file_of_several_runs(rules: dict[str, Any]) -> None:
    """Minutes, evaluations and seeds of two runs make no run; one that is selected has its own."""
    whole = judge_run(TWO, **rules).run
    assert (whole.benchmark, whole.minutes, whole.evaluations, whole.seeds) == ("knitting", None, (), ())
    assert not any(whole.intervals.values())
    last = judge_run(TWO, run=LAST, **rules).run
    assert (last.minutes, len(last.evaluations), len(last.seeds)) == (9.9, 2, 1)


def test_each_run_has_its_own_events(rules: dict[str, Any]) -> None:
    """What one run logs does not show in the view of another."""
    log = write_run(0, 1) + write_run(HOUR_MS, 3)
    selection = judge_run(log, **rules).verdict
    assert len(selection.runs) == 2
    from mlperf_logging.compliance.ruleset_selection import RuleSelection

    runs = judge_runs(log, RuleSelection(run=EACH, **rules))
    assert [len(each.run.evaluations) for each in runs] == [1, 3]


def test_long_logs_are_split_without_being_held(
    monkeypatch: pytest.MonkeyPatch, rules: dict[str, Any]
) -> None:
    """A run of more events than are held is read again from the file; standard input and pipes are spooled."""
    import io

    monkeypatch.setattr(held_log, "HELD_ITEMS", 5)
    monkeypatch.setattr(held_log, "_BATCH", 3)
    log = write_run(0, 1) + write_run(HOUR_MS, 3) + write_run(2 * HOUR_MS, 2, stops=False)
    for source in (log, io.BytesIO(log)):
        verdict = check_log(source, **rules)
        assert [run.verdict for run in verdict.runs] == [Outcome.PASSED, Outcome.PASSED, Outcome.FAILED]


CASES: dict[str, tuple[bytes, list[int]]] = {
    "two complete runs": (TWO, [1, 15]),
    "a run cut off while it trained": (ABORTED, [1, 14]),
    "a run cut off before it trained, after a pause": (
        b"".join(line for _, line in time_run(0)[:5]) + write_run(RELAUNCH_PAUSE_MS + 10_000),
        [1, 6],
    ),
    "one run": (write_run(0), []),
    "identity logged after the end of the run": (write_run(0, late_names=True), []),
    "two runs that name themselves at their ends": (
        write_run(0, late_names=True) + write_run(HOUR_MS, late_names=True),
        [1, 15],
    ),
    "the log of another rank behind that of the first": (write_run(0) + write_run(3), []),
    "a rank that begins while the first prepares": (
        b"".join(line for _, line in time_run(0)[:5]) + write_run(100_000),
        [],
    ),
    "a run_start that is logged twice": (write_run(0) + mllog("run_start", None, 6_000), []),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_and_is_not_another_run(name: str) -> None:
    """Another run comes after everything before it; ranks of one job overlap."""
    log, lines = CASES[name]
    assert find_lines(log) == lines


@given(st.integers(1, 4), st.lists(st.integers(0, 5_000), min_size=1, max_size=4), st.randoms())
def test_ranks_of_one_job_are_one_run(evaluations: int, delays: list[int], random: Any) -> None:
    """However late some ranks are within the job, and whether lines interleave or files are put together."""
    ranks = [time_run(delay, evaluations) for delay in delays]
    merged = list(heapq.merge(*ranks, key=lambda line: line[0]))
    random.shuffle(ranks)
    for lines in (merged, [line for rank in ranks for line in rank]):
        assert find_lines(b"".join(line for _, line in lines)) == []


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.integers(1, HOUR_MS)), min_size=1, max_size=6))
def test_runs_one_after_another_are_found(runs: list[tuple[int, bool, int]]) -> None:
    """As many as there are, each where it begins, whether they ended or were cut off."""
    log, lines, now = b"", [], 0.0
    for evaluations, stops, pause_ms in runs:
        lines.append(log.count(b"\n") + 1)
        log += write_run(now, evaluations, stops=stops)
        now += 600_000 + pause_ms
    assert find_lines(log) == (lines if len(lines) > 1 else [])


def test_a_finding_of_several_runs_is_not_lost_by_selecting_others(rules: dict[str, Any]) -> None:
    """It stands for all other findings, so only its own name drops it."""
    from mlperf_logging.compliance.finding_filter import FindingFilter, apply_filter

    def keep(select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> Verdict:
        return apply_filter(check_log(TWO, **rules), FindingFilter(select, ignore))

    assert keep(select=("MLP3",)).verdict == Outcome.FAILED
    assert keep(ignore=("MLP1",)).verdict == Outcome.FAILED
    assert keep(ignore=("MLP111",)).verdict == Outcome.PASSED
