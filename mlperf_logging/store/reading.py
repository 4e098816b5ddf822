"""Reading a log into rows of a store: what a worker process does. No database here; the rows are plain values."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.analysis.reading import make_rows as analyze_run
from mlperf_logging.compliance.judged_run import JudgedRun, judge_run, judge_runs
from mlperf_logging.compliance.several_runs import EACH
from mlperf_logging.compliance.unjudged import make_unjudged
from mlperf_logging.errors import MLPerfLoggingError, UnreadableLogError
from mlperf_logging.events import Severity
from mlperf_logging.parsing.sources import STANDARD_INPUT, CutShort, read_blocks
from mlperf_logging.scoring.runs import ScoredRun, score_run
from mlperf_logging.store.rows import list_events, make_rows, write_value

if TYPE_CHECKING:
    import pyarrow as pa

    from mlperf_logging.analysis.reading import RunRows
    from mlperf_logging.compliance.findings import Verdict
    from mlperf_logging.compliance.ruleset_selection import RuleSelection

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class LogRows(NamedTuple):
    """What one log gives; a small value that passes between processes.

    Attributes:
        path: the file that was read.
        log_id: checksum of its bytes; empty where it could not be read.
        tables: rows by name of the table, but for those that depend on where the log is.
        scored: what scores need to know of it; None where it could not be read.
        ruleset: ``usage/round`` that judged; empty where none could be chosen.
        ruleset_reason: why that round.
        complaint: why there are no rows; empty where there are.
    """

    path: str
    log_id: str = ""
    tables: dict[str, pa.Table] = {}  # noqa: RUF012 - never changed
    scored: ScoredRun | None = None
    ruleset: str = ""
    ruleset_reason: str = ""
    complaint: str = ""


class HashedLog(NamedTuple):
    """A log's path, and the checksum of its bytes, or why it cannot be read."""

    path: str
    log_id: str = ""
    complaint: str = ""


def hash_log(path: str) -> HashedLog:
    """The checksum of a log's bytes after decompression, by which a store knows it.

    A compressed log that ends too early is another log than a whole one of the same bytes.
    """
    try:
        return HashedLog(path, _sum_up(path)[0])
    except UnreadableLogError as error:
        return HashedLog(path, complaint=str(error))


def _sum_up(path: str) -> tuple[str, int]:
    digest, length = hashlib.sha256(), 0
    for block in read_blocks(path):
        if isinstance(block, CutShort):
            digest.update(f"\0cut short: {block.compression}".encode())
        else:
            digest.update(block)
            length += len(block)
    return digest.hexdigest(), length


def read_log_rows(path: str, selection: RuleSelection, made_by: str) -> LogRows:
    """Read and judge one log.

    Args:
        path: the file.
        selection: the rules to judge by.
        made_by: what the rows say of who made them.

    Raises:
        UsageError: there is no such usage or ruleset.
        RuleError: a rule file is wrong.
    """
    try:
        former = os.stat(path)
        log_id, length = _sum_up(path)
        first, judged = _judge(path, selection)
        events, tally = list_events(path, log_id, [each.line or 0 for each in judged])
        now = os.stat(path)
    except UnreadableLogError as error:
        return LogRows(path, complaint=str(error))
    except OSError as error:
        return LogRows(path, complaint=f"{path}: cannot be read: {error.strerror or error}")
    if (former.st_size, former.st_mtime_ns) != (now.st_size, now.st_mtime_ns):
        return LogRows(
            path, complaint=f"{path}: changed while it was read; ingest it again when it is complete"
        )
    verdict = first.verdict
    log = {
        "log_id": log_id,
        "bytes": length,
        "dialect": verdict.dialect,
        **tally,
        "runs": max(1, len(judged)) if tally["events"] else 0,
        "made_by": made_by,
    }
    runs: list[dict[str, Any]] = []
    evaluations: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    for number, each in enumerate([first, *judged] if judged else [first], 0 if judged else 1):
        head = {"log_id": log_id, "run": number, "ruleset": _name_ruleset(first.verdict)}
        # as for a log that has no place: what its place shows is in the table of places
        rows = analyze_run(each.judged, STANDARD_INPUT) if each.judged is not None else None
        runs.append({**head, **_describe_run(each, rows), "made_by": made_by})
        evaluations += _number_rows(head, rows.evaluations if rows is not None else ())
        findings += _number_rows(head, [finding._asdict() for finding in each.verdict.findings])
    held = {"logs": [log], "runs": runs, "evaluations": evaluations, "findings": findings}
    tables = {name: make_rows(name, rows_of_it) for name, rows_of_it in held.items()}
    tables["events"] = events
    return LogRows(path, log_id, tables, first.scored, _name_ruleset(verdict), verdict.ruleset_reason)


