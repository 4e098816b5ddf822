"""Stores that are written by processes which are killed, and by several at once: nothing is lost, torn or there twice.

Fifty kills are marked slow and run with ``make nightly``.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from checkout import PROJECT
from stores import dump_store

from mlperf_logging.errors import StoreError
from mlperf_logging.store.checking import check_store
from mlperf_logging.store.ingest import ingest_logs

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")

SUBMISSION = PROJECT / "examples" / "submission" / "Example_Lab"

INGEST = """
import sys
from mlperf_logging.store import batches, ingest

batches.LOGS_PER_BATCH = 2  # many transactions
paths, store = sys.argv[2:], sys.argv[1]

def announce(count):
    def advance(steps):
        print("read", flush=True)
    return advance

print(ingest.ingest_logs(paths, store, announce=announce).complaints, flush=True)
"""
"""Says when a log was read, so that a kill strikes while there is work, however slow the machine is."""


def start(store: Path, *paths: Path) -> subprocess.Popen[str]:
    """Begin to ingest in a process of its own."""
    command = [sys.executable, "-c", INGEST, str(store), *map(str, paths)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    """Wait for a process that must find nothing wrong."""
    told, errors = process.communicate(timeout=300)
    assert (process.returncode, errors) == (0, "")
    assert told.splitlines()[-1] == "()"


def kill_at(process: subprocess.Popen[str], steps: int, pause_s: float) -> bool:
    """Kill a process a moment after it has read some logs; whether it was still at work."""
    assert process.stdout is not None
    for _ in range(steps):
        if not process.stdout.readline().startswith("read"):
            break
    time.sleep(pause_s)
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def copy_submission(folder: Path, copies: int) -> Path:
    """Copies of a system of the example submission, each with other seeds, so that each log is another."""
    for number in range(copies):
        copy = folder / f"Lab_{number}"
        shutil.copytree(SUBMISSION / "systems", copy / "systems")
        shutil.copytree(SUBMISSION / "results" / "example_16x", copy / "results" / "example_16x")
        for log in copy.glob("results/*/*/result_*.txt"):
            text = log.read_text("utf-8")
            log.write_text(
                text.replace('"key": "seed", "value": ', f'"key": "seed", "value": {number}1'), "utf-8"
            )
    return folder


@pytest.mark.parametrize(
    ("kills", "copies"), [(2, 1), pytest.param(50, 6, marks=pytest.mark.slow)], ids=["2 kills", "50 kills"]
)
def test_kills_leave_what_one_clean_run_leaves(tmp_path: Path, kills: int, copies: int) -> None:
    """An ingest that is killed at random moments, and then runs to its end, gives the tables of one clean run."""
    moments = random.Random(kills)  # noqa: S311 - it decides when to kill
    logs = copy_submission(tmp_path / "round", copies)
    clean, store = tmp_path / "clean.duckdb", tmp_path / "killed.duckdb"
    count = ingest_logs([str(logs)], str(clean)).logs
    struck = 0
    for _ in range(kills):
        steps = moments.randrange(count)
        struck += kill_at(start(store, logs), steps, moments.uniform(0, 0.05))
        if store.exists():  # what is there is whole at any moment
            assert check_store(str(store)).faults == ()
    assert struck >= kills // 2
    finish(start(store, logs))
    assert dump_store(store) == dump_store(clean)
    assert [path.name for path in tmp_path.glob("killed.duckdb.wal")] == []


def test_two_at_once_lose_nothing(tmp_path: Path) -> None:
    """Two processes that ingest overlapping logs into a store that neither finds, with readers, give what one gives."""
    logs = copy_submission(tmp_path / "round", 2)
    clean, store = tmp_path / "clean.duckdb", tmp_path / "shared.duckdb"
    ingest_logs([str(logs)], str(clean))
    both = [start(store, logs / "Lab_0", logs / "Lab_1"), start(store, logs / "Lab_1", logs / "Lab_0")]
    looks = 0
    while any(process.poll() is None for process in both):
        if store.exists():
            assert check_store(str(store)).faults == ()
            looks += 1
    for process in both:
        finish(process)
    assert looks > 0
    assert dump_store(store) == dump_store(clean)


def test_who_keeps_a_store_open_is_waited_for_and_named(tmp_path: Path) -> None:
    """A writer waits for a reader that goes, and gives up with one sentence where it stays."""
    store, logs = tmp_path / "held.duckdb", SUBMISSION / "results" / "example_16x" / "flux1"
    ingest_logs([str(logs / "result_0.txt")], str(store))
    hold = (
        "import sys, time; from mlperf_logging.store import open_store\n"
        "with open_store(sys.argv[1]): print('open', flush=True); sys.stdin.readline()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(store)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    holder.stdout.readline()
    from mlperf_logging.store.ingest import IngestParameters

    with pytest.raises(StoreError, match="in use by another process"):
        ingest_logs([str(logs / "result_1.txt")], str(store), IngestParameters(patience_s=0.2))
    waiting = start(store, logs / "result_1.txt")
    assert waiting.stdout is not None
    waiting.stdout.readline()
    holder.communicate("go\n")
    finish(waiting)
    assert len(dump_store(store)["logs"]) == 2
