"""The installed commands, run as people run them, on the real judge."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

EVENT = (
    ':::MLLOG {"namespace": "", "time_ms": 1, "event_type": "POINT_IN_TIME", "key": "cache_clear", '
    '"value": true, "metadata": {"file": "a.py", "lineno": 1}}\n'
)
TORN = ':::MLLOG {"namespace": "", "time_ms": 1, "event_ty\n'
CHECK = [sys.executable, "-m", "mlperf_logging.cli.check"]
UMBRELLA = [sys.executable, "-m", "mlperf_logging.cli.main"]


def environment(**more: str) -> dict[str, str]:
    """This process's variables without those by which CI would change the output."""
    outside = {"GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "NO_COLOR", "FORCE_COLOR", "COLUMNS"}
    return {name: value for name, value in os.environ.items() if name not in outside} | more


def run(
    command: list[str], *arguments: str, folder: Path, **options: object
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    done = subprocess.run(
        [*command, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **({"env": environment()} | options),
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder with a log of sound form, one with a torn record, and one whose compression is broken."""
    (tmp_path / "sound.txt").write_text(EVENT)
    (tmp_path / "torn.txt").write_text(EVENT + TORN)
    broken = bytearray(gzip.compress(EVENT.encode() * 50))
    broken[20:40] = b"\xff" * 20
    (tmp_path / "broken.txt.gz").write_bytes(broken)
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "code"),
    [(["sound.txt"], 0), (["torn.txt", "sound.txt"], 1), (["torn.txt", "broken.txt.gz"], 2), (["none"], 2)],
)
@pytest.mark.parametrize("command", [CHECK, [*UMBRELLA, "check"]], ids=["mlperf-check", "mlperf check"])
def test_exit_codes(logs, command, paths, code):
    """0: all compliant; 1: a violation; 2: the work could not be done (only the form is looked at here)."""
    assert run(command, "--select", "MLP0", *paths, folder=logs).returncode == code


def test_every_file_of_a_folder_is_reported(logs):
    """A folder with an unreadable log gives the verdicts of all its logs."""
    done = run(CHECK, ".", "--select", "MLP0", "--format", "json", folder=logs)
    document = json.loads(done.stdout)
    verdicts = {file["path"]: file["verdict"] for file in document["files"]}
    assert verdicts == {"./broken.txt.gz": "error", "./sound.txt": "pass", "./torn.txt": "fail"}
    assert document["totals"] == {"files": 3, "pass": 1, "fail": 1, "error": 1}
    assert done.returncode == 2


def test_standard_input(logs):
    """A log on standard input is judged like the file."""
    by_name = json.loads(run(CHECK, "torn.txt", "--format", "jsonl", folder=logs).stdout)
    piped = json.loads(run(CHECK, "-", "--format", "jsonl", folder=logs, input=EVENT + TORN).stdout)
    assert piped.pop("path") == "-"
    del by_name["path"]
    assert piped == by_name


def test_standard_input_among_others_in_processes(logs):
    """With several processes standard input is read too."""
    arguments = [
        "sound.txt",
        "torn.txt",
        "-",
        "broken.txt.gz",
        "sound.txt",
        "--jobs",
        "2",
        "--format",
        "jsonl",
    ]
    done = run(CHECK, *arguments, folder=logs, input=EVENT)
    files = [json.loads(line) for line in done.stdout.splitlines()]
    assert [file["path"] for file in files] == ["sound.txt", "torn.txt", "-", "broken.txt.gz"]
    assert files[2]["dialect"] == files[0]["dialect"]


def test_reader_that_goes_away(logs):
    """`mlperf-check … | head` is silent."""
    for index in range(300):
        (logs / f"more{index}.txt").write_text(EVENT)
    process = subprocess.Popen(
        [*CHECK, ".", "--format", "jsonl"],
        cwd=logs,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 141
    process.stderr.close()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_interrupt(tmp_path, jobs):
    """An interrupt ends the command and its processes with one line."""
    for index in range(4000):
        (tmp_path / f"{index}.txt").write_text(EVENT * 20)
    process = subprocess.Popen(
        [*CHECK, ".", "--format", "jsonl", "--jobs", jobs],
        cwd=tmp_path,
        env=environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "mlperf-check: interrupted; the report is not complete\n"


def test_terminal_gets_colors_and_a_pipe_does_not(logs):
    """On a terminal the report is colored and fits its width."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    ours, theirs = pty.openpty()
    command = [*CHECK, "torn.txt"]
    process = subprocess.Popen(
        command, cwd=logs, env=environment(COLUMNS="60", TERM="xterm"), stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 4096):
            parts.append(part)
    except OSError:  # how Linux ends a terminal whose other side is closed
        pass
    os.close(ours)
    process.wait(60)
    assert b"\033[1;31m" in b"".join(parts)
    assert "\033[" not in run(CHECK, "torn.txt", folder=logs).stdout


def test_cold_start_loads_nothing_heavy(logs, built):
    """Checking a log loads none of the libraries that make a start slow."""
    program = (
        "import sys; before = set(sys.modules); from mlperf_logging.cli.check import main; code = main(['sound.txt']); "
        "heavy = ('lark rich yaml multiprocessing concurrent.futures logging numpy pandas click difflib glob "
        "tempfile pkgutil dataclasses inspect').split(); loaded = sys.modules.keys() - before; "
        "print(code, [name for name in heavy if name in loaded])"
    )
    done = run([sys.executable, "-c", program], folder=logs, env=environment(PYTHONPATH=str(built)))
    assert done.stdout.splitlines()[-1] in ("0 []", "1 []")


@pytest.mark.corpus
def test_processes_give_the_same_report(corpus_logs, tmp_path):
    """On real logs, two processes give byte for byte the report of one."""
    paths = [str(path) for path in corpus_logs[::20]]
    reports = [
        run(CHECK, *paths, "--format", "jsonl", "--jobs", jobs, folder=tmp_path).stdout for jobs in ("1", "2")
    ]
    assert reports[0] == reports[1]
    assert len(reports[0].splitlines()) == len(paths)


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["text", "json", "sarif", "github", "junit"])
def test_every_format_takes_real_findings(corpus_logs, tmp_path, name):
    """On real logs every format gives a report and the exit code of the others."""
    done = run(CHECK, *[str(path) for path in corpus_logs[::40]], "--format", name, folder=tmp_path)
    assert done.returncode == 1
    assert done.stdout


@pytest.mark.corpus
def test_every_reported_id_can_be_selected(corpus_logs, tmp_path):
    """Each rule id and code that real logs give is one that --ignore takes."""
    done = run(CHECK, *[str(path) for path in corpus_logs[::10]], "--format", "jsonl", folder=tmp_path)
    findings = [finding for line in done.stdout.splitlines() for finding in json.loads(line)["findings"]]
    names = sorted({finding["rule"] for finding in findings} | {finding["code"] for finding in findings})
    assert names
    arguments = [str(corpus_logs[0]), "--quiet", "--ignore", ",".join(names)]
    assert run(CHECK, *arguments, folder=tmp_path).returncode == 0
