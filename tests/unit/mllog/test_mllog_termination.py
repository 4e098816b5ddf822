"""The end of a process: exit, exceptions, signals and forks with buffered events and open runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BEGIN = """
import os, signal, sys, time
from mlperf_logging import mllog
mllog.config(filename="log.txt", stdout=False, buffer_seconds=100)
"""


def read_values(folder: Path) -> list[Any]:
    """Values in the log that a script wrote."""
    return [json.loads(line[9:])["value"] for line in (folder / "log.txt").read_text().splitlines()]


def read_events(folder: Path) -> list[tuple[str, Any]]:
    """Keys and statuses in the log that a script wrote."""
    records = [json.loads(line[9:]) for line in (folder / "log.txt").read_text().splitlines()]
    return [(record["key"], record["metadata"].get("status")) for record in records]


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("raise RuntimeError", 1),
        ("os.kill(os.getpid(), signal.SIGINT); time.sleep(10)", -signal.SIGINT),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(10)", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGHUP); time.sleep(10)", -signal.SIGHUP),
    ],
)
def test_buffered_events_survive_the_end(
    tmp_path: Path, run_script: Callable[..., Any], ending: str, code: int
) -> None:
    """However the process ends, short of SIGKILL, buffered events are written and its exit status stays."""
    done = run_script(BEGIN + f"for n in range(3): mllog.event('key', n)\n{ending}\n")
    assert (done.returncode, read_values(tmp_path)) == (code, [0, 1, 2])


def test_earlier_signal_handlers_are_called(tmp_path: Path, run_script: Callable[..., Any]) -> None:
    """A handler that the script installed before is called after the flush, with what it is due."""
    done = run_script(
        "import signal, sys\n"
        "def count(number, frame): sys.exit(open('log.txt').read().count('MLLOG'))\n"
        "signal.signal(signal.SIGTERM, count)\n"
        + BEGIN
        + "mllog.event('a'); mllog.event('b')\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(10)\n"
    )
    assert done.returncode == 2, done.stderr


def test_ignored_signals_stay_ignored(tmp_path: Path, run_script: Callable[..., Any]) -> None:
    """Under nohup a hang-up still does nothing."""
    done = run_script(
        "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        + BEGIN
        + "mllog.event('key', 1)\nos.kill(os.getpid(), signal.SIGHUP)\nprint('alive')\n"
    )
    assert (done.stdout, read_values(tmp_path)) == ("alive\n", [1])


def test_unbuffered_logging_leaves_signals_alone(run_script: Callable[..., Any]) -> None:
    """As long as nothing needs them, no signal handler is installed."""
    done = run_script(
        "import signal\nfrom mlperf_logging import mllog\nmllog.config(filename='log.txt')\n"
        "mllog.event('key')\nassert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n"
    )
    assert done.returncode == 0, done.stderr


def test_a_forked_child_repeats_nothing(tmp_path: Path, run_script: Callable[..., Any]) -> None:
    """Events that wait at a fork are written by the parent only; the child writes its own."""
    done = run_script(
        BEGIN + "mllog.event('key', 'parent before')\n"
        "pid = os.fork()\n"
        "mllog.event('key', 'parent after' if pid else 'child')\n"
        "if pid: os.waitpid(pid, 0)\n"
    )
    assert done.returncode == 0, done.stderr
    assert sorted(read_values(tmp_path)) == ["child", "parent after", "parent before"]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing_children_lose_nothing(
    tmp_path: Path, run_script: Callable[..., Any], method: str
) -> None:
    """Workers of multiprocessing, which leave without exit hooks when forked, write their buffered events."""
    done = run_script(
        "import multiprocessing\n" + BEGIN + "def work(n): mllog.event('key', n)\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context('{method}')\n"
        "    mllog.event('key', -1)\n"
        "    workers = [context.Process(target=work, args=(n,)) for n in range(3)]\n"
        "    for worker in workers: worker.start()\n"
        "    for worker in workers: worker.join()\n"
    )
    assert done.returncode == 0, done.stderr
    assert sorted(read_values(tmp_path)) == [-1, 0, 1, 2]


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("raise RuntimeError", 1),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("sys.exit(0)", 0),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(10)", -signal.SIGTERM),
    ],
)
def test_an_open_run_ends_as_aborted(
    tmp_path: Path, run_script: Callable[..., Any], ending: str, code: int
) -> None:
    """A run that does not come to its end is logged as aborted, exactly once."""
    done = run_script(BEGIN + f"with mllog.run():\n    mllog.event('key')\n    {ending}\n")
    assert done.returncode == code
    assert read_events(tmp_path) == [("run_start", None), ("key", None), ("run_stop", "aborted")]


def test_a_run_left_open_at_exit_is_aborted(tmp_path: Path, run_script: Callable[..., Any]) -> None:
    """A run whose block is never left, as of a generator that nobody finished, still gets its end."""
    run_script(BEGIN + "run = mllog.run(); run.__enter__()\n")
    assert read_events(tmp_path) == [("run_start", None), ("run_stop", "aborted")]


def test_workers_that_are_terminated_do_not_end_the_parents_run(
    tmp_path: Path, run_script: Callable[..., Any]
) -> None:
    """A data loading process that is told to stop says nothing about the run of its parent."""
    done = run_script(
        BEGIN + "with mllog.run():\n"
        "    ready, report = os.pipe()\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        os.write(report, b'x')\n"
        "        time.sleep(10)\n"
        "        os._exit(1)\n"
        "    os.read(ready, 1)\n"
        "    os.kill(pid, signal.SIGTERM)\n"
        "    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGTERM\n"
    )
    assert done.returncode == 0, done.stderr
    assert read_events(tmp_path) == [("run_start", None), ("run_stop", "success")]


FORK = """
pid = os.fork()
if not pid:
    {child}
    os._exit(9)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_forked_processes_have_the_signals_of_before(run_script: Callable[..., Any]) -> None:
    """A worker dies of SIGTERM at once, also in the moment before it waits for a lock; a pool relies on that."""
    begin = BEGIN + "signal.signal(signal.SIGHUP, print)\nmllog.event('key')\n"
    child = "os._exit(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL and signal.getsignal(signal.SIGHUP) is print)"
    assert run_script(begin + FORK.format(child=child)).stdout.split() == ["1"]


