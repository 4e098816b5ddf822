"""Suites and their reference results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlperf_logging import RuleError, UsageError
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.scoring.suites import list_suites, load_suite, score_suite
from tests.rule_folders import write_round

FIRST = "original-2018-07"
PUBLISHED_SECONDS = {
    "resnet": 529877,
    "maskrcnn": 299971,
    "transformer": 112187,
    "deepspeech2": 412417,
    "ncf": 2803,
    "sentiment": 214,
    "minigo": 263322,
}
"""Reference results as they were published, one a benchmark."""


def test_first_suite_gives_its_published_results() -> None:
    """The median of each benchmark's five reference runs is the published reference result."""
    suite = load_suite(FIRST)

    assert {name: entry.reference_minutes * 60 for name, entry in suite.benchmarks.items()} == pytest.approx(
        PUBLISHED_SECONDS
    )
    assert (suite.method, suite.seeds) == ("median", (1, 2, 3, 4, 5))
    assert {len(entry.reference_seconds) for entry in suite.benchmarks.values()} == {5}


@pytest.mark.corpus
def test_first_suite_is_that_of_the_facts(shared: Path) -> None:
    """Every reference run is the one that the facts give, seed by seed."""
    text = (shared / "facts" / "original_suite.md").read_text("utf-8")
    rows = re.findall(
        r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE
    )
    suite = load_suite(FIRST)

    assert {row[0]: tuple(map(int, row[2:])) for row in rows} == {
        name: entry.reference_seconds for name, entry in suite.benchmarks.items()
    }
    assert {row[0]: int(row[1]) for row in rows} == PUBLISHED_SECONDS


def test_reference_against_itself_scores_one() -> None:
    """The reference's own results normalize to one, and so does its suite."""
    suite = load_suite(FIRST)
    score = score_suite(
        suite, {name: seconds / 60 for name, seconds in PUBLISHED_SECONDS.items()}, "reference"
    )

    assert score.score == pytest.approx(1)
    assert list(score.normalized.values()) == pytest.approx([1] * 7)
    assert (score.system, score.missing) == ("reference", ())


def test_geometric_mean_computed_by_hand() -> None:
    """Two, four and eight times as fast in three benchmarks, as fast in four: 2^(6/7) = 1.8114."""
    faster = {"resnet": 2, "maskrcnn": 4, "ncf": 8}
    minutes = {name: seconds / 60 / faster.get(name, 1) for name, seconds in PUBLISHED_SECONDS.items()}
    score = score_suite(load_suite(FIRST), minutes)

    assert score.normalized["maskrcnn"] == pytest.approx(4)
    assert score.score == pytest.approx(1.8114, abs=5e-5)


def test_suite_needs_every_benchmark() -> None:
    """A division result needs all benchmarks; those that are missing are named."""
    score = score_suite(load_suite(FIRST), {"resnet": 1.0, "knitting": 1.0})

    assert score.score is None
    assert "resnet" not in score.missing
    assert len(score.missing) == 6
    assert "knitting" not in score.normalized


def test_weights_choose_and_weigh_benchmarks() -> None:
    """Custom summaries weigh benchmarks; those without a weight are not needed: (2^3 · 32)^(1/4) = 4."""
    suite = load_suite(FIRST)
    minutes = {"resnet": PUBLISHED_SECONDS["resnet"] / 60 / 2, "ncf": PUBLISHED_SECONDS["ncf"] / 60 / 32}
    score = score_suite(suite, minutes, weights={"resnet": 3, "ncf": 1})

    assert score.score == pytest.approx(4)


