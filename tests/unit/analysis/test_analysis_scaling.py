"""What more accelerators give."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from mlperf_logging.analysis.parameters import BootstrapParameters
from mlperf_logging.analysis.scaling import SCALING_COLUMNS, describe_scaling
from mlperf_logging.errors import UsageError

FEW = BootstrapParameters(resamples=499)


def make_runs(size: float, times: list[float], progress: float = 30.0, **more: object) -> pd.DataFrame:
    """Runs of one size."""
    fixed = {"benchmark": "knitting", "submitter": "us", "accelerator_model": "needle", **more}
    return pd.DataFrame(
        {**fixed, "accelerators": size, "run_minutes": times, "progress_to_quality": progress}
    )


def test_efficiency_by_hand() -> None:
    """Eight times the accelerators, five times the speed: 62.5 %, of which learning keeps 80 % and the machine 78 %."""
    runs = pd.concat([make_runs(64, [20.0, 21, 19], 37.5), make_runs(8, [100.0, 98, 102])])
    table = describe_scaling(runs, parameters=FEW)
    first, second = table.iloc[0], table.iloc[1]

    assert list(table.columns) == [
        "benchmark",
        "submitter",
        "accelerator_model",
        "accelerators",
        *SCALING_COLUMNS,
    ]
    assert first[["accelerators", "speedup", "efficiency", "efficiency_low"]].tolist() == [8, 1, 1, 1]
    assert (second["runs"], second["mean_minutes"]) == (3, 20)
    assert (second["speedup"], second["ideal_speedup"]) == pytest.approx((5, 8))
    assert second["efficiency"] == pytest.approx(5 / 8)
    assert second["learning_efficiency"] == pytest.approx(0.8)
    assert second["speed_efficiency"] == pytest.approx(5 / 8 / 0.8)
    assert second["efficiency_low"] < 5 / 8 < second["efficiency_high"]


def test_groups_of_one_size_are_left_out() -> None:
    """Other accelerators and other submitters are no scaling."""
    runs = pd.concat(
        [
            make_runs(8, [100.0]),
            make_runs(64, [20.0], submitter="them"),
            make_runs(64, [9.0], accelerator_model="pin"),
        ]
    )

    assert describe_scaling(runs, parameters=FEW).empty


def test_times_and_sizes_that_cannot_be_are_left_out() -> None:
    """A run of no minutes, of endless ones, or on no or endless accelerators changes nothing."""
    runs = [make_runs(8.0, [100.0, 98, 102]), make_runs(64.0, [20.0, 21, 19])]
    odd = [
        make_runs(0.0, [10.0]),
        make_runs(math.inf, [10.0]),
        make_runs(8.0, [0.0, math.inf, -1.0, math.nan]),
    ]

    table = describe_scaling(pd.concat([*odd, *runs]), parameters=FEW)

    pd.testing.assert_frame_equal(table, describe_scaling(pd.concat(runs), parameters=FEW))


def test_many_models_at_once_do_not_scale() -> None:
    """Runs of weak scaling, where many models train at once, are left out."""
    runs = pd.concat([make_runs(8, [100.0], scaling="strong"), make_runs(64, [100.0], scaling="weak")])

    assert describe_scaling(runs, parameters=FEW).empty


def test_learning_that_cannot_be_is_not_reported() -> None:
    """Where the larger system seems to need a tenth of the samples, the two logs count differently."""
    runs = pd.concat([make_runs(8, [100.0], 30.0), make_runs(64, [20.0], 3.0)])
    row = describe_scaling(runs, parameters=FEW).iloc[1]

    assert math.isnan(row["learning_efficiency"])
    assert math.isnan(row["speed_efficiency"])


def test_unknown_sizes_are_one_sentence() -> None:
    """Without a number of accelerators the message says where it would come from."""
    with pytest.raises(UsageError, match="system description"):
        describe_scaling(make_runs(math.nan, [1.0]))
