"""The answer of `mlperf store leaderboard`: the best results of a round, or of all rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlperf_logging.reports._lines import count_of
from mlperf_logging.tables import COUNT, NAME, NUMBER, TEXT, Column, Document, make_table

SCHEMA = "mlperf-store-leaderboard/1"
_COLUMNS = (
    Column("benchmark", TEXT, "the benchmark", priority=0),
    Column("accelerators", NUMBER, "number of accelerators", priority=0, format=",.10g", missing="not known"),
    Column("ruleset", TEXT, "the round that judged", "round", priority=0, said_once=True),
    Column("score_minutes", NUMBER, "the score", "minutes", format=",.3f", priority=0),
    Column(
        "speedup", NUMBER, "how much faster than the best of the round in since", format=",.2f", priority=1
    ),
    Column(
        "since", TEXT, "first round with a result on as many, and the same model, data and target", priority=3
    ),
    Column("submitter", NAME, "whose result it is", priority=2),
    Column("system", NAME, "name of the system", priority=4),
    Column("accelerator_model", NAME, "the accelerators, by the description", "accelerator", priority=5),
    Column("runs", COUNT, "runs of the result", priority=6),
    Column("folder", NAME, "where the runs are"),
)
_OF_ROUNDS = ("speedup", "since")
_REASONS = {
    "without_score": "without a score",
    "too_few_runs": "with fewer runs than a result needs",
    "not_converged": "whose convergence was not accepted",
    "many_models": "of many models trained at once, which have no time to train",
}


def describe_leaderboard(
    places: Sequence[Mapping[str, Any]],
    left_out: Mapping[str, int],
    *,
    division: str,
    ruleset: str | None,
    benchmark: str | None,
) -> Document:
    """The whole answer; `places` are those of a `Leaderboard`, and speedups are shown where no round was chosen."""
    columns = [column for column in _COLUMNS if ruleset is None or column.name not in _OF_ROUNDS]
    notes = [
        f"{count_of(left_out[name], 'result')} {text}" for name, text in _REASONS.items() if left_out[name]
    ]
    empty = f"no result of the {division} division counts"
    footnotes = (f"not ranked: {'; '.join(notes)}",) if notes else ()
    table = make_table("leaderboard", columns, places, empty=empty, footnotes=footnotes)
    fields = {"division": division, "round": ruleset, "benchmark": benchmark, "left_out": dict(left_out)}
    return Document(schema=SCHEMA, tables=(table,), fields={**fields, "places": table.records()})
