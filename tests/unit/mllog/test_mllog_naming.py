"""The file that events are written to: its name, and what it holds already."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging import mllog
from mlperf_logging.mllog.errors import ConfigError

pytestmark = pytest.mark.usefixtures("shared_logger")

RUN = ':::MLLOG {"namespace": "", "time_ms": 1, "event_type": "INTERVAL_START", "key": "run_start", "value": null}\n'
RELAUNCHED = "from mlperf_logging import mllog\nmllog.config(filename='log.txt', mode={mode!r})\nmllog.event('seed', 2)\n"


def keys(path: Path) -> list[str]:
    """The keys in a log."""
    return [json.loads(line[9:])["key"] for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    "url", ["gs://bucket/log.txt", "s3://bucket/log_{rank}.txt", Path("hdfs://host/log.txt")]
)
def test_a_url_is_refused_with_a_notice(
    url: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No folder that is called like a bucket is made; events still go to standard output."""
    monkeypatch.chdir(tmp_path)
    mllog.config(filename=url)
    mllog.event("seed", 7)
    out, err = capsys.readouterr()
    assert (out.count(":::MLLOG"), list(tmp_path.iterdir())) == (1, [])
    assert "is a URL" in err
    assert "name a path" in err


def test_a_url_in_the_environment_is_refused_once(run_script: Callable[..., Any]) -> None:
    """The variables for a file say once that it is not written."""
    env = {"MLLOG_FILE": "gs://b/x.txt", "MLLOG_FILE_MODE": "new", "MLLOG_BUFFER_SECONDS": "3"}
    done = run_script("from mlperf_logging import mllog\nmllog.event('seed', 7)\n", env=env)
    assert (done.returncode, done.stderr.count("is a URL"), done.stdout.count(":::MLLOG")) == (0, 1, 1)


def test_the_home_folder_is_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``~`` is the home folder, and the same file by its full name is not written twice."""
    monkeypatch.setenv("HOME", str(tmp_path))
    mllog.config(filename="~/logs/log.txt", stdout=False)
    mllog.config(filename=tmp_path / "logs/log.txt")
    mllog.event("seed", 7)
    assert keys(tmp_path / "logs/log.txt") == ["seed"]


def test_a_file_that_holds_a_run_is_appended_to_with_a_notice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The default keeps what a relaunched job finds, and says once that the file will hold two runs."""
    log = tmp_path / "log.txt"
    log.write_text(RUN)
    for _ in range(2):
        mllog.config(filename=log)
    mllog.event("seed", 7)
    assert keys(log) == ["run_start", "seed"]
    err = capsys.readouterr().err
    assert (err.count("already holds a run"), err.count("\n")) == (1, 1)


