"""What power readings lack: how often, gaps, nodes, clocks, with the place."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mlperf_logging.runs.summary import RunSummary
from mlperf_logging.scoring.energy import Record, RunPower
from mlperf_logging.scoring.power_checks import check_power, describe_power

RUN = RunSummary(0, 100_000, "success", 100 / 60)
FRAME = ("power_measurement_start", "power_measurement_stop")


def make_node(times: Sequence[float], start: float | None = None, stop: float | None = None) -> list[Record]:
    """The records of a node whose power was read at some seconds since run_start."""
    ends = (times[0] if start is None else start, times[-1] if stop is None else stop)
    logged = [(FRAME[0], ends[0]), *[("power_reading", time) for time in times], (FRAME[1], ends[1])]
    return [Record(key, 5, time * 1000, line) for line, (key, time) in enumerate(logged, 1)]


def check(*nodes: list[Record], node_count: float | None = None) -> list[tuple[str, str, int | None, float]]:
    """Kind, path, line and amount of what the readings of one run lack."""
    power = RunPower("power/r", {f"power/r/node_{number}.txt": each for number, each in enumerate(nodes)}, {})
    return [
        (each.kind, each.path, each.line, each.amount) for each in check_power([(power, RUN)], node_count)
    ]


def every(seconds: float, count: int = 101, shift: float = 0.0) -> list[float]:
    """Times of readings."""
    return [shift + seconds * index for index in range(count)]


def test_a_reading_a_second_is_what_the_rules_want() -> None:
    """A reading every second over the whole run, give or take a tenth, lacks nothing."""
    assert check(make_node(every(1.0)), make_node(every(1.05, 96)), node_count=2) == []


@pytest.mark.parametrize(
    ("times", "kind", "line", "amount"),
    [
        (every(1.25, 81), "readings-apart", 3, 1.25),
        ([*every(1.0, 50), *every(1.0, 41, 60)], "gap", 52, 11),
        ([*every(1.0, 40), *every(1.0, 80, 30)], "clocks-apart", 42, 9),
        (every(1.0, 101, 20), "clocks-apart", 1, 20),
        (every(1.0, 101, -20), "clocks-apart", 103, 20),
        (every(1.0, 81, 20), "not-covered", 1, 20),
        (every(1.0, 81, 0), "not-covered", 83, 20),
    ],
)
def test_what_a_node_lacks(times: list[float], kind: str, line: int, amount: float) -> None:
    """Each kind is found with the line that shows it, and how bad it is."""
    path = "power/r/node_0.txt"

    assert check(make_node(times)) == [(kind, path, line, pytest.approx(amount))]


def test_a_longer_measurement_is_no_finding() -> None:
    """Measuring may begin before the run and end after it."""
    assert check(make_node(every(1.0, 141, -20))) == []


def test_fewer_than_sixty_readings() -> None:
    """A run needs sixty readings."""
    assert check(make_node(every(100 / 58, 59)))[0] == ("too-few-readings", "power/r/node_0.txt", None, 1)


def test_missing_nodes() -> None:
    """Fewer nodes than the system or another run has are missing; a number between others names the file."""
    whole, node = [f"p/b/node_{number}.txt" for number in (1, 2, 3)], make_node(every(1.0))
    runs = [
        (RunPower("p/a", {"p/a/node_1.txt": node, "p/a/node_3.txt": node}, {}), RUN),
        (RunPower("p/b", dict.fromkeys(whole, node), {}), RUN),
    ]
    (finding,) = check_power(runs)

    assert (finding.kind, finding.path, finding.line) == ("nodes-missing", "p/a", None)
    assert finding.message == "readings of 2 of 3 nodes, node_2.txt is missing; all must be measured"
    assert [each.path for each in check_power(runs, 4)] == ["p/a", "p/b"]


def test_readings_that_no_clock_or_frame_explains() -> None:
    """Without a reading, a frame or times of the run, what cannot be known is not said."""
    nothing = RunPower("p", {"p/node_0.txt": []}, {})

    assert [each.kind for each in check_power([(nothing, RunSummary())])] == ["too-few-readings"]
    assert check_power([]) == []


def test_sentences_name_the_worst_place() -> None:
    """Findings of one kind are one sentence: the worst, its place below the folder, and how many others there are."""
    slow, slower = make_node(every(1.25, 81)), make_node(every(1.5, 68))
    power = RunPower("b/power/r", {"b/power/r/node_0.txt": slow, "b/power/r/node_1.txt": slower}, {})

    assert describe_power(check_power([(power, RUN)]), "b") == [
        "power: readings are 1.5 s apart, where one every second is required"
        " (power/r/node_1.txt:3, 1 other likewise)"
    ]
