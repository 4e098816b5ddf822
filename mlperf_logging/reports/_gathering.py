"""Findings of many logs, gathered: rule by rule, each message once, with the places that have it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlperf_logging.compliance.findings import OTHER_ROUND
from mlperf_logging.events import Severity
from mlperf_logging.reports._lines import split_consequences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlperf_logging.compliance.findings import Finding, Verdict


@dataclass
class Message:
    """One message of a rule.

    Attributes:
        first: the first finding that says it.
        places: path and finding of each that does.
        logs: numbers of the logs that have it, each once, in order.
    """

    first: Finding
    places: list[tuple[str, Finding]] = field(default_factory=list)
    logs: list[int] = field(default_factory=list)

    def add(self, log: int, path: str, finding: Finding) -> None:
        """Note one more place."""
        self.places.append((path, finding))
        if not self.logs or self.logs[-1] != log:
            self.logs.append(log)


class GatheredFindings:
    """Gathers the findings of logs by rule and message.

    Attributes:
        logs: number of logs so far.
        consequences: findings that were left out because they only follow from others.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        """Begin; `verbose` keeps what only follows from other findings."""
        self.logs = 0
        self.consequences = 0
        self._verbose = verbose
        self._rules: dict[tuple[str, str, str], dict[str, Message]] = {}

    def add(self, verdict: Verdict) -> None:
        """Take the findings of one log."""
        findings, consequences = list(verdict.findings), 0
        if not self._verbose:
            findings, consequences = split_consequences(verdict, findings)
        self.consequences += consequences
        for finding in findings:
            messages = self._rules.setdefault((finding.severity, finding.code, finding.rule), {})
            message = messages.setdefault(finding.message, Message(finding))
            message.add(self.logs, verdict.path, finding)
        self.logs += 1

    def list_rules(self) -> list[list[Message]]:
        """The rules, each with its messages, the most frequent first: errors first, those in the most logs before others."""
        rules = [
            sorted(each.values(), key=lambda message: -len(message.places)) for each in self._rules.values()
        ]
        rules.sort(
            key=lambda each: (
                each[0].first.rule != OTHER_ROUND,
                each[0].first.severity != Severity.ERROR,
                -count_logs(each),
            )
        )
        return rules


def count_logs(messages: Sequence[Message]) -> int:
    """The number of logs that have one of the messages."""
    return len({log for message in messages for log in message.logs})