class _Judged(NamedTuple):
    """A run, as a whole log or as one of several: the verdict, the rest where it could be judged."""

    verdict: Verdict
    judged: JudgedRun | None
    scored: ScoredRun
    line: int | None = None


def _judge(path: str, selection: RuleSelection) -> tuple[_Judged, list[_Judged]]:
    """The log as a whole, and where it holds several runs, each of these."""
    try:
        whole = judge_run(path, selection)
        parts = judge_runs(path, selection._replace(run=EACH)) if len(whole.verdict.runs) > 1 else []
        return _hold(whole), [_hold(each) for each in parts]
    except MLPerfLoggingError:
        raise
    except Exception as error:  # noqa: BLE001 - one log must not end the reading of thousands
        verdict = make_unjudged(path, selection, error)
        return _Judged(verdict, None, ScoredRun(path, verdict.verdict, (verdict.findings[0].message,))), []


def _hold(judged: JudgedRun) -> _Judged:
    runs = judged.verdict.runs
    return _Judged(judged.verdict, judged, score_run(judged), runs[0].line if len(runs) == 1 else None)


def _name_ruleset(verdict: Verdict) -> str:
    return f"{verdict.usage}/{verdict.ruleset}" if verdict.ruleset is not None else ""


def _describe_run(each: _Judged, rows: RunRows | None) -> dict[str, Any]:
    """The row of a run, but for its key."""
    verdict, judged, scored = each.verdict, each.judged, each.scored
    severities = [finding.severity for finding in verdict.findings]
    row: dict[str, Any] = {
        "usage": verdict.usage or None,
        "round": verdict.ruleset,
        "verdict": verdict.verdict,
        "errors": severities.count(Severity.ERROR),
        "warnings": severities.count(Severity.WARNING),
        "counts": scored.counts,
        "compliant_under": ", ".join(verdict.compliant_under) or None,
        "line": each.line,
    }
    if judged is None or rows is None:
        return {**row, "events": 0, "note": verdict.findings[0].message}
    run = judged.run
    converged = scored.converged_at or (None, None, None)
    return {
        "benchmark": judged.benchmark,
        "division": judged.division,
        **rows.run,
        **row,
        "org": run.org,
        "platform": run.platform,
        "availability": run.availability,
        "start_ms": run.start_ms,
        "stop_ms": run.stop_ms,
        "started_at": _to_time(run.start_ms),
        **dict(zip(_CONVERGED, converged, strict=True)),
        "trained_samples": scored.trained_samples,
        "hyperparameters": write_value(dict(run.hyperparameters)),
    }


_CONVERGED = ("converged_epoch_num", "converged_samples_count", "converged_step_num")


def _number_rows(head: dict[str, Any], rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for position, row in enumerate(rows, 1):
        if "column" in row:
            row["column_byte"] = row.pop("column")
        yield {**head, "position": position, **row}


def _to_time(time_ms: float | None) -> datetime | None:
    """A time as a date; None where it is no date that calendars have."""
    if time_ms is None or not math.isfinite(time_ms):
        return None
    try:
        return (_EPOCH + timedelta(milliseconds=time_ms)).replace(tzinfo=None)
    except OverflowError:
        return None
