"""Judging while the run continues: each event as it is logged, each finding once.

A log says what kind of run it is (benchmark, division, its rules, optimizer) only as it goes. Until all of that is
known, the events are kept, as many as are ever kept of a log; when it becomes known, a new judge with the right table
reads them again, and only what it finds beyond the former one is reported. A log that names its rules, as few do, has done
so when the run starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.compliance.checking import summarize_run
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.identity import BENCHMARK, DIVISION, Identity
from mlperf_logging.compliance.judge import Judge
from mlperf_logging.compliance.ruleset_selection import (
    AUTO,
    AUTOMATIC,
    RULESET,
    Choice,
    RuleOptions,
    RuleSelection,
    choose_ruleset,
)
from mlperf_logging.events import Event
from mlperf_logging.rules.formula import walk
from mlperf_logging.rules.rulesets import Ruleset
from mlperf_logging.runs.kept_events import EventBudget
from mlperf_logging.runs.summary import RUN_START, RunSummary

if TYPE_CHECKING:
    from typing_extensions import Unpack

_TELLING_ROUND = (RULESET, RUN_START)
"""Keys of which the first says by which round a run is judged that chooses it: this one, or none that it names."""


class LiveJudge:
    """Judges the events of a run as they come.

    Attributes:
        choice: what the run is judged by so far; None while an automatic ruleset waits for the benchmark.
    """

    def __init__(self, selection: RuleSelection = AUTOMATIC, path: str | None = None) -> None:
        """Begin; the path of the log's file, if it has one, is a clue to an automatic round."""
        self._path = path
        self.choice: Choice | None = None
        self._selection = selection
        self._identity = Identity()
        self._judge: Judge | None = None
        self._history: list[Event] | None = []
        self._budget = EventBudget()
        self._reported: set[tuple[str, int | None, str]] = set()
        self._seen = 0
        self._telling = {BENCHMARK, DIVISION, *(_TELLING_ROUND if selection.ruleset == AUTO else ())}
        self._told: set[tuple[str, str]] = set()
        if selection.ruleset != AUTO:
            self._choose()

    def feed(self, event: Event) -> list[Finding]:
        """Judge one event; returns what is newly found."""
        if self._history is not None and not self._budget.take([event]):
            self._choose(last=True)  # a run that has not said by now what it is has had time to
            self._history = None
        if self._history is not None:  # not everything is known yet
            self._history.append(event)
            if self._tells_more(event):
                self._identity.note((event,))
                if self._choose():
                    return self._report()
        if self._judge is not None:
            self._judge.feed(event)
        return self._report()

    def finish(self) -> list[Finding]:
        """Judge what only the whole log can show; returns what is newly found."""
        if self._judge is None:
            self._choose(last=True)
        assert self._judge is not None  # noqa: S101 - the last choice always makes one
        self._judge.finish()
        found = [*(self.choice.findings if self.choice else ())]
        return [*[each for each in found if self._is_new(each)], *self._report()]

    @property
    def run(self) -> RunSummary:
        """The run's summary, as far as it was logged."""
        return summarize_run(self._judge.state) if self._judge is not None else RunSummary()

    def _tells_more(self, event: Event) -> bool:
        """Whether an event may tell more of the run's kind: the first of a telling key, or the first to name a benchmark."""
        if event.key not in self._telling and event.benchmark is None:
            return False
        told = event.dialect, event.key if event.key in self._telling else BENCHMARK
        is_new = told not in self._told
        self._told.add(told)
        return is_new

    def _choose(self, last: bool = False) -> bool:
        """Choose by what is known now; true when that gave another judge."""
        asked = self._selection
        if asked.ruleset == AUTO and not last and not (asked.benchmark or self._knows_benchmark()):
            return False
        choice = choose_ruleset(asked, self._identity, path=self._path)
        ruleset, history = choice.ruleset, self._history or []
        wanted = _telling_keys(ruleset, choice.benchmark)
        self._telling |= wanted
        self._identity.note([event for event in history if event.key in self._telling])
        choice = choose_ruleset(
            asked, self._identity, path=self._path
        )  # now with what determines the variants
        table = choice.table(strict=asked.strict, level=asked.level)
        changed = self._judge is None or table is not self._judge.table
        knows_division = choice.division is not None or not ruleset.has_divisions
        knows_variants = wanted <= self._identity.events(ruleset.dialect).keys()
        knows_rules = asked.ruleset != AUTO or any(key in _TELLING_ROUND for _, key in self._told)
        if choice.benchmark is not None and knows_division and knows_variants and knows_rules:
            self._history = None
        if not changed:
            return False
        self.choice = choice
        self._judge, self._seen = Judge(table), 0
        for event in history:
            self._judge.feed(event)
        return True

    def _knows_benchmark(self) -> bool:
        return any(
            key == BENCHMARK or event.benchmark
            for events in self._identity.first.values()
            for key, event in events.items()
        )

    def _report(self) -> list[Finding]:
        if self._judge is None or self.choice is None or len(self._judge.violations) == self._seen:
            return []
        from mlperf_logging.compliance.messages import describe_violation

        new = self._judge.violations[self._seen :]
        self._seen += len(new)
        findings = [describe_violation(violation, self.choice.ruleset) for violation in new]
        return [finding for finding in findings if self._is_new(finding)]

    def _is_new(self, finding: Finding) -> bool:
        mark = (finding.rule, finding.line, finding.message)
        if mark in self._reported:
            return False
        self._reported.add(mark)
        return True


def _telling_keys(ruleset: Ruleset, benchmark: str | None) -> set[str]:
    nodes = ruleset.variant_nodes(benchmark).values()
    return {str(part[1]) for node in nodes for part in walk(node) if part[0] == "logged"}


def start_judge(selection: RuleSelection = AUTOMATIC, **options: Unpack[RuleOptions]) -> LiveJudge:
    """Begin to judge a run whose events are still to come.

    Args:
        selection: the rules to judge by; by default the judge waits for the benchmark and takes the newest round that
            knows it.
        options: fields of the selection that are to differ, such as ``division="open"``.

    Raises:
        UsageError: there is no such ruleset, division or benchmark.
        RuleError: a rule file is wrong.
    """
    return LiveJudge(selection.override(options))
