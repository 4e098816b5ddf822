"""When a report is made again: after changes that have come to rest, or that go on for too long."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlperf_logging.reports.serving.changes import ChangeWatch, Pace, look_at_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a log, its power reading, a description, and files that no report uses."""
    for name in ("run.log", "power/reading.txt", "systems/a.json", "notes.md", ".hidden/x.log"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("1\n")
    return tmp_path


def test_looks_at_what_a_report_may_use(folder: Path) -> None:
    """Logs, readings and descriptions count, at any depth; hidden folders and other files do not."""
    seen = look_at_files([str(folder)])
    assert sorted(os.path.relpath(path, folder) for path in seen) == [
        "power/reading.txt",
        "run.log",
        "systems/a.json",
    ]


def test_a_file_that_is_named_counts_whatever_its_name(folder: Path) -> None:
    """Files and patterns are taken as they are."""
    notes = str(folder / "notes.md")
    assert list(look_at_files([notes])) == [notes]
    assert list(look_at_files([str(folder / "*.md")])) == [notes]
    assert look_at_files([str(folder / "absent.log"), ""]) == {}


def test_nothing_is_due_while_nothing_changes(folder: Path) -> None:
    """Looking again and again at the same files asks for no new report."""
    watch = ChangeWatch([str(folder)])
    assert [watch.is_due(float(second)) for second in range(20)] == [False] * 20


def test_a_change_is_due_once_it_rests(folder: Path) -> None:
    """A change that the next look sees unchanged is due, once."""
    watch = ChangeWatch([str(folder)])
    (folder / "run.log").write_text("1\n2\n")
    assert [watch.is_due(float(second)) for second in range(5)] == [False, True, False, False, False]


def test_a_run_that_goes_on_is_shown_now_and_then(folder: Path) -> None:
    """A log that grows at each look is due after the longest wait, again and again."""
    watch = ChangeWatch([str(folder)], Pace(1.0, 4.0))
    due = []
    for second in range(11):
        with (folder / "run.log").open("a") as log:
            log.write("more\n")
        due.append(watch.is_due(float(second)))
    assert [second for second, is_due in enumerate(due) if is_due] == [4, 9]


def test_logs_that_come_and_go_are_changes(folder: Path) -> None:
    """A new log, a vanished one and one replaced by another of equal size each ask for a new report."""
    watch = ChangeWatch([str(folder)])
    new, run = folder / "new.log", folder / "run.log"
    changes = [
        lambda: new.write_text("x"),
        new.unlink,
        lambda: (folder / "other").write_text("3\n") and (folder / "other").replace(run),
    ]
    for second, change in enumerate(changes):
        change()
        assert [watch.is_due(second + part / 10) for part in range(3)] == [False, True, False]


def test_a_change_that_is_taken_back_is_none(folder: Path) -> None:
    """A file that appeared and vanished between two reports asks for none."""
    watch = ChangeWatch([str(folder)])
    (folder / "new.log").write_text("x")
    first = watch.is_due(0.0)
    (folder / "new.log").unlink()
    assert [first, watch.is_due(1.0), watch.is_due(2.0)] == [False, False, False]


def test_waits_until_a_report_is_due(folder: Path) -> None:
    """Waiting returns when the change has come to rest."""
    watch = ChangeWatch([str(folder)], Pace(0.001, 1.0))
    (folder / "run.log").write_text("changed\n")
    watch.wait()
    assert not watch.is_due(0.0)
