"""A suite before it is drawn: a bar for each normalized result and for each mean, with the runs beside the bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.pictures.names import name_groups
from mlperf_logging.errors import UsageError
from mlperf_logging.scoring.suites import SuiteScore

if TYPE_CHECKING:
    import pandas as pd

MEAN = "geometric mean"
AXIS_TITLE = "reference time over time (1: as fast as the reference)"


class SuiteBar(NamedTuple):
    """A row of the picture.

    Attributes:
        name: what people read beside it.
        value: the normalized result, or the mean.
        runs: the rows of the runs, each with its own normalized time; None beside a mean.
    """

    name: str
    value: float
    runs: pd.DataFrame | None


def prepare_suite(table: pd.DataFrame, scores: Sequence[SuiteScore]) -> list[SuiteBar]:
    """The rows of the picture, benchmark by benchmark, and below them the means.

    Args:
        table: of `tabulate_suite`.
        scores: of the systems; those without a score have no mean.

    Raises:
        UsageError: a column is missing, or nothing is normalized.
    """
    require_columns(table, ["benchmark", "system", "division", "normalized", "run_normalized"])
    known = table.dropna(subset=["normalized"])
    if known.empty:
        raise UsageError(
            "no result can be normalized: there is none, or the suite has no reference result for it"
        )
    groups = [
        rows for _, rows in known.groupby(["benchmark", "system", "division"], sort=False, dropna=False)
    ]
    keys = [rows.iloc[0][["benchmark", "system", "division"]].to_list() for rows in groups]
    means = [each for each in scores if each.score is not None]
    names = name_groups(keys + [[MEAN, each.system, each.division] for each in means])
    bars = [
        SuiteBar(name, float(rows["normalized"].iloc[0]), rows.dropna(subset=["run_normalized"]))
        for name, rows in zip(names, groups, strict=False)
    ]
    return bars + [
        SuiteBar(name, float(each.score or 0.0), None)
        for name, each in zip(names[len(groups) :], means, strict=True)
    ]
