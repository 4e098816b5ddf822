"""Judging whole logs: what is read, what counts, in which order, and what the verdict holds."""

from __future__ import annotations

import gzip
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from logs import mll, mllog, mlp050
from rule_folders import write_round

from mlperf_logging.compliance import checking, held_log
from mlperf_logging.compliance.checking import check_log
from mlperf_logging.compliance.findings import Verdict
from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import read_batches
from mlperf_logging.runs import kept_events
from mlperf_logging.runs.kept_events import EventBudget

CELLS = """\
common:
  submission_benchmark: logged
  run_start: any number
  run_stop: any number; meta.status == "success"
  seed: any number; value > 5
closed:
  opt_name: any number
"""
KNITTING = """\
closed:
  global_batch_size: logged
variants:
  socks: {when: logged(opt_name) == "sgd", closed: {opt_momentum: logged}}
  hats: {when: logged(seed) == 7, closed: {brim: logged}}
strict:
  closed: {global_batch_size: also value < 100}
"""

Check = Callable[..., Verdict]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Checks logs by a small round of the newest dialect, in its closed division."""
    folder = tmp_path / "rules"
    folder.mkdir()
    write_round(folder, CELLS, knitting=KNITTING)
    return lambda source, **options: check_log(source, **{"rules": folder, "division": "closed", **options})


def name(benchmark: str = "knitting") -> bytes:
    """The line that names the benchmark."""
    return mllog("submission_benchmark", benchmark)


GOOD = (
    name()
    + mllog("global_batch_size", 64)
    + mllog("run_start", time_ms=60_000)
    + mllog("run_stop", time_ms=150_000, status="success")
)


def brief(verdict: Verdict) -> list[tuple[str, str, int | None]]:
    """Code, rule and line of each finding."""
    return [(finding.code, finding.rule, finding.line) for finding in verdict.findings]


def one_by_one(source: bytes) -> Iterator[list[Event | Problem]]:
    """The items of a log, each as a batch of its own."""
    return ([item] for batch in read_batches(source) for item in batch)


def test_good_log_passes(check: Check) -> None:
    """A log that satisfies its rules passes; the verdict tells what judged it and the run's frame."""
    verdict = check(GOOD)
    assert verdict.as_json() == {
        "path": "<bytes>",
        "dialect": "mllog",
        "usage": "trial",
        "ruleset": "1.0.0",
        "division": "closed",
        "ruleset_reason": "the newest round that knows knitting in the mllog dialect",
        "benchmark": "knitting",
        "verdict": "pass",
        "findings": [],
        "run": {"start_ms": 60_000, "stop_ms": 150_000, "status": "success", "minutes": 1.5},
    }
    assert verdict.event_count == 4


def test_findings_stand_in_the_order_of_the_log(check: Check) -> None:
    """Findings are ordered by line; those about what is missing come last."""
    log = mllog("seed", 1) + name() + b":::MLLOG {\n" + mllog("run_stop", status="aborted") + mllog("seed", 2)
    verdict = check(log)
    assert [line for _, _, line in brief(verdict)] == [1, 3, 4, 5, None]
    assert brief(verdict)[-1] == ("MLP301", "knitting.closed.global_batch_size", None)
    assert verdict.verdict == "fail"


def test_warning_alone_passes(check: Check) -> None:
    """A log with nothing but warnings is compliant."""
    verdict = check(GOOD + mllog("global_batch_size", 64.0))
    assert brief(verdict) == [("MLP303", "knitting.closed.global_batch_size", 5)]
    assert verdict.findings[0].severity == "warning"
    assert verdict.verdict == "pass"


def test_record_that_cannot_be_read_fails(check: Check) -> None:
    """A record with a parse error makes the log not compliant, under the reader's label."""
    verdict = check(GOOD + b':::MLLOG {"key": "seed", "value": 9, "time_ms": 1}\n')
    ((code, rule, line),) = brief(verdict)
    assert (code[:4], rule, line) == ("MLP0", "missing-metadata", 5)
    assert verdict.verdict == "fail"
    assert verdict.findings[0].excerpt.startswith(':::MLLOG {"key": "seed"')
    assert verdict.findings[0].hint


