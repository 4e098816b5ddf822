"""Energy of a run, from the power readings beside it.

``power/<result>/node_*.txt`` hold a node's readings in watts, ``sw_*.txt`` a switch's estimate. The files are written
like result logs, but leaner (``metadata`` is often an empty text), so they are read here, leniently.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from mlperf_logging.parsing.sources import is_special
from mlperf_logging.runs.folders import name_run
from mlperf_logging.runs.kept_events import crop_value

MARKER = b":::MLLOG"
NODE, SWITCH = "node_", "sw_"
START, STOP, READING = "power_measurement_start", "power_measurement_stop", "power_reading"
WATT_MS_PER_KILOJOULE = 1_000_000
MAX_BYTES = 32 << 20
"""Length of a power log: a reading each second for two days. The longest published one has 3 MB."""
ESTIMATE, EFFICIENCY = "interconnect_power_est", "conversion_eff"


LONGEST_RECORD, KEPT_BYTES = 1 << 16, 1 << 8
"""Length of a record of a power log, and what is kept of its key and value: enough to say what is no number."""


class PowerError(ValueError):
    """The power readings of a run do not give its energy; the message says which file and why.

    Attributes:
        reason: why, with ``{path}`` in place of the file: equal for files that lack the same.
        path: the file.
    """

    def __init__(self, reason: str, path: str) -> None:
        self.reason = reason
        self.path = path
        super().__init__(reason.replace("{path}", path))


class RunEnergy(NamedTuple):
    """Energy that one run took.

    Attributes:
        nodes_kj: of the nodes, in kilojoules.
        switches_kj: of the switches, in kilojoules.
        nodes: nodes that were measured.
        switches: switches that were estimated.
    """

    nodes_kj: float
    switches_kj: float
    nodes: int
    switches: int

    @property
    def total_kj(self) -> float:
        """Of all, in kilojoules."""
        return self.nodes_kj + self.switches_kj


class Record(NamedTuple):
    """One record of a power log.

    Attributes:
        key: what was logged.
        value: its value.
        time_ms: when, in milliseconds since the epoch.
        line: its line in the file, counted from 1; 0 where it is from no file.
    """

    key: str
    value: Any
    time_ms: float
    line: int = 0


class RunPower(NamedTuple):
    """The power logs of one run.

    Attributes:
        folder: where they are.
        nodes: path to records of each node.
        switches: path to records of each switch.
    """

    folder: str
    nodes: dict[str, list[Record]]
    switches: dict[str, list[Record]]


class Reading(NamedTuple):
    """What a node drew.

    Attributes:
        time_ms: time of the reading, in milliseconds since the epoch.
        watts: power after conversion, since the reading before.
        energy_kj: energy since the measurement began, in kilojoules.
    """

    time_ms: float
    watts: float
    energy_kj: float


def measure_run(power: str, log: str, minutes: float) -> RunEnergy:
    """The energy of one run from its benchmark's folder of power readings; `PowerError` where they are not complete."""
    return add_energy(read_power(power, log), minutes)


def read_power(power: str, log: str) -> RunPower:
    """The power logs of one run, from its benchmark's folder of power readings; `PowerError` where there are none."""
    folder = os.path.join(power, name_run(log))
    if not os.path.isdir(folder):
        raise PowerError("there is no folder {path}", folder)
    nodes = _list_files(folder, NODE)
    if not nodes:
        raise PowerError(f"there is no {NODE}*.txt in {{path}}", folder)
    switches = _list_files(folder, SWITCH)
    return RunPower(
        folder, {path: read_records(path) for path in nodes}, {path: read_records(path) for path in switches}
    )


