"""What TensorFlow's profiler records of operations, read from its files with what TensorFlow itself brings."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from reference_impls.harness.errors import TrainerError

_ALL_OPERATIONS = 3
"""Level of the profiler's host tracer at which small operations are recorded, too."""

_NODE = re.compile(r"([A-Za-z0-9.][A-Za-z0-9_.\\/>-]*):([A-Za-z_]\w*)")
_INPUT = "tf_data"
"""How the names of the threads begin that make batches."""


class Operation(NamedTuple):
    """An operation of a graph and its executions.

    Attributes:
        name: of its node.
        kind: type of the operation or of the kernel that replaced it.
        executions: how often it was executed.
        seconds: their time, summed over threads, without the operations that ran within them.
    """

    name: str
    kind: str
    executions: int
    seconds: float


class Event(NamedTuple):
    """Something that took time on a thread.

    Attributes:
        text: what: ``node:type`` of an operation.
        start: when it began.
        duration: how long it took, in the same unit.
    """

    text: str
    start: int
    duration: int


def trace_operations(work: Callable[[], object]) -> list[Operation]:
    """The operations that TensorFlow executes, on processors, while some work is done.

    Args:
        work: does it; what it computes must have been computed before it returns.

    Raises:
        TrainerError: another profile is being taken in this process, or the profiler recorded no operation.
    """
    options = tf.profiler.experimental.ProfilerOptions(
        host_tracer_level=_ALL_OPERATIONS, python_tracer_level=0, device_tracer_level=0
    )
    with tempfile.TemporaryDirectory(prefix="mlperf-profile-") as folder:
        try:
            tf.profiler.experimental.start(folder, options=options)
        except tf.errors.AlreadyExistsError:
            raise TrainerError("another profile is being taken in this process") from None
        try:
            work()
        finally:
            tf.profiler.experimental.stop()
        found = read_operations(Path(folder))
    if not found:
        raise TrainerError("TensorFlow's profiler recorded no operation")
    return found


def read_operations(folder: Path) -> list[Operation]:
    """The operations in the files that TensorFlow's profiler wrote below a folder, those that make batches left out."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2  # noqa: PLC0415 - only profiles need it

    sums: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0.0])
    for path in sorted(folder.rglob("*.xplane.pb")):
        space: Any = xplane_pb2.XSpace()
        space.ParseFromString(path.read_bytes())
        for plane in space.planes:
            texts = {number: entry.name for number, entry in plane.event_metadata.items()}
            for line in plane.lines:
                if line.name.startswith(_INPUT):
                    continue
                events = (
                    Event(texts[each.metadata_id], each.offset_ps, each.duration_ps) for each in line.events
                )
                for text, picoseconds in measure_own_time(events):
                    node = _NODE.fullmatch(text)
                    assert node is not None  # noqa: S101 - `measure_own_time` gives operations only
                    entry = sums[node[1], node[2]]
                    entry[0] += 1
                    entry[1] += picoseconds / 1e12
    return [
        Operation(name, kind, int(count), seconds) for (name, kind), (count, seconds) in sorted(sums.items())
    ]


def measure_own_time(events: Iterable[Event]) -> list[tuple[str, int]]:
    """The operations among a thread's events, each with its duration less that of the operations within it."""
    found: list[tuple[str, int]] = []
    open_until: list[tuple[int, int]] = []  # end and place in `found` of the operations that have begun
    for event in sorted(events, key=lambda each: (each.start, -each.duration)):
        if not _NODE.fullmatch(event.text):
            continue
        while open_until and open_until[-1][0] <= event.start:
            open_until.pop()
        if open_until:
            text, left = found[open_until[-1][1]]
            found[open_until[-1][1]] = (text, left - event.duration)
        open_until.append((event.start + event.duration, len(found)))
        found.append((event.text, event.duration))
    return found
