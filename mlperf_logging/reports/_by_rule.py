"""Findings of many logs, gathered rule by rule: each finding once, with its count and the logs that have it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlperf_logging.events import Outcome, Severity
from mlperf_logging.reports._lines import (
    GROUPED_FROM,
    INDENT,
    count_of,
    describe_consequences,
    describe_place,
    describe_rule,
    label_line,
    plain,
    render_excerpt,
    split_consequences,
)
from mlperf_logging.reports.tables import Look
from mlperf_logging.reports.tables.text import render_table
from mlperf_logging.tables import COUNT, NAME, TEXT, Column, make_table, show_nonzero

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlperf_logging.compliance.findings import Finding, Verdict

_MOST_MESSAGES = 3
_MOST_PLACES = 2


_JUDGE_COLUMNS = (
    Column("ruleset", TEXT, "what judged", "judged by", priority=0),
    Column("division", TEXT, "closed or open", priority=3),
    Column("benchmark", NAME, "as logged or given", priority=0),
    Column("logs", COUNT, "logs judged by it", priority=0),
    Column("compliant", COUNT, "compliant logs", format=show_nonzero, priority=1),
    Column("failed", COUNT, "logs with violations", "not compliant", format=show_nonzero, priority=1),
    Column("unjudged", COUNT, "logs that could not be judged", "not judged", format=show_nonzero, priority=2),
)


@dataclass
class _Message:
    """One message of a rule: the first finding that says it, and where else it stands."""

    first: Finding
    places: list[str] = field(default_factory=list)
    logs: list[int] = field(default_factory=list)

    def add(self, log: int, place: str) -> None:
        self.places.append(place)
        if not self.logs or self.logs[-1] != log:
            self.logs.append(log)


class RuleGroups:
    """Gathers the findings of logs by rule and message."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._logs = 0
        self._rules: dict[tuple[str, str, str], dict[str, _Message]] = {}
        self._judges: dict[tuple[str, str, str], list[Outcome]] = {}
        self._consequences = 0

    def add(self, verdict: Verdict) -> None:
        """Take the findings of one log."""
        judge = f"{verdict.usage} {verdict.ruleset}" if verdict.ruleset else "nothing"
        outcomes = self._judges.setdefault((judge, verdict.division or "", verdict.benchmark or ""), [])
        outcomes.append(verdict.verdict)
        findings, consequences = list(verdict.findings), 0
        if not self._verbose:
            findings, consequences = split_consequences(verdict, findings)
        self._consequences += consequences
        for finding in findings:
            messages = self._rules.setdefault((finding.severity, finding.code, finding.rule), {})
            message = messages.setdefault(finding.message, _Message(finding))
            message.add(self._logs, describe_place(verdict.path, finding))
        self._logs += 1

    def render(self, width: int, paint: Callable[[str, str], str] = plain) -> str:
        """The findings, those in the most logs first, and a table of the logs."""
        blocks: list[list[str]] = []
        for alike in self._group_alike():
            if len(alike) > 1:
                blocks.append(self._render_alike(alike, paint))
            else:
                blocks.append(self._render_rule(alike[0], width, paint))
        if self._consequences:
            blocks.append([paint(describe_consequences(self._consequences), "note")])
        text = "".join(f"{line}\n" for block in blocks for line in [*block, ""])
        return text + self._render_judges(width)

    def _group_alike(self) -> list[list[list[_Message]]]:
        """The rules, each with its messages; three or more that blame the same logs and are fixed alike, together."""
        rules = [
            sorted(messages.values(), key=lambda message: -len(message.places))
            for messages in self._rules.values()
        ]
        rules.sort(
            key=lambda messages: (messages[0].first.severity != Severity.ERROR, -_count_logs(messages))
        )
        groups: dict[object, list[list[_Message]]] = {}
        for messages in rules:
            first, logs = messages[0].first, tuple(messages[0].logs)
            like = (first.severity, first.code, first.hint, logs) if len(messages) == 1 else id(messages)
            groups.setdefault(like, []).append(messages)
        return [
            part
            for alike in groups.values()
            for part in (
                [alike] if len(alike) >= GROUPED_FROM and not self._verbose else [[each] for each in alike]
            )
        ]

    def _render_alike(
        self, alike: Sequence[Sequence[_Message]], paint: Callable[[str, str], str]
    ) -> list[str]:
        """Rules that blame the same logs, one line each."""
        first = alike[0][0]
        lines = [f"{self._head(alike[0], paint)}, {count_of(len(alike), 'rule')}"]
        lines += [" " * INDENT + describe_rule(message.first, paint) for (message,) in alike]
        return [*lines, *self._list_places(first, paint), *_fix(first.first, paint)]

    def _render_rule(
        self, messages: Sequence[_Message], width: int, paint: Callable[[str, str], str]
    ) -> list[str]:
        """One rule with its most frequent messages."""
        first = messages[0].first
        times = sum(len(message.places) for message in messages)
        often = f", {times:,} times" if times > _count_logs(messages) else ""
        lines = [f"{self._head(messages, paint)}{often}"]
        shown = messages if self._verbose else messages[:_MOST_MESSAGES]
        for message in shown:
            finding = message.first
            lines.append(" " * INDENT + describe_rule(finding, paint))
            lines += render_excerpt(finding, width, paint)
            details = [("expected", finding.expected), ("found", finding.found)] if finding.line else []
            lines += [label_line(name, text, paint) for name, text in details if text]
            lines += self._list_places(message, paint)
        if len(messages) > len(shown):
            more = f"… and {count_of(len(messages) - len(shown), 'other message')} (--verbose shows all)"
            lines.append(" " * INDENT + paint(more, "note"))
        return [*lines, *_fix(first, paint)]

    def _head(self, messages: Sequence[_Message], paint: Callable[[str, str], str]) -> str:
        finding = messages[0].first
        severity = paint(finding.severity, finding.severity)
        return f"{severity} {finding.code} in {_count_logs(messages):,} of {count_of(self._logs, 'log')}"

    def _list_places(self, message: _Message, paint: Callable[[str, str], str]) -> list[str]:
        if self._verbose:
            return [label_line("at", place, paint) for place in message.places]
        shown = message.places[:_MOST_PLACES]
        more = len(message.places) - len(shown)
        return [label_line("at", f"{', '.join(shown)}{f' and {more:,} more' if more else ''}", paint)]

    def _render_judges(self, width: int) -> str:
        records = [
            {
                "ruleset": ruleset,
                "division": division,
                "benchmark": benchmark,
                "logs": len(outcomes),
                "compliant": outcomes.count(Outcome.PASSED),
                "failed": outcomes.count(Outcome.FAILED),
                "unjudged": outcomes.count(Outcome.UNJUDGED),
            }
            for (ruleset, division, benchmark), outcomes in self._judges.items()
        ]
        return render_table(make_table("logs", _JUDGE_COLUMNS, records), Look(width))


def _count_logs(messages: Sequence[_Message]) -> int:
    return len({log for message in messages for log in message.logs})


def _fix(finding: Finding, paint: Callable[[str, str], str]) -> list[str]:
    return [label_line("fix", finding.hint, paint)] if finding.hint else []
