"""Findings of many logs, gathered rule by rule: each finding once, with its count and the logs that have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.events import Outcome
from mlperf_logging.reports._gathering import GatheredFindings, Message, count_logs
from mlperf_logging.reports._lines import (
    GROUPED_FROM,
    FindingLines,
    count_of,
    describe_consequences,
    describe_place,
)
from mlperf_logging.reports.tables import Look
from mlperf_logging.reports.tables.text import render_table
from mlperf_logging.tables import COUNT, NAME, TEXT, Column, make_table, show_nonzero

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlperf_logging.compliance.findings import Verdict

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


class RuleGroups:
    """Gathers the findings of logs by rule and message.

    Attributes:
        of_parts: whether the logs are parts of something that is shown before: then nothing counts them.
    """

    def __init__(self, lines: FindingLines) -> None:
        self.of_parts = False
        self._lines = lines
        self._found = GatheredFindings(verbose=lines.verbose)
        self._judges: dict[tuple[str, str, str], list[Outcome]] = {}

    def add(self, verdict: Verdict) -> None:
        """Take the findings of one log."""
        judge = f"{verdict.usage} {verdict.ruleset}" if verdict.ruleset else "nothing"
        outcomes = self._judges.setdefault((judge, verdict.division or "", verdict.benchmark or ""), [])
        outcomes.append(verdict.verdict)
        self._found.add(verdict)

    def render(self) -> str:
        """The findings, those in the most logs first, and a table of the logs."""
        blocks = [
            self._render_alike(alike) if len(alike) > 1 else self._render_rule(alike[0])
            for alike in self._group_alike()
        ]
        if self._found.consequences:
            blocks.append([self._lines.paint(describe_consequences(self._found.consequences), "note")])
        return "".join(f"{line}\n" for block in blocks for line in [*block, ""]) + (
            "" if self.of_parts else self._render_judges()
        )

    def _group_alike(self) -> list[list[list[Message]]]:
        """The rules, each with its messages; three or more that blame the same logs and are fixed alike, together."""
        rules = self._found.list_rules()
        groups: dict[object, list[list[Message]]] = {}
        for messages in rules:
            first, logs = messages[0].first, tuple(messages[0].logs)
            like = (first.severity, first.code, first.hint, logs) if len(messages) == 1 else id(messages)
            groups.setdefault(like, []).append(messages)
        least = len(rules) + 1 if self._lines.verbose else GROUPED_FROM
        return [
            part
            for alike in groups.values()
            for part in ([alike] if len(alike) >= least else [[each] for each in alike])
        ]

    def _render_alike(self, alike: Sequence[Sequence[Message]]) -> list[str]:
        """Rules that blame the same logs, one line each."""
        first = alike[0][0]
        lines = [f"{self._head(alike[0])}, {count_of(len(alike), 'rule')}"]
        lines += [self._lines.describe_rule(message.first) for (message,) in alike]
        return [*lines, *self._list_places(first), *self._lines.label_lines(("fix", first.first.hint))]

    def _render_rule(self, messages: Sequence[Message]) -> list[str]:
        """One rule with its most frequent messages."""
        times = sum(len(message.places) for message in messages)
        often = f", {times:,} times" if times > count_logs(messages) else ""
        lines = [f"{self._head(messages)}{often}"]
        shown = messages if self._lines.verbose else messages[:_MOST_MESSAGES]
        for message in shown:
            finding = message.first
            lines += [self._lines.describe_rule(finding), *self._lines.render_excerpt(finding)]
            if finding.line:
                lines += self._lines.label_lines(("expected", finding.expected), ("found", finding.found))
            lines += self._list_places(message)
        if len(messages) > len(shown):
            more = f"… and {count_of(len(messages) - len(shown), 'other message')} (--verbose shows all)"
            lines.append(f"    {self._lines.paint(more, 'note')}")
        return [*lines, *self._lines.label_lines(("fix", messages[0].first.hint))]

    def _head(self, messages: Sequence[Message]) -> str:
        severity = self._lines.describe_severity(messages[0].first)
        if self.of_parts:
            return severity
        return f"{severity} in {count_logs(messages):,} of {count_of(self._found.logs, 'log')}"

    def _list_places(self, message: Message) -> list[str]:
        if self._lines.verbose:
            return self._lines.label_lines(*[("at", describe_place(*place)) for place in message.places])
        more = len(message.places) - _MOST_PLACES
        shown = ", ".join([describe_place(*place) for place in message.places[:_MOST_PLACES]])
        return self._lines.label_lines(("at", f"{shown} and {more:,} more" if more > 0 else shown))

    def _render_judges(self) -> str:
        counted = {"compliant": Outcome.PASSED, "failed": Outcome.FAILED, "unjudged": Outcome.UNJUDGED}
        records = [
            {
                **dict(zip(("ruleset", "division", "benchmark"), judge, strict=True)),
                "logs": len(outcomes),
                **{name: outcomes.count(outcome) for name, outcome in counted.items()},
            }
            for judge, outcomes in self._judges.items()
        ]
        return render_table(make_table("logs", _JUDGE_COLUMNS, records), Look(self._lines.width))
