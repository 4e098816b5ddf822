"""Judging a run while it goes on: each finding once, as soon as it can be known."""

from __future__ import annotations

from pathlib import Path

import pytest
from logs import mllog
from rule_folders import write_round

from mlperf_logging.compliance import live
from mlperf_logging.compliance.checking import check_log
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.live import LiveJudge, start_judge
from mlperf_logging.compliance.ruleset_selection import choose_ruleset
from mlperf_logging.errors import UsageError
from mlperf_logging.events import Event
from mlperf_logging.parsing import read_log
from mlperf_logging.runs.summary import RunSummary

CELLS = """\
state:
  run_start: {run_started: true}
common:
  submission_benchmark: any number
  seed: any number; value > 0
  run_start: logged
  run_stop: any number; state.run_started
closed:
  opt_name: any number; in {adam, sgd}
"""
KNITTING = """\
closed:
  global_batch_size: any number; value > 0
  eval_accuracy: any number; reaches value > 0.9
variants:
  socks: {when: logged(opt_name) == "sgd", closed: {opt_momentum: any number; value < 1}}
  hats: {when: logged(brim) == 1, closed: {hat_size: any number; value < 70}}
strict:
  both: {seed: also integer(value)}
"""
IDENTITY = (mllog("submission_division", "closed"), mllog("submission_benchmark", "knitting"))


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Rule files with one round of two benchmarks, one of them with variants."""
    write_round(tmp_path, CELLS, knitting=KNITTING, weaving="both: {}\n")
    return tmp_path


def read(*lines: bytes) -> list[Event]:
    """Events of log lines."""
    return read_log(b"".join(lines)).events


def brief(findings: list[Finding]) -> list[tuple[str, int | None]]:
    """Rule and line of each finding."""
    return [(finding.rule, finding.line) for finding in findings]


def follow(judge: LiveJudge, *lines: bytes) -> list[list[tuple[str, int | None]]]:
    """What each event newly gives, and what the end does."""
    found = [brief(judge.feed(event)) for event in read(*lines)]
    return [*found, brief(judge.finish())]


def test_violation_is_reported_at_its_event(rules: Path) -> None:
    """What an event breaks is reported with it, and not again."""
    judge = start_judge(ruleset="trial/1.0.0", rules=rules)
    found = follow(
        judge, *IDENTITY, mllog("seed", 0), mllog("seed", 1), mllog("run_stop"), mllog("run_start")
    )
    assert found == [[], [], [("common.seed.value", 3)], [], [("common.run_stop.order", 5)], [], []]


def test_what_is_missing_is_reported_at_the_end(rules: Path) -> None:
    """Only the whole log can show what is missing or was never reached."""
    judge = start_judge(ruleset="trial/1.0.0", rules=rules)
    found = follow(judge, *IDENTITY, mllog("eval_accuracy", 0.5))
    assert found == [[], [], [], [("common.run_start", None), ("knitting.closed.eval_accuracy.target", 3)]]


def test_events_before_the_benchmark_are_judged_when_it_is_known(rules: Path) -> None:
    """Events that came before the run said what it is are judged by the right rules, in their order."""
    judge = start_judge(ruleset="trial/1.0.0", rules=rules)
    found = follow(
        judge, mllog("global_batch_size", 0), mllog("opt_name", "lamb"), mllog("run_start"), *IDENTITY
    )
    assert found == [
        [],
        [],
        [],
        [("closed.opt_name.value", 2)],
        [("knitting.closed.global_batch_size.value", 1)],
        [],
    ]


def test_finding_of_a_wider_table_is_not_repeated(rules: Path) -> None:
    """What was reported before the benchmark was known is not reported again after."""
    judge = start_judge(ruleset="trial/1.0.0", rules=rules)
    found = follow(judge, mllog("seed", 0), *IDENTITY, mllog("run_start"))
    assert found == [[("common.seed.value", 1)], [], [], [], []]


def test_all_variants_are_found(rules: Path) -> None:
    """A benchmark may be of several variants, whose keys come at different times."""
    judge = start_judge(ruleset="trial/1.0.0", rules=rules)
    lines = (mllog("opt_name", "sgd"), mllog("opt_momentum", 2), mllog("hat_size", 80), mllog("brim", 1))
    found = follow(judge, *IDENTITY, mllog("run_start"), *lines)
    assert found == [
        [],
        [],
        [],
        [],
        [("knitting.socks.closed.opt_momentum.value", 5)],
        [],
        [("knitting.hats.closed.hat_size.value", 6)],
        [],
    ]


def test_events_are_let_go_when_the_run_is_known(rules: Path) -> None:
    """Once division, benchmark and variant are known, events are not kept any more."""
    judge = start_judge(ruleset="trial/1.0.0", rules=rules)
    for event in read(*IDENTITY, mllog("opt_name", "adam")):
        judge.feed(event)
    assert judge._history is not None
    for event in read(mllog("brim", 0)):
        judge.feed(event)
    assert judge._history is None
    other = start_judge(ruleset="trial/1.0.0", benchmark="weaving", division="closed", rules=rules)
    for event in read(mllog("seed", 1)):
        other.feed(event)
    assert other._history is None


def test_automatic_round_waits_for_the_benchmark(rules: Path) -> None:
    """Without a named round nothing is judged until the run names its benchmark."""
    judge = start_judge(rules=rules)
    (event,) = read(mllog("seed", 0))
    assert judge.feed(event) == []
    assert judge.choice is None
    (event,) = read(mllog("submission_benchmark", "knitting"))
    assert brief(judge.feed(event._replace(line=2))) == [("common.seed.value", 1)]
    assert judge.choice is not None
    assert judge.choice.ruleset.name == "trial/1.0.0"


@pytest.mark.parametrize(
    ("order", "judged_by"),
    [(("submission_ruleset", "run_start"), "trial/1.0.0"), (("run_start",), "trial/2.0.0")],
)
def test_rules_that_the_log_names_count(rules: Path, order: tuple[str, ...], judged_by: str) -> None:
    """A log may name its rules after its benchmark: until the run starts, the events are kept for that."""
    newer = CELLS.replace("{adam, sgd}", "{lamb}")
    write_round(rules, newer, name="trial/2.0.0", knitting=KNITTING, weaving="both: {}\n")
    judge = start_judge(rules=rules)
    for event in read(*IDENTITY, mllog("brim", 0), mllog("seed", 1)):
        judge.feed(event)
    assert judge._history is not None

    found = follow(judge, *[mllog(key, "trial/1.0.0") for key in order], mllog("opt_name", "adam"))

    assert judge._history is None
    assert judge.choice is not None
    assert judge.choice.ruleset.name == judged_by
    wrong = [rule for rule, _ in found[len(order)] if rule.startswith("closed.opt_name")]
    assert bool(wrong) == (judged_by == "trial/2.0.0")


@pytest.mark.parametrize(
    "line",
    [
        mllog("submission_benchmark", "bert"),
        b":::MLPv0.5.0 resnet 1541025600.000000000 (train.py:1) eval_size: 5\n",
    ],
    ids=["a key of today", "each record of 0.5"],
)
def test_repetitions_tell_nothing_new(line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of run that is named a thousand times is chosen for the first time only: choosing takes long."""
    chosen = []
    monkeypatch.setattr(
        live, "choose_ruleset", lambda *args, **options: chosen.append(1) or choose_ruleset(*args, **options)
    )
    judge = start_judge()
    events = read(line * 1_000)
    for event in events:
        judge.feed(event)

    assert len(events) == 1_000
    assert judge.choice is not None
    assert 0 < len(chosen) < 5


