"""From a log to its rows: time to quality, throughput, where the time went, and notes on what cannot be told."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mlperf_logging.analysis.columns import SERIES_COLUMNS
from mlperf_logging.analysis.reading import ReadingParameters, read_rows
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.errors import UsageError
from tests.logs import mll, mllog, mlp050
from tests.small_runs import START_MS, WriteRun

ROUND = ReadingParameters(RuleSelection(usage="training", ruleset="4.0.0"))


def test_row_of_a_run_by_hand(write_run: WriteRun) -> None:
    """Three blocks of 4 minutes, an evaluation of 1 after each; the third meets the target at minute 15."""
    row = read_rows(str(write_run()), ROUND).run
    wanted = {
        "benchmark": "resnet",
        "submitter": "Org",
        "system": "box",
        "division": "closed",
        "status": "success",
        "ruleset": "training/4.0.0",
        "seed": "7",
        "batch_size": 256,
        "run_minutes": 15 + 0.5 / 60,
        "init_minutes": 1.0,
        "train_minutes": 12.0,
        "eval_minutes": 3.0,
        "idle_minutes": 0.5 / 60,
        "progress_unit": "epochs",
        "target": "value >= 0.759 and value < 1.0",
        "quality_reached": True,
        "time_to_quality_seconds": 900.0,
        "progress_to_quality": 3,
        "epochs_to_quality": 3,
        "samples_to_quality": 3 * 1_281_167,
        "stop_after_quality_seconds": 0.5,
        "evaluations": 3,
        "first_evaluation_progress": 1,
        "evaluation_interval_progress": 1,
        "evaluation_interval_minutes": 5.0,
        "last_progress": 3,
        "last_samples": 3 * 1_281_167,
        "samples_per_second": 3 * 1_281_167 / 900,
        "train_samples_per_second": 3 * 1_281_167 / 720,
        "note": None,
    }

    found = {name: row[name] for name in wanted}
    numbers = {name: value for name, value in wanted.items() if isinstance(value, float)}
    assert {name: found[name] for name in numbers} == pytest.approx(numbers)
    assert {name: found[name] for name in wanted if name not in numbers} == {
        name: value for name, value in wanted.items() if name not in numbers
    }


def test_evaluations_by_hand(write_run: WriteRun) -> None:
    """Each evaluation is a row with its number, quality, time, progress, target, and whether it meets it."""
    rows = read_rows(str(write_run()), ROUND).evaluations

    assert [row["evaluation"] for row in rows] == [1, 2, 3]
    assert [row["quality"] for row in rows] == [0.5, 0.7, 0.76]
    assert [row["minutes"] for row in rows] == [5, 10, 15]
    assert [row["samples"] for row in rows] == [1_281_167, 2 * 1_281_167, 3 * 1_281_167]
    assert [row["meets_target"] for row in rows] == [False, False, True]
    assert {(row["target_value"], row["target_direction"]) for row in rows} == {(0.759, "at least")}


def test_series_by_hand(write_run: WriteRun) -> None:
    """Those series that are asked for are rows with value, time and progress; by default there are none."""
    after = b"".join(
        mllog(key, value + epoch, START_MS + 60_000 * epoch, epoch_num=epoch)
        for epoch in (1, 2)
        for key, value in (("train_loss", 0.5), ("lr", 0.0))
    )
    log = str(write_run(after=after))
    table = read_rows(log, ReadingParameters(ROUND.selection, series=("*loss", "nothing"))).series

    assert table is not None
    assert list(table.columns) == list(SERIES_COLUMNS)
    wanted = {
        "system": ["box"] * 2,
        "seed": ["7"] * 2,
        "metric": ["train_loss"] * 2,
        "key": ["train_loss"] * 2,
        "value": [1.5, 2.5],
        "minutes": [1.0, 2.0],
        "progress": [1.0, 2.0],
        "progress_unit": ["epochs"] * 2,
        "samples": [1_281_167.0, 2 * 1_281_167.0],
    }
    assert {name: table[name].tolist() for name in wanted} == wanted
    assert read_rows(log, ROUND).series is None


def test_first_evaluation_that_meets_the_target_counts(write_run: WriteRun) -> None:
    """A run that trains on after its target has a time to quality before its stop, and the rest is reported."""
    row = read_rows(str(write_run(qualities={1: 0.76, 2: 0.75, 3: 0.77})), ROUND).run

    assert row["time_to_quality_seconds"] == 300
    assert row["stop_after_quality_seconds"] == 600.5


def test_target_that_is_not_met(write_run: WriteRun) -> None:
    """A claim of success without an evaluation that meets the target is a note, not a time to quality."""
    row = read_rows(str(write_run(qualities={1: 0.5})), ROUND).run

    assert row["quality_reached"] is False
    assert "time_to_quality_seconds" not in row
    assert "no evaluation meets the target of training/4.0.0, although run_stop says success" in row["note"]


def test_open_division_has_the_closed_target(write_run: WriteRun) -> None:
    """Where the open division only says that a share is a share, the closed division's target is used."""
    log = write_run(benchmark="bert", division="open", qualities={200_000: 0.5, 400_000: 0.73})
    row = read_rows(str(log), ROUND).run

    assert row["target"] == "value >= 0.72 and value < 1.0 (closed division)"
    assert row["progress_to_quality"] == 400_000


