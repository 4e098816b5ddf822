"""Choosing the round, the division and the benchmark that a log is judged by."""

from __future__ import annotations

from pathlib import Path

import pytest
from logs import mll, mllog, mlp050
from rule_folders import write_round

from mlperf_logging.compliance.checking import check_log
from mlperf_logging.compliance.findings import Verdict
from mlperf_logging.compliance.ruleset_selection import RuleOptions, RuleSelection
from mlperf_logging.errors import UsageError

CLOSED = mllog("submission_division", "closed")
_NEWEST = "the newest round of the mllog dialect, since "


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Rounds of two usages: one with many rounds in two dialects, one with a single round."""
    (tmp_path / "benchmarks").mkdir()
    for benchmark in ("knitting", "weaving", "soup"):
        file = tmp_path / "benchmarks" / f"{benchmark}.yaml"
        file.write_text(f"benchmark: {benchmark}\nboth:\n  eval_accuracy: any number\n")
    for name, dialect, benchmarks in (
        ("craft/1.0.0", "mll", "knitting"),
        ("craft/2.0.0", "mllog", "knitting, weaving"),
        ("craft/10.0.0", "mllog", "weaving"),
        ("kitchen/1.0.0", "mllog", "soup, knitting"),
    ):
        text = f"benchmarks: {{add: [{benchmarks}]}}\nclosed:\n  seed: any number\n"
        write_round(tmp_path, text, name=name, dialect=dialect)
    return tmp_path


def brief(verdict: Verdict) -> tuple[str, str | None, str]:
    """What a verdict says of the choice."""
    return verdict.usage, verdict.ruleset, verdict.ruleset_reason


@pytest.mark.parametrize(
    ("log", "usage", "expected"),
    [
        (b"", None, ("craft", "10.0.0", "the newest round, since the file contains no event")),
        (b"", "kitchen", ("kitchen", "1.0.0", "the newest round, since the file contains no event")),
        (
            mllog("submission_benchmark", "weaving"),
            None,
            ("craft", "10.0.0", "the newest round that knows weaving in the mllog dialect"),
        ),
        (
            mllog("submission_benchmark", "knitting"),
            None,
            ("craft", "2.0.0", "the newest round that knows knitting in the mllog dialect"),
        ),
        (
            mllog("submission_benchmark", "knitting"),
            "kitchen",
            ("kitchen", "1.0.0", "the newest round that knows knitting in the mllog dialect"),
        ),
        (
            mllog("submission_benchmark", "soup"),
            None,
            ("kitchen", "1.0.0", "the newest round that knows soup in the mllog dialect"),
        ),
        (
            mllog("submission_benchmark", "pottery"),
            None,
            ("craft", "10.0.0", _NEWEST + "none knows the benchmark 'pottery'"),
        ),
        (mllog("seed", 1), None, ("craft", "10.0.0", _NEWEST + "no benchmark can be read from the log")),
        (
            mll("submission_benchmark", "knitting"),
            None,
            ("craft", "1.0.0", "the newest round that knows knitting in the mll dialect"),
        ),
        (
            mll("submission_benchmark", "knitting") + mllog("submission_benchmark", "weaving"),
            None,
            ("craft", "10.0.0", "the newest round that knows weaving in the mllog dialect"),
        ),
        (
            mlp050("knitting", "run_start"),
            None,
            ("craft", "10.0.0", "the newest round, since none reads the mlp050 dialect"),
        ),
        (
            mllog("submission_benchmark", "knitting") + mllog("submission_benchmark", "weaving"),
            None,
            ("craft", "2.0.0", "the newest round that knows knitting in the mllog dialect"),
        ),
    ],
)
def test_dialect_and_benchmark_choose(log: bytes, usage: str | None, expected: object, rules: Path) -> None:
    """The newest round that reads the newest dialect and knows the benchmark is taken; the reason is reported."""
    assert brief(check_log(log, usage=usage, rules=rules)) == expected


def test_given_benchmark_chooses(rules: Path) -> None:
    """A benchmark that the caller gives counts more than the logged one."""
    verdict = check_log(mllog("submission_benchmark", "weaving") + CLOSED, benchmark="knitting", rules=rules)
    assert (verdict.ruleset, verdict.benchmark) == ("2.0.0", "knitting")


@pytest.mark.parametrize(
    "ruleset", ["2.0.0", "2.0", "v2.0", "craft/2.0.0", "craft/2.0", "craft-2.0", "craft_results_v2.0"]
)
def test_given_ruleset_is_taken(ruleset: str, rules: Path) -> None:
    """A round that is asked for, in any way to write it, judges, whatever the log says."""
    verdict = check_log(mllog("submission_benchmark", "soup") + CLOSED, ruleset=ruleset, rules=rules)
    assert brief(verdict) == ("craft", "2.0.0", "as requested")


def test_round_of_two_usages_is_that_of_the_larger(rules: Path) -> None:
    """Numbers that two usages have mean the usage with more rounds, unless the usage is named."""
    assert check_log(b"", ruleset="1.0.0", rules=rules).usage == "craft"
    assert check_log(b"", ruleset="1.0.0", usage="kitchen", rules=rules).usage == "kitchen"
    assert check_log(b"", ruleset="kitchen/1.0.0", rules=rules).usage == "kitchen"
    assert check_log(b"", ruleset="kitchen/1.0.0", usage="kitchen", rules=rules).usage == "kitchen"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"usage": "kitchn"}, "unknown usage 'kitchn'; did you mean 'kitchen'? known: craft, kitchen"),
        ({"ruleset": "3.0.0"}, "unknown ruleset '3.0.0'; did you mean '1.0.0'? known: 1.0.0, 2.0.0, 10.0.0"),
        ({"ruleset": "2"}, "unknown ruleset '2'; did you mean '2.0.0'? known: 1.0.0, 2.0.0, 10.0.0"),
        (
            {"ruleset": "v11.0"},
            "unknown ruleset 'v11.0'; the newest known round of craft is 10.0.0, and 11.0 may be newer than this",
        ),
        ({"ruleset": "newest"}, "unknown ruleset 'newest'; known: 1.0.0, 2.0.0, 10.0.0"),
        (
            {"ruleset": "kitchen/4.0.0"},
            "unknown ruleset 'kitchen/4.0.0'; the newest known round of kitchen is 1.0.0, and 4.0.0 may be newer",
        ),
        ({"ruleset": "kitchen/0.5.0"}, "unknown ruleset 'kitchen/0.5.0'; known: 1.0.0"),
        ({"ruleset": "cooking/1.0.0"}, "unknown usage 'cooking'; known: craft, kitchen"),
        (
            {"ruleset": "craft/1.0.0", "usage": "kitchen"},
            "the ruleset 'craft/1.0.0' does not belong to the usage 'kitchen'; give only one of them",
        ),
        ({"division": "close"}, "unknown division 'close'; did you mean 'closed'? known: closed, open"),
        ({"benchmark": "kniting"}, "unknown benchmark 'kniting'; did you mean 'knitting'?"),
        (
            {"benchmark": "soup", "ruleset": "craft/2.0.0"},
            "craft/2.0.0 does not know the benchmark 'soup'; it knows knitting, weaving",
        ),
    ],
)
def test_unknown_names_are_refused(options: dict[str, str], says: str, rules: Path) -> None:
    """A usage, round, division or benchmark that does not exist is the caller's mistake, with near names."""
    with pytest.raises(UsageError) as caught:
        check_log(CLOSED, rules=rules, **options)  # type: ignore[arg-type]
    assert str(caught.value).startswith(says)


