"""What tests of rules and of the judge share: events in, findings out."""

from __future__ import annotations

from collections.abc import Iterable

from mlperf_logging.compliance.checking import summarize_run
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.judge import Judge
from mlperf_logging.compliance.messages import describe_violation
from mlperf_logging.compliance.plain_judging import arrange_rules
from mlperf_logging.events import Event
from mlperf_logging.rules.rulesets import Ruleset, Table
from mlperf_logging.runs.summary import RUN_START


def judge_events(ruleset: Ruleset, table: Table, events: Iterable[Event]) -> list[Finding]:
    """What a table finds in the events of one run, in the order found."""
    log = list(events)
    judge = Judge(table)
    for event in log:
        judge.feed(event)
    judge.finish()
    check_plain_judging(table, log, judge)
    return [describe_violation(violation, ruleset) for violation in judge.violations]


def check_plain_judging(table: Table, log: list[Event], judge: Judge) -> None:
    """Assert that what is judged all at once to break no rule breaks none, and has shown what the judge has seen."""
    state = arrange_rules(table).judge([log])
    if state is not None:
        assert judge.violations == []
        assert state.words == judge.state.words
        assert state.counts.get(RUN_START) == judge.state.counts.get(RUN_START)
        assert summarize_run(state) == summarize_run(judge.state)
