"""Energy from power readings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.scoring import energy
from mlperf_logging.scoring.energy import PowerError, Record, measure_node, measure_run, read_records
from tests.logs import power

NODE = [
    ("power_measurement_start", None, 0),
    ("power_reading", 100, 1_000),
    ("power_reading", 300, 3_000),
    ("power_measurement_stop", None, 4_000),
]


def write(path: Path, lines: list[tuple[str, object, float]]) -> None:
    """Write a power log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"noise\n" + b"".join(power(*line) for line in lines))


def test_reading_holds_for_the_time_before_it(tmp_path: Path) -> None:
    """100 W for one second and 300 W for two, over four measured seconds, are 175 W on average."""
    write(tmp_path / "result_3/node_0.txt", NODE)
    energy = measure_run(str(tmp_path), "any/result_3.txt", 2.0)

    assert energy.nodes_kj == pytest.approx(175 * 120 / 1000)
    assert (energy.nodes, energy.switches, energy.switches_kj) == (1, 0, 0)


def test_nodes_and_switches_are_summed(tmp_path: Path) -> None:
    """Every node and every switch counts, each with its own efficiency of conversion."""
    for number in range(2):
        write(tmp_path / f"result_0/node_{number}.txt", [*NODE, ("conversion_eff", 0.5, 5_000)])
    write(tmp_path / "result_0/sw_0.txt", [("interconnect_power_est", 50, 0), ("conversion_eff", 0.8, 1)])
    energy = measure_run(str(tmp_path), "result_0.txt.gz", 1.0)

    assert energy.nodes_kj == pytest.approx(2 * 0.5 * 175 * 60 / 1000)
    assert energy.switches_kj == pytest.approx(0.8 * 50 * 60 / 1000)
    assert energy.total_kj == energy.nodes_kj + energy.switches_kj


@given(st.floats(1, 1e4), st.integers(1, 50), st.floats(0.1, 100))
def test_constant_power_is_power_times_time(watts: float, readings: int, minutes: float) -> None:
    """However often it is read, a constant power over the whole interval gives itself."""
    records = [Record("power_measurement_start", None, 0)]
    records += [Record("power_reading", watts, 1_000.0 * (step + 1)) for step in range(readings)]
    records.append(Record("power_measurement_stop", None, 1_000.0 * readings))

    assert measure_node(records, "node_0.txt") == pytest.approx(watts)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "does not log both"),
        ([("power_measurement_start", None, 0), ("power_reading", 5, 1)], "does not log both"),
        (
            [("power_measurement_start", None, 5), ("power_measurement_stop", None, 5)],
            "ends before it begins",
        ),
        (
            [("power_measurement_start", None, 0), ("power_measurement_stop", None, 5)],
            "logs no power_reading",
        ),
        (
            [
                ("power_measurement_start", None, 0),
                ("power_reading", "x", 1),
                ("power_measurement_stop", None, 5),
            ],
            "a power_reading of 'x', which is not a number of watts",
        ),
    ],
)
def test_measurement_that_is_not_whole_is_said(
    lines: list[tuple[str, object, float]], says: str, tmp_path: Path
) -> None:
    """A node's log without start, stop or readings names the file and what it lacks."""
    write(tmp_path / "result_0/node_0.txt", lines)

    with pytest.raises(PowerError, match=says) as caught:
        measure_run(str(tmp_path), "result_0.txt", 1.0)
    assert "node_0.txt" in str(caught.value)


def test_missing_folder_node_and_estimate_are_said(tmp_path: Path) -> None:
    """What is not there is named."""
    with pytest.raises(PowerError, match="there is no folder"):
        measure_run(str(tmp_path), "result_0.txt", 1.0)
    (tmp_path / "result_0").mkdir()
    with pytest.raises(PowerError, match=r"there is no node_\*\.txt"):
        measure_run(str(tmp_path), "result_0.txt", 1.0)
    write(tmp_path / "result_0/node_0.txt", NODE)
    write(tmp_path / "result_0/sw_0.txt", [])
    with pytest.raises(PowerError, match="does not log interconnect_power_est"):
        measure_run(str(tmp_path), "result_0.txt", 1.0)


def test_damaged_record_is_said_with_its_line(tmp_path: Path) -> None:
    """A half record names file and line; lines without a record are noise."""
    path = tmp_path / "node_0.txt"
    path.write_bytes(b"noise\n" + power("power_reading", 5, 1) + b':::MLLOG {"key"\n')

    with pytest.raises(PowerError, match=r"node_0\.txt:3 is not a complete record"):
        read_records(str(path))


def test_long_power_log_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power log or a record of one that is longer than any real one is refused, not read into memory."""
    path = tmp_path / "node_0.txt"
    write(path, [("power_reading", [[]] * 30_000, 1_000)])
    with pytest.raises(PowerError, match=r"node_0\.txt:2 is not a complete record"):
        read_records(str(path))

    monkeypatch.setattr(energy, "MAX_BYTES", 60_000)
    with pytest.raises(PowerError, match=r"node_0\.txt is longer than"):
        read_records(str(path))


def test_of_a_reading_that_is_no_number_little_is_kept(tmp_path: Path) -> None:
    """A list or a long text in place of a number of watts is kept as far as a message shows it."""
    write(tmp_path / "node_0.txt", [("power_reading", [[]] * 1_000, 1), ("power_reading", "x" * 10_000, 2)])

    lists, text = read_records(str(tmp_path / "node_0.txt"))

    assert len(lists.value) < 10
    assert text.value == "x" * len(text.value)
    assert 100 < len(text.value) < 300