def test_suite_without_a_reference_result_has_no_score(tmp_path: Path) -> None:
    """A benchmark that has no reference result yet is named, and no mean is taken of the others; what has one is normalized."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "benchmarks:\n  knitting: {reference_seconds: null}\n"
        "  weaving: {reference_seconds: 120, creator: us, platform: loom, when: '2018-05-01'}\n"
    )
    suite = load_suite(str(path))
    score = score_suite(suite, {"knitting": 1.0, "weaving": 1.0})

    assert suite.benchmarks["knitting"].reference_minutes is None
    assert suite.benchmarks["weaving"][3:] == ("us", "loom", "2018-05-01")
    assert (score.score, score.missing, score.unreferenced) == (None, (), ("knitting",))
    assert (score.normalized, score.minutes) == ({"weaving": 2.0}, 2.0)
    assert score_suite(suite, {"weaving": 1.0}, weights={"weaving": 1.0}).score == pytest.approx(2)


def test_mini_suite_is_that_of_its_rules() -> None:
    """It has the benchmarks of the rules `mini`, takes results of those rules only, and goes by the rule of 2018."""
    suite, first = load_suite("mini"), load_suite(FIRST)

    assert set(suite.benchmarks) == set(first.benchmarks) == set(open_rules().load("mini/1.0.0").benchmarks)
    assert (suite.method, suite.requirement, suite.seeds) == (first.method, first.requirement, first.seeds)
    assert suite.takes("ncf", "mini")
    assert not suite.takes("ncf", "training")
    assert not suite.takes("knitting", "mini")
    assert first.takes("ncf", "training")


def test_mini_references_say_whose_they_are() -> None:
    """A reference result at mini scale is five runs, with machine and day."""
    for entry in load_suite("mini").benchmarks.values():
        known = (
            bool(entry.creator),
            bool(entry.platform),
            bool(re.fullmatch(r"\d{4}-\d\d-\d\d", entry.when)),
        )
        assert (len(entry.reference_seconds), *known) == (5, True, True, True)


@pytest.mark.parametrize(
    ("weights", "says"),
    [({"knitting": 1.0}, "has no benchmark 'knitting'"), ({"resnet": -1.0}, "weights must not be negative")],
)
def test_weights_that_do_not_fit_are_said(weights: dict[str, float], says: str) -> None:
    """Weights of other benchmarks, and negative ones, are mistakes."""
    with pytest.raises(UsageError, match=says):
        score_suite(load_suite(FIRST), {"resnet": 1.0}, weights=weights)


def test_suite_from_a_file(tmp_path: Path) -> None:
    """A suite of your own: a result in seconds, or runs of which the fastest and slowest are dropped."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        "benchmarks:\n  knitting: {reference_seconds: 120, weight: 2}\n  weaving: {reference_seconds: [60, 180, 900]}\n"
    )
    suite = load_suite(str(path))

    assert (suite.name, suite.method, suite.requirement) == ("mine", "olympic", None)
    assert suite.benchmarks["knitting"].reference_minutes == 2
    assert suite.benchmarks["knitting"].weight == 2
    assert suite.benchmarks["weaving"].reference_minutes == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("benchmarks: {}\n", "a suite needs 'benchmarks'"),
        ("score: best\nbenchmarks:\n  k: {reference_seconds: 1}\n", "'score' must be median or olympic"),
        ("benchmarks:\n  k: {reference_seconds: soon}\n", "'reference_seconds' must be"),
        ("benchmarks:\n  k: {reference_seconds: [1, 2]}\n", "too few for a mean"),
        ("benchmarks:\n  k: {reference_seconds: 1, weight: -2}\n", "'weight' must be zero or more"),
        ("benchmarks:\n  k: {weight: 2}\n", "'reference_seconds' must be"),
        ("usages: [1]\nbenchmarks:\n  k: {reference_seconds: 1}\n", "'usages' must be a list of texts"),
        ("runs: {required: 5}\nbenchmarks:\n  k: {reference_seconds: 1}\n", "'runs' must say"),
    ],
)
def test_faulty_suite_is_said_with_its_place(text: str, says: str, tmp_path: Path) -> None:
    """What is wrong in a suite's file is said with file and line."""
    path = tmp_path / "mine.yaml"
    path.write_text(text)

    with pytest.raises(RuleError, match=says) as caught:
        load_suite(str(path))
    assert caught.value.path == "mine.yaml"


def test_unknown_suite_is_said() -> None:
    """A mistyped name lists those that there are."""
    assert FIRST in list_suites()
    with pytest.raises(UsageError, match=f"unknown suite 'nothing'; known: .*{FIRST}"):
        load_suite("nothing")


def test_folder_without_suites_has_none(tmp_path: Path) -> None:
    """Rule files that stand alone need not have suites; others have those of the package."""
    assert list_suites(tmp_path) == list_suites()
    alone = tmp_path / "alone"
    alone.mkdir()
    write_round(alone, "closed:\n  seed: logged\n")
    assert list_suites(alone) == []
