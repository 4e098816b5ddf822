"""From a log to rows: what a run took, where it got to, and every evaluation along the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.analysis.columns import SERIES_COLUMNS, make_table
from mlperf_logging.analysis.places import Place, place_log
from mlperf_logging.analysis.rows import describe_evaluations, describe_run, describe_series
from mlperf_logging.compliance.judged_run import JudgedRun, judge_runs
from mlperf_logging.compliance.ruleset_selection import AUTOMATIC, RuleSelection
from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.scoring.seeds import RunSeeds, read_seeds

if TYPE_CHECKING:
    import pandas as pd

_SHARED = ("path", "benchmark", "submitter", "system", "seed")
"""Columns that all tables have."""


@dataclass(frozen=True)
class ReadingParameters:
    """How logs are read.

    Attributes:
        selection: by which rules. The target and the meaning of progress come from them, so name the round where a
            benchmark's target has changed.
        target: a formula such as "value >= 0.759" in place of the rules' target; None for theirs.
        series: which series are read, as patterns of their names such as "*loss*"; none by default, for they are long.
    """

    selection: RuleSelection = AUTOMATIC
    target: str | None = None
    series: Sequence[str] = ()


class RunRows(NamedTuple):
    """What one log gives.

    Attributes:
        run: its row in the table of runs.
        evaluations: its rows in the table of evaluations.
        hyperparameters: key to last logged value.
        broken: keys whose values break a rule.
        ruleset: name of the round that was used; None where the log contains no event.
        division: the division whose rules were used.
        variants: the benchmark's variants of the run.
        seeds: the logged seeds, and where they were logged.
        series: its rows in the table of series, those that were asked for; None for none.
    """

    run: dict[str, Any]
    evaluations: list[dict[str, Any]]
    hyperparameters: dict[str, Any]
    broken: frozenset[str] = frozenset()
    ruleset: str | None = None
    division: str | None = None
    variants: tuple[str, ...] = ()
    seeds: RunSeeds = RunSeeds("")
    series: pd.DataFrame | None = None


def read_rows(path: str, parameters: ReadingParameters | None = None) -> RunRows:
    """Read one run into rows. What the log does not show is missing, and the row's ``note`` says why."""
    (rows,) = read_runs(path, parameters)
    return rows


def read_runs(path: str, parameters: ReadingParameters | None = None) -> list[RunRows]:
    """Read the runs of a file that the selection names, which may be each of several, into rows as `read_rows` does."""
    chosen = parameters or ReadingParameters()
    place = place_log(path)
    try:
        runs = judge_runs(path, chosen.selection, target=chosen.target)
    except UnreadableLogError as error:
        return [
            RunRows(
                {"path": path, "submitter": place.submitter, "system": place.system, "note": str(error)},
                [],
                {},
            )
        ]
    return [_make_rows(judged, place, path, chosen.series) for judged in runs]


def make_rows(judged: JudgedRun, path: str) -> RunRows:
    """What a judged log, as the caller named it, gives, but for its series."""
    return _make_rows(judged, place_log(path), path, ())


def _make_rows(judged: JudgedRun, place: Place, path: str, series: Sequence[str]) -> RunRows:
    if not judged.run.event_count:
        base = {"path": path, "submitter": place.submitter, "system": place.system}
        return RunRows({**base, "events": 0, "note": _explain_emptiness(judged)}, [], {})
    evaluations = describe_evaluations(judged)
    row = describe_run(judged, place, evaluations)
    shared = {name: row[name] for name in _SHARED}
    points = describe_series(judged, series) if series else []
    return RunRows(
        row,
        [{**shared, **each} for each in evaluations],
        dict(judged.run.hyperparameters),
        judged.broken_keys,
        judged.ruleset.name,
        judged.division,
        judged.variants,
        read_seeds(judged),
        # As a table, which takes a tenth of the memory: a round has millions.
        make_table([{**shared, **each} for each in points], SERIES_COLUMNS) if points else None,
    )


def _explain_emptiness(judged: JudgedRun) -> str:
    """Why a log has nothing to analyze: it contains only records that cannot be read, or none."""
    return judged.unread.text or "the file contains no event in a known log dialect"
