"""A submission as folders of results."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlperf_logging import UsageError, find_result_folders


def make(folder: Path, *names: str) -> None:
    """Make empty files."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_benchmark_folder_is_found_with_its_names(tmp_path: Path) -> None:
    """Submitter, system and benchmark come from the places of the folders."""
    make(
        tmp_path,
        "Org/systems/box.json",
        "Org/results/box/task/result_0.txt",
        "Org/results/box/task/scaling.json",
        "Org/results/box/task/power/result_0/node_0.txt",
    )
    folder = tmp_path / "Org/results/box/task"

    (found,) = find_result_folders(folder)

    assert found.path == str(folder)
    assert found.logs == (str(folder / "result_0.txt"),)
    assert (found.benchmark, found.system, found.submitter, found.scaling) == ("task", "box", "Org", None)
    assert found.description == str(tmp_path / "Org/systems/box.json")
    assert found.scaling_file == str(folder / "scaling.json")
    assert found.power == str(folder / "power")


def test_names_are_known_from_inside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is enough to tell the names above it, and paths come out as they were given."""
    make(tmp_path, "Org/results/box/task/result_0.txt")
    monkeypatch.chdir(tmp_path / "Org/results/box/task")

    (found,) = find_result_folders(".")

    assert found.path == "."
    assert (found.benchmark, found.system, found.submitter) == ("task", "box", "Org")


def test_logs_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Run 10 follows run 9, which a median window depends on."""
    make(tmp_path, *[f"result_{number}.txt" for number in (10, 9, 1)], "result_run2.txt")

    (found,) = find_result_folders(tmp_path)

    names = [Path(log).name for log in found.logs]
    assert names == ["result_1.txt", "result_9.txt", "result_10.txt", "result_run2.txt"]


@pytest.mark.parametrize("below", ["", "round", "round/Org", "round/Org/results/box"])
def test_every_level_of_a_round_gives_its_folders(tmp_path: Path, below: str) -> None:
    """A whole round, a submitter and a system are searched alike."""
    make(tmp_path, *[f"round/Org/results/box/{task}/result_0.txt" for task in ("a", "b")])

    found = find_result_folders(tmp_path / below)

    assert [(each.submitter, each.system, each.benchmark) for each in found] == [
        ("Org", "box", "a"),
        ("Org", "box", "b"),
    ]


@pytest.mark.parametrize("scaling", ["strong", "weak"])
def test_folder_of_a_scaling_is_no_system(tmp_path: Path, scaling: str) -> None:
    """High-performance computing has one folder more between system and benchmark."""
    make(tmp_path, f"Org/results/box/{scaling}/task/result_0.txt", "Org/systems/box.json")

    (found,) = find_result_folders(tmp_path)

    assert (found.benchmark, found.system, found.scaling) == ("task", "box", scaling)
    assert found.description is not None


def test_oldest_layout_has_entries(tmp_path: Path) -> None:
    """The oldest round has an entry between submitter and results, and describes it beside the benchmarks."""
    make(
        tmp_path, "v0.5.0/org/entry/results/box/task/result_0.txt", "v0.5.0/org/entry/results/box/entry.json"
    )

    (found,) = find_result_folders(tmp_path / "v0.5.0")

    assert (found.submitter, found.system, found.benchmark) == ("org", "box", "task")
    assert found.description == str(tmp_path / "v0.5.0/org/entry/results/box/entry.json")


def test_pruned_results_power_and_hidden_folders_are_left_out(tmp_path: Path) -> None:
    """Runs that were pruned, power readings and hidden folders are no results."""
    make(
        tmp_path,
        "task/result_0.txt",
        "task/pruned_results/result_1.txt",
        "task/power/result_0/result_9.txt",
        "task/.trash/result_3.txt",
    )

    (found,) = find_result_folders(tmp_path)

    assert [Path(log).name for log in found.logs] == ["result_0.txt"]


def test_compressed_results_count(tmp_path: Path) -> None:
    """A result may be compressed."""
    make(tmp_path, "result_0.txt.gz", "result_1.txt.zst", "result_2.txt.bak")

    (found,) = find_result_folders(tmp_path)

    assert [Path(log).name for log in found.logs] == ["result_0.txt.gz", "result_1.txt.zst"]


def test_other_names_count_where_there_is_no_result(tmp_path: Path) -> None:
    """Runs that are not yet named as results are found by the usual names of logs."""
    make(tmp_path, "slurm-10.out", "slurm-9.out", "notes.md")

    (found,) = find_result_folders(tmp_path)

    assert [Path(log).name for log in found.logs] == ["slurm-9.out", "slurm-10.out"]


def test_other_names_do_not_count_beside_results(tmp_path: Path) -> None:
    """A readme in a benchmark folder is not a run."""
    make(tmp_path, "result_0.txt", "README.txt", "other/notes.txt")

    (found,) = find_result_folders(tmp_path)

    assert [Path(log).name for log in found.logs] == ["result_0.txt"]


def test_no_logs_is_said_with_what_was_looked_for(tmp_path: Path) -> None:
    """An empty folder is a clear sentence."""
    make(tmp_path, "notes.md")

    with pytest.raises(UsageError, match=r"no logs below .* looked for result_\*\.txt"):
        find_result_folders(tmp_path)


def test_missing_folder_and_file_are_distinguished(tmp_path: Path) -> None:
    """A mistyped folder and a file in place of one are different mistakes."""
    make(tmp_path, "result_0.txt")

    with pytest.raises(UsageError, match="there is no folder"):
        find_result_folders(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is a file; name the folder"):
        find_result_folders(tmp_path / "result_0.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
def test_folder_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    """A folder without permission is not skipped in silence."""
    make(tmp_path, "task/result_0.txt")
    (tmp_path / "task").chmod(0)
    try:
        with pytest.raises(UsageError, match="cannot look into the folder"):
            find_result_folders(tmp_path)
    finally:
        (tmp_path / "task").chmod(0o700)
