"""The figures of forecasts as tables."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from harness import format_table

SHARES = (0.25, 0.5, 0.75)
"""Of a run's time, at which forecasts are taken."""


class Forecast(NamedTuple):
    """What was forecast, and what came.

    Attributes:
        benchmark: of the run.
        share: of its time that had passed.
        amount_error: relative error of the amount at convergence.
        amount_held: whether the interval held it.
        width: of the interval, as a share of the truth.
        time_error: relative error of the minutes from the run's start; None without a time.
        time_held: whether the interval held them; None without a time.
    """

    benchmark: str
    share: float
    amount_error: float
    amount_held: bool
    width: float
    time_error: float | None
    time_held: bool | None


class Chance(NamedTuple):
    """The chance of a submission to pass, as it was told, and what came."""

    benchmark: str
    told: float
    passed: bool


def summarize(forecasts: Sequence[Forecast]) -> dict[str, Any]:
    """The figures of some forecasts at one share."""
    timed = [each.time_error for each in forecasts if each.time_error is not None]
    return {
        "runs": len(forecasts),
        "amount error": statistics.median(each.amount_error for each in forecasts),
        "amount held": statistics.mean(each.amount_held for each in forecasts),
        "width": statistics.median(each.width for each in forecasts),
        "time error": statistics.median(timed) if timed else math.nan,
        "time held": statistics.mean(
            [bool(each.time_held) for each in forecasts if each.time_held is not None]
        )
        if timed
        else math.nan,
        "no time": len(forecasts) - len(timed),
    }


def tabulate(forecasts: Sequence[Forecast], *, by_benchmark: bool) -> list[dict[str, Any]]:
    """One row for each benchmark, or one for all, and each share."""
    groups: dict[tuple[str, float], list[Forecast]] = defaultdict(list)
    for each in forecasts:
        groups[each.benchmark if by_benchmark else "all", each.share].append(each)
    return [
        {"benchmark": name, "share": share, **summarize(group)}
        for (name, share), group in sorted(groups.items())
    ]


def show_overall(tables: dict[str, list[dict[str, Any]]]) -> str:
    """The table of all benchmarks together."""
    head = ("", "at", "runs", "error of amount", "held", "error of time", "held", "no time")
    rows = [
        (
            name,
            f"{row['share']:.0%}",
            row["runs"],
            f"{row['amount error']:.1%}",
            f"{row['amount held']:.0%}",
            f"{row['time error']:.1%}",
            f"{row['time held']:.0%}",
            row["no time"],
        )
        for name, table in tables.items()
        for row in table
    ]
    return format_table(head, rows)


def show_benchmarks(table: Sequence[dict[str, Any]]) -> str:
    """The table of each benchmark: error of the time and how often it was held, at each share."""
    by_name: dict[str, dict[float, dict[str, Any]]] = defaultdict(dict)
    for row in table:
        by_name[row["benchmark"]][row["share"]] = row
    head = ["benchmark", "runs", "width"]
    for share in SHARES:
        head += [f"amount {share:.0%}", f"time {share:.0%}"]
    rows = []
    for name, rows_of in by_name.items():
        cells: list[object] = [
            name,
            max(row["runs"] for row in rows_of.values()),
            f"{rows_of[0.5]['width']:.0%}",
        ]
        for share in SHARES:
            row = rows_of[share]
            cells += [f"{row['amount error']:.1%} / {row['amount held']:.0%}", _show_time(row)]
        rows.append(cells)
    return format_table(head, rows)


def _show_time(row: dict[str, Any]) -> str:
    if math.isnan(row["time error"]):
        return "–"
    return f"{row['time error']:.1%} / {row['time held']:.0%}"


def describe_chances(chances: Sequence[Chance]) -> str:
    """How the chances that were told compare with what came."""
    if not chances:
        return "no whole submission"
    told = statistics.mean(each.told for each in chances)
    passed = statistics.mean(each.passed for each in chances)
    error = statistics.mean((each.told - each.passed) ** 2 for each in chances)
    sure = [each for each in chances if each.told >= 0.9 or each.told <= 0.1]
    right = sum((each.told >= 0.5) == each.passed for each in sure)
    return (
        f"chance to pass, half of the runs finished, the others half-way: {len(chances)} submissions, told {told:.0%} on "
        f"average, {passed:.0%} passed, Brier score {error:.3f}; of {len(sure)} told beyond 10 % or 90 %, {right} came so"
    )
