"""Finding submissions and their results in folders of every layout."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from mlperf_logging.errors import UsageError
from mlperf_logging.submission.layout import Submission, Tree, find_submissions


def make_files(top: Path, *names: str) -> None:
    """Make empty files below a folder."""
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()


def find(top: str | Path) -> list[Submission]:
    """The submissions at, below and around a folder."""
    return find_submissions(Tree(top))


def list_folders(
    submissions: Iterable[Submission], top: Path
) -> list[tuple[str, str | None, str | None, str]]:
    """Of each benchmark's folder: submission, submitter, system, benchmark."""
    return [
        (os.path.relpath(each.path, top), each.submitter, folder.system, folder.benchmark)
        for each in submissions
        for folder in each.folders
    ]


def test_training(tmp_path: Path) -> None:
    """Several submitters, each with systems and benchmarks; code, readings and pruned results hold no results."""
    make_files(
        tmp_path,
        "A/systems/box.json",
        "A/results/box/knitting/result_10.txt",
        "A/results/box/knitting/result_9.txt",
        "A/results/box/knitting/power/result_9/node_0.txt",
        "A/results/box/knitting/pruned_results/result_0.txt",
        "A/results/box/package_checker_params",
        "A/benchmarks/knitting/implementations/x/results/box/knitting/result_0.txt",
        "B/results/crate/sewing/result_0.txt",
        "README.md",
    )

    submissions = find(tmp_path)

    assert list_folders(submissions, tmp_path) == [
        ("A", "A", "box", "knitting"),
        ("B", "B", "crate", "sewing"),
    ]
    (folder,) = submissions[0].folders
    assert [Path(path).name for path in folder.logs] == ["result_9.txt", "result_10.txt"]
    assert folder.description == f"{tmp_path}/A/systems/box.json"
    assert folder.power == f"{tmp_path}/A/results/box/knitting/power"


def test_high_performance_computing(tmp_path: Path) -> None:
    """Between system and benchmark is `strong` or `weak`, which are no benchmarks themselves."""
    make_files(tmp_path, "results/box/strong/knitting/result_0.txt", "results/box/weak/knitting/result_0.txt")

    (submission,) = find(tmp_path)

    assert [folder.scaling for folder in submission.folders] == ["strong", "weak"]
    assert {folder.system for folder in submission.folders} == {"box"}


def test_oldest_round(tmp_path: Path) -> None:
    """In the oldest round a submitter has entries, each with results; the description is in the system's folder."""
    make_files(
        tmp_path,
        "v0.5.0/Org/entry/results/box/entry.json",
        "v0.5.0/Org/entry/results/box/knitting/result_0.txt",
    )

    submissions = find(tmp_path)

    assert list_folders(submissions, tmp_path) == [("v0.5.0/Org/entry", "Org", "box", "knitting")]
    assert submissions[0].folders[0].description == f"{submissions[0].path}/results/box/entry.json"


@pytest.mark.parametrize(
    ("part", "whole"),
    [("A", True), ("A/results", False), ("A/results/box", False), ("A/results/box/knitting", False)],
)
def test_part_of_a_submission(
    part: str, whole: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part belongs to the submission above it, named from outside or as the working folder."""
    make_files(tmp_path, "A/systems/box.json", "A/results/box/knitting/result_0.txt")
    monkeypatch.chdir(tmp_path / part)

    for top in (tmp_path / part, f"{tmp_path / part}/", "."):
        submissions = find(top)
        assert list_folders(submissions, tmp_path) == [("A", "A", "box", "knitting")]
        assert submissions[0].is_whole == whole


def test_folders_called_results_around_and_within(tmp_path: Path) -> None:
    """A folder `results` in which submissions are kept is none itself; one below a benchmark's logs is no other."""
    top = tmp_path / "results" / "downloads"
    make_files(
        top, "A/results/box/knitting/result_0.txt", "A/results/box/knitting/plots/results/x/y/result_0.txt"
    )

    for folder in (tmp_path, top.parent, top, top / "A"):
        assert list_folders(find(folder), top) == [("A", "A", "box", "knitting")]


def test_submission_without_results(tmp_path: Path) -> None:
    """A submission with an empty folder of results is one, without a benchmark's folder."""
    (tmp_path / "A" / "results" / "box").mkdir(parents=True)

    (submission,) = find(tmp_path)

    assert (submission.path, submission.folders) == (f"{tmp_path}/A", ())


def test_benchmark_folder_without_logs(tmp_path: Path) -> None:
    """A benchmark's folder counts whatever it holds, so that logs under other names are not overlooked."""
    make_files(tmp_path, "results/box/knitting/run1.log")

    (submission,) = find(tmp_path)

    assert [folder.logs for folder in submission.folders] == [()]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    """A linked folder is entered once, and one outside never; a clone's own folder is left out."""
    make_files(tmp_path, "A/results/box/knitting/result_0.txt", "A/.git/config")
    (tmp_path / "A" / "results" / "other").symlink_to(tmp_path / "A" / "results" / "box")
    (tmp_path / "A" / "results" / "box" / "loop").symlink_to("..")
    (tmp_path / "A" / "outside").symlink_to("/")

    submissions = find(tmp_path / "A")

    assert len(list_folders(submissions, tmp_path)) < 10
    assert {folder.system for folder in submissions[0].folders} >= {"box", "other"}


def test_no_submission_is_a_mistake(tmp_path: Path) -> None:
    """A folder without results is refused in one sentence that says what was looked for."""
    make_files(tmp_path, "logs/result_0.txt")

    with pytest.raises(UsageError, match=r"no submission at or below .* looked for SUBMITTER/results/SYSTEM"):
        find(tmp_path)
