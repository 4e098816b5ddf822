"""The judge on any events: it never fails, and says the same of the same log."""

from __future__ import annotations

import json
from functools import cache

from hypothesis import given
from hypothesis import strategies as st
from strategies import KEYS, STATE_WORDS, events, formulas

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.identity import Identity, find_variants
from mlperf_logging.compliance.live import start_judge
from mlperf_logging.errors import RuleError
from mlperf_logging.events import DIVISIONS, Event
from mlperf_logging.rules.formula import Node, write_formula
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.rules.resolved import StateWords
from mlperf_logging.rules.rule import CellRules, Rule
from mlperf_logging.rules.rulesets import compile_table
from tests.judging import judge_events

Kind = tuple[str, str | None, str | None, tuple[str, ...]]


@cache
def list_kinds() -> list[Kind]:
    """All kinds of run of all rounds."""
    kinds: list[Kind] = []
    for entry in open_rules().index():
        ruleset = open_rules().load(entry.name)
        for benchmark in (None, *ruleset.benchmarks):
            variants = tuple(ruleset.variants(benchmark))
            kinds += [(entry.name, division, benchmark, variants) for division in (None, *DIVISIONS)]
    return kinds


def check_findings(findings: list[Finding], log: list[Event]) -> None:
    """Assert what holds of every finding."""
    lines = {event.line for event in log}
    for finding in findings:
        assert finding.message.strip()
        assert "\n" not in finding.message
        assert finding.line is None or finding.line in lines
        assert finding.severity in {"error", "warning"}
        assert len(finding.message) < 5_000
        json.dumps(finding.as_json())


@given(st.data())
def test_any_log_is_judged_by_any_round(data: st.DataObject) -> None:
    """Events of any value, in any order, are judged without failing, and twice with the same findings."""
    name, division, benchmark, variants = data.draw(st.sampled_from(list_kinds()))
    ruleset = open_rules().load(name)
    table = ruleset.table(division, benchmark, variants, strict=data.draw(st.booleans()))
    keys = st.sampled_from(sorted({*table.entries, "made_up"}))
    log = data.draw(st.lists(events(keys), max_size=12))
    findings = judge_events(ruleset, table, log)
    check_findings(findings, log)
    assert judge_events(ruleset, table, log) == findings


@given(
    st.lists(
        st.tuples(st.sampled_from(KEYS), st.sampled_from(["every", "first", "rest", "any", "end"]), formulas),
        max_size=3,
    ),
    st.lists(events(), max_size=6),
)
def test_any_rule_is_judged(clauses: list[tuple[str, str, Node]], log: list[Event]) -> None:
    """Whatever formula a rule has, a log breaks it or does not; the judge and its words never fail."""
    ruleset = open_rules().load(open_rules().index()[-1].name)
    state = StateWords(dict.fromkeys(STATE_WORDS, 0), {})
    layer: dict[str, CellRules] = {}
    for number, (key, on, node) in enumerate(clauses):
        rule = Rule(
            f"r{number}",
            "MLP304",
            key,
            on,
            node,
            write_formula(node),
            "error",
            None,
            "common",
            "",
            "",
            "",
            "",
            "",
            (),
            (),
            (),
            "rules.yaml",
            number,
        )
        entry = layer.get(key, CellRules(False, ()))
        layer[key] = entry._replace(rules=(*entry.rules, rule))
    try:
        table = compile_table([layer], state)
    except RuleError:
        return
    findings = judge_events(ruleset, table, log)
    assert {finding.rule for finding in findings} <= {f"r{number}" for number in range(len(clauses))}
    again = judge_events(ruleset, table, log)
    assert again == findings
    for finding in findings:
        assert finding.message.strip()


@given(st.data())
def test_live_judge_reports_all_that_the_whole_log_shows(data: st.DataObject) -> None:
    """Judged event by event, a run's findings hold all that judging the whole log at once finds."""
    name, division, benchmark, _ = data.draw(st.sampled_from(list_kinds()))
    ruleset = open_rules().load(name)
    keys = [*sorted(ruleset.table(division, benchmark).entries), "opt_name", "scheduler_type"]
    named = Event("submission_benchmark", benchmark, {}, 0, 1, 1, b"", dialect=ruleset.dialect)
    log = [named] * (benchmark is not None) + data.draw(st.lists(events(st.sampled_from(keys)), max_size=8))
    log = [
        event._replace(dialect=ruleset.dialect, line=line, benchmark=None)
        for line, event in enumerate(log, 1)
    ]
    live = start_judge(ruleset=name, division=division, benchmark=benchmark)
    reported = [finding for event in log for finding in live.feed(event)] + live.finish()
    check_findings(reported, log)
    assert live.choice is not None
    chosen = live.choice
    identity = Identity()
    identity.note(log)
    table = ruleset.table(
        chosen.division, chosen.benchmark, find_variants(ruleset, chosen.benchmark, identity)
    )
    wanted = {(finding.rule, finding.line, finding.message) for finding in judge_events(ruleset, table, log)}
    assert wanted <= {(finding.rule, finding.line, finding.message) for finding in reported}
    assert len(reported) == len({(finding.rule, finding.line, finding.message) for finding in reported})
