"""Killed writers and crowds of writers: every event whole, once, and there.

MLLOG_STRESS=full runs the whole: 1,000 kills; 8 processes of 8 threads with 10,000 events each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FULL = os.environ.get("MLLOG_STRESS") == "full"

# One process imports the API and forks a writer for each kill. A writer counts, in memory that its parent
# sees, the events whose call has returned. The parent waits until it is under way, then for a random moment.
KILLER = """
import mmap, os, random, signal, struct, sys, time
from mlperf_logging import mllog

kills = int(sys.argv[1])
random.seed(1)
for number in range(kills):
    path = f"log_{number % 2}.txt"
    if number < 2:
        open(path, "w").close()
    else:
        os.truncate(path, 0)
    shared = mmap.mmap(-1, 8)
    pid = os.fork()
    if pid == 0:
        mllog.config(filename=path, stdout=False)
        logger = mllog.get_mllogger()
        count = 0
        while True:
            logger.event("key", count, metadata={"text": "x" * (count * 37 % 2000)})
            count += 1
            shared[:8] = struct.pack("q", count)
    while not struct.unpack("q", shared[:8])[0]:
        time.sleep(0.0002)
    time.sleep(random.random() * 0.004)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    returned = struct.unpack("q", shared[:8])[0]
    with open(path, "rb") as file:
        text = file.read()
    *whole, last = text.split(b"\\n")
    values = []
    for line in whole:
        assert line.startswith(b":::MLLOG {") and line.endswith(b"}}"), line
        values.append(int(line.split(b'"value": ')[1].split(b",")[0]))
    assert values == list(range(len(values))), values
    assert returned <= len(values) <= returned + 1, (returned, len(values))
    assert not last or len(values) == returned, last
print("kills survived:", kills)
"""

CROWD = """
import os, sys, threading
from mlperf_logging import mllog

processes, threads, events, buffer_seconds = (float(text) for text in sys.argv[1:])

def work(logger, name):
    for number in range(int(events)):
        logger.event("key", [name, number], metadata={"text": "x" * (number * 31 % 500)})

pids = []
for process in range(int(processes)):
    pid = os.fork()
    if pid:
        pids.append(pid)
        continue
    mllog.config(filename="log.txt", stdout=False, buffer_seconds=buffer_seconds)
    logger = mllog.get_mllogger()
    crowd = [
        threading.Thread(target=work, args=(logger, f"{process}.{thread}")) for thread in range(int(threads))
    ]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    for handler in logger.logger.handlers:
        handler.flush()
    os._exit(0)
codes = [os.waitpid(pid, 0)[1] for pid in pids]
assert not any(codes), codes
"""


def run_python(source: str, folder: Path, *arguments: object) -> str:
    """Run a script in a folder; its output."""
    done = subprocess.run(
        [sys.executable, "-c", source, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_events_of_a_killed_writer_are_all_there(tmp_path: Path) -> None:
    """After SIGKILL at a random moment each event whose call had returned is in the file, whole and once."""
    kills = 1000 if FULL else 60
    assert run_python(KILLER, tmp_path, kills) == f"kills survived: {kills}\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("buffer_seconds", [0, 0.01])
def test_a_crowd_of_writers_keeps_lines_whole(tmp_path: Path, buffer_seconds: float) -> None:
    """Many threads of many processes on one file: lines whole, events once, each thread in order."""
    processes, threads, events = (8, 8, 10_000) if FULL else (4, 4, 150)
    run_python(CROWD, tmp_path, processes, threads, events, buffer_seconds)
    seen: dict[str, int] = {}
    with (tmp_path / "log.txt").open() as file:
        for line in file:
            assert line.startswith(":::MLLOG {")
            name, number = json.loads(line[9:])["value"]
            assert number == seen.get(name, 0)
            seen[name] = number + 1
    assert sorted(seen.values()) == [events] * (processes * threads)
