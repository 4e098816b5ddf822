"""Killed writers and crowds of writers: every event whole, once, and there.

The large sizes, 1,000 kills of a kind and 640,000 events of a crowd, are marked slow and run with
``make nightly``.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

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

# The same with SIGTERM and a buffer. A forked process would not collect, so each writer is a new interpreter;
# it counts in a file that it shares with its parent.
TERMINATED = """
import mmap, os, random, signal, struct, subprocess, sys, time

writer = \'\'\'
import mmap, struct
from mlperf_logging import mllog
file = open("count", "r+b")
shared = mmap.mmap(file.fileno(), 8)
mllog.config(filename="log.txt", stdout=False, buffer_seconds=0.002)
logger = mllog.get_mllogger()
count = 0
while True:
    logger.event("key", count, metadata={"text": "x" * (count * 37 % 2000)})
    count += 1
    shared[:8] = struct.pack("q", count)
\'\'\'
random.seed(1)
for number in range(int(sys.argv[1])):
    open("log.txt", "w").close()
    with open("count", "w+b") as file:
        file.write(bytes(8))
        file.flush()
        shared = mmap.mmap(file.fileno(), 8)
    process = subprocess.Popen([sys.executable, "-c", writer])
    while not struct.unpack("q", shared[:8])[0]:
        time.sleep(0.0005)
    time.sleep(random.random() * 0.02)
    process.terminate()
    assert process.wait() == -signal.SIGTERM
    returned = struct.unpack("q", shared[:8])[0]
    with open("log.txt", "rb") as file:
        *whole, last = file.read().split(b"\\n")
    values = [int(line.split(b\'"value": \')[1].split(b",")[0]) for line in whole]
    assert values == list(range(len(values))), values
    assert returned <= len(values) <= returned + 1, (returned, len(values))
    assert not last
print("kills survived:", sys.argv[1])
"""

CROWD = """
import sys, threading
from mlperf_logging import mllog

process, threads, events, buffer_seconds = (float(text) for text in sys.argv[1:])
mllog.config(filename="log.txt", stdout=False, buffer_seconds=buffer_seconds)

def work(thread):
    for number in range(int(events)):
        mllog.event("key", [f"{process}.{thread}", number], metadata={"text": "x" * (number * 31 % 500)})

crowd = [threading.Thread(target=work, args=(thread,)) for thread in range(int(threads))]
for one in crowd:
    one.start()
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
@pytest.mark.parametrize("kills", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_events_of_a_killed_writer_are_all_there(tmp_path: Path, kills: int) -> None:
    """After SIGKILL at a random moment each event whose call had returned is in the file, whole and once."""
    assert run_python(KILLER, tmp_path, kills) == f"kills survived: {kills}\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs signals")
@pytest.mark.parametrize("kills", [5, pytest.param(1000, marks=pytest.mark.slow)])
def test_events_of_a_terminated_writer_with_a_buffer_are_all_there(tmp_path: Path, kills: int) -> None:
    """After SIGTERM at a random moment each collected event is in the file, whole and once."""
    assert run_python(TERMINATED, tmp_path, kills) == f"kills survived: {kills}\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("buffer_seconds", [0, 0.01])
@pytest.mark.parametrize(
    ("processes", "threads", "events"), [(4, 4, 150), pytest.param(8, 8, 10_000, marks=pytest.mark.slow)]
)
def test_a_crowd_of_writers_keeps_lines_whole(
    tmp_path: Path, processes: int, threads: int, events: int, buffer_seconds: float
) -> None:
    """Many threads of many processes on one file: lines whole, events once, each thread in order."""
    with concurrent.futures.ThreadPoolExecutor(processes) as executor:
        arguments = (threads, events, buffer_seconds)
        list(executor.map(lambda process: run_python(CROWD, tmp_path, process, *arguments), range(processes)))
    seen: dict[str, int] = {}
    with (tmp_path / "log.txt").open() as file:
        for line in file:
            assert line.startswith(":::MLLOG {")
            name, number = json.loads(line[9:])["value"]
            assert number == seen.get(name, 0)
            seen[name] = number + 1
    assert sorted(seen.values()) == [events] * (processes * threads)
