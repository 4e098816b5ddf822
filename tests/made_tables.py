"""Tables of made-up runs and evaluations, for tests of what draws them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlperf_logging.analysis.columns import EVALUATION_COLUMNS, RUN_COLUMNS, make_table

LONG = "a-system-with-quite-a-long-name-of-its-own-8x"


def make_runs(count: int, systems: int | None = None) -> pd.DataFrame:
    """Runs with times, of as many systems as runs or of a few."""
    chance = np.random.default_rng(count)
    rows = [
        {
            "path": f"results/{index}/result_{index}.txt",
            "benchmark": "knitting",
            "submitter": "Lab",
            "system": f"{LONG}-{index % (systems or count)}",
            "run_minutes": 30 + chance.normal(),
            "init_minutes": 2.0,
            "train_minutes": 25.0,
            "eval_minutes": 4 + chance.random(),
            "idle_minutes": 0.5,
        }
        for index in range(count)
    ]
    return make_table(rows, RUN_COLUMNS)


def make_evaluations(count: int, systems: int = 1, **more: object) -> pd.DataFrame:
    """Evaluations of runs whose fourth meets the target."""
    rows = [
        {
            "path": f"results/result_{run}.txt",
            "benchmark": "knitting",
            "submitter": "Lab",
            "system": f"box {run % systems}",
            "seed": str(run),
            "evaluation": place,
            "key": "eval_accuracy",
            "quality": 0.2 * place + run / 999,
            "minutes": 5.0 * place,
            "progress": float(place),
            "progress_unit": "epochs",
            "epochs": float(place),
            "samples": 1e6 * place,
            "meets_target": place == 4,
            "target_value": 0.8,
            "target_direction": "at least",
            "line": 100 + place,
            **more,
        }
        for run in range(count)
        for place in (1, 2, 3, 4)
    ]
    return make_table(rows, EVALUATION_COLUMNS)


def make_sized_runs() -> pd.DataFrame:
    """Runs of one submitter at two sizes: four times the accelerators, half the time."""
    runs = make_runs(8)
    large = np.arange(8) >= 4
    return runs.assign(
        accelerator_model="X1",
        accelerators=np.where(large, 32.0, 8.0),
        run_minutes=np.where(large, 15.0, 30.0),
        progress_to_quality=np.where(large, 5.0, 4.0),
    )


def make_power() -> pd.DataFrame:
    """Readings of two runs."""
    return pd.DataFrame(
        {
            "path": ["a", "a", "b", "b"],
            "run": ["a", "a", "b", "b"],
            "part": "all",
            "minutes": [0.0, 1.0, 0.0, 2.0],
            "watts": [1000.0, 1500.0, 2000.0, 2500.0],
            "energy_kj": [0.0, 90.0, 0.0, 300.0],
        }
    )