def test_target_of_ones_own(write_run: WriteRun) -> None:
    """A run of no known benchmark is measured against the formula that is given; without, the note says so."""
    log = write_run(benchmark="knitting", qualities={1: 3.0, 2: 2.0})
    without = read_rows(str(log)).run
    given = read_rows(str(log), ReadingParameters(target="value <= 2.5")).run

    assert "does not know the benchmark 'knitting', so there is no target" in without["note"]
    assert (without["quality_reached"], given["quality_reached"]) == (None, True)
    assert given["time_to_quality_seconds"] == 600
    with pytest.raises(UsageError, match="not a formula such as"):
        read_rows(str(log), ReadingParameters(target="value is fine"))


def test_metrics_of_one_evaluation_are_joined(write_run: WriteRun) -> None:
    """FID and CLIP of one number of samples count together: both must be reached in the same evaluation."""
    qualities = {
        1_000_000: {"FID": 80.0, "CLIP": 0.1},
        2_000_000: {"FID": 95.0, "CLIP": 0.2},
        3_000_000: {"FID": 89.0, "CLIP": 0.16},
    }
    log = write_run(benchmark="stable_diffusion", unit="samples_count", qualities=qualities)
    rows = read_rows(str(log), ROUND)

    assert rows.run["progress_to_quality"] == 3_000_000
    assert rows.run["evaluations"] == 3
    assert [row["meets_target"] for row in rows.evaluations] == [False] * 4 + [True] * 2
    assert {(row["metric"], row["target_value"], row["target_direction"]) for row in rows.evaluations} == {
        ("FID", 90.0, "at most"),
        ("CLIP", 0.15, "at least"),
    }


def test_models_evaluated_after_the_run(write_run: WriteRun) -> None:
    """Where saved models are evaluated after run_stop, the end of the block that trained so far is the time."""
    late = b"".join(
        mllog("eval_accuracy", value, START_MS + 3_600_000, samples_count=samples, metric=metric)
        for samples, values in ((512_000, (95.0, 0.2)), (1_024_000, (89.0, 0.16)))
        for metric, value in zip(("FID", "CLIP"), values, strict=True)
    )
    training = {512_000: {}, 1_024_000: {}}
    log = write_run(benchmark="stable_diffusion", unit="samples_count", qualities=training, after=late)
    row = read_rows(str(log), ROUND).run

    assert row["time_to_quality_seconds"] == 9 * 60
    assert row["note"] is None


def test_late_evaluations_without_a_block(write_run: WriteRun) -> None:
    """Where nothing says when training was that far, there is no time to quality, and a note says why."""
    late = mllog("eval_accuracy", 0.8, START_MS + 3_600_000, epoch_num=3)
    row = read_rows(str(write_run(qualities={}, after=late)), ROUND).run

    assert row["quality_reached"] is True
    assert row["progress_to_quality"] == 3
    assert math.isnan(row["time_to_quality_seconds"])
    assert "evaluations were logged after run_stop" in row["note"]


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (b"", "contains no event in a known log dialect"),
        (b"nothing but noise\n" * 9, "contains no event in a known log dialect"),
        (b":::MLLOG {}\n" * 3, "3 records cannot be read as written, the first in line 1: "),
        (
            mllog("seed", 1),
            "no run_start was logged; no run_stop .*; no evaluation .*; the log names no benchmark",
        ),
    ],
)
def test_a_log_without_a_run_is_a_sentence(log: bytes, said: str, tmp_path: Path) -> None:
    """Whatever a file holds, it gives a row with a note that says what is missing."""
    path = tmp_path / "result_0.txt"
    path.write_bytes(log)
    row = read_rows(str(path)).run

    assert re.search(said, row["note"])
    assert row["path"] == str(path)


