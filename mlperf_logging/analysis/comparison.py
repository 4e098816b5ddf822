"""Two systems compared: whether one is faster, by how much, and how certain that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.grouping import require_columns, split_groups
from mlperf_logging.analysis.hodges_lehmann import LARGEST_EXACT, estimate_shift
from mlperf_logging.analysis.intervals import find_bootstrap_interval
from mlperf_logging.analysis.parameters import BootstrapParameters, read_seed
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

COMPARISON_COLUMNS = {
    "runs_a": "number of runs of A",
    "runs_b": "number of runs of B",
    "mean_a": "mean of A",
    "mean_b": "mean of B",
    "median_a": "median of A",
    "median_b": "median of B",
    "mann_whitney_u": "pairs of runs in which A has the larger value; ties count half",
    "p_value": "two-sided p-value of the Mann-Whitney test: exact up to 50 runs a side without ties",
    "share_of_pairs_b_smaller": "share of pairs in which B has the smaller value; 0.5: no difference",
    "shift": "Hodges-Lehmann shift: median of B minus A over all pairs",
    "shift_low": "lower end of its interval",
    "shift_high": "upper end of its interval",
    "speedup": "mean of A over mean of B: above 1, B is faster",
    "speedup_low": "lower end of its bootstrap interval (BCa)",
    "speedup_high": "upper end of its bootstrap interval",
    "pair_ratio": "median of A over B over all pairs: Hodges-Lehmann on logarithms",
    "pair_ratio_low": "lower end of its interval",
    "pair_ratio_high": "upper end of its interval",
    "interval_confidence": "actual level of the two Hodges-Lehmann intervals",
}
"""Columns of `compare_systems` after those of the group; values are in the unit of the column compared."""


def compare_systems(
    runs_a: pd.DataFrame,
    runs_b: pd.DataFrame,
    value: str = "run_minutes",
    *,
    by: Sequence[str] = ("benchmark",),
    parameters: BootstrapParameters | None = None,
) -> pd.DataFrame:
    """Compare the runs of two systems, benchmark by benchmark.

    Args:
        runs_a: one row per run of system A, see `tabulate_runs`.
        runs_b: the same of system B.
        value: the column to compare; smaller is better where it is a time.
        by: columns that must agree; groups that only one side has are left out.
        parameters: of the bootstrap; None for the defaults of `BootstrapParameters`.

    Returns:
        One row per group: the columns of ``by`` and `COMPARISON_COLUMNS`.

    Raises:
        UsageError: a column is missing, or no group is on both sides.
    """
    import pandas as pd

    chosen = parameters or BootstrapParameters()
    for table in (runs_a, runs_b):
        require_columns(table, [*by, value])
    seed = read_seed(chosen.seed)
    sides = [
        {tuple(map(_name_value, group.values())): (group, rows) for group, rows in split_groups(table, by)}
        for table in (runs_a, runs_b)
    ]
    shared = [key for key in sides[0] if key in sides[1]]
    if not shared:
        names = " and ".join(by)
        left, right = (", ".join(sorted(" ".join(key) for key in side)) or "nothing" for side in sides)
        raise UsageError(f"A and B share no {names}: A has {left}; B has {right}")
    rows = []
    for key in shared:
        group, first = sides[0][key]
        second = sides[1][key][1]
        values = [each[value].dropna().to_numpy(dtype=float) for each in (first, second)]
        rows.append({**group, **_compare(values[0], values[1], chosen, seed)})
    return pd.DataFrame(rows, columns=[*by, *COMPARISON_COLUMNS])


def _name_value(value: object) -> str:
    """A value of a group as people write it: a number of accelerators is a float where some rows have none."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _compare(
    first: np.ndarray, second: np.ndarray, parameters: BootstrapParameters, seed: int
) -> dict[str, Any]:
    import numpy as np
    from scipy import stats

    if not len(first) or not len(second):
        return {**dict.fromkeys(COMPARISON_COLUMNS, math.nan), "runs_a": len(first), "runs_b": len(second)}
    tied = len(np.unique(np.concatenate([first, second]))) < len(first) + len(second)
    exact = not tied and max(len(first), len(second)) <= LARGEST_EXACT
    method = "exact" if exact else "asymptotic"
    test = stats.mannwhitneyu(first, second, alternative="two-sided", method=method)
    shift = estimate_shift(first, second, parameters.confidence)
    found = {
        "runs_a": len(first),
        "runs_b": len(second),
        "mean_a": float(first.mean()),
        "mean_b": float(second.mean()),
        "median_a": float(np.median(first)),
        "median_b": float(np.median(second)),
        "mann_whitney_u": float(test.statistic),
        "p_value": float(test.pvalue),
        "share_of_pairs_b_smaller": float(test.statistic) / (len(first) * len(second)),
        "shift": shift.estimate,
        "shift_low": shift.interval.low,
        "shift_high": shift.interval.high,
        "interval_confidence": shift.confidence,
    }
    if min(first.min(), second.min()) > 0:  # a ratio of times; what may be zero or negative has none
        found |= _compare_ratios(first, second, parameters, seed)
    return {name: found.get(name, math.nan) for name in COMPARISON_COLUMNS}


def _compare_ratios(
    first: np.ndarray, second: np.ndarray, parameters: BootstrapParameters, seed: int
) -> dict[str, Any]:
    import numpy as np

    def divide_means(left: np.ndarray, right: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(left.mean(axis=axis) / right.mean(axis=axis))

    interval = find_bootstrap_interval([first, second], divide_means, parameters, seed)
    ratio = estimate_shift(np.log(second), np.log(first), parameters.confidence)
    return {
        "speedup": float(first.mean() / second.mean()),
        "speedup_low": interval.low,
        "speedup_high": interval.high,
        "pair_ratio": math.exp(ratio.estimate),
        "pair_ratio_low": math.exp(ratio.interval.low),
        "pair_ratio_high": math.exp(ratio.interval.high),
    }