def test_unknown_logged_benchmark_is_a_finding(rules: Path) -> None:
    """A logged benchmark that the round does not know is the log's fault, with a near name."""
    verdict = check_log(mllog("submission_benchmark", "knittin") + CLOSED, ruleset="2.0.0", rules=rules)
    (finding,) = [each for each in verdict.findings if each.code == "MLP106"]
    assert (
        finding.message
        == "craft/2.0.0 does not know the benchmark 'knittin', so no benchmark rules were applied"
    )
    assert (finding.severity, finding.hint) == ("error", "Did you mean 'knitting'?")
    assert verdict.benchmark == "knittin"


@pytest.mark.parametrize(
    ("logged", "division", "judged", "found"),
    [
        ("closed", None, "closed", None),
        ("open", None, "open", None),
        ("open", "closed", "closed", None),
        (None, "open", "open", None),
        (None, None, None, "not logged"),
        ("Closed", None, "Closed", "Closed"),
        (5, None, None, "not logged"),
    ],
)
def test_division(
    logged: object, division: str | None, judged: object, found: str | None, rules: Path
) -> None:
    """The logged division counts unless one is given; one that is not known is an error of the log."""
    log = mllog("submission_benchmark", "weaving")
    log += mllog("submission_division", logged) if logged is not None else b""
    verdict = check_log(log, division=division, rules=rules)
    assert verdict.division == judged
    findings = [each for each in verdict.findings if each.code == "MLP107"]
    assert [each.found for each in findings] == ([found] if found else [])


def test_round_without_divisions_asks_for_none(tmp_path: Path) -> None:
    """A round whose tables do not tell divisions apart judges logs that name none."""
    write_round(tmp_path, "common:\n  seed: any number\n", knitting="both:\n  seed: any number\n")
    verdict = check_log(mllog("submission_benchmark", "knitting"), rules=tmp_path)
    assert (verdict.verdict, verdict.division) == ("pass", None)


def test_options_are_the_fields_of_a_selection() -> None:
    """Keywords override the selection that is given; one that is no field of it is refused by name."""
    selection = RuleSelection(ruleset="1.0.0", strict=True)

    assert set(RuleOptions.__annotations__) == set(RuleSelection._fields)
    assert selection.override({"division": "open"}) == RuleSelection(
        ruleset="1.0.0", division="open", strict=True
    )
    with pytest.raises(TypeError, match="rule_set"):
        check_log(b"", rule_set="1.0.0")  # type: ignore[call-arg]
