"""What the power readings of a result folder lack, by the written rules of power measurement in training.

The rules (``power_measurement.adoc`` of the training policies) want all nodes measured, a reading at least every
second over the whole timed part of a run, and at least 60 of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from mlperf_logging.runs.summary import RunSummary
from mlperf_logging.scoring.energy import NODE, READING, START, STOP, Record, RunPower
from mlperf_logging.scoring.means import median

SECONDS_APART = 1.0
"""A reading is required at least this often."""

FEWEST_READINGS = 60
"""So many readings are required of a run."""

_JITTER = 1.1
"""A meter that is asked every second answers a little later."""

_GAP = 2.5
"""So many times as long as between other readings is a gap."""

NODES, CLOCK, COVERAGE, GAP, APART, FEW = (
    "nodes-missing",
    "clocks-apart",
    "not-covered",
    "gap",
    "readings-apart",
    "too-few-readings",
)


class PowerFinding(NamedTuple):
    """One thing that the power readings of a run lack.

    Attributes:
        kind: "nodes-missing", "clocks-apart", "not-covered", "gap", "readings-apart" or "too-few-readings".
        path: the power log, or the folder that lacks one.
        line: the line that shows it, counted from 1; None where something is missing.
        amount: how bad it is, in the unit of its kind: seconds, or what is missing.
        message: what was found, and what is required.
    """

    kind: str
    path: str
    line: int | None
    amount: float
    message: str


def check_power(
    runs: Sequence[tuple[RunPower, RunSummary]], node_count: float | None = None
) -> list[PowerFinding]:
    """What the power readings of the runs of a result folder lack.

    Args:
        runs: the power logs of each run that has some, and when it began and ended.
        node_count: nodes of the system, where known; otherwise the most that one of the runs has.
    """
    wanted = node_count or max([len(power.nodes) for power, _ in runs], default=0)
    found: list[PowerFinding] = []
    for power, summary in runs:
        count = len(power.nodes)
        if count < wanted:
            missing = _find_missing(power.nodes)
            named = f", {missing} is missing" if missing else ""
            message = f"readings of {count} of {wanted:.0f} nodes{named}; all must be measured"
            found.append(PowerFinding(NODES, power.folder, None, wanted - count, message))
        for path, records in power.nodes.items():
            found += _check_node(path, records, summary)
    return found


def describe_power(findings: Sequence[PowerFinding], folder: str) -> list[str]:
    """A sentence for each kind of finding: the worst one with its place below a folder, and how many others there are."""
    sentences = []
    for kind in (NODES, CLOCK, COVERAGE, GAP, APART, FEW):
        alike = [each for each in findings if each.kind == kind]
        if alike:
            worst = max(alike, key=lambda each: each.amount)
            others = len(alike) - 1
            more = f", {others:,} other{'s' * (others != 1)} likewise" if others else ""
            place = os.path.relpath(worst.path, folder) + (f":{worst.line}" if worst.line else "")
            sentences.append(f"power: {worst.message} ({place}{more})")
    return sentences


def _find_missing(paths: Mapping[str, object]) -> str | None:
    """The first file whose number lies between those of others."""
    texts = [os.path.basename(path).removeprefix(NODE).partition(".")[0] for path in paths]
    numbers = sorted({int(text) for text in texts if text.isdecimal()})
    gap = next((before + 1 for before, after in pairwise(numbers) if after > before + 1), None)
    return None if gap is None else f"{NODE}{gap}.txt"


def _check_node(path: str, records: Sequence[Record], summary: RunSummary) -> Iterator[PowerFinding]:
    readings = [record for record in records if record.key == READING]
    if len(readings) < FEWEST_READINGS:
        message = f"{len(readings)} power readings of a run; at least {FEWEST_READINGS} are required"
        yield PowerFinding(FEW, path, None, FEWEST_READINGS - len(readings), message)
    steps = [((after.time_ms - before.time_ms) / 1000, after) for before, after in pairwise(readings)]
    usual = median([seconds for seconds, _ in steps if seconds > 0]) or SECONDS_APART
    if usual > SECONDS_APART * _JITTER:
        first = next(record for seconds, record in steps if seconds >= usual)
        message = f"readings are {usual:.3g} s apart, where one every second is required"
        yield PowerFinding(APART, path, first.line, usual, message)
    usual = max(usual, SECONDS_APART)
    gaps = [step for step in steps if step[0] > _GAP * usual]
    if gaps:
        longest, record = max(gaps, key=lambda gap: gap[0])
        number = "a gap" if len(gaps) == 1 else f"{len(gaps)} gaps, the longest"
        message = f"{number} of {longest:.3g} s where readings are {usual:.3g} s apart"
        yield PowerFinding(GAP, path, record.line, longest, message)
    back = min(steps, key=lambda step: step[0], default=None)
    if back is not None and back[0] < 0:
        message = f"the meter's clock goes back by {-back[0]:.3g} s"
        yield PowerFinding(CLOCK, path, back[1].line, -back[0], message)
    yield from _check_frame(path, records, summary, allowed=_GAP * usual)


def _check_frame(
    path: str, records: Sequence[Record], summary: RunSummary, allowed: float
) -> Iterator[PowerFinding]:
    """Whether the measurement covers the run, but for some seconds: late at one end is a gap, at both another clock."""
    start = next((record for record in records if record.key == START), None)
    stop = next((record for record in reversed(records) if record.key == STOP), None)
    if start is None or stop is None or summary.start_ms is None or summary.stop_ms is None:
        return
    begins = (start.time_ms - summary.start_ms) / 1000
    ends = (stop.time_ms - summary.stop_ms) / 1000
    late, early = begins > allowed, ends < -allowed
    if late and ends > begins / 2:
        message = f"the meter's clock is {begins:.3g} s ahead of the log's: the measurement begins and ends that late"
        yield PowerFinding(CLOCK, path, start.line, begins, message)
    elif early and begins < ends / 2:
        message = (
            f"the meter's clock is {-ends:.3g} s behind the log's: the measurement begins and ends that early"
        )
        yield PowerFinding(CLOCK, path, stop.line, -ends, message)
    else:
        if late:
            message = (
                f"the measurement begins {begins:.3g} s after run_start; all of the timed part is required"
            )
            yield PowerFinding(COVERAGE, path, start.line, begins, message)
        if early:
            message = f"the measurement ends {-ends:.3g} s before run_stop; all of the timed part is required"
            yield PowerFinding(COVERAGE, path, stop.line, -ends, message)
