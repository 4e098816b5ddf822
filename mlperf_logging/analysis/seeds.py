"""What the seed does: how much of the spread comes from learning, how much from the machine.

Runs of one system differ because another seed needs more or fewer samples to reach the target, and because
the machine is a little faster or slower. Where the same seed was run several times, the two can be distinguished
by an analysis of variance; where each run has its own, by splitting time into samples and time per sample.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.grouping import GROUP, require_columns, split_groups

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

PROGRESS, SEED = "progress_to_quality", "seed"

SEED_COLUMNS = {
    "runs": "number of runs with a value and a progress",
    "seeds": "number of different seeds among them",
    "share_from_learning": "share of the variance of log time explained by the progress needed",
    "share_from_speed": "share explained by the time per unit of progress; the two shares add up to 1",
    "repeated_seeds": "number of seeds used by more than one run",
    "between_seeds_variance": "variance component between seeds, where some are repeated",
    "within_seeds_variance": "variance component between runs of the same seed",
    "share_between_seeds": "between over the sum of both: the intraclass correlation, 0 where negative",
    "p_value": "p-value of the one-way analysis of variance: do seeds differ at all",
}
"""Columns of `describe_seed_effect` after those of the group."""


def describe_seed_effect(
    runs: pd.DataFrame, value: str = "run_minutes", *, by: Sequence[str] = GROUP
) -> pd.DataFrame:
    """Split the spread of each group's runs into what the seed does and what the machine does.

    With log time = log progress + log (time / progress), each part's share is its covariance with log time
    over the variance of log time. The components between and within seeds are those of the one-way
    random-effects analysis of variance with unequal group sizes (Searle, Casella and McCulloch 1992).
    What the runs do not show is NaN.
    """
    import pandas as pd

    require_columns(runs, [*by, value, PROGRESS, SEED])
    rows = []
    for group, each in split_groups(runs, by):
        known = each.dropna(subset=[value])
        known = known.loc[known[value].astype(float) > 0]
        rows.append({**group, **_split_by_progress(known, value), **_split_by_seed(known, value)})
    return pd.DataFrame(rows, columns=[*by, *SEED_COLUMNS])


def _split_by_progress(runs: pd.DataFrame, value: str) -> dict[str, Any]:
    import numpy as np

    done = runs.loc[runs[PROGRESS].astype(float) > 0]
    found: dict[str, Any] = {"runs": len(done), "share_from_learning": math.nan, "share_from_speed": math.nan}
    if len(done) < 2:
        return found
    time = np.log(done[value].to_numpy(dtype=float))
    samples = np.log(done[PROGRESS].to_numpy(dtype=float))
    total = float(np.var(time, ddof=1))
    if total > 0:
        share = float(np.cov(time, samples, ddof=1)[0, 1]) / total
        found |= {"share_from_learning": share, "share_from_speed": 1 - share}
    return found


def _split_by_seed(runs: pd.DataFrame, value: str) -> dict[str, Any]:
    groups = [rows[value].to_numpy(dtype=float) for _, rows in runs.groupby(SEED)]
    repeated = sum(len(values) > 1 for values in groups)
    found: dict[str, Any] = {"seeds": len(groups), "repeated_seeds": repeated}
    if not repeated or len(groups) < 2:
        return dict.fromkeys(list(SEED_COLUMNS)[5:], math.nan) | found
    return found | _analyse_variance(groups)


def _analyse_variance(groups: list[np.ndarray]) -> dict[str, Any]:
    import numpy as np
    from scipy import stats

    sizes = np.array([len(values) for values in groups])
    total, count = int(sizes.sum()), len(groups)
    grand = np.concatenate(groups).mean()
    means = np.array([values.mean() for values in groups])
    between = float((sizes * (means - grand) ** 2).sum()) / (count - 1)
    within = float(sum(((values - values.mean()) ** 2).sum() for values in groups)) / (total - count)
    size = (total - float((sizes**2).sum()) / total) / (count - 1)
    component = max(0.0, (between - within) / size)
    both = component + within
    p_value = float(stats.f.sf(between / within, count - 1, total - count)) if within > 0 else math.nan
    return {
        "between_seeds_variance": component,
        "within_seeds_variance": within,
        "share_between_seeds": component / both if both > 0 else math.nan,
        "p_value": p_value,
    }
