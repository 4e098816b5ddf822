"""The best results of a store: per round, benchmark and number of accelerators, and how much faster they became.

Nothing is scored here: scores and tests of convergence are those of the store, which `mlperf score` and `mlperf rcp` give.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from mlperf_logging.compliance.targets import find_targets
from mlperf_logging.errors import UsageError
from mlperf_logging.events import Division
from mlperf_logging.rules.repository import RuleRepository, open_rules
from mlperf_logging.rules.rounds import find_round, refuse_unknown
from mlperf_logging.store.asking import Store

_RESULTS = """\
FROM scores LEFT JOIN rcp USING (folder)
    LEFT JOIN systems ON systems.description_place = scores.description_place
WHERE scores.division = ? AND (? IS NULL OR scores.ruleset = ?) AND (? IS NULL OR scores.benchmark = ?)"""
_IS_COMPLETE = "scores.runs >= scores.runs_required"
_CONVERGED = "rcp.passed IS DISTINCT FROM false"
_BEST = f"""\
SELECT scores.ruleset, scores.benchmark, scores.accelerators, scores.score_minutes, scores.submitter, scores.system,
    systems.accelerator_model, scores.runs, scores.folder
{_RESULTS} AND scores.score_minutes IS NOT NULL AND {_IS_COMPLETE} AND {_CONVERGED}
QUALIFY row_number() OVER (
    PARTITION BY scores.ruleset, scores.benchmark, scores.accelerators ORDER BY scores.score_minutes, scores.folder
) = 1"""
_LEFT_OUT = f"""\
SELECT count(*) FILTER (scores.score_minutes IS NULL AND scores.models_per_minute IS NULL) AS without_score,
    count(*) FILTER (scores.score_minutes IS NOT NULL AND NOT {_IS_COMPLETE}) AS too_few_runs,
    count(*) FILTER (scores.score_minutes IS NOT NULL AND {_IS_COMPLETE} AND NOT {_CONVERGED}) AS not_converged,
    count(*) FILTER (scores.score_minutes IS NULL AND scores.models_per_minute IS NOT NULL) AS many_models
{_RESULTS}"""


class Place(NamedTuple):
    """The best result of a round with one number of accelerators.

    Attributes:
        ruleset: the round, as usage/round.
        benchmark: the benchmark.
        accelerators: how many, or None where neither logs nor a description say it.
        score_minutes: the score.
        submitter: whose result it is.
        system: on which system.
        accelerator_model: with which accelerators, where a description says it.
        runs: runs of the result.
        folder: where they are.
        since: the first round of the store with a result on as many accelerators and the same model, data set and target.
        speedup: the score of the best result of that round over this one.
    """

    ruleset: str
    benchmark: str
    accelerators: float | None
    score_minutes: float
    submitter: str | None
    system: str | None
    accelerator_model: str | None
    runs: int
    folder: str
    since: str | None = None
    speedup: float | None = None


class Leaderboard(NamedTuple):
    """The best results, and how many results were left out of the choice, by why."""

    places: tuple[Place, ...]
    left_out: dict[str, int]


def rank_results(
    store: Store,
    ruleset: str | None = None,
    *,
    benchmark: str | None = None,
    division: str = Division.CLOSED,
    rules: str | None = None,
) -> Leaderboard:
    """The fastest result of each round, benchmark and number of accelerators.

    A result counts that has a score, as many runs as it needs, and no failed test of convergence.

    Args:
        store: the store.
        ruleset: a round, see `find_round`; None for all in the store.
        benchmark: one benchmark; None for all.
        division: closed or open.
        rules: folder of other rule files; None for those of the package.

    Returns:
        By benchmark and number of accelerators, the oldest round first. `Place.since` and `Place.speedup` are given where
        rounds are compared.

    Raises:
        UsageError: there is no such round, or the store has no result of the benchmark.
        StoreError: the store cannot be read.
    """
    book = open_rules(rules)
    name = find_round(book.index(), ruleset).name if ruleset is not None else None
    if benchmark is not None:
        known = store.read("SELECT DISTINCT benchmark FROM scores WHERE benchmark IS NOT NULL ORDER BY ALL")
        refuse_unknown("benchmark", benchmark, known.column("benchmark").to_pylist())
    chosen = (division, name, name, benchmark, benchmark)
    rounds = {entry.name: place for place, entry in enumerate(book.index())}
    places = [Place(**row) for row in store.read(_BEST, chosen).to_pylist()]
    places.sort(
        key=lambda place: (
            place.benchmark,
            place.accelerators or 0,
            rounds.get(place.ruleset, -1),
            place.folder,
        )
    )
    (left_out,) = store.read(_LEFT_OUT, chosen).to_pylist()
    if name is None:
        places = list(_compare_rounds(places, division, book))
    return Leaderboard(tuple(places), left_out)


def _compare_rounds(places: Iterable[Place], division: str, book: RuleRepository) -> Iterable[Place]:
    """The places, oldest round first, each with what became of the first one of its task."""
    first: dict[tuple[Any, ...], Place] = {}
    for place in places:
        if place.accelerators is None:  # nobody knows on how many another one ran
            yield place
            continue
        task = (place.accelerators, *_describe_task(place, division, book))
        best = first.setdefault(task, place)
        yield place._replace(since=best.ruleset, speedup=best.score_minutes / place.score_minutes)


def _describe_task(place: Place, division: str, book: RuleRepository) -> tuple[Any, ...]:
    """What a time is the time of: benchmarks keep their name when their model, data set or target changes."""
    usage = place.ruleset.partition("/")[0]
    try:
        ruleset = book.load(place.ruleset)
    except UsageError:  # a round of other rules than those at hand
        return place.ruleset, place.benchmark
    facts, targets = ruleset.facts(place.benchmark), find_targets(ruleset, division, place.benchmark)
    return usage, place.benchmark, facts.get("model"), facts.get("dataset"), *[each.text for each in targets]
