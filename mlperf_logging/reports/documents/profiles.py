"""The answer of `mlperf train --profile`: phases, classes of operations, what a sample costs, and how alike tasks are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlperf_logging.tables import COUNT, NUMBER, TEXT, Column, Document, Table, make_table, show_number

SCHEMA = "mlperf-profile/1"

_TRAINER = Column("trainer", TEXT, "name of the trainer", priority=0)
_TIMES = (
    Column("epoch_seconds", NUMBER, "an epoch with its evaluation", "epoch", unit="s", priority=0),
    Column(
        "step_seconds",
        NUMBER,
        "a step without input",
        "step",
        unit="ms",
        priority=1,
        format=lambda s: show_number(1e3 * s),
    ),
)
_COSTS = (
    Column("parameters", COUNT, "trained values of the model", priority=0),
    Column(
        "forward_flops",
        NUMBER,
        "floating-point operations of the forward pass per sample",
        "forward FLOPs",
        priority=0,
    ),
    Column("step_flops", NUMBER, "those of a training step per sample", "step FLOPs", priority=0),
    Column("sample_bytes", NUMBER, "bytes of a sample of training data", "bytes", priority=0),
    Column("batch_samples", NUMBER, "samples of a step", "batch", priority=1),
)
_MORE = (
    Column("benchmark", TEXT, "its benchmark"),
    Column("scale", TEXT, "mini or full"),
    Column("division", TEXT, "closed or open"),
    Column("load_seconds", NUMBER, "reading the data, once for each run", unit="s"),
    Column("steps", COUNT, "steps of an epoch"),
    Column("profiled_steps", COUNT, "steps that were timed and traced"),
    Column("eval_batches", COUNT, "batches of an evaluation"),
    Column("profiled_eval_batches", COUNT, "batches that were evaluated"),
)
_TYPES = (
    Column("type", TEXT, "type of operation, or the kernel that replaced it", priority=0),
    Column("class", TEXT, "its class", priority=0),
    Column("share", NUMBER, "of the time of operations", format=".1%", priority=0),
    Column("count", NUMBER, "for each step", "per step", priority=1),
)
_PHASE_NOTE = (
    "shares of an epoch's time; the stages of a step are differences of timed steps that end after each stage"
)
_CLASS_NOTE = "shares of the time of TensorFlow's operations in training steps, by its profiler"
_COST_NOTE = "of a sample; FLOPs as TensorFlow's profiler counts them, two for each multiply-add; bytes and FLOPs with padding"
_DISTANCE_NOTE = "cosine distance of the shares of classes: 0 for the same shares, 1 for no class in common"


def describe_profiles(
    profiles: Sequence[Mapping[str, Any]], distances: Sequence[Mapping[str, Any]], *, is_single: bool = False
) -> Document:
    """The profiles of some tasks.

    Args:
        profiles: a record for each task, as a `Profile` of the trainers is made of.
        distances: a row for each task, with its ``trainer`` and its distance from each task by name.
        is_single: whether the format takes one table only: a row for each task with everything.
    """
    phases, classes = list(profiles[0]["phases"]), list(profiles[0]["classes"])
    flat = [{**each, **each["phases"], **each["classes"]} for each in profiles]
    fields = {"profiles": list(profiles), "distances": list(distances)}
    if is_single:
        columns = (
            _TRAINER,
            *_MORE[:3],
            *_TIMES,
            *(_make_share(name) for name in (*phases, *classes)),
            *_COSTS,
            *_MORE[3:],
        )
        return Document(schema=SCHEMA, tables=(make_table("profiles", columns, flat),), fields=fields)
    tables = [
        _make_table("phases", (*_TIMES, *map(_make_share, phases)), flat, _PHASE_NOTE),
        _make_table("operations", [_make_share(name, _show_share) for name in classes], flat, _CLASS_NOTE),
        _make_table("costs", _COSTS, flat, _COST_NOTE),
    ]
    if len(profiles) == 1:
        tables.append(make_table("types", _TYPES, profiles[0]["operations"], title="the longest operations"))
    else:
        names = [each["trainer"] for each in profiles]
        others = [Column(name, NUMBER, "distance", format=".2f", priority=0) for name in names]
        tables.append(_make_table("distances", others, distances, _DISTANCE_NOTE))
    return Document(schema=SCHEMA, tables=tuple(tables), fields=fields, notes=(_describe_system(profiles),))


def _make_share(name: str, form: str | Callable[[float], str] = ".1%") -> Column:
    return Column(name, NUMBER, f"share of {name}", format=form, priority=1)


def _show_share(share: float) -> str:
    """A share for people; nothing for none."""
    return f"{share:.1%}" if share else ""


def _make_table(name: str, columns: Any, records: Sequence[Mapping[str, Any]], note: str) -> Table:
    return make_table(name, (_TRAINER, *columns), records, title=f"{name}: {note}")


def _describe_system(profiles: Sequence[Mapping[str, Any]]) -> str:
    system = profiles[0]["system"]
    steps = sorted({each["profiled_steps"] for each in profiles})
    return (
        f"{system['processor'] or 'unknown processor'}, {system['processors']} cores, TensorFlow {system['tensorflow']}; "
        f"{' to '.join(map(str, {steps[0]: 0, steps[-1]: 0}))} steps of each; no log is written: a profile is no result"
    )
