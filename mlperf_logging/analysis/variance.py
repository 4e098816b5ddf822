"""Run-to-run variance: how much the runs of one system and benchmark differ from each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.grouping import GROUP, require_columns, split_groups
from mlperf_logging.analysis.intervals import count_runs_needed, find_bootstrap_interval, find_t_interval
from mlperf_logging.analysis.outliers import METHODS, mark_outliers
from mlperf_logging.analysis.parameters import BootstrapParameters, read_seed
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

CENTERS = ("median", "mean")

VARIANCE_COLUMNS = {
    "runs": "number of runs with a value",
    "mean": "arithmetic mean",
    "median": "middle value",
    "standard_deviation": "of the sample, with n − 1",
    "coefficient_of_variation": "standard deviation over mean",
    "minimum": "smallest value",
    "maximum": "largest value",
    "mean_t_low": "lower end of Student's interval of the mean",
    "mean_t_high": "its upper end",
    "mean_bootstrap_low": "lower end of the bootstrap interval of the mean (BCa)",
    "mean_bootstrap_high": "its upper end",
    "median_bootstrap_low": "lower end of the bootstrap interval of the median (percentile)",
    "median_bootstrap_high": "its upper end",
    "outliers": "number of outlying runs",
    "share_within_5_percent": "share of the runs within ± 5 % of the center",
    "share_within_10_percent": "share of the runs within ± 10 % of the center",
    "runs_needed": "runs for which Student's interval of the mean is within the requested precision",
}
"""Columns of `describe_variance` after those of the group; values are in the unit of the column described."""


@dataclass(frozen=True, kw_only=True)
class VarianceParameters(BootstrapParameters):
    """How variance is described.

    Attributes:
        outliers: method for outliers, see `outliers.METHODS`.
        center: "median" or "mean": what the shares within ± 5 % and ± 10 % are counted around.
        precision: requested half width of the interval of the mean, as a share of the mean.
    """

    outliers: str = "tukey"
    center: str = "median"
    precision: float = 0.05

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        if self.outliers not in METHODS:
            known = ", ".join(METHODS)
            raise UsageError(f"unknown outlier method {self.outliers!r}; known: {known}")
        if self.center not in CENTERS:
            raise UsageError(f"the center is 'median' or 'mean', not {self.center!r}")
        if not self.precision > 0:
            raise UsageError(f"the precision {self.precision} is not positive; give 0.05 for ± 5 %")


def describe_variance(
    runs: pd.DataFrame,
    value: str = "run_minutes",
    *,
    by: Sequence[str] = GROUP,
    parameters: VarianceParameters | None = None,
) -> pd.DataFrame:
    """Describe how the runs of each group differ.

    The shares within ± 5 % and ± 10 % are the measure by which the numbers of runs were once chosen: 90 % of
    the entries of one system within 5 % for vision, within 10 % elsewhere (MLPerf Training Benchmark, 2019).

    Args:
        runs: one row per run, see `tabulate_runs`.
        value: the column to describe; rows where it is empty are left out.
        by: columns that make a group.
        parameters: how variance is described; None for the defaults of `VarianceParameters`.

    Returns:
        One row per group: the columns of ``by`` and `VARIANCE_COLUMNS`. What one run cannot show is NaN.

    Raises:
        UsageError: a column is missing.
    """
    import pandas as pd

    chosen = parameters or VarianceParameters()
    require_columns(runs, [*by, value])
    seed = read_seed(chosen.seed)
    rows = [
        {**group, **_describe(rows[value].dropna().to_numpy(dtype=float), chosen, seed)}
        for group, rows in split_groups(runs, by)
    ]
    return pd.DataFrame(rows, columns=[*by, *VARIANCE_COLUMNS])


def _describe(values: np.ndarray, parameters: VarianceParameters, seed: int) -> dict[str, Any]:
    import numpy as np

    values = np.sort(values)
    count = len(values)
    if not count:
        return {**dict.fromkeys(VARIANCE_COLUMNS, math.nan), "runs": 0, "outliers": 0}
    mean, median = float(values.mean()), float(np.median(values))
    deviation = float(values.std(ddof=1)) if count > 1 else math.nan
    variation = deviation / mean if mean else math.nan
    t_interval = find_t_interval(values, parameters.confidence)
    of_mean = find_bootstrap_interval([values], np.mean, parameters, seed)
    # The jackknife says nothing about a median of few values, so that interval is the plain one.
    of_median = find_bootstrap_interval([values], np.median, parameters, seed, "percentile")
    center = median if parameters.center == "median" else mean
    distance = np.abs(values - center)

    def share_within(part: float) -> float:
        if count < 2:
            return math.nan
        # A hair is added, so that a value at the very limit counts whatever its last binary digit.
        return float(np.mean(distance <= part * abs(center) * (1 + 1e-12)))

    return {
        "runs": count,
        "mean": mean,
        "median": median,
        "standard_deviation": deviation,
        "coefficient_of_variation": variation,
        "minimum": float(values[0]),
        "maximum": float(values[-1]),
        "mean_t_low": t_interval.low,
        "mean_t_high": t_interval.high,
        "mean_bootstrap_low": of_mean.low,
        "mean_bootstrap_high": of_mean.high,
        "median_bootstrap_low": of_median.low,
        "median_bootstrap_high": of_median.high,
        "outliers": int(mark_outliers(values, parameters.outliers).sum()),
        "share_within_5_percent": share_within(0.05),
        "share_within_10_percent": share_within(0.10),
        "runs_needed": count_runs_needed(variation, parameters.precision, parameters.confidence),
    }