def test_unfinished_run_has_no_minutes(check: Check) -> None:
    """A run that was started and not stopped has a start and nothing else."""
    run = check(name() + mllog("run_start", time_ms=5)).run
    assert (run.start_ms, run.stop_ms, run.status, run.minutes) == (5, None, None, None)


def test_frame_is_from_the_first_start_to_the_last_stop(check: Check) -> None:
    """A log with several starts and stops is as long as all of them together."""
    log = b"".join(
        mllog(key, time_ms=time_ms, status=f"s{time_ms}")
        for key, time_ms in (
            ("run_start", 0),
            ("run_start", 30_000),
            ("run_stop", 60_000),
            ("run_stop", 120_000),
        )
    )
    run = check(name() + log).run
    assert (run.start_ms, run.stop_ms, run.minutes, run.status) == (0, 120_000, 2.0, "s120000")


def test_strict_adds_the_written_rules(check: Check) -> None:
    """What only the written rules say is judged under strict alone."""
    log = GOOD.replace(b'"value": 64', b'"value": 640')
    assert check(log).verdict == "pass"
    assert brief(check(log, strict=True)) == [("MLP304", "strict.knitting.closed.global_batch_size.value", 2)]


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        ([], []),
        ([("opt_name", "adam")], []),
        ([("opt_name", "sgd")], ["opt_momentum"]),
        ([("opt_name", "adam"), ("opt_name", "sgd")], []),
        ([("seed", 7)], ["brim"]),
        ([("opt_name", "sgd"), ("seed", 7)], ["opt_momentum", "brim"]),
        ([("opt_name", ["sgd"])], []),
    ],
)
def test_variants_follow_the_first_events(
    lines: list[tuple[str, object]], missing: list[str], check: Check
) -> None:
    """The rules of a benchmark's variants hold where the first events of the choosing keys say so."""
    verdict = check(GOOD + b"".join(mllog(key, value) for key, value in lines))
    assert [finding.key for finding in verdict.findings] == missing


def test_division_and_benchmark_can_be_given(check: Check) -> None:
    """A given division or benchmark counts instead of the logged one."""
    assert check(name("weaving"), benchmark="knitting").benchmark == "knitting"
    assert [each.key for each in check(name(), division="open").findings] == []


