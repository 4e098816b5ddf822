"""Outliers: runs that are far from the others, by two standard methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

METHODS = {
    "tukey": "beyond 1.5 interquartile ranges below the first or above the third quartile (Tukey 1977)",
    "mad": "modified z-score 0.6745 · |x − median| / MAD above 3.5 (Iglewicz and Hoaglin 1993)",
}
"""Names of the methods, and what they call an outlier."""

TUKEY_FENCE = 1.5
MODIFIED_Z_LIMIT = 3.5
_MAD_OF_NORMAL = (
    0.6745  # the third quartile of the standard normal: makes the score comparable with a z-score
)


def mark_outliers(values: Sequence[float] | np.ndarray, method: str = "tukey") -> np.ndarray:
    """Mark the outliers among some values by one of `METHODS`; NaN is none, and fewer than four values have none.

    Quartiles are interpolated linearly.
    """
    import numpy as np

    if method not in METHODS:
        raise UsageError(f"unknown outlier method {method!r}; known: {', '.join(METHODS)}")
    numbers = np.asarray(values, dtype=float)
    known = numbers[~np.isnan(numbers)]
    if len(known) < 4:
        return np.zeros(len(numbers), dtype=bool)
    if method == "tukey":
        first, third = np.quantile(known, [0.25, 0.75])
        reach = TUKEY_FENCE * (third - first)
        return np.asarray((numbers < first - reach) | (numbers > third + reach))
    distance = np.abs(numbers - np.median(known))
    spread = np.nanmedian(distance)
    return np.asarray(_MAD_OF_NORMAL * distance > MODIFIED_Z_LIMIT * spread)
