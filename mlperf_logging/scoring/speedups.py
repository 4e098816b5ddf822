"""Speedups: how much faster systems, or rounds, are than a baseline, benchmark by benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.scoring.means import geometric_mean


class SpeedupTable(NamedTuple):
    """Speedups over a baseline.

    Attributes:
        baseline: the column that the others are compared with.
        columns: what is compared, the baseline first.
        minutes: benchmark to column to its score in minutes; only what there is.
        speedups: benchmark to column to the baseline's score over the column's; only where both are.
        means: column to the geometric mean of its speedups, and how many benchmarks it is of.
    """

    baseline: str
    columns: tuple[str, ...]
    minutes: Mapping[str, Mapping[str, float]]
    speedups: Mapping[str, Mapping[str, float]]
    means: Mapping[str, tuple[float, int]]


def gather_minutes(scores: Iterable[tuple[str, str | None, float | None]]) -> dict[str, dict[str, float]]:
    """Column to benchmark to minutes, of scores with their columns; of several of a benchmark in one column the fastest."""
    minutes: dict[str, dict[str, float]] = {}
    for column, benchmark, score in scores:
        found = minutes.setdefault(column, {})
        if score is not None and benchmark is not None:
            found[benchmark] = min(score, found.get(benchmark, score))
    return minutes


def compare_speeds(minutes: Mapping[str, Mapping[str, float]], baseline: str | None = None) -> SpeedupTable:
    """Compare minutes, given by system or round and by benchmark, with those of a baseline (None for the first)."""
    columns = list(minutes)
    if len(columns) < 2:
        raise UsageError("a comparison needs scores of at least two systems or paths")
    baseline = columns[0] if baseline is None else baseline
    if baseline not in columns:
        raise UsageError(f"unknown baseline {baseline!r}; choose from {', '.join(columns)}")
    columns = [baseline, *[column for column in columns if column != baseline]]
    benchmarks = list(dict.fromkeys(name for column in columns for name in minutes[column]))
    by_benchmark = {
        name: {column: minutes[column][name] for column in columns if name in minutes[column]}
        for name in benchmarks
    }
    speedups = {
        name: {column: found[baseline] / each for column, each in found.items()} if baseline in found else {}
        for name, found in by_benchmark.items()
    }
    means = {}
    for column in columns:
        factors = [found[column] for found in speedups.values() if column in found]
        if factors:
            means[column] = (geometric_mean(factors), len(factors))
    return SpeedupTable(baseline, tuple(columns), by_benchmark, speedups, means)
