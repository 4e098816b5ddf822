"""Resolving reference points: ``rcp/USAGE-ROUND.yaml`` says what changed since the round before, see `RoundData`.

Of each benchmark it gives ``unit``, ``allowance`` and ``points``, the points by their batch size as text.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from os import PathLike
from typing import Any

from mlperf_logging.rules.beside import RoundData, Tables
from mlperf_logging.rules.files import RuleMapping
from mlperf_logging.rules.repository import RuleRepository, open_rules
from mlperf_logging.scoring.rcp.points import POINT_FIELDS, UNITS, ReferenceTable, table_from_json

MAX_DIGITS = 15
"""Longest batch size."""


def load_reference_points(rules: RuleRepository, name: str) -> dict[str, ReferenceTable]:
    """The reference convergence points of ``usage/round``: benchmark to its table; empty if it has none."""
    tables = POINTS.load(rules, name)
    return {benchmark: table_from_json(benchmark, table) for benchmark, table in tables.items()}


def open_reference_points(
    folder: str | PathLike[str] | None = None, own: str | None = None
) -> Callable[[str, str], ReferenceTable | None]:
    """What finds the points of ``usage/round`` and a benchmark, each round read once; None where it has none.

    Args:
        folder: rule files, or rules of an installed package; None for the built-in.
        own: a file of points in place of the round's, see `own_points`.
    """
    book = open_rules(folder)
    known: dict[str, dict[str, ReferenceTable]] = {}

    def find_table(name: str, benchmark: str) -> ReferenceTable | None:
        if name not in known:
            known[name] = load_reference_points(book, name)
        table = known[name].get(benchmark)
        if own is None:
            return table
        from mlperf_logging.scoring.rcp.own_points import load_points

        return load_points(own, benchmark, table)

    return find_table


def _change_tables(tables: Tables, record: RuleMapping) -> None:
    record.allow("extends", "remove", "benchmarks")
    former: Tables = {}
    for benchmark in record.take_texts("remove"):
        if benchmark not in tables:
            raise record.fail(f"removes {benchmark!r}, which the previous round does not have", "remove")
        former[benchmark] = tables.pop(benchmark)
    for benchmark, change in record.take("benchmarks", dict, RuleMapping()).sections():
        change.allow("from", "unit", "allowance", "remove", "points")
        base = change.take("from", str)
        if base is not None:
            known = {**tables, **former}
            if base not in known:
                raise change.fail(
                    f"takes the points of {base!r}, which the previous round does not have", "from"
                )
            tables[benchmark] = copy.deepcopy(known[base])
        table = tables.setdefault(benchmark, {"unit": None, "allowance": 0, "points": {}})
        _change_table(table, change)


def _change_table(table: dict[str, Any], change: RuleMapping) -> None:
    unit = change.take("unit", str, table["unit"])
    if unit not in UNITS:
        raise change.fail(f"'unit' must be one of {', '.join(UNITS)}, not {unit!r}", "unit")
    table["unit"] = unit
    allowance = change.get("allowance", table["allowance"])
    if not _is_number(allowance) or allowance < 0:
        raise change.fail(f"'allowance' must be a number of {unit}, not {allowance!r}", "allowance")
    table["allowance"] = allowance
    for batch_size in change.take("remove", list, []):
        if table["points"].pop(str(batch_size), None) is None:
            raise change.fail(
                f"removes batch size {batch_size}, which the previous round does not have", "remove"
            )
    for batch_size, fields in change.take("points", dict, RuleMapping()).sections():
        if not batch_size.isdecimal() or not 0 < len(batch_size.lstrip("0")) <= MAX_DIGITS:
            raise change["points"].fail(f"{batch_size!r} is not a batch size", batch_size)
        point = table["points"].setdefault(batch_size, {})
        _change_point(point, fields)


def _change_point(point: dict[str, Any], fields: RuleMapping) -> None:
    fields.allow(*POINT_FIELDS)
    fields.take("hyperparameters", dict)
    for name, value in fields.items():
        if name in point and point[name] == value:
            raise fields.fail(f"{name!r} repeats what the previous round says; remove it", name)
        point[name] = value
    runs = point.get("converged_at")
    if not isinstance(runs, list) or not runs:
        raise fields.fail(
            "a point needs 'converged_at', the list of where its runs converged", "converged_at"
        )
    for run in runs:
        if not _is_number(run) or run <= 0:
            raise fields.fail(
                f"'converged_at' holds {run!r}, which is not a valid place to converge at", "converged_at"
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


POINTS = RoundData("rcp", _change_tables)
"""Reference points, as the build compiles them."""
