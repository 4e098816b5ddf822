"""Power readings as a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mlperf_logging.analysis.power_table import POWER_COLUMNS, sum_power, tabulate_power
from mlperf_logging.errors import UsageError
from mlperf_logging.scoring.energy import measure_run
from tests.logs import power
from tests.small_runs import START_MS, WriteRun


def write_readings(log: Path, part: str, *records: tuple[str, object, float]) -> None:
    """Write power records: key, value and seconds since run_start."""
    folder = log.parent / "power" / log.stem
    folder.mkdir(parents=True, exist_ok=True)
    lines = [power(key, value, START_MS + seconds * 1000) for key, value, seconds in records]
    (folder / f"{part}.txt").write_bytes(b"".join(lines))


@pytest.fixture
def log(write_run: WriteRun) -> Path:
    """A run of 5 minutes and half a second, with two nodes and a switch."""
    path = write_run("result_0.txt", {1: 0.8})
    frame = ("power_measurement_start", None), ("power_measurement_stop", None)
    for part, efficiency in (("node_0", 0.5), ("node_1", 1)):
        write_readings(
            path,
            part,
            ("conversion_eff", efficiency, 0),
            (*frame[0], 0),
            ("power_reading", 1000, 60),
            ("power_reading", 3000, 120 if part == "node_0" else 180),
            ("power_reading", 2000, 300.5),
            (*frame[1], 300.5),
        )
    write_readings(path, "sw_0", ("interconnect_power_est", 250, 0))
    return path


def test_readings_by_hand(log: Path) -> None:
    """A reading holds since the one before it, times the efficiency; energy adds up."""
    table = tabulate_power([str(log)])
    node = table[table["part"] == "node_0"]

    assert list(table.columns) == list(POWER_COLUMNS)
    assert node["minutes"].tolist() == pytest.approx([1, 2, 300.5 / 60])
    assert node["watts"].tolist() == [500, 1500, 1000]
    assert node["energy_kj"].tolist() == pytest.approx([30, 120, 120 + 180.5])
    switch = table[table["part"] == "sw_0"]
    assert switch["watts"].tolist() == [250, 250]
    assert switch["energy_kj"].iloc[-1] == pytest.approx(250 * 300.5 / 1000)


def test_energy_is_that_of_the_score(log: Path) -> None:
    """Measured over the whole run, the energies of the parts add up to what the score counts."""
    table = tabulate_power([str(log)])
    score = measure_run(str(log.parent / "power"), str(log), 300.5 / 60)

    assert table.groupby("part")["energy_kj"].last().sum() == pytest.approx(score.total_kj)


def test_sum_over_parts(log: Path) -> None:
    """At each time at which something was read, the parts' power is added, as each holds back to its reading before."""
    whole = sum_power(tabulate_power([str(log)]))

    assert whole["part"].unique().tolist() == ["all"]
    assert whole["minutes"].tolist() == pytest.approx([1, 2, 3, 300.5 / 60])
    assert whole["watts"].tolist() == [
        500 + 1000 + 250,
        1500 + 3000 + 250,
        1000 + 3000 + 250,
        1000 + 2000 + 250,
    ]
    assert whole["energy_kj"].tolist() == pytest.approx(
        [0, 4750 * 0.06, 9000 * 0.06, 9000 * 0.06 + 3250 * 0.1205]
    )


def test_runs_without_readings(write_run: WriteRun, log: Path) -> None:
    """A run without readings is left out; where none has any, the message says where they are looked for."""
    other = write_run("other/result_1.txt")

    pd.testing.assert_frame_equal(tabulate_power([str(other), str(log)]), tabulate_power([str(log)]))
    with pytest.raises(UsageError, match="no power readings next to the logs"):
        tabulate_power([str(other)])


def test_readings_that_are_no_numbers(log: Path) -> None:
    """A reading that is not a number of watts is named with its file and line."""
    write_readings(
        log,
        "node_2",
        ("power_measurement_start", None, 0),
        ("power_reading", "much", 1),
        ("power_measurement_stop", None, 2),
    )

    with pytest.raises(UsageError, match=r"node_2\.txt:2 logs a power_reading of 'much'"):
        tabulate_power([str(log)])


def test_runs_with_unusable_readings_are_left_out(write_run: WriteRun, log: Path) -> None:
    """Whoever asks is told of readings that cannot be used, and gets those of the other runs."""
    other = write_run("other/result_1.txt")
    write_readings(other, "node_0", ("power_reading", 1000, 1))
    told: list[str] = []

    table = tabulate_power([str(other), str(log)], told.append)

    pd.testing.assert_frame_equal(table, tabulate_power([str(log)]))
    assert [fault.rpartition("node_0.txt ")[2] for fault in told] == [
        "does not log both power_measurement_start and power_measurement_stop"
    ]
    with pytest.raises(UsageError, match="does not log both"):
        tabulate_power([str(other)], told.append)
