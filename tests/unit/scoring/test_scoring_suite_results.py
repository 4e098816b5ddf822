"""Results within suites: by the suite's rules, system by system."""

from __future__ import annotations

import pytest

from mlperf_logging.runs.folders import ResultFolder
from mlperf_logging.scoring.cost import Cost, Price, price_score, sum_costs
from mlperf_logging.scoring.folders import FolderScore, score_folder
from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.scoring.seeds import LoggedSeed, RunSeeds
from mlperf_logging.scoring.suite_results import SuiteResult, score_in_suite, score_systems
from mlperf_logging.scoring.suites import MEDIAN, Suite, SuiteBenchmark
from tests.scores import make_scored_run

MINUTES = (9.0, 2.0, 4.0, 3.0, 90.0)
SUITE = Suite(
    "craft",
    "Craft",
    "",
    MEDIAN,
    Requirement(5, 0, 0),
    (1, 2, 3, 4, 5),
    {"knitting": SuiteBenchmark(8.0), "weaving": SuiteBenchmark(2.0), "felting": SuiteBenchmark(None)},
    ("craft",),
)


def score_benchmark(
    benchmark: str, *, usage: str = "craft", division: str = "closed", first_seed: int = 1
) -> FolderScore:
    """Five runs of a benchmark, scored by the rules of a round."""
    runs = [
        make_scored_run(
            minutes,
            benchmark=benchmark,
            usage=usage,
            division=division,
            quality_minutes=minutes,
            logged_seeds=RunSeeds("", (LoggedSeed(seed, None, None),)),
        )
        for seed, minutes in enumerate(MINUTES, first_seed)
    ]
    folder = ResultFolder(f"results/box/{benchmark}", tuple(f"result_{n}.txt" for n in range(5)), benchmark)
    return score_folder(folder, runs)


def take(benchmark: str, system: str = "box", price: Price | None = None, **more: str) -> SuiteResult:
    """The result of a benchmark in the suite."""
    found = score_in_suite(score_benchmark(benchmark, **more), SUITE)
    assert found is not None
    cost = None if price is None else price_score(found.score, price)
    return found._replace(system=system, cost=cost)


def test_result_is_the_median_of_the_suite() -> None:
    """The round would drop the fastest and the slowest; the suite of 2018 takes the median of all five: 8 / 4."""
    round_score = score_benchmark("knitting")
    result = score_in_suite(round_score, SUITE)

    assert round_score.score_minutes == pytest.approx((9 + 4 + 3) / 3)
    assert result is not None
    assert (result.score.score_minutes, result.score.method, result.normalized) == (4.0, "median", 2.0)
    assert result.score.notes == ()


def test_other_seeds_are_noted() -> None:
    """The suite names the seeds; other ones are told, though there is a result."""
    result = score_in_suite(score_benchmark("knitting", first_seed=2), SUITE)

    assert result is not None
    assert result.score.notes[-1] == "the suite requires one run for each of the seeds 1, 2, 3, 4, 5"


def test_results_of_other_rules_are_not_the_suites() -> None:
    """A result judged by the rules of another scale is not normalized by this suite, and neither is another benchmark's."""
    assert score_in_suite(score_benchmark("knitting", usage="training"), SUITE) is None
    assert score_in_suite(score_benchmark("sewing"), SUITE) is None
    (score,) = score_systems(SUITE, [SuiteResult("box", score_benchmark("knitting", usage="training"))])
    assert (score.normalized, score.missing) == ({}, ("knitting", "weaving", "felting"))


def test_suite_needs_all_runs_of_a_benchmark() -> None:
    """A benchmark with fewer runs than the suite requires has no result in it, whatever they make."""
    four = score_benchmark("knitting")
    four = score_folder(four.folder, four.runs[:4])
    result = score_in_suite(four, SUITE)

    assert result is not None
    assert result.score.notes[0] == "4 of the 5 runs that a result needs"
    (score,) = score_systems(
        SUITE, [result._replace(system="box"), take("weaving")], {"knitting": 1, "weaving": 1}
    )
    assert score.missing == ("knitting",)


def test_divisions_and_systems_are_apart() -> None:
    """An open result does not complete a closed suite, nor does another system's."""
    results = [take("knitting"), take("weaving", division="open"), take("weaving", "other")]
    scores = score_systems(SUITE, results, {"knitting": 1, "weaving": 1})

    assert [(each.system, each.division, each.missing) for each in scores] == [
        ("box", "closed", ("weaving",)),
        ("box", "open", ("knitting",)),
        ("other", "closed", ("knitting",)),
    ]


def test_whole_suite_is_summed_up() -> None:
    """Medians of 4 minutes: 8 / 4 and 2 / 4 make a mean of 1; time and cost are those of both results."""
    price = Price(per_hour=30.0, currency="USD")
    results = [take(name, price=price) for name in ("knitting", "weaving", "felting")]
    (score,) = score_systems(SUITE, results, {"knitting": 1, "weaving": 1})

    assert (score.score, score.minutes) == (pytest.approx(1.0), 8.0)
    assert score.cost is not None
    assert score.cost == Cost(4.0, 4.0, 4.0, pytest.approx(2 * sum(MINUTES) / 2), None, "USD")
    (whole,) = score_systems(SUITE, results)
    assert (whole.score, whole.unreferenced, whole.minutes) == (None, ("felting",), 12.0)


def test_sum_of_costs_needs_each_part_of_all() -> None:
    """A part that one result does not have has no sum."""
    one, other = Cost(1.0, 2.0, None, 4.0, 5.0, "EUR"), Cost(1.0, 2.0, 3.0, 4.0, None, "EUR")

    assert sum_costs([one, other]) == Cost(2.0, 4.0, None, 8.0, None, "EUR")
