"""From paths to logs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlperf_logging.runs.folders import is_log_name
from mlperf_logging.runs.paths import find_logs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write_logs(folder: Path) -> Callable[[dict[str, str]], None]:
    """Writes files by their names below the working folder; what they hold does not matter here."""

    def write(logs: dict[str, str]) -> None:
        for name, text in logs.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)

    return write


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("result_0.txt", True),
        ("run.log", True),
        ("slurm-1.out", True),
        ("a.txt.gz", True),
        ("a.log.xz", True),
        ("a.out.zst", True),
        ("a.gz", False),
        ("a.txt.bz2", False),
        ("a.json", False),
        ("txt", False),
        ("a.txt.gz.gz", False),
        ("a.txt~", False),
    ],
)
def test_names_of_logs(name, expected):
    """In a folder, logs are told by their names, compressed ones by the name within."""
    assert is_log_name(name) is expected


def test_folder_means_its_logs(folder, write_logs):
    """A folder gives every log below it, sorted, joined as named; readings below power/ are left out."""
    write_logs(
        dict.fromkeys(
            ["r/b.txt", "r/a.log.gz", "r/sub/c.out", "r/power/node_0.txt", "r/sub/power/x/y.txt", "r/n.md"],
            "pass",
        )
    )
    assert find_logs(["r"]).paths == ["r/a.log.gz", "r/b.txt", "r/sub/c.out"]
    assert find_logs(["./r/"]).paths == ["./r/a.log.gz", "./r/b.txt", "./r/sub/c.out"]
    assert find_logs([str(folder / "r")]).paths[0] == str(folder / "r" / "a.log.gz")


def test_power_folder_that_is_named_counts(write_logs):
    """A power folder is left out below another folder, not when it is what the user names."""
    write_logs({"r/power/node_0.txt": "pass", "r/powerful/a.txt": "pass"})
    assert find_logs(["r"]).paths == ["r/powerful/a.txt"]
    assert find_logs(["r/power"]).paths == ["r/power/node_0.txt"]
    assert find_logs(["r/power/node_0.txt"]).paths == ["r/power/node_0.txt"]


def test_named_file_of_any_name(write_logs):
    """A file that is named is a log, whatever its name."""
    write_logs({"notes.md": "pass"})
    assert find_logs(["notes.md"]) == (["notes.md"], [])


def test_pattern_that_the_shell_left(write_logs):
    """A quoted pattern is expanded: files as they are, folders to their logs."""
    write_logs(dict.fromkeys(["r/x1.md", "r/x2.md", "r/x3/a.txt", "r/y.txt"], "pass"))
    assert find_logs(["r/x*"]).paths == ["r/x1.md", "r/x2.md", "r/x3/a.txt"]
    assert find_logs(["**/*.txt"]).paths == ["r/x3/a.txt", "r/y.txt"]


def test_file_whose_name_looks_like_a_pattern(write_logs):
    """A file that is there is not taken for a pattern."""
    write_logs({"a[1].txt": "pass", "a1.txt": "pass"})
    assert find_logs(["a[1].txt"]).paths == ["a[1].txt"]


def test_each_log_once_in_the_order_named(write_logs):
    """A log that is named twice, also by its folder, is judged once, where it was named first."""
    write_logs({"r/a.txt": "pass", "r/b.txt": "pass"})
    assert find_logs(["r/b.txt", "r", "./r/a.txt", "-", "-"]).paths == ["r/b.txt", "r/a.txt", "-"]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("none.txt", "no file or folder called 'none.txt'"),
        ("n*.txt", "nothing matches the pattern 'n*.txt'"),
        ("", "a path is empty"),
        ("empty", "no log below the folder 'empty'"),
    ],
)
def test_paths_that_give_nothing(folder, name, word):
    """A path that gives nothing is complained of in one sentence; others still count."""
    (folder / "empty").mkdir()
    (folder / "ok.txt").touch()
    logs = find_logs([name, "ok.txt"])
    assert logs.paths == ["ok.txt"]
    (complaint,) = logs.complaints
    assert word in complaint


def test_broken_link_is_left_to_the_reader(folder):
    """A link to nowhere is a path that exists; reading it tells what is wrong."""
    (folder / "a.txt").symlink_to("nowhere")
    assert find_logs(["a.txt"]).paths == ["a.txt"]


def test_links_in_circles_end(folder, write_logs):
    """A folder that links to itself is walked once."""
    write_logs({"r/a.txt": "pass"})
    (folder / "r" / "loop").symlink_to(folder / "r")
    assert find_logs(["r"]).paths == ["r/a.txt"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
def test_folder_without_permission(folder, write_logs):
    """A folder that cannot be looked into is complained of."""
    write_logs({"r/a.txt": "pass", "r/s/b.txt": "pass"})
    (folder / "r" / "s").chmod(0)
    logs = find_logs(["r"])
    (folder / "r" / "s").chmod(0o700)
    assert logs.paths == ["r/a.txt"]
    assert "r/s" in logs.complaints[0]
