"""Reference points of your own, from a file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from mlperf_logging.errors import UsageError
from mlperf_logging.runs.evaluations import read_number
from mlperf_logging.scoring.rcp.points import UNITS, ReferencePoint, ReferenceTable

_PUBLIC_RUNS = {"Epochs to converge": None, "samples to converge": "samples"}
"""What the public data files call the runs, and the unit where the name says one."""


def load_points(path: str, benchmark: str, former: ReferenceTable | None = None) -> ReferenceTable:
    """Reference points of a benchmark from a YAML or JSON file.

    The file is one of: a file of the package's own kind (``benchmarks: {NAME: {unit, points: {BATCH: {converged_at:
    […]}}}}``), the part of one benchmark of it, a list of ``{batch_size, converged_at}``, or a file of the public
    kind (``{NAME: {Benchmark, BS, Epochs to converge}}``).

    Args:
        path: the file.
        benchmark: the benchmark that the points are wanted of.
        former: the built-in points, whose unit and allowance hold where the file says none.

    Raises:
        UsageError: the file cannot be read, or holds no points of the benchmark.
    """
    from mlperf_logging.rules.files import load_data_file

    record = load_data_file(path, "the file of points")
    unit = former.unit if former is not None else "epochs"
    allowance = former.allowance if former is not None else 0.0
    if isinstance(record, Mapping):
        named = record.get("benchmarks")
        if isinstance(named, Mapping):
            record = named.get(benchmark, {})
        if isinstance(record, Mapping) and "points" in record:
            unit, allowance = record.get("unit", unit), record.get("allowance", allowance)
    if unit not in UNITS:
        raise UsageError(f"{path} says the unit {unit!r}; it must be one of {', '.join(UNITS)}")
    margin = read_number(allowance)
    if margin is None or not 0 <= margin < math.inf:
        raise UsageError(f"{path} says the allowance {allowance!r}; it must be a number of {unit}")
    points = []
    for batch_size, runs, named_unit in _list_points(record, benchmark):
        points.append(_read_point(path, batch_size, runs))
        unit = named_unit or unit
    if not points:
        raise UsageError(
            f"{path} holds no reference points of {benchmark}; write a list of "
            "{batch_size: NUMBER, converged_at: [NUMBERS]}"
        )
    points.sort(key=lambda point: point.batch_size)
    for point, following in pairwise(points):
        if point.batch_size == following.batch_size:
            raise UsageError(f"{path} holds batch size {point.batch_size:g} twice; keep one")
    return ReferenceTable(benchmark, unit, margin, tuple(points))


def _list_points(record: Any, benchmark: str) -> Iterator[tuple[Any, Any, str | None]]:
    """Batch size, runs, and the unit where the public name of the runs says one."""
    if isinstance(record, list):
        for entry in record:
            if isinstance(entry, Mapping):
                yield entry.get("batch_size"), entry.get("converged_at"), None
    elif isinstance(record, Mapping) and isinstance(record.get("points"), Mapping):
        for batch_size, entry in record["points"].items():
            yield batch_size, entry.get("converged_at") if isinstance(entry, Mapping) else entry, None
    elif isinstance(record, Mapping):
        for entry in record.values():
            is_point = isinstance(entry, Mapping) and "BS" in entry
            if is_point and entry.get("Benchmark", benchmark) == benchmark:
                name = next((name for name in _PUBLIC_RUNS if name in entry), "")
                yield entry["BS"], entry.get(name), _PUBLIC_RUNS.get(name)


def _read_point(path: str, batch_size: Any, runs: Any) -> ReferencePoint:
    size = _read_number(batch_size)
    if size is None:
        raise UsageError(f"{path} gives the batch size {batch_size!r}; it must be a positive number")
    numbers = [_read_number(run) for run in runs] if isinstance(runs, list) else []
    if not numbers or None in numbers:
        raise UsageError(
            f"{path} must say where each reference run of batch size {size:g} converged, as a list"
        )
    size = int(size) if size % 1 == 0 else size
    return ReferencePoint(size, tuple([number for number in numbers if number is not None]))


def _read_number(value: Any) -> float | None:
    number = read_number(value)
    return None if number is None or not 0 < number < math.inf else number
