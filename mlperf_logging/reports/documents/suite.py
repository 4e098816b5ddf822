"""Suites: the scores of systems, and the results that they are made of."""

from __future__ import annotations

from collections.abc import Sequence

from mlperf_logging.reports.documents.score import (
    MINUTES,
    RESULT_COLUMNS,
    PricedScore,
    describe_cost,
    describe_result,
    list_cost_facts,
)
from mlperf_logging.scoring.suite_results import ScoredSuite
from mlperf_logging.scoring.suites import SuiteScore
from mlperf_logging.tables import NAME, NOTES, NUMBER, TEXT, Column, Table, make_table, pick

_COST_PARTS = {
    "score": "of runs as long as the results",
    "median_run": "of the median runs",
    "to_quality": "to the first evaluations at the targets, median runs",
    "all_runs": "of all runs together",
    "energy": "of the energy",
}


def describe_suite(name: str, scores: Sequence[SuiteScore], benchmarks: Sequence[str]) -> Table:
    """Scores of a suite, one row per system and division."""
    columns = (
        Column("system", NAME, "the system", priority=0),
        Column("division", TEXT, "closed or open", priority=5, said_once=True),
        Column("score", NUMBER, "of the suite", "suite", format=MINUTES, priority=0, missing="none"),
        *[
            Column(name=name, kind=NUMBER, meaning="normalized", format=MINUTES, priority=1)
            for name in benchmarks
        ],
        Column("total_minutes", NUMBER, "sum of the results", "minutes", format=MINUTES, priority=3),
        Column("energy_kj", NUMBER, "sum over the results", "energy", unit="kJ", format=MINUTES, priority=4),
        *[
            column
            for column in RESULT_COLUMNS
            if column.name.startswith("cost_") or column.name == "currency"
        ],
        Column("missing", NOTES, "why there is no score", "why", priority=1),
    )
    records = [
        {
            **score.normalized,
            **pick(score, "system", "division", "score", "energy_kj"),
            "total_minutes": score.minutes,
            **describe_cost(score.cost),
            "missing": explain_no_score(score),
        }
        for score in scores
    ]
    title = f"{name}: reference time over result, bigger is better; suite: weighted geometric mean"
    footnotes = list_cost_facts(scores[0].cost, _COST_PARTS) if len(scores) == 1 and scores[0].cost else ()
    return make_table("suite", columns, records, title=title, footnotes=tuple(footnotes))


def describe_suite_results(scored: ScoredSuite) -> Table:
    """The results within a suite, one row per system and benchmark."""
    costs = [column for column in RESULT_COLUMNS if column.name.startswith("cost_")]
    columns = (
        Column("system", NAME, "the system", priority=0, said_once=True),
        Column("division", TEXT, "closed or open", priority=5, said_once=True),
        Column("benchmark", TEXT, "the benchmark", priority=0),
        *[column for column in RESULT_COLUMNS if column.name in ("method", "runs", "score_minutes")],
        Column(
            "reference_minutes", NUMBER, "the reference's result", "reference", format=MINUTES, priority=1
        ),
        Column("normalized", NUMBER, "reference time over result", "normalized", format=MINUTES, priority=0),
        *[column for column in RESULT_COLUMNS if column.name == "energy_kj"],
        *costs,
        *[column for column in RESULT_COLUMNS if column.name in ("currency", "problems", "notes")],
    )
    records = []
    for result in scored.results:
        record = describe_result(PricedScore(result.score, result.cost, "", result.normalized))
        reference = scored.suite.benchmarks[result.score.benchmark or ""].reference_minutes
        records.append({**record, "system": result.system, "reference_minutes": reference})
    return make_table("suite_results", columns, records)


def explain_no_score(score: SuiteScore) -> tuple[str, ...]:
    """Why a suite has no score, in a sentence for what the system lacks and one for what the suite lacks."""
    lacks = (
        (f"no result for {', '.join(score.missing)}", score.missing),
        (f"the suite has no reference result for {', '.join(score.unreferenced)} yet", score.unreferenced),
    )
    return tuple([sentence for sentence, names in lacks if names])
