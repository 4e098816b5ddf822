"""The answer of `mlperf package diff`: results, systems, software and hyperparameters, old beside new."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlperf_logging.tables import COUNT, NAME, NOTES, NUMBER, PROSE, TEXT, Column, Document, make_table

if TYPE_CHECKING:
    from mlperf_logging.submission.differences import Differences

_NOISE = 0.05
"""Above this p-value, a difference between run times may be chance."""


def _show_value(text: str | None) -> str:
    """Logged values for people: texts without JSON's quotes."""
    try:
        values = [json.loads(part) for part in (text or "").split("; ")]
    except ValueError:
        return text or ""
    return "; ".join(values) if all(isinstance(value, str) for value in values) else text or ""


def _show_percent(share: float) -> str:
    return f"{share:+.2%}"


def _both(name: str, kind: str, about: str, title: str, priority: int | None, **more: Any) -> list[Column]:
    """A column for the old, and one for the new."""
    return [
        Column(
            f"{name}_{side}", kind, f"{about}, {side}", f"{title} {side}".strip(), priority=priority, **more
        )
        for side in ("old", "new")
    ]


_RESULTS = (
    Column("benchmark", TEXT, "the benchmark", priority=0),
    Column("system", NAME, "the system, old and new where the name differs", priority=1),
    *_both("system", NAME, "the system", "system", None),
    *_both("ruleset", TEXT, "the round that judged", "round", 4, said_once=True),
    *_both("minutes", NUMBER, "the score", "minutes", 0, format=",.3f"),
    Column("speedup", NUMBER, "old score over new: above 1, the new one is faster", priority=0, format=".3f"),
    Column("speedup_low", NUMBER, "lower end of the interval of the speedup of mean run times"),
    Column("speedup_high", NUMBER, "upper end of it"),
    Column(
        "p_value",
        NUMBER,
        "probability of such a difference by chance (Mann-Whitney)",
        "p",
        priority=3,
        format=".2g",
    ),
    *_both("batch_size", NUMBER, "global batch size", "batch", 2, format=",.10g"),
    *_both("converged", NUMBER, "mean of where the runs converged", "converged", 3, format=",.10g"),
    *_both("unit", TEXT, "what that counts", "unit", None),
    *_both(
        "rcp_margin",
        NUMBER,
        "the mean over the smallest acceptable, less 1",
        "margin",
        5,
        format=_show_percent,
    ),
    *_both("energy_kj", NUMBER, "energy in kJ", "kJ", 5, format=",.3f"),
    *_both("runs", COUNT, "runs in the folder", "runs", None),
    Column("problems", NOTES, "why there is no score", "why", priority=1),
    Column("only", TEXT, "the side that has the result, where only one has", "only in", priority=0),
)
_SYSTEM = Column("system", NAME, "the system, old and new where the name differs", priority=1, said_once=True)
_SYSTEMS = (
    _SYSTEM,
    Column("field", TEXT, "field of the system description", priority=0),
    Column("old", PROSE, "what it was", priority=0),
    Column("new", PROSE, "what it is", priority=0),
)
_SOFTWARE = (_SYSTEM, Column("software", TEXT, "what has another version", priority=0), *_SYSTEMS[2:])
_HYPERPARAMETERS = (
    Column("benchmark", TEXT, "the benchmark", priority=0, said_once=True),
    _SYSTEM,
    Column("key", TEXT, "log key", priority=0),
    Column("old", PROSE, "the values of the old runs, as JSON", priority=0, format=_show_value),
    Column("new", PROSE, "the values of the new runs, as JSON", priority=0, format=_show_value),
    Column("freedom", TEXT, "what the new round's rules leave open", "the rules", priority=2),
    Column("rule", PROSE, "what they require", "and say", priority=3),
    Column("breaks_rule", TEXT, "the sides in which a rule blames a value", "breaks a rule", priority=1),
)


TABLES = ("results", "systems", "software", "hyperparameters")


def describe_differences(found: Differences, wanted: str | None = None) -> Document:
    """The four tables, or the one that is wanted, and a line that counts."""
    compared = {"hyperparameters"} if any(record["only"] is None for record in found.results) else set()
    compared |= {"systems", "software"} if found.described else set()
    results = make_table("results", _used(_RESULTS, found.results), found.results)
    others = [
        make_table(name, columns, records, title=f"{what}, where {verb}" if records else "", empty=same)
        for name, columns, records, what, verb, same in (
            (
                "systems",
                _SYSTEMS,
                found.systems,
                "the systems",
                "they differ",
                "the systems are described alike",
            ),
            ("software", _SOFTWARE, found.software, "the software", "it differs", "the software is the same"),
            (
                *("hyperparameters", _HYPERPARAMETERS, found.hyperparameters),
                *("the hyperparameters", "they differ", "the hyperparameters are the same"),
            ),
        )
    ]
    return Document(
        schema="mlperf-package-diff/1",
        tables=tuple(
            [
                table
                for table in (results, *others)
                if table.name == wanted or (wanted is None and (table is results or table.name in compared))
            ]
        ),
        fields={table.name: table.records() for table in (results, *others)},
        notes=(*found.notes, _count(found)),
    )


def _used(columns: tuple[Column, ...], records: list[dict[str, Any]]) -> list[Column]:
    """The columns; people do not see those that are rarely of use and say nothing here."""
    said = {name for record in records for name, value in record.items() if value not in (None, ())}
    return [
        replace(column, priority=None) if column.name in _OPTIONAL and column.name not in said else column
        for column in columns
    ]


_OPTIONAL = ("only", *[column.name for column in _RESULTS if column.priority == 5])


def _count(found: Differences) -> str:
    speedups = [record["speedup"] for record in found.results if record["speedup"] is not None]
    unsure = sum(
        record.get("p_value", 0) > _NOISE for record in found.results if record["speedup"] is not None
    )
    only = [record["only"] for record in found.results]
    parts = [
        f"{sum(each > 1 for each in speedups)} faster",
        f"{sum(each < 1 for each in speedups)} slower",
        f"{only.count('old')} only in the old one",
        f"{only.count('new')} only in the new one",
        f"{unsure} where the difference may be chance (p > {_NOISE:g})",
    ]
    said = [part for part in parts if not part.startswith("0 ")]
    count = len(found.results)
    return f"{count} result{'s' * (count != 1)}" + (f": {', '.join(said)}" if said else "")
