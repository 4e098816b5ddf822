"""Choosing findings by code, id and pattern."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.compliance.finding_filter import (
    FindingFilter,
    apply_filter,
    is_code_prefix,
    match_finding,
    parse_filter,
)
from mlperf_logging.compliance.findings import Finding, Verdict
from mlperf_logging.errors import UsageError
from mlperf_logging.runs.summary import RunSummary

FINDING = Finding("MLP304", "round.opt_name.in", "error", "opt_name", 1, 1, "no")
WARNING = Finding("MLP103", "round.seed.once", "warning", "seed", 2, 1, "hm")


def judged(*findings: Finding, verdict: str = "fail") -> Verdict:
    """A verdict with some findings."""
    frame = ("a.txt", "mllog", "training", "9.9.9", "asked for", "closed", "knitting")
    return Verdict(*frame, verdict, findings, RunSummary(), 1)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("MLP304", True),
        ("mlp304", True),
        ("MLP3", True),
        ("MLP", True),
        ("MLP30", True),
        ("MLP305", False),
        ("MLP4", False),
        ("round.opt_name.in", True),
        ("round.opt_name", False),
        ("round.*", True),
        ("*opt*", True),
        ("*.OPT_NAME.*", False),
        ("round.opt_name.i[nm]", True),
        ("round.seed.*", False),
    ],
)
def test_patterns(pattern, matches):
    """A pattern is a code, the beginning of one, a rule id, or a shell pattern of rule ids."""
    assert match_finding(pattern, FINDING) is matches


@pytest.mark.parametrize("text", ["MLP3045", "MLP3x", "ML", "opt", "MLP٣", ""])
def test_what_is_no_code(text):
    """Only MLP and up to three ASCII digits make a code."""
    assert not is_code_prefix(text)


def test_ignore_wins_over_select():
    """A finding that is both selected and ignored does not count."""
    assert not FindingFilter(("MLP3",), ("MLP304",)).keeps(FINDING)
    assert FindingFilter(("MLP3",), ("MLP305",)).keeps(FINDING)


def test_no_patterns_keep_all():
    """An empty selection changes nothing."""
    verdict = judged(FINDING, WARNING)
    assert apply_filter(verdict, FindingFilter()) == verdict


def test_dropping_the_errors_makes_a_log_pass():
    """The verdict follows from the findings that are left."""
    verdict = apply_filter(judged(FINDING, WARNING), FindingFilter((), ("MLP3",)))
    assert (verdict.verdict, verdict.findings) == ("pass", (WARNING,))


def test_keeping_an_error_keeps_the_verdict():
    """A log with a selected error still fails, with that finding only."""
    verdict = apply_filter(judged(FINDING, WARNING), FindingFilter(("MLP3",), ()))
    assert (verdict.verdict, verdict.findings) == ("fail", (FINDING,))


def test_unjudged_logs_cannot_be_selected_away():
    """What could not be read stays an error, whatever is ignored."""
    verdict = judged(FINDING._replace(code="MLP000"), verdict="error")
    assert apply_filter(verdict, FindingFilter((), ("MLP",))) == verdict


def test_lists_are_split_and_repeats_dropped():
    """Patterns come comma-separated and in several options."""
    selection = parse_filter(["MLP3, round.x", "MLP3"], ["a*,,"])
    assert selection == FindingFilter(("MLP3", "round.x"), ("a*",))


KNOWN = {"known_codes": {"MLP304", "MLP101"}, "known_rules": {"round.opt_name.in", "round.seed.once"}}


@pytest.mark.parametrize("pattern", ["MLP3", "MLP304", "mlp1", "round.seed.once", "*.in"])
def test_known_patterns_are_taken(pattern):
    """A pattern that means something known is taken."""
    assert parse_filter([pattern], [], **KNOWN).select == (pattern,)


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("round.seed.onse", "did you mean 'round.seed.once'"),
        ("MLP309", "did you mean 'MLP304'"),
        ("zzz*", "--list-rules"),
        ("MLP9", "MLP9"),
    ],
)
def test_unknown_patterns_are_refused(pattern, hint):
    """A pattern that means nothing known is a mistake, answered with what was meant."""
    with pytest.raises(UsageError, match="no code or rule") as caught:
        parse_filter([], [pattern], **KNOWN)
    assert hint in str(caught.value)


@given(st.lists(st.sampled_from([FINDING, WARNING, FINDING._replace(code="MLP401")])), st.text(max_size=8))
def test_select_and_ignore_divide(findings, pattern):
    """What a pattern selects and what is left when it is ignored are together all findings."""
    kept, left = FindingFilter((pattern,), ()), FindingFilter((), (pattern,))
    assert all(kept.keeps(finding) != left.keeps(finding) for finding in findings)
