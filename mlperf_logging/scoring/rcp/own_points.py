"""Reference points of one's own, from a file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
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
    record = _load(path)
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
    points = []
    for batch_size, runs, named_unit in _list_points(record, benchmark):
        points.append(_read_point(path, batch_size, runs))
        unit = named_unit or unit
    if not points:
        raise UsageError(
            f"{path} holds no reference points of {benchmark}; write a list of "
            "{batch_size: NUMBER, converged_at: [NUMBERS]}"
        )
    sizes = [point.batch_size for point in points]
    twice = next((size for size in sizes if sizes.count(size) > 1), None)
    if twice is not None:
        raise UsageError(f"{path} holds batch size {twice:g} twice; keep one")
    points.sort(key=lambda point: point.batch_size)
    return ReferenceTable(benchmark, unit, allowance, tuple(points))


def _load(path: str) -> Any:
    import yaml

    try:
        with open(path, "rb") as file:
            return yaml.safe_load(file.read())
    except OSError as error:
        raise UsageError(f"cannot read the file of points {path!r}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"the file of points {path!r} is neither YAML nor JSON: {error}") from None


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
            if (
                isinstance(entry, Mapping)
                and entry.get("Benchmark", benchmark) == benchmark
                and "BS" in entry
            ):
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
    return ReferencePoint(size, tuple([number for number in numbers if number is not None]))


def _read_number(value: Any) -> float | None:
    number = read_number(value)
    return None if number is None or not 0 < number < math.inf else number
