"""Standard streams that are closed, narrow or redirected, and files that a report takes the place of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from checkout import PROJECT
from commands import run_mlperf

LOG = "examples/logs/compliant/6.1.0_flux1.txt"
RESULTS = "examples/submission/Example_Lab/results/example_8x/llama2_70b_lora"
PATIENCE_S = 120
MLPERF = [sys.executable, "-m", "mlperf_logging.cli.main"]


def shell(line: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell, in which ``mlperf`` is the command and ``$1`` the first argument."""
    line = f'mlperf() {{ "{sys.executable}" -m mlperf_logging.cli.main "$@"; }}; {line}'
    command = ["bash", "-c", line, "bash", *map(str, arguments)]
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=PATIENCE_S,
        cwd=PROJECT,
        env=os.environ | environment,
    )


def list_names(folder: Path) -> list[str]:
    """What is in a folder, by name."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("error", ["2>&-", "2>/dev/full", "<&- 2>&-"])
@pytest.mark.parametrize("options", ["", "--statistics --format json"])
def test_error_stream_that_takes_nothing_changes_no_exit_code(options: str, error: str) -> None:
    """A compliant log is compliant, whether or not anybody reads the error stream."""
    assert shell(f"mlperf check {options} {LOG} {error}").returncode == 0


@pytest.mark.parametrize("command", [f"check {LOG}", "--help", "--version", "rules list", f"score {RESULTS}"])
@pytest.mark.parametrize("output", [">&-", ">/dev/full"])
def test_standard_output_that_takes_nothing_is_said(command: str, output: str) -> None:
    """Without a standard output, what was to stand there is missed in one sentence."""
    done = shell(f"mlperf {command} {output}")

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize(
    "command", ["--help", "score --help", "analyze --help", "train --help", "rules list"]
)
def test_narrow_output_is_no_error(command: str, encoding: str) -> None:
    """Where the output's encoding lacks a character, an escape stands for it."""
    done = shell(f"mlperf {command}", PYTHONIOENCODING=encoding, PYTHONUTF8="0")

    assert (done.returncode, done.stderr) == (0, "")


def test_report_to_standard_output_by_name_goes_where_it_leads(tmp_path: Path) -> None:
    """``-o /dev/stdout`` adds to a file that the shell adds to, and writes to a pipe; so do other open files."""
    (tmp_path / "all").write_text("before\n")
    report = shell(f"mlperf check {LOG}").stdout
    shell(f"mlperf check {LOG} -o /dev/stdout >> $1", tmp_path / "all")

    assert (tmp_path / "all").read_text() == "before\n" + report
    assert shell(f"mlperf check {LOG} -o /dev/stdout | cat").stdout == report
    assert shell(f"mlperf check {LOG} -o /dev/fd/3 3>&1 | cat").stdout == report
    assert list_names(tmp_path) == ["all"]


def test_file_keeps_its_mode_and_owner(tmp_path: Path) -> None:
    """A report that takes the place of a file has that file's mode, and its owner where that can be given."""
    path = tmp_path / "report"
    path.write_text("before")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12, 34)
    before = path.stat()

    assert run_mlperf("check", LOG, "-o", path).returncode == 0
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert "compliant" in path.read_text()


def test_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    """A file that may not be written keeps what is in it."""
    path = tmp_path / "report"
    path.write_text("before")
    path.chmod(0o444)
    done = run_mlperf("check", LOG, "-o", path)

    assert done.returncode == 2
    assert "it is read-only" in done.stderr
    assert path.read_text() == "before"
    assert list_names(tmp_path) == ["report"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ended_command_leaves_no_draft(number: signal.Signals, tmp_path: Path) -> None:
    """A command that a signal ends takes its draft with it, leaves the former report, and ends by that signal."""
    report, pipe = tmp_path / "report", tmp_path / "pipe"
    report.write_text("before")
    os.mkfifo(pipe)
    with subprocess.Popen([*MLPERF, "check", pipe, "-o", report], cwd=PROJECT) as process:
        wait_until(lambda: len(list_names(tmp_path)) == 3)
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == -number

    assert list_names(tmp_path) == ["pipe", "report"]
    assert report.read_text() == "before"


@pytest.mark.parametrize("command", ["check", "analyze"])
def test_two_hyphens_end_the_options(command: str, tmp_path: Path) -> None:
    """What follows ``--`` is a path, whatever it looks like."""
    (tmp_path / "-x.log").write_bytes((PROJECT / LOG).read_bytes())

    assert run_mlperf(command, "--", "-x.log", folder=tmp_path).returncode == 0
    done = run_mlperf(command, "--", "-x.log", "--format", folder=tmp_path)
    assert done.returncode == 2
    assert "there is no file or folder called '--format'" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        *[("--dpi", text) for text in ("0", "-1", "99999999", "1.5", "²")],
        *[
            (name, text)
            for name in ("--width", "--height")
            for text in ("0", "-1", "nan", "inf", "1e9", "wide")
        ],
        *[
            ("--target", text)
            for text in (
                "value >=",
                "(" * 900 + "1" + ")" * 900,
                "value > " + "9" * 5000,
                "+".join("1" * 400),
            )
        ],
    ],
    ids=lambda options: f"{options[0]} {options[1][:9]}",
)
def test_options_of_a_picture_out_of_range_are_refused(options: tuple[str, str], tmp_path: Path) -> None:
    """A size, a resolution or a target that cannot be is one sentence, and no picture is begun."""
    done = run_mlperf("plot", "spread", RESULTS, "-o", tmp_path / "x.png", "=".join(options))

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert list_names(tmp_path) == []


def wait_until(holds: object) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + PATIENCE_S
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, "waited for nothing"
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_workers_go_with_their_parent(number: signal.Signals, tmp_path: Path) -> None:
    """Whatever ends a command, none of its worker processes is left."""
    for index in range(40):
        (tmp_path / f"{index}.log").write_bytes((PROJECT / LOG).read_bytes())
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [*MLPERF, "check", "--jobs", "3", tmp_path, pipe, pipe], cwd=PROJECT, stdout=subprocess.DEVNULL
    ) as process:
        workers: list[int] = []

        def has_workers() -> bool:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            workers[:] = map(int, children)
            return len(workers) == 3

        wait_until(has_workers)
        process.send_signal(number)
        process.wait(PATIENCE_S)
        wait_until(lambda: not any(is_running(worker) for worker in workers))


def is_running(process: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