def test_a_run_that_begins_in_a_forked_process_is_ended_by_signals(
    tmp_path: Path, run_script: Callable[..., Any]
) -> None:
    """The child watches the signals again from its own run on, and dies of them as it would have anyway."""
    child = "mllog.get_mllogger().run().__enter__(); os.kill(os.getpid(), signal.SIGTERM); time.sleep(10)"
    done = run_script(BEGIN + "mllog.event('key')\n" + FORK.format(child=child))
    assert done.stdout.split() == [str(-signal.SIGTERM)]
    assert ("run_stop", "aborted") in read_events(tmp_path)


def test_a_signal_in_the_middle_of_a_storm_of_events(tmp_path: Path) -> None:
    """Wherever SIGTERM hits, all events that were logged are in the file, in order, each once."""
    script = tmp_path / "script.py"
    script.write_text(
        BEGIN.replace("buffer_seconds=100", "buffer_seconds=0.001")
        + "print('ready', flush=True)\nn = 0\nwhile True:\n    mllog.event('key', n)\n    n += 1\n"
    )
    for _ in range(5):
        (tmp_path / "log.txt").unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, str(script)], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.05)
        process.terminate()
        _, err = process.communicate(timeout=10)
        assert (process.returncode, err) == (-signal.SIGTERM, b"")
        values = read_values(tmp_path)
        assert values == list(range(len(values)))
        assert values


def test_threads_may_configure(tmp_path: Path, run_script: Callable[..., Any]) -> None:
    """Configuration off the main thread, where signals cannot be watched, works and flushes at exit."""
    done = run_script(
        "import threading\n"
        + BEGIN.replace("mllog.config", "thread = threading.Thread(target=lambda: mllog.config").replace(
            "buffer_seconds=100)", "buffer_seconds=100))"
        )
        + "thread.start(); thread.join()\nmllog.event('key', 1)\n"
    )
    assert (done.returncode, read_values(tmp_path)) == (0, [1]), done.stderr
