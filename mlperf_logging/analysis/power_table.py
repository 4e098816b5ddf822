"""Power readings as a table: what each node and switch of a run drew, and the energy that adds up to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.columns import make_table, name_columns
from mlperf_logging.errors import UsageError
from mlperf_logging.events import minutes_between
from mlperf_logging.runs.folders import POWER_FOLDER, name_run
from mlperf_logging.runs.run import read_run
from mlperf_logging.scoring.energy import (
    SWITCH,
    WATT_MS_PER_KILOJOULE,
    PowerError,
    Reading,
    estimate_switch,
    read_records,
    trace_node,
)
from mlperf_logging.tables import NUMBER, TEXT, Column

if TYPE_CHECKING:
    import pandas as pd

POWER_COLUMNS = name_columns(
    Column("path", TEXT, "the run's log"),
    Column("run", TEXT, "the run's name: that of its log without suffix"),
    Column("part", TEXT, "what was measured: node_0, sw_0, …"),
    Column("minutes", NUMBER, "from run_start to the reading; negative before"),
    Column("watts", NUMBER, "power after conversion, since the reading before"),
    Column("energy_kj", NUMBER, "energy since the measurement began, in kilojoules"),
)
"""Columns of the table of power, one row per reading."""


def tabulate_power(paths: Iterable[str], on_fault: Callable[[str], object] | None = None) -> pd.DataFrame:
    """The power readings of runs, from ``power/<log>/node_*.txt`` and ``sw_*.txt`` next to their logs.

    A reading holds since the one before it. A switch has one estimate, which holds from run_start to run_stop.

    Args:
        paths: result logs; those without readings are left out.
        on_fault: told why the readings of a run cannot be used, which is then left out; without it, that is an error.

    Returns:
        One row per reading, see `POWER_COLUMNS`.

    Raises:
        UsageError: no log has readings that can be used, or, without `on_fault`, some cannot; the message says why.
    """
    rows: list[dict[str, Any]] = []
    fault: UsageError | None = None
    for path in paths:
        name = name_run(path)
        folder = os.path.join(os.path.dirname(path), POWER_FOLDER, name)
        if not os.path.isdir(folder):
            continue
        summary = read_run(path).summary
        if summary.start_ms is None or summary.stop_ms is None:
            continue
        parts = [name for name in sorted(os.listdir(folder)) if name.endswith(".txt")]
        found: list[dict[str, Any]] = []
        try:
            for file in parts:
                part = file.removesuffix(".txt")
                points = _read_part(os.path.join(folder, file), part, summary.start_ms, summary.stop_ms)
                found += [{"path": path, "run": name, "part": part, **each} for each in points]
        except UsageError as error:
            if on_fault is None:
                raise
            fault = error
            on_fault(str(error))
        else:
            rows += found
    if not rows and fault is not None:
        raise fault
    if not rows:
        raise UsageError(
            f"there are no power readings next to the logs (in {POWER_FOLDER}/NAME_OF_LOG/node_0.txt …)"
        )
    return make_table(rows, POWER_COLUMNS)


def sum_power(power: pd.DataFrame) -> pd.DataFrame:
    """Add up the parts of each run from `tabulate_power` into one part, "all", over the time that all parts cover."""
    import pandas as pd

    found = []
    for (path, run), rows in power.groupby(["path", "run"], sort=False):
        parts = [
            each.drop_duplicates("minutes").set_index("minutes")
            for _, each in rows.groupby("part", sort=False)
        ]
        start, stop = max(each.index.min() for each in parts), min(each.index.max() for each in parts)
        times = sorted({time for each in parts for time in each.index if start <= time <= stop})
        if not times:
            continue
        whole = pd.DataFrame({"minutes": times}, index=times)
        # A reading holds since the one before it: its value is that of all times back to there.
        whole["watts"] = sum(each["watts"].reindex(times, method="bfill") for each in parts)
        minutes = whole["minutes"].diff().fillna(0.0)
        whole["energy_kj"] = (whole["watts"] * minutes * 60 / 1000).cumsum()
        whole["path"], whole["run"], whole["part"] = path, run, "all"
        found.append(whole)
    table = pd.concat(found, ignore_index=True) if found else power.iloc[:0]
    return table[list(POWER_COLUMNS)]


def _read_part(path: str, part: str, start_ms: float, stop_ms: float) -> list[dict[str, float]]:
    try:
        records = read_records(path)
        if not part.startswith(SWITCH):
            readings, _ = trace_node(records, path)
        else:
            watts = estimate_switch(records, path)
            whole = watts * (stop_ms - start_ms) / WATT_MS_PER_KILOJOULE
            readings = [Reading(start_ms, watts, 0.0), Reading(stop_ms, watts, whole)]
    except PowerError as error:
        raise UsageError(str(error)) from None
    return [
        {"minutes": minutes_between(start_ms, time_ms), "watts": watts, "energy_kj": energy_kj}
        for time_ms, watts, energy_kj in readings
    ]
