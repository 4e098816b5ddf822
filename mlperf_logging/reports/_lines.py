"""One finding as lines of text, for the reports that people read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.reports._escape import crop, measure_width, show_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlperf_logging.compliance.findings import Finding, Verdict

_FOLD_ABOVE = 20
_SHOWN_WHEN_FOLDED = 3
GROUPED_FROM = 3
INDENT = 4
_LABEL_WIDTH = 9
_LONGEST_DETAIL = 400
_LEAST_WIDTH = 40
_NO_EVENTS = ("no-events", "other-dialect")
_BENCHMARK_KEY = "submission_benchmark"


def plain(text: str, style: str) -> str:
    """The text without any style."""
    del style
    return text


def describe_place(path: str, finding: Finding) -> str:
    """``file:line:column`` of a finding, as far as it has a place."""
    parts = [show_text(path)]
    if finding.line is not None:
        parts.append(str(finding.line))
        if finding.column is not None:
            parts.append(str(finding.column))
    return ":".join(parts)


def describe_judge(verdict: Verdict) -> str:
    """What judged a log and how long its run took, in a few words."""
    parts = [verdict.usage, verdict.ruleset or "", verdict.division or "", verdict.benchmark or ""]
    words = [show_text(" ".join(part for part in parts if part))]
    if verdict.run.minutes is not None:
        words.append(f"{verdict.run.minutes:.2f} minutes")
    return ", ".join(words)


def count_of(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def fold_findings(findings: Sequence[Finding], *, verbose: bool) -> Iterator[tuple[Finding, int]]:
    """The findings to show: of a rule with very many, only the first few."""
    many: dict[tuple[str, str], int] = {}
    for finding in findings:
        rule = finding.code, finding.rule
        many[rule] = many.get(rule, 0) + 1
    shown: dict[tuple[str, str], int] = {}
    for finding in findings:
        rule = finding.code, finding.rule
        shown[rule] = shown.get(rule, 0) + 1
        if verbose or many[rule] <= _FOLD_ABOVE or shown[rule] < _SHOWN_WHEN_FOLDED:
            yield finding, 0
        elif shown[rule] == _SHOWN_WHEN_FOLDED:
            yield finding, many[rule] - _SHOWN_WHEN_FOLDED


def describe_fold(finding: Finding, count: int) -> str:
    """The line that stands for findings left out."""
    return f"… and {count:,} more of {finding.code} {show_text(finding.rule)} (--verbose shows all)"


def render_findings(
    verdict: Verdict,
    findings: Sequence[Finding],
    *,
    width: int,
    verbose: bool,
    paint: Callable[[str, str], str] = plain,
) -> list[str]:
    """Findings of one log as lines, with blank lines between them."""
    alike = {} if verbose else _group_placeless(findings)
    lines: list[str] = []
    hints: set[str] = set()
    for finding, left_out in fold_findings([each for each in findings if each not in alike], verbose=verbose):
        lines += [""] if lines else []
        new_hint = verbose or finding.hint not in hints
        lines += render_finding(
            verdict.path, finding if new_hint else finding._replace(hint=""), width, paint
        )
        lines += ["", "  " + paint(describe_fold(finding, left_out), "note")] if left_out else []
        hints.add(finding.hint)
    for group in {id(group): group for group in alike.values()}.values():
        lines += [""] if lines else []
        lines += _render_group(verdict.path, group, paint)
    return lines


def split_consequences(verdict: Verdict, findings: Sequence[Finding]) -> tuple[list[Finding], int]:
    """The findings without those that only follow from a log that holds no event or names no benchmark."""
    causes = [finding for finding in findings if finding.rule in _NO_EVENTS]
    if not causes and verdict.benchmark is None:
        causes = [finding for finding in findings if finding.key == _BENCHMARK_KEY]
    left = [finding for finding in findings if finding.line is not None or finding in causes]
    left_out = len(findings) - len(left)
    return (left, left_out) if causes and left_out >= GROUPED_FROM else (list(findings), 0)


def describe_consequences(count: int) -> str:
    """The line that stands for findings that follow from others."""
    return f"… and {count:,} more that follow from it: what is required but not logged (--verbose shows all)"


def _group_placeless(findings: Sequence[Finding]) -> dict[Finding, list[Finding]]:
    """The findings without a place that share code, severity and hint with several others: their groups."""
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        if finding.line is None:
            groups.setdefault((finding.code, finding.severity, finding.hint), []).append(finding)
    return {each: group for group in groups.values() if len(group) >= GROUPED_FROM for each in group}


def _render_group(path: str, group: list[Finding], paint: Callable[[str, str], str]) -> list[str]:
    """Findings that lack a place and differ in little, a line each."""
    first = group[0]
    severity = paint(first.severity, first.severity)
    lines = [f"  {paint(show_text(path), 'place')}: {severity} {first.code}, {len(group)} times"]
    lines += [" " * INDENT + describe_rule(finding, paint) for finding in group]
    if first.hint:
        lines.append(label_line("fix", first.hint, paint))
    return lines


def describe_rule(finding: Finding, paint: Callable[[str, str], str] = plain) -> str:
    """The rule of a finding, its message and, where it has no place, what was expected."""
    wanted = f" (expected: {finding.expected})" if finding.expected and finding.line is None else ""
    return f"{paint(show_text(finding.rule), 'rule')}: {crop_detail(finding.message + wanted)}"


def render_finding(
    path: str, finding: Finding, width: int, paint: Callable[[str, str], str] = plain
) -> list[str]:
    """A finding as lines: place and message, the record with carets, expected and found, how to fix it."""
    severity = finding.severity
    head = f"{paint(describe_place(path, finding), 'place')}: {paint(severity, severity)} {finding.code}"
    lines = [f"  {head} {paint(show_text(finding.rule), 'rule')}"]
    lines.append(" " * INDENT + crop_detail(finding.message))
    lines += render_excerpt(finding, width, paint)
    details = [("expected", finding.expected), ("found", finding.found), ("fix", finding.hint)]
    lines += [label_line(name, text, paint) for name, text in details if text]
    return lines


def render_excerpt(finding: Finding, width: int, paint: Callable[[str, str], str] = plain) -> list[str]:
    """The blamed record, cropped around its blamed part, and a line of carets below that part."""
    from mlperf_logging.reports._blame import locate_blame

    span = locate_blame(finding)
    if span is None:
        return []
    text = finding.excerpt
    before, blamed, after = (
        show_text(part) for part in (text[: span[0]], text[span[0] : span[1]], text[span[1] :].rstrip())
    )
    room = max(width, _LEAST_WIDTH) - INDENT - 2
    blamed = crop(blamed, room // 2)
    if measure_width(before + blamed + after) > room:
        left = max(room - measure_width(blamed) - min(measure_width(after), room // 4), 1)
        if len(before) > left:
            before = "…" + before[len(before) - left + 1 :]
        after = crop(after, max(room - measure_width(before + blamed), 1))
    margin = " " * (INDENT + 2)
    carets = "^" * max(measure_width(blamed), 1)
    return [
        margin + paint(before, "record") + paint(blamed, "blamed") + paint(after, "record"),
        margin + " " * measure_width(before) + paint(carets, "caret"),
    ]


def label_line(name: str, text: str, paint: Callable[[str, str], str] = plain) -> str:
    """A line with a label, such as ``expected: == 16``."""
    return " " * INDENT + paint(f"{name}:", "label") + " " * (_LABEL_WIDTH - len(name)) + crop_detail(text)


def crop_detail(text: str) -> str:
    """A text made safe to show, cropped where it is very long."""
    return crop(show_text(text), _LONGEST_DETAIL)
