"""Results as parts of a suite: each benchmark's by the suite's rules, and what those of a system make together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from mlperf_logging.scoring.cost import Cost, sum_costs
from mlperf_logging.scoring.folders import FolderScore, score_folder
from mlperf_logging.scoring.suites import Suite, SuiteScore, score_suite


class SuiteResult(NamedTuple):
    """A result that may be part of a suite.

    Attributes:
        system: whose it is.
        score: of the benchmark's folder.
        cost: at the price that was given, or None.
        normalized: reference time over score; None where the suite has no reference or the folder no score, or where
            the result is not one of the suite.
    """

    system: str
    score: FolderScore
    cost: Cost | None = None
    normalized: float | None = None


class ScoredSuite(NamedTuple):
    """A suite with the results that belong to it.

    Attributes:
        suite: the suite.
        results: those of its benchmarks, by its rules, of each system in the order of the suite's benchmarks.
        scores: of each system.
    """

    suite: Suite
    results: tuple[SuiteResult, ...]
    scores: tuple[SuiteScore, ...]


def score_suite_results(
    suite: Suite,
    scores: Iterable[tuple[str, FolderScore]],
    price: Callable[[FolderScore], Cost | None] = lambda _: None,
) -> ScoredSuite:
    """The results of a suite among those of folders, and the score of each system.

    Args:
        suite: the suite.
        scores: system and score of each folder, by the rules of its round.
        price: what a score costs.
    """
    found = [(system, score_in_suite(score, suite)) for system, score in scores]
    results = [
        result._replace(system=system, cost=price(result.score))
        for system, result in found
        if result is not None
    ]
    systems = list(dict.fromkeys(each.system for each in results))
    benchmarks = list(suite.benchmarks)
    results.sort(key=lambda each: (systems.index(each.system), benchmarks.index(each.score.benchmark or "")))
    return ScoredSuite(suite, tuple(results), tuple(score_systems(suite, results)))


def score_in_suite(score: FolderScore, suite: Suite, method: str | None = None) -> SuiteResult | None:
    """A folder's result by the rules of a suite: its method, how often it wants each benchmark run, and its seeds.

    Args:
        score: by the rules of the round.
        suite: the suite.
        method: how the runs make the result in place of the suite's; None for that.

    Returns:
        The result, without system and cost; None where it is not one of the suite.
    """
    if not any(suite.takes(run.benchmark, run.usage) for run in score.runs):
        return None
    method = method or suite.method
    scored = score_folder(score.folder, score.runs, requirement=suite.requirement, method=method)
    scored = scored._replace(notes=(*scored.notes, *_describe_seeds(scored, suite)))
    entry = suite.benchmarks.get(scored.benchmark or "")
    normalized = None
    if entry is not None and entry.reference_minutes is not None and scored.score_minutes:
        normalized = entry.reference_minutes / scored.score_minutes
    return SuiteResult("", scored, None, normalized)


def score_systems(
    suite: Suite, results: Iterable[SuiteResult], weights: Mapping[str, float] | None = None
) -> list[SuiteScore]:
    """The score of a suite on each system, with what its results took together; each division is apart.

    Args:
        suite: the suite.
        results: of all systems; of several of a benchmark on one system, the last counts. Others than the suite's, and
            those of fewer runs than it requires, are skipped, but their systems have a score, which says what is missing.
        weights: see `score_suite`.

    Raises:
        UsageError: see `score_suite`.
    """
    systems: dict[tuple[str, str | None], dict[str, SuiteResult]] = {}
    for result in results:
        found = systems.setdefault((result.system, result.score.division), {})
        if result.score.benchmark is not None and _is_complete(result.score, suite):
            found[result.score.benchmark] = result
    return [
        _score_system(suite, system, division, found, weights)
        for (system, division), found in systems.items()
    ]


def _is_complete(score: FolderScore, suite: Suite) -> bool:
    """Whether a folder has a result of the suite, of as many runs as it requires."""
    required = suite.requirement.required if suite.requirement is not None else 0
    usage = (score.ruleset or "").partition("/")[0]
    return (
        suite.takes(score.benchmark, usage)
        and score.score_minutes is not None
        and len(score.runs) >= required
    )


def _score_system(
    suite: Suite,
    system: str,
    division: str | None,
    results: Mapping[str, SuiteResult],
    weights: Mapping[str, float] | None,
) -> SuiteScore:
    minutes = {
        name: each.score.score_minutes
        for name, each in results.items()
        if each.score.score_minutes is not None
    }
    score = score_suite(suite, minutes, system, weights)._replace(division=division)
    if score.missing:
        return score
    counted = [results[name] for name in suite.benchmarks if weights is None or weights.get(name)]
    energies = [each.score.energy_kj for each in counted if each.score.energy_kj is not None]
    costs = [each.cost for each in counted if each.cost is not None]
    return score._replace(
        energy_kj=sum(energies) if len(energies) == len(counted) else None,
        cost=sum_costs(costs) if len(costs) == len(counted) else None,
    )


def _describe_seeds(score: FolderScore, suite: Suite) -> Iterable[str]:
    """What is wrong with the seeds of a result, in a sentence; nothing where they are those of the suite."""
    logged = sorted(str(seed) for run in score.runs for seed in run.seeds)
    if suite.seeds and logged != sorted(map(str, suite.seeds)):
        yield f"the suite requires one run for each of the seeds {', '.join(map(str, suite.seeds))}"
