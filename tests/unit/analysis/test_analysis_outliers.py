"""Runs that lie apart."""

from __future__ import annotations

import numpy as np
import pytest

from mlperf_logging.analysis.outliers import METHODS, mark_outliers
from mlperf_logging.errors import UsageError


@pytest.mark.parametrize("method", METHODS)
def test_a_run_far_away_is_marked(method: str) -> None:
    """One run that took twice as long is an outlier by either method, and nothing else is."""
    values = [10.0, 10.1, 9.9, 10.2, 9.8, 10.05, 20.0]

    assert mark_outliers(values, method).tolist() == [False] * 6 + [True]


def test_fences_by_hand() -> None:
    """Quartiles 2 and 4 of 1 to 5, so the fences stand at -1 and 7."""
    assert mark_outliers([1, 2, 3, 4, 5, 7.0]).tolist() == [False] * 6
    quartiles = np.quantile([1, 2, 3, 4, 9.5], [0.25, 0.75])
    assert quartiles.tolist() == [2, 4]
    assert mark_outliers([1, 2, 3, 4, 7.0]).tolist() == [False] * 5
    assert mark_outliers([1, 2, 3, 4, 7.1]).tolist() == [False] * 4 + [True]


def test_modified_z_score_by_hand() -> None:
    """Median 3 and MAD 1: the score of 8.2 is 0.6745 · 5.2 = 3.507, that of 8.1 is 3.44."""
    assert mark_outliers([1, 2, 3, 4, 8.2], "mad").tolist() == [False] * 4 + [True]
    assert mark_outliers([1, 2, 3, 4, 8.1], "mad").tolist() == [False] * 5


@pytest.mark.parametrize("method", METHODS)
def test_three_runs_have_no_outlier(method: str) -> None:
    """Of three runs none can be told to lie apart; what is missing never does."""
    assert not mark_outliers([1, 1, 100], method).any()
    assert not mark_outliers([1, 1, 1, 1, float("nan")], method)[4]


def test_unknown_method_is_refused() -> None:
    """The message lists the methods."""
    with pytest.raises(UsageError, match="known: tukey, mad"):
        mark_outliers([1, 2, 3, 4], "grubbs")
