"""`mlperf watch` as people and dashboards use it: beside a job that writes, on a terminal, into a pipe."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from checkout import PROJECT
from commands import run_mlperf

from mlperf_logging.parsing import read_log
from mlperf_logging.reports.documents.watch import SCHEMA
from tests.logs import mllog

MLPERF = [sys.executable, "-m", "mlperf_logging.cli.main"]
LOG = PROJECT / "examples" / "logs" / "compliant" / "6.1.0_llama31_8b.txt"
WHOLE = LOG.read_bytes()
LINES = WHOLE.splitlines(keepends=True)
BEGIN = b"".join(LINES[: len(LINES) * 3 // 4])
PATIENCE_S = 120
HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egpj.exe [bold]x[/bold] \ud800"


def read_objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects, one on each line."""
    return [json.loads(line) for line in text.splitlines()]


def write_slowly(path: Path, content: bytes, piece: int = 997) -> Thread:
    """A job that writes a log in pieces that end anywhere."""

    def write() -> None:
        with path.open("ab", buffering=0) as file:
            for start in range(0, len(content), piece):
                file.write(content[start : start + piece])
                time.sleep(0.01)

    writer = Thread(target=write)
    writer.start()
    return writer


class Dashboard:
    """The command with ``--json``, and the objects that it has written so far."""

    def __init__(self, path: Path) -> None:
        self.said: list[dict[str, Any]] = []
        command = [*MLPERF, "watch", str(path), "--json", "--until-end", "--every", "0.05"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(json.loads(line))

    def wait_for(self, name: str, value: object) -> None:
        """Wait until an object has a value."""
        deadline = time.monotonic() + PATIENCE_S
        while not any(each[name] == value for each in self.said) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert value in [each[name] for each in self.said]

    def end(self) -> list[dict[str, Any]]:
        """All objects, once the run has ended, and the command with it."""
        try:
            code = self._process.wait(PATIENCE_S)
        finally:
            self._process.kill()
            self._reader.join()
        assert self._process.stderr is not None
        assert (code, self._process.stderr.read()) == (0, "")
        return self.said


def test_job_that_writes_fast(tmp_path: Path) -> None:
    """From waiting to the verdict: the last object says that the run stopped, where, and that it is compliant."""
    log = tmp_path / "run.log"
    dashboard = Dashboard(log)
    dashboard.wait_for("trouble", "waiting for the file")
    write_slowly(log, WHOLE).join()
    said = dashboard.end()

    assert {each["schema"] for each in said} == {SCHEMA}
    assert said[-1]["phase"] == "stopped"
    assert (said[-1]["status"], said[-1]["verdict"]) == ("success", "pass")
    assert said[-1]["reached_at"] == said[-1]["amount"]
    amounts = [each["amount"] for each in said if each["amount"] is not None]
    assert amounts == sorted(amounts)
    forecasts = [each["forecast"] for each in said if each["forecast"] is not None]
    assert all(each["low"] <= each["median"] <= each["high"] for each in forecasts)


def test_rotation_in_the_middle(tmp_path: Path) -> None:
    """A log that is moved away while its run goes on is followed into the new file, to the end of the run."""
    log = tmp_path / "run.log"
    write_slowly(log, BEGIN).join()
    dashboard = Dashboard(log)
    dashboard.wait_for("phase", "evaluation")
    log.rename(tmp_path / "run.log.1")
    write_slowly(log, WHOLE[len(BEGIN) :]).join()
    said = dashboard.end()

    assert (said[-1]["status"], said[-1]["run"]) == ("success", 1)
    assert said[-1]["minutes"] == pytest.approx(
        (read_log(WHOLE).events[-1].time_ms - said[-1]["start_ms"]) / 60_000, abs=0.1
    )


def test_truncation_and_relaunch(tmp_path: Path) -> None:
    """A log that vanishes, is written anew by a relaunched job and ends is a run of its own."""
    log = tmp_path / "run.log"
    write_slowly(log, BEGIN).join()
    dashboard = Dashboard(log)
    dashboard.wait_for("phase", "evaluation")
    log.unlink()
    dashboard.wait_for("trouble", "the file is gone")
    write_slowly(log, WHOLE).join()
    said = dashboard.end()

    assert (said[-1]["verdict"], said[-1]["findings"]["errors"]) == ("pass", 0)


def test_standard_input(tmp_path: Path) -> None:
    """A pipe is watched until its writer is gone."""
    command = [*MLPERF, "watch", "-", "--json", "--until-end", "--every", "0.05"]
    done = subprocess.run(command, input=BEGIN, capture_output=True, timeout=PATIENCE_S, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
    last = read_objects(done.stdout.decode())[-1]
    assert (last["path"], last["phase"]) == ("-", "evaluation")
    assert last["forecast"] is not None


def test_once_as_json_and_text(tmp_path: Path) -> None:
    """What there is now, in either form, and the end."""
    log = tmp_path / "run.log"
    log.write_bytes(BEGIN)
    (record,) = read_objects(run_mlperf("watch", log, "--once", "--json").stdout)
    text = run_mlperf("watch", log, "--once")

    assert text.returncode == 0
    assert "llama31_8b training 6.1.0 closed, batch size 32" in text.stdout
    assert re.search(r"converges at [\d,]+ samples \([\d,]+ to [\d,]+\)", text.stdout)
    assert re.search(r"in [\d.]+ min \([\d.]+ to [\d.]+ min\)", text.stdout)
    assert "passes RCP" in text.stdout
    assert record["chance_to_pass"]["required"] == 10
    assert record["reference"]["match"] == "exact"


def test_once_without_a_log_cannot_work(tmp_path: Path) -> None:
    """Where no log holds a record there is nothing to show, and the exit code says so."""
    done = run_mlperf("watch", tmp_path / "none.log", "--once")

    assert done.returncode == 2
    assert "no log holds a record: waiting for the file" in done.stderr


def test_folder_as_a_table(tmp_path: Path) -> None:
    """Several logs make a table with a line for each, and the chance of their submission below."""
    for number in range(3):
        (tmp_path / f"result_{number}.txt").write_bytes(BEGIN if number else WHOLE)
    text = run_mlperf("watch", tmp_path, "--once").stdout

    assert [line.split()[0] for line in text.splitlines() if line.startswith("result_")] == [
        f"result_{number}.txt" for number in range(3)
    ]
    assert "(1 finished, 2 running of 10 runs)" in text


@pytest.mark.parametrize("options", ["--once", "--until-end"])
def test_more_logs_than_files_may_be_open(tmp_path: Path, options: str) -> None:
    """Logs of finished runs do not stay open: there may be thousands."""
    for number in range(60):
        (tmp_path / f"result_{number}.txt").write_bytes(WHOLE)
    line = f'ulimit -n 40; "{sys.executable}" -m mlperf_logging.cli.main watch . --json {options}'
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    last = {each["path"]: each for each in read_objects(done.stdout)}

    assert (done.returncode, done.stderr) == (0, "")
    assert {(each["verdict"], each["trouble"]) for each in last.values()} == {("pass", None)}
    assert len(last) == 60


def test_points_of_your_own(tmp_path: Path) -> None:
    """With a file of reference points, these are what is forecast by."""
    log, points = tmp_path / "run.log", tmp_path / "points.json"
    log.write_bytes(BEGIN)
    points.write_text(json.dumps([{"batch_size": 32, "converged_at": [400_000.0] * 10}]))
    (record,) = read_objects(run_mlperf("watch", log, "--once", "--json", "--points", points).stdout)

    assert record["reference"]["mean"] == 400_000
    assert record["forecast"]["median"] == pytest.approx(400_000, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--run", "1", "x"], "leave --run out"),
        (["--every", "0", "x"], "--every"),
        (["--ruleset", "none", "x"], "none"),
        ([], "PATH"),
    ],
)
def test_mistakes_are_said(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    """A mistake on the command line ends the command with one sentence."""
    (tmp_path / "x").write_bytes(BEGIN)
    done = run_mlperf("watch", *arguments, "--once", folder=tmp_path)

    assert done.returncode == 2
    assert sentence in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_is_a_clean_end(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end the command with exit code 0 and no word of complaint."""
    log = tmp_path / "run.log"
    log.write_bytes(BEGIN)
    command = [*MLPERF, "watch", str(log), "--every", "0.05"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE_S)

    assert first.startswith(f"{log}: llama31_8b training 6.1.0 closed")
    assert (process.returncode, err) == (0, "")


def test_reader_that_goes_away(tmp_path: Path) -> None:
    """When the reader of the lines goes away, the command ends as others do."""
    (tmp_path / "run.log").write_bytes(BEGIN)
    line = f'"{sys.executable}" -m mlperf_logging.cli.main watch run.log --every 0.05 | head -n 1'
    writer = write_slowly(tmp_path / "run.log", WHOLE[len(BEGIN) :] * 3)
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    writer.join()

    assert done.stderr == ""


class Terminal:
    """A terminal of a size, with the command in it."""

    def __init__(self, *arguments: str, columns: int = 80, lines: int = 30) -> None:
        self.output = b""
        self.pid, self.handle = pty.fork()
        if not self.pid:  # pragma: no cover - the other process
            environment = {
                **os.environ,
                "TERM": "xterm-256color",
                "COLUMNS": str(columns),
                "LINES": str(lines),
            }
            os.execve(MLPERF[0], [*MLPERF, *arguments], environment)  # noqa: S606 - a shell would take the signal

    def read_until(self, wanted: bytes) -> None:
        """Read what is shown until something is."""
        deadline = time.monotonic() + PATIENCE_S
        while wanted not in self.output and time.monotonic() < deadline:
            if select.select([self.handle], [], [], 1)[0]:
                self.output += os.read(self.handle, 1 << 16)
        assert wanted in self.output

    def end(self) -> int:
        """Press Ctrl-C and wait for the end; gives the exit code."""
        os.write(self.handle, b"\x03")
        try:
            while data := os.read(self.handle, 1 << 16):
                self.output += data
        except OSError:  # the other side is closed
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.handle)
        return os.waitstatus_to_exitcode(status)


def test_terminal_is_left_as_it_was(tmp_path: Path) -> None:
    """On a terminal the view is drawn in place; after Ctrl-C the cursor is there again, and the exit code is 0."""
    log = tmp_path / "run.log"
    log.write_bytes(BEGIN)
    terminal = Terminal("watch", str(log), "--every", "0.05")
    terminal.read_until(b"converges at")
    with log.open("ab") as file:
        file.write(WHOLE[len(BEGIN) :])
    terminal.read_until(b"converged at")

    assert terminal.end() == 0
    assert terminal.output.rindex(b"\x1b[?25h") > terminal.output.rindex(b"\x1b[?25l")
    assert b"Traceback" not in terminal.output


@pytest.fixture
def hostile_log(tmp_path: Path) -> Path:
    """A log whose texts would take over a terminal, and whose name would, too."""
    log = tmp_path / "a\x1b[31m\u202eb.log"
    lines = [
        mllog("submission_benchmark", HOSTILE, 1),
        mllog("submission_division", "closed", 1),
        mllog("run_start", None, 2),
        mllog("eval_accuracy", {HOSTILE: 1.0}, 3, epoch_num=1),
        mllog("opt_name", HOSTILE, 4),
        mllog("run_stop", None, 5, status=HOSTILE),
        b':::MLLOG {"key": "' + HOSTILE.encode("utf-8", "surrogatepass") + b"\n",
    ]
    log.write_bytes(BEGIN + b"".join(lines))
    (tmp_path / "other.log").write_bytes(b"".join(lines))
    return log


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("what", ["log", "folder"])
def test_texts_from_logs_are_inert(hostile_log: Path, form: tuple[str, ...], what: str) -> None:
    """Whatever a log or its name holds, no control character and no direction override reaches the terminal."""
    path = hostile_log if what == "log" else hostile_log.parent
    done = run_mlperf("watch", path, "--once", *form)

    assert done.returncode == 0
    assert {character for character in done.stdout if not character.isprintable()} <= {"\n"}
    assert "Traceback" not in done.stderr


def test_hostile_log_on_plain_lines(hostile_log: Path) -> None:
    """The same on plain lines."""
    command = [*MLPERF, "watch", str(hostile_log), "--until-end", "--every", "0.05"]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)

    assert done.returncode == 0
    assert {character for character in done.stdout.decode() if not character.isprintable()} <= {"\n"}