@pytest.mark.parametrize("held", [0, 1, 3, 1_000_000])
@pytest.mark.parametrize("kind", ["bytes", "path", "str", "file", "stdin", "gzip", "pipe"])
def test_long_log_has_the_same_verdict(
    kind: str, held: int, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a log is held in memory or judged while it is read is not seen in its verdict."""
    log = mllog("seed", 1) + GOOD + mllog("seed", 2) + mllog("opt_name", "sgd") + b":::MLLOG {\n"
    expected = check(log)._replace(path="")
    assert len(expected.findings) == 4
    monkeypatch.setattr(held_log, "HELD_ITEMS", held)
    file = tmp_path / "result_0.txt"
    file.write_bytes(gzip.compress(log) if kind == "gzip" else log)
    source: object = {"bytes": log, "path": file, "gzip": file}.get(kind, str(file))
    if kind == "file":
        source = io.BytesIO(log)
    elif kind == "stdin":
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(log)))
        source = "-"
    elif kind == "pipe":
        source = str(tmp_path / "pipe")
        os.mkfifo(source)
        threading.Thread(target=lambda: Path(str(source)).write_bytes(log), daemon=True).start()
    assert check(source)._replace(path="") == expected


@pytest.mark.parametrize(
    ("end", "readings"),
    [
        (mllog("seed", 1), 1),
        (mllog("submission_division", "open"), 1),
        (mllog("opt_name", "sgd"), 2),
        (mllog("seed", 7), 2),
    ],
)
def test_long_log_is_read_again_only_where_its_end_says_what_it_is(
    end: bytes, readings: int, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long log is judged while it is read, and a second time where other rules hold than its beginning suggests."""
    expected = check(GOOD + end)
    read: list[bytes] = []
    monkeypatch.setattr(held_log, "HELD_ITEMS", 2)
    monkeypatch.setattr(held_log, "read_batches", lambda source: read.append(source) or one_by_one(source))

    assert check(GOOD + end) == expected
    assert len(read) == readings


@pytest.mark.parametrize("kind", ["bytes", "path", "str", "stdin", "stream", "file"])
def test_path_is_reported_as_given(
    kind: str, check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict names the log as the caller did."""
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    Path("logs/result_0.txt").write_bytes(GOOD)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD)))
    with open("logs/result_0.txt", "rb") as file:  # noqa: PTH123
        source, expected = {
            "bytes": (GOOD, "<bytes>"),
            "path": (Path("logs/result_0.txt"), "logs/result_0.txt"),
            "str": ("./logs/result_0.txt", "./logs/result_0.txt"),
            "stdin": ("-", "-"),
            "stream": (io.BytesIO(GOOD), "<stream>"),
            "file": (file, "logs/result_0.txt"),
        }[kind]
        assert check(source).path == expected


@pytest.mark.parametrize("log", [b"", b"training noise\nloss 0.1\n", b"\x00\xff\xfe" * 100])
def test_log_without_events_fails(log: bytes, check: Check) -> None:
    """A file without any record is an error, and is reported as such before what is missing in it."""
    verdict = check(log)
    assert (verdict.verdict, verdict.dialect, verdict.event_count) == ("fail", None, 0)
    assert ("MLP105", "no-events", None) in brief(verdict)
    assert "the file contains no event in a known log dialect" in [each.message for each in verdict.findings]


def test_records_of_another_dialect_do_not_count(check: Check) -> None:
    """Records of another dialect than the round's are noise, and a warning says where the first stands."""
    verdict = check(GOOD + mll("seed", 1) + mll("seed", 1) + mlp050("knitting", "run_start"))
    assert brief(verdict) == [("MLP109", "other-dialect", 5), ("MLP109", "other-dialect", 7)]
    assert [finding.severity for finding in verdict.findings] == ["warning", "warning"]
    assert [finding.message for finding in verdict.findings] == [
        "2 records in the mll dialect do not count: trial/1.0.0 reads the mllog dialect",
        "1 record in the mlp050 dialect does not count: trial/1.0.0 reads the mllog dialect",
    ]
    assert verdict.verdict == "pass"


def test_log_of_another_dialect_alone_fails(check: Check) -> None:
    """A log without one record in the round's dialect is an error, not a warning."""
    verdict = check(mll("submission_benchmark", "knitting"), ruleset="1.0.0")
    assert ("MLP109", "other-dialect", 1) in brief(verdict)
    assert {each.severity for each in verdict.findings if each.code == "MLP109"} == {"error"}
    assert "no event is left to judge" in [each.message for each in verdict.findings]
    assert (verdict.verdict, verdict.dialect, verdict.event_count) == ("fail", "mll", 0)


def test_foreign_mistake_does_not_count(check: Check) -> None:
    """A broken record of another dialect is noise as a whole one is, and is counted, however many there are."""
    verdict = check(GOOD + b":::MLL 1.0 seed: {\n" * 2_345)
    assert verdict.verdict == "pass"
    assert brief(verdict) == [("MLP109", "other-dialect", 5)]
    assert verdict.findings[0].message.startswith("2345 records in the mll dialect")


def test_truncated_file_is_reported(check: Check) -> None:
    """A compressed file that ends too early fails, with what could be read judged."""
    log = gzip.compress(GOOD + b"noise\n" * 50_000)
    verdict = check(log[:-20])
    assert "file-cut-short" in [rule for _, rule, _ in brief(verdict)]
    assert verdict.verdict == "fail"
    assert "MLP109" not in [code for code, _, _ in brief(verdict)]
    empty = check(log[:15])
    assert "file-cut-short" in [rule for _, rule, _ in brief(empty)]
    assert "MLP109" not in [code for code, _, _ in brief(empty)]


@pytest.fixture
def check_oldest(tmp_path: Path) -> Check:
    """Checks logs by a small round of the oldest dialect, whose records count once, sorted by their text."""
    text = (
        "reading: {once: true, order: text}\ndefault_level: 2\n"
        "state: {run_start: {started: true}}\n"
        "common:\n  run_stop: any number; state.started\n  seed: logged\n"
        "rules:\n  - {id: one-start, key: run_start, cell: logged, level: 1, code: MLP101,"
        " summary: once, why: once, pass: [run_start], fail: []}\n"
    )
    folder = tmp_path / "rules"
    folder.mkdir()
    write_round(folder, text, dialect="mlp050", knitting="both: {}\n")
    return lambda source, **options: check_log(source, **{"rules": folder, **options})


def test_repeated_record_counts_once_where_the_round_says_so(check_oldest: Check) -> None:
    """A record that stands several times to the letter counts once, whatever stands before its marker."""
    start, seed = mlp050("knitting", "run_start"), mlp050("knitting", "seed", 4)
    verdict = check_oldest(start + seed + b"[0] " + start + start.replace(b"\n", b"\r\n") + seed)
    assert (brief(verdict), verdict.event_count, verdict.verdict) == ([], 2, "pass")
    again = check_oldest(start + seed + mlp050("knitting", "run_start", seconds=2.0))
    assert brief(again) == [("MLP103", "one-start", 3)]


def test_records_are_judged_in_the_order_of_their_text_where_the_round_says_so(check_oldest: Check) -> None:
    """Records of processes that wrote in turns are judged by benchmark and time."""
    lines = [mlp050("knitting", "run_start", seconds=1.0), mlp050("knitting", "seed", 4, seconds=2.0)]
    lines.append(mlp050("knitting", "run_stop", seconds=3.0))
    assert check_oldest(b"".join(lines)).findings == ()
    assert check_oldest(b"".join(reversed(lines))).findings == ()


def test_benchmark_is_read_from_the_records(check_oldest: Check) -> None:
    """In a dialect whose records name the benchmark, that is the log's benchmark."""
    assert check_oldest(mlp050("knitting", "run_start")).benchmark == "knitting"


def test_level_is_the_highest_that_is_judged(check_oldest: Check) -> None:
    """In a round that grades, a lower level leaves the rules of the higher ones out."""
    log = mlp050("knitting", "run_start")
    assert brief(check_oldest(log)) == [("MLP301", "common.seed", None)]
    assert check_oldest(log, level=2) == check_oldest(log)
    assert check_oldest(log, level=1).verdict == "pass"
    assert check_oldest(b"", level=1).verdict == "fail"


def test_value_nested_beyond_reason_is_reported(check: Check) -> None:
    """A record nested a thousand levels deep is judged or refused, never a crash."""
    for depth in (200, 990, 2_000):
        deep = mllog("seed").replace(b"null", b"[" * depth + b"]" * depth)
        verdict = check(GOOD + deep + deep)
        assert verdict.verdict == "fail"
        assert {line for _, _, line in brief(verdict)} <= {5, 6}


def test_sorted_events_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest round sorts events by their text; of a log that is too long to be sorted the rest is not judged."""
    monkeypatch.setattr(held_log, "EventBudget", lambda: EventBudget(10))
    log = b"".join(mlp050("resnet", "eval_accuracy", number) for number in range(15))
    verdict = check_log(log, usage="training", ruleset="0.5.0")
    assert (verdict.verdict, verdict.event_count) == ("fail", 10)
    (finding,) = [each for each in verdict.findings if each.code == "MLP110"]
    assert (finding.severity, finding.found) == ("error", "5 more")


def test_many_different_keys_are_bounded(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log with a new key in each record is judged by the keys that count."""
    monkeypatch.setattr(kept_events, "KEPT_KEYS", 10)
    verdict = check(GOOD + b"".join(mllog(f"key_{number}") for number in range(100)) + mllog("seed", 1))
    assert brief(verdict) == [("MLP304", "common.seed.value", 105)]


def test_log_is_judged_the_same_at_once_and_event_by_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judging a log all at once, as those are that break no rule, changes nothing of its verdict."""
    paths = sorted(Path("examples/logs").glob("*/*.txt"))
    at_once = [check_log(path) for path in paths]
    monkeypatch.setattr(checking, "_judge_plainly", lambda *_: False)

    assert [check_log(path) for path in paths] == at_once
    assert {verdict.verdict for verdict in at_once} == {"pass", "fail"}