def add_energy(power: RunPower, minutes: float) -> RunEnergy:
    """The energy of one run; `PowerError` where its power logs do not give it.

    A node's measured interval may be longer or shorter than the run: its energy is scaled to the run's duration.
    """
    seconds = minutes * 60
    nodes, switches = power.nodes.items(), power.switches.items()
    return RunEnergy(
        math.fsum(measure_node(records, path) * seconds for path, records in nodes) / 1_000,
        math.fsum(estimate_switch(records, path) * seconds for path, records in switches) / 1_000,
        len(nodes),
        len(switches),
    )


def measure_node(records: Sequence[Record], path: str) -> float:
    """A node's mean power in watts over the measured interval, after conversion."""
    readings, duration_ms = trace_node(records, path)
    return readings[-1].energy_kj * WATT_MS_PER_KILOJOULE / duration_ms


def trace_node(records: Sequence[Record], path: str) -> tuple[list[Reading], float]:
    """A node's readings, each with the energy since the measurement began, and the measurement's milliseconds.

    A reading holds for the time since the one before it; what was read is multiplied by the efficiency of conversion.
    """
    starts = [record.time_ms for record in records if record.key == START]
    stops = [record.time_ms for record in records if record.key == STOP]
    if not starts or not stops:
        raise PowerError(f"{{path}} does not log both {START} and {STOP}", path)
    start, stop = starts[0], stops[-1]
    if stop <= start:
        raise PowerError("{path} logs a measurement that ends before it begins", path)
    efficiency = _read_efficiency(records, path)
    watt_ms, former = 0.0, start
    readings = []
    for record in records:
        if record.key == READING:
            watts = _read_watts(record, path)
            watt_ms += watts * (record.time_ms - former)
            former = record.time_ms
            readings.append(Reading(former, watts * efficiency, watt_ms * efficiency / WATT_MS_PER_KILOJOULE))
    if former == start:
        raise PowerError(f"{{path}} logs no {READING} after {START}", path)
    return readings, stop - start


def estimate_switch(records: Sequence[Record], path: str) -> float:
    """A switch's estimated power in watts, times the efficiency of conversion."""
    estimates = [_read_watts(record, path) for record in records if record.key == ESTIMATE]
    if not estimates:
        raise PowerError(f"{{path}} does not log {ESTIMATE}", path)
    return math.fsum(estimates) * _read_efficiency(records, path)


def read_records(path: str) -> list[Record]:
    """The records of a power log, in order; `PowerError` where it cannot be read or a record is not complete."""
    import orjson

    records = []
    if is_special(path):
        raise PowerError("{path} is not a regular file", path)
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PowerError(f"cannot read {{path}}: {error.strerror}", path) from None
    if len(content) > MAX_BYTES:
        raise PowerError(f"{{path}} is longer than {MAX_BYTES >> 20} MiB", path)
    for number, line in enumerate(content.splitlines(), 1):
        _, marker, text = line.partition(MARKER)
        if not marker:
            continue
        try:
            if len(text) > LONGEST_RECORD:
                raise ValueError(len(text))
            fields = orjson.loads(text)
            key, value = (crop_value(fields[name], KEPT_BYTES) for name in ("key", "value"))
            record = Record(key, value, float(fields["time_ms"]), number)
            if not math.isfinite(record.time_ms):
                raise ValueError(record.time_ms)
            records.append(record)
        except (ValueError, KeyError, TypeError):
            raise PowerError("{path} is not a complete record", f"{path}:{number}") from None
    return records


def _list_files(folder: str, beginning: str) -> list[str]:
    names = [name for name in os.listdir(folder) if name.startswith(beginning) and name.endswith(".txt")]
    return [os.path.join(folder, name) for name in sorted(names)]


def _read_watts(record: Record, path: str) -> float:
    value = record.value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        place = f"{path}:{record.line}" if record.line else path
        raise PowerError(f"{{path}} logs a {record.key} of {value!r}, which is not a number of watts", place)
    return value


def _read_efficiency(records: Sequence[Record], path: str) -> float:
    return next((_read_watts(record, path) for record in records if record.key == EFFICIENCY), 1.0)
