"""What tests of rules and of the judge share: events in, findings out."""

from __future__ import annotations

from collections.abc import Iterable

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.judge import Judge
from mlperf_logging.compliance.messages import describe_violation
from mlperf_logging.events import Event
from mlperf_logging.rules.rulesets import Ruleset, Table


def judge_events(ruleset: Ruleset, table: Table, events: Iterable[Event]) -> list[Finding]:
    """What a table finds in the events of one run, in the order found."""
    judge = Judge(table)
    for event in events:
        judge.feed(event)
    judge.finish()
    return [describe_violation(violation, ruleset) for violation in judge.violations]
