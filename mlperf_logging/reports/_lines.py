"""One finding as lines of text, for the reports that people read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.reports._escape import crop, measure_width, show_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlperf_logging.compliance.findings import Finding, Verdict

_FOLD_ABOVE = 20
_SHOWN_WHEN_FOLDED = 3
GROUPED_FROM = 3
_MARGIN = " " * 4
_LABEL_WIDTH = 9
_LONGEST_DETAIL = 400
_LEAST_WIDTH = 40
_NO_EVENTS = ("no-events", "other-dialect")
_BENCHMARK_KEY = "submission_benchmark"


def _plain(text: str, _: str) -> str:
    return text


def describe_place(path: str, finding: Finding) -> str:
    """``file:line:column`` of a finding, as far as it has a place."""
    places = [str(number) for number in (finding.line, finding.column) if number is not None]
    return ":".join([show_text(path), *places])


def describe_judge(verdict: Verdict) -> str:
    """What judged a log and how long its run took, in a few words."""
    parts = [verdict.usage, verdict.ruleset, verdict.division, verdict.benchmark]
    judge = show_text(" ".join(part for part in parts if part))
    return judge if verdict.run.minutes is None else f"{judge}, {verdict.run.minutes:.2f} minutes"


def count_of(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def count_findings(errors: int, warnings: int, waived: int) -> list[str]:
    """``2 errors``, ``1 warning``, ``3 waived``, as far as there are any."""
    words = [count_of(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    return [*words, f"{waived:,} waived"] if waived else words


def fold_findings(findings: Sequence[Finding], *, verbose: bool) -> Iterator[tuple[Finding, int]]:
    """The findings to show, of a rule with very many only the first few, and how many more of its rule follow."""
    many = Counter((finding.code, finding.rule) for finding in findings)
    shown: Counter[tuple[str, str]] = Counter()
    for finding in findings:
        rule = finding.code, finding.rule
        shown[rule] += 1
        if verbose or many[rule] <= _FOLD_ABOVE or shown[rule] < _SHOWN_WHEN_FOLDED:
            yield finding, 0
        elif shown[rule] == _SHOWN_WHEN_FOLDED:
            yield finding, many[rule] - _SHOWN_WHEN_FOLDED


def describe_fold(finding: Finding, count: int) -> str:
    """The line that stands for findings left out."""
    return (
        f"… and {count:,} more of {show_text(finding.code)} {show_text(finding.rule)} (--verbose shows all)"
    )


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


class FindingLines(NamedTuple):
    """Findings as lines of text.

    Attributes:
        width: columns to stay within where a record is shown.
        verbose: show every finding, however many there are of one rule.
        paint: puts a style, such as "error", around a text.
    """

    width: int
    verbose: bool = False
    paint: Callable[[str, str], str] = _plain

    def render_findings(self, path: str, findings: Sequence[Finding]) -> list[str]:
        """Findings of one log, with blank lines between them."""
        alike = {} if self.verbose else _group_placeless(findings)
        lines: list[str] = []
        hints: set[str] = set()
        placed = [each for each in findings if each not in alike]
        for finding, left_out in fold_findings(placed, verbose=self.verbose):
            lines += [""] if lines else []
            new_hint = self.verbose or finding.hint not in hints
            lines += self.render_finding(path, finding if new_hint else finding._replace(hint=""))
            lines += ["", "  " + self.paint(describe_fold(finding, left_out), "note")] if left_out else []
            hints.add(finding.hint)
        for first, *others in {id(group): group for group in alike.values()}.values():
            lines += [""] if lines else []
            head = f"{self.paint(show_text(path), 'place')}: {self.describe_severity(first)}"
            lines.append(f"  {head}, {len(others) + 1} times")
            lines += [self.describe_rule(finding) for finding in (first, *others)]
            lines += self.label_lines(("fix", first.hint))
        return lines

    def render_finding(self, path: str, finding: Finding) -> list[str]:
        """A finding: place and message, the record with carets, expected and found, how to fix it."""
        head = f"{self.paint(describe_place(path, finding), 'place')}: {self.describe_severity(finding)}"
        return [
            f"  {head} {self.paint(show_text(finding.rule), 'rule')}",
            _MARGIN + crop_detail(finding.message),
            *self.render_excerpt(finding),
            *self.label_lines(
                ("expected", finding.expected), ("found", finding.found), ("fix", finding.hint)
            ),
        ]

    def describe_severity(self, finding: Finding) -> str:
        """``error MLP304``."""
        return f"{self.paint(finding.severity, finding.severity)} {show_text(finding.code)}"

    def describe_rule(self, finding: Finding) -> str:
        """The rule of a finding, its message and, where it has no place, what was expected."""
        wanted = f" (expected: {finding.expected})" if finding.expected and finding.line is None else ""
        rule = self.paint(show_text(finding.rule), "rule")
        return f"{_MARGIN}{rule}: {crop_detail(finding.message + wanted)}"

    def render_excerpt(self, finding: Finding) -> list[str]:
        """The blamed record, cropped around its blamed part, and a line of carets below that part."""
        margin = f"{_MARGIN}  "
        parts = split_excerpt(finding, max(self.width, _LEAST_WIDTH) - len(margin))
        if parts is None:
            return []
        before, blamed, after = parts
        carets = self.paint("^" * max(measure_width(blamed), 1), "caret")
        painted = [(before, "record"), (blamed, "blamed"), (after, "record")]
        return [
            margin + "".join(self.paint(part, style) for part, style in painted),
            margin + " " * measure_width(before) + carets,
        ]

    def label_lines(self, *labeled: tuple[str, str]) -> list[str]:
        """Lines with labels, such as ``expected: == 16``, for what is not empty."""
        return [
            f"{_MARGIN}{self.paint(f'{name}:', 'label')}{' ' * (_LABEL_WIDTH - len(name))}{crop_detail(text)}"
            for name, text in labeled
            if text
        ]


def split_excerpt(finding: Finding, room: int) -> tuple[str, str, str] | None:
    """The blamed record: what is before its blamed part, that part, and what follows, cropped to `room` columns in all.

    None where no record is blamed.
    """
    from mlperf_logging.reports._blame import locate_blame

    span = locate_blame(finding)
    if span is None:
        return None
    text = finding.excerpt
    before, blamed, after = (
        show_text(part) for part in (text[: span[0]], text[slice(*span)], text[span[1] :].rstrip())
    )
    blamed = crop(blamed, room // 2)
    if measure_width(before + blamed + after) > room:
        left = max(room - measure_width(blamed) - min(measure_width(after), room // 4), 1)
        if len(before) > left:
            before = "…" + before[len(before) - left + 1 :]
        after = crop(after, max(room - measure_width(before + blamed), 1))
    return before, blamed, after


def crop_detail(text: str) -> str:
    """A text made safe to show, cropped where it is very long."""
    return crop(show_text(text), _LONGEST_DETAIL)