def test_a_resumed_run_is_appended_to_without_a_notice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who says mode="append" knows what the file holds."""
    log = tmp_path / "log.txt"
    log.write_text(RUN)
    mllog.config(filename=log, mode="append")
    mllog.event("epoch_start", 2)
    assert (keys(log), capsys.readouterr().err) == (["run_start", "epoch_start"], "")


@pytest.mark.parametrize("head", ["", "noise\n" * 400_000], ids=["short", "long"])
def test_a_run_far_down_is_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str], head: str) -> None:
    """A run is found behind much else that the file holds."""
    (tmp_path / "log.txt").write_text(head + RUN)
    mllog.config(filename=tmp_path / "log.txt")
    assert "already holds a run" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["", "noise\n", RUN.replace("run_start", "init_start")])
def test_a_file_without_a_run_needs_no_notice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    """What was printed before the run is not a run."""
    (tmp_path / "log.txt").write_text(content)
    mllog.config(filename=tmp_path / "log.txt")
    mllog.event("seed", 7)
    assert capsys.readouterr().err == ""


def test_a_new_file_keeps_the_former_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """mode="new" moves what is there aside, under the first free number, and says so."""
    log = tmp_path / "log.txt"
    log.write_text(RUN)
    (tmp_path / "log.txt.1").write_text("the first run\n")
    mllog.config(filename=log, mode="new")
    mllog.event("seed", 7)
    assert (keys(log), (tmp_path / "log.txt.2").read_text()) == (["seed"], RUN)
    assert (tmp_path / "log.txt.1").read_text() == "the first run\n"
    assert f"the former {log} is now {log}.2" in capsys.readouterr().err


def test_an_exclusive_file_must_not_be_there(tmp_path: Path) -> None:
    """mode="exclusive" makes the file with its folder, or is an error before anything is configured."""
    log = tmp_path / "runs/log.txt"
    mllog.config(filename=log, mode="exclusive")
    mllog.config(filename=log, mode="exclusive")  # its own file
    mllog.event("seed", 7)
    assert keys(log) == ["seed"]
    other = tmp_path / "other.txt"
    other.write_text(RUN)
    with pytest.raises(ConfigError, match="exists, and mode is 'exclusive'"):
        mllog.config(filename=other, mode="exclusive", default_namespace="changed")
    assert (other.read_text(), mllog.mllogger.default_namespace) == (RUN, "")


def test_a_mode_without_a_file_is_refused() -> None:
    """The mode belongs to the file that it comes with."""
    with pytest.raises(ConfigError, match="name it with filename"):
        mllog.config(mode="new")


@pytest.mark.parametrize(("mode", "kept"), [("append", 2), ("new", 1), ("exclusive", 1)])
def test_of_several_processes_the_first_begins_the_file(
    run_script: Callable[..., Any], tmp_path: Path, mode: str, kept: int
) -> None:
    """Rank 0 does what the mode says; the others append, without a notice, also to what rank 0 has begun."""
    script = RELAUNCHED.format(mode=mode)
    log = tmp_path / "log.txt"
    if mode != "exclusive":
        log.write_text(RUN)
    first = run_script(script, env={"RANK": "0"})
    assert (first.returncode, first.stderr == "") == (0, mode != "new")
    second = run_script(script, env={"RANK": "1"})
    assert (second.returncode, second.stderr, len(keys(log))) == (0, "", kept + 1)


def test_a_file_of_each_rank_is_begun_by_it(run_script: Callable[..., Any], tmp_path: Path) -> None:
    """A file with the rank in its name belongs to one process."""
    (tmp_path / "log_3.txt").write_text(RUN)
    run_script(RELAUNCHED.format(mode="new").replace("log.txt", "log_{rank}.txt"), env={"RANK": "3"})
    assert (keys(tmp_path / "log_3.txt"), keys(tmp_path / "log_3.txt.1")) == (["seed"], ["run_start"])


def test_workers_that_import_the_script_again_append(run_script: Callable[..., Any], tmp_path: Path) -> None:
    """A spawned worker that runs the script's configuration does not move its parent's file aside."""
    done = run_script(
        "import multiprocessing\n"
        + RELAUNCHED.format(mode="new")
        + "mllog.start('run_start')\n"
        + "if __name__ == '__main__':\n"
        + "    worker = multiprocessing.get_context('spawn').Process(target=print)\n"
        + "    worker.start()\n    worker.join()\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert keys(tmp_path / "log.txt") == ["seed", "run_start", "seed", "run_start"]


@pytest.mark.parametrize(("mode", "files"), [("new", {"log.txt", "log.txt.1"}), ("exclusive", {"log.txt"})])
def test_the_environment_names_the_mode(
    run_script: Callable[..., Any], tmp_path: Path, mode: str, files: set[str]
) -> None:
    """MLLOG_FILE_MODE is for MLLOG_FILE; what it cannot do is reported, and the events are kept."""
    (tmp_path / "log.txt").write_text(RUN)
    script = "from mlperf_logging import mllog\nmllog.event('seed', 2)\n"
    done = run_script(script, env={"MLLOG_FILE": "log.txt", "MLLOG_FILE_MODE": mode})
    assert {path.name for path in tmp_path.iterdir()} == {"script.py", *files}
    assert keys(tmp_path / "log.txt")[-1] == "seed"
    assert ("MLLOG_FILE_MODE='exclusive' is ignored" in done.stderr) == (mode == "exclusive")


def test_what_cannot_be_moved_is_appended_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that does not let files be renamed costs the mode, not the events."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "log.txt").write_text(RUN)
    monkeypatch.setattr("os.rename", refuse)
    mllog.config(filename=tmp_path / "log.txt", mode="new")
    mllog.event("seed", 7)
    assert "Permission denied; events are appended" in capsys.readouterr().err
    assert keys(tmp_path / "log.txt") == ["run_start", "seed"]
