"""The table of `mlperf package`: a row per benchmark and system, with what is wrong."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.events import Outcome, Severity
from mlperf_logging.reports._escape import crop, show_text
from mlperf_logging.reports._lines import count_findings, count_of
from mlperf_logging.reports.documents.folders import describe_head, list_folder_columns
from mlperf_logging.tables import COUNT, NUMBER, PROSE, TEXT, Column, Document, make_table

if TYPE_CHECKING:
    from mlperf_logging.reports import FileResult
    from mlperf_logging.submission.checking import CheckedResult, PackageCheck

VERDICTS = NOT_JUDGED, NOT_ACCEPTABLE, IN_PROGRESS, ACCEPTABLE = (
    "not judged",
    "not acceptable",
    "in progress",
    "acceptable",
)
"""What a result may be, the worst first."""

_SCHEMA = "mlperf-package/1"
_MOST_LINES, _LONGEST = 3, 60
_COLUMNS = (
    Column("scaling", TEXT, "strong or weak, where the folder says so", priority=2),
    Column("runs", COUNT, "runs in the folder"),
    Column("runs_required", COUNT, "runs that a result needs"),
    Column("runs_of", TEXT, "runs in the folder, and how many a result needs", "runs", priority=1),
    Column("verdict", TEXT, "whether the result is acceptable", priority=0),
    Column("rcp", TEXT, "the test of convergence", "RCP", priority=2),
    Column("score_minutes", NUMBER, "the score", "minutes", format=",.3f", priority=2, missing="none"),
    Column("models_per_minute", NUMBER, "throughput", "models/min", format=",.5g", priority=2),
    Column("errors", COUNT, "findings that make it not acceptable"),
    Column("warnings", COUNT, "findings that deserve a look"),
    Column("wrong", PROSE, "what is wrong", "what is wrong", priority=0),
)


def describe_package(
    check: PackageCheck, files: Sequence[FileResult], top: tuple[str, str], *, partial: bool
) -> Document:
    """A row per benchmark and system, the worst first, and a line that counts them.

    Args:
        check: what was checked.
        files: what was found, file by file, after waivers and selection.
        top: the folder that was checked, and its name for people, which is another for an archive.
        partial: whether runs may still be missing.
    """
    owners: dict[str, list[int]] = {}
    for index, result in enumerate(check.results):
        for path in _list_owned_paths(result):
            owners.setdefault(path, []).append(index)
    owned: list[list[FileResult]] = [[] for _ in check.results]
    others = []
    for file in files:
        found = _find_owners(file.verdict.path, owners)
        for index in found:
            owned[index].append(file)
        others += [] if found else [file]
    records = [
        _describe_result(result, own, partial=partial)
        for result, own in zip(check.results, owned, strict=True)
    ]
    for record in records:
        record["path"] = f"{top[1]}{record['path'].removeprefix(top[0])}"
    records.sort(key=lambda record: VERDICTS.index(record["verdict"]))
    if check.alone:
        counts = ", ".join(_count_findings(files)) or "nothing to fix"
        return Document(schema=_SCHEMA, tables=(), notes=(f"{show_text(top[1])}: {counts}",))
    table = make_table(
        "results", (*list_folder_columns(records), *_COLUMNS), records, footnotes=_count_others(others)
    )
    return Document(schema=_SCHEMA, tables=(table,), notes=(_count_results(records, files, top[1]),))


def _list_owned_paths(result: CheckedResult) -> set[str]:
    """A result's folder, its system's description, and where that would be."""
    folder = result.folder
    description = os.path.join(result.submission.systems_folder, f"{folder.system}.json")
    return {folder.path, description, folder.description or description}


def _find_owners(path: str, owners: Mapping[str, list[int]]) -> list[int]:
    """The results that a file or folder, or the nearest one above it that does, belongs to."""
    while path not in owners:
        above = os.path.dirname(path)
        if above == path:
            return []
        path = above
    return owners[path]


def _describe_result(result: CheckedResult, files: Sequence[FileResult], *, partial: bool) -> dict[str, Any]:
    score, required = result.score, result.requirement.required if result.requirement else None
    count = len(result.folder.logs)
    errors = sum(file.error_count for file in files)
    verdict = ACCEPTABLE
    if any(file.verdict.verdict == Outcome.UNJUDGED for file in files):
        verdict = NOT_JUDGED
    elif errors:
        verdict = NOT_ACCEPTABLE
    elif partial and required is not None and count < required:
        verdict = IN_PROGRESS
    head = describe_head(score)
    return {
        **head,
        "benchmark": head["benchmark"] or result.folder.benchmark,
        "scaling": result.folder.scaling,
        "runs": count,
        "runs_required": required,
        "runs_of": f"{count} of {required}" if required is not None else str(count),
        "verdict": verdict,
        "rcp": _describe_convergence(result, files),
        "score_minutes": score.score_minutes,
        "models_per_minute": score.throughput.models_per_minute if score.throughput else None,
        "errors": errors,
        "warnings": sum(file.warning_count for file in files),
        "wrong": tuple(_list_faults(result, files)),
    }


def _describe_convergence(result: CheckedResult, files: Iterable[FileResult]) -> str:
    """The outcome of the test of convergence in a word or two; with runs still to come, the chance to pass it."""
    check = result.convergence
    if check.pass_probability is not None:
        return f"{check.pass_probability.probability:.0%} likely"
    if check.passed is False:
        rules = Counter(
            (finding.rule, finding.severity) for file in files for finding in file.verdict.findings
        )
        return "failed" if rules["convergence-not-accepted", Severity.ERROR] else "failed, accepted"
    so_far = check.requirement is not None and len(check.runs) < check.requirement.required
    return f"passed{' so far' * so_far}" if check.passed else "not tested"


def _list_faults(result: CheckedResult, files: Iterable[FileResult]) -> list[str]:
    """What is wrong, a line each: errors, those of logs counted by rule, and the number of warnings."""
    logs = set(result.folder.logs)
    of_logs: Counter[str] = Counter()
    messages: Counter[str] = Counter()
    warnings = 0
    for file in files:
        errors = [
            each
            for each in file.verdict.findings
            if each.severity == Severity.ERROR or each.rule == "runs-missing"  # also of one in progress
        ]
        warnings += len(file.verdict.findings) - len(errors)
        if file.verdict.path not in logs:
            messages.update(_shorten(finding.message) for finding in errors)
            continue
        of_logs.update(dict.fromkeys([f"{each.code} {each.key or each.rule}" for each in errors], 1))
    lines = [f"{text}{f' ({times} times)' if times > 1 else ''}" for text, times in messages.items()]
    lines += [f"{fault} in {count_of(number, 'log')}" for fault, number in of_logs.items()]
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES - 1 :] = [f"… and {count_of(len(lines) - _MOST_LINES + 1, 'more error')}"]
    return [*lines, *([count_of(warnings, "warning")] if warnings else [])]


def _count_others(files: Sequence[FileResult]) -> tuple[str, ...]:
    found = _count_findings(files)
    return (f"and {' and '.join(found)} on other files and folders",) if found else ()


def _count_results(records: Sequence[dict[str, Any]], files: Sequence[FileResult], top: str) -> str:
    """``8 results in FOLDER: 7 not acceptable, 1 acceptable (3 errors, 2 warnings)``."""
    counts = Counter(record["verdict"] for record in records)
    words = ", ".join(f"{counts[verdict]:,} {verdict}" for verdict in VERDICTS if counts[verdict])
    found = _count_findings(files)
    details = f" ({', '.join(found)})" if found else ""
    return f"{count_of(len(records), 'result')} in {show_text(top)}{words and f': {words}'}{details}"


def _shorten(message: str) -> str:
    """A message for a table: its first part where it is long."""
    return crop(message if len(message) <= _LONGEST else message.partition("; ")[0], _LONGEST)


def _count_findings(files: Sequence[FileResult]) -> list[str]:
    return count_findings(
        sum(file.error_count for file in files),
        sum(file.warning_count for file in files),
        sum(len(file.waived) for file in files),
    )