def test_run_that_never_says_what_it_is(rules: Path) -> None:
    """At the end a run without identity is judged by what is common, and told so."""
    found = follow(start_judge(rules=rules), mllog("seed", 0))
    assert found[0] == []
    assert {"unknown-division", "common.seed.value", "common.run_start"} <= {rule for rule, _ in found[1]}


def test_given_identity_counts(rules: Path) -> None:
    """A division and benchmark that the caller gives are judged by from the first event on."""
    judge = start_judge(
        ruleset="trial/1.0.0", division="closed", benchmark="knitting", strict=True, rules=rules
    )
    found = follow(judge, mllog("global_batch_size", 0), mllog("seed", 1.5))
    assert found[:2] == [
        [("knitting.closed.global_batch_size.value", 1)],
        [("strict.knitting.seed.value", 2)],
    ]


def test_unknown_names_are_refused(rules: Path) -> None:
    """A round or benchmark that does not exist is refused at once, before the run begins."""
    with pytest.raises(UsageError, match=r"unknown ruleset '9\.9\.9'"):
        start_judge(ruleset="9.9.9", rules=rules)
    with pytest.raises(UsageError, match="unknown benchmark 'kniting'"):
        start_judge(ruleset="trial/1.0.0", benchmark="kniting", rules=rules)


def test_frame_of_the_run_is_known_as_it_goes(rules: Path) -> None:
    """The run's start, stop and status can be asked for at any time."""
    judge = start_judge(ruleset="trial/1.0.0", rules=rules)
    assert judge.run == RunSummary()
    start, stop = read(mllog("run_start", time_ms=1000), mllog("run_stop", time_ms=61_000, status="success"))
    judge.feed(start)
    assert judge.run == RunSummary(start_ms=1000)
    judge.feed(stop)
    assert judge.run == RunSummary(1000, 61_000, "success", 1.0)


def test_whole_log_is_judged_as_from_a_file(rules: Path) -> None:
    """Judged event by event, a log that names its benchmark first gives what checking its file gives."""
    lines = [
        *IDENTITY,
        mllog("opt_name", "sgd"),
        mllog("brim", 1),
        mllog("opt_momentum", 3),
        mllog("seed", 0),
        mllog("run_stop"),
        mllog("run_start"),
        mllog("run_start"),
        mllog("eval_accuracy", 0.1),
        mllog("hat_size", 99),
    ]
    reported = [
        each for found in follow(start_judge(ruleset="trial/1.0.0", rules=rules), *lines) for each in found
    ]
    verdict = check_log(b"".join(lines), ruleset="trial/1.0.0", rules=rules)
    assert sorted(reported, key=str) == sorted(brief(list(verdict.findings)), key=str)
    assert len(reported) == len(set(reported)) == 6