def test_unreadable_file_is_a_sentence(tmp_path: Path) -> None:
    """A file that is not there gives a row with the reason, not an exception."""
    rows = read_rows(str(tmp_path / "result_9.txt"))

    assert "cannot be opened" in rows.run["note"]
    assert rows.ruleset is None


def test_run_that_was_cut_off(write_run: WriteRun) -> None:
    """Without run_stop there is no claimed time, but still a time to quality."""
    row = read_rows(str(write_run(status=None)), ROUND).run

    assert row["run_minutes"] is None
    assert row["time_to_quality_seconds"] == 900
    assert "no run_stop was logged" in row["note"]


def test_unknown_round_is_refused(write_run: WriteRun) -> None:
    """A ruleset that does not exist is the caller's mistake."""
    with pytest.raises(UsageError, match=r"unknown ruleset '9\.9\.9'"):
        read_rows(str(write_run()), ReadingParameters(RuleSelection(ruleset="9.9.9")))


def test_oldest_dialect_states_its_own_target(tmp_path: Path) -> None:
    """A log of the first round is measured against the target that it logs."""
    path = tmp_path / "result_0.txt"
    path.write_bytes(
        b"".join(
            [
                mlp050("resnet", "run_start", None, 100.0),
                mlp050("resnet", "eval_accuracy", {"epoch": 0, "value": 0.1}, 160.0),
                mlp050("resnet", "eval_accuracy", {"epoch": 60, "value": 0.75}, 220.0),
                mlp050("resnet", "eval_target", 0.749, 221.0),
                mlp050("resnet", "run_stop", {"success": True}, 222.0),
            ]
        )
    )
    row = read_rows(str(path)).run

    assert row["target"] == "value >= 0.749 (logged eval_target)"
    assert (row["time_to_quality_seconds"], row["progress_to_quality"], row["status"]) == (120, 60, "success")


def test_second_dialect_has_targets_of_the_written_rules(tmp_path: Path) -> None:
    """The public checks of that round test no quality; the written rules' target is used."""
    path = tmp_path / "result_0.txt"
    identity = mll("submission_benchmark", "gnmt", 90.0) + mll("submission_division", "closed", 90.0)
    frame = mll("run_start", None, 100.0), mll("run_stop", None, 300.0, status="success")
    path.write_bytes(identity + frame[0] + mll("eval_accuracy", "24.1", 250.0, epoch_num=4) + frame[1])
    rows = read_rows(str(path))

    assert rows.run["time_to_quality_seconds"] == 150
    assert rows.evaluations[0]["target_value"] == 24.0


def test_place_names_system_and_size(write_run: WriteRun, write_system: Callable[..., None]) -> None:
    """In a submission, folders name submitter and system, and the description says how many accelerators."""
    write_system(
        "Lab", "box8", number_of_nodes="2", accelerators_per_node="8", accelerator_model_name="Needle 9"
    )
    row = read_rows(str(write_run("Lab/results/box8/resnet/result_0.txt")), ROUND).run

    assert (row["submitter"], row["system"], row["accelerators"]) == ("Lab", "box8", 16)
    assert (row["nodes"], row["accelerator_model"]) == (2, "Needle 9")


def test_a_run_may_use_part_of_its_system(write_run: WriteRun, write_system: Callable[..., None]) -> None:
    """What the log says of nodes and accelerators counts before the description."""
    write_system("Lab", "box8", number_of_nodes="100", accelerators_per_node="8")
    settings = {"number_of_nodes": 4, "accelerators_per_node": 0}
    row = read_rows(str(write_run("Lab/results/box8/weak/resnet/result_0.txt", settings=settings)), ROUND).run

    assert (row["accelerators"], row["nodes"], row["scaling"]) == (4, 4, "weak")


def test_broken_description_is_no_trouble(write_run: WriteRun, tmp_path: Path) -> None:
    """A description that is no JSON tells nothing; the package checker is there to say so."""
    systems = tmp_path / "Lab" / "systems"
    systems.mkdir(parents=True)
    (systems / "box8.json").write_text("<html>")
    row = read_rows(str(write_run("Lab/results/box8/resnet/result_0.txt")), ROUND).run

    assert row["accelerators"] is None
