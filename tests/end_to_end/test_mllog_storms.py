"""Signals, workers and exits at the worst moments: each event whose call returned is in the file, once.

The large sizes, a million events a storm, are marked slow and run with ``make nightly``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs signals and fork")

BUFFERING = pytest.mark.parametrize("buffer_seconds", ["0", "0.005"], ids=["at once", "buffered"])

# Counts in the log itself what it logged: done[n] is 1 once the call for event n has returned.
STORM = """
import json, signal, sys
from mlperf_logging import mllog

kind, count, buffer_seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
mllog.config(filename="log.txt", stdout=False, buffer_seconds=buffer_seconds)
logger = mllog.get_mllogger()
done = bytearray(count)
handled = 0
armed = False
flushing, stops = [], []

class Raised(Exception):
    pass

def handle(number, frame):
    global handled
    if kind == "raises":
        global armed
        if armed:
            armed = False
            handled += 1
            raise Raised
        return
    mine, handled = handled, handled + 1
    logger.event("handled", mine)
    if kind == "flushes" and not flushing:  # signals come faster than files are written
        flushing.append(mine)
        stops.append(mine)
        logger.event("run_stop", mine)
        flushing.clear()

signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
n = -1

def log_until_raised():  # a call, because from Python 3.13 on not every jump of a loop is guarded by the try around it
    global armed, n
    armed = True
    while n < count - 1:
        n += 1
        logger.event("key", n)
        done[n] = 1
    armed = False

while n < count - 1:
    try:
        log_until_raised()
    except Raised:
        pass
signal.setitimer(signal.ITIMER_REAL, 0)
for handler in logger.logger.handlers:
    handler.flush()
found, flushed, logged = bytearray(count), [], []
with open("log.txt") as file:
    for line in file:
        assert line.startswith(":::MLLOG {") and line.endswith("}}\\n"), line
        event = json.loads(line[9:])
        if event["key"] == "key":
            found[event["value"]] += 1
        else:
            (logged if event["key"] == "handled" else flushed).append(event["value"])
lost = sum(1 for was_done, times in zip(done, found) if was_done and not times)
doubled = sum(1 for times in found if times > 1)
print(json.dumps({"lost": lost, "doubled": doubled, "handled": handled, "returned": sum(done),
                  "logged": len(logged), "distinct": len(set(logged)), "flushes": len(stops), "flushed": len(flushed),
                  "same": sorted(stops) == sorted(flushed)}))
"""


def run_script(source: str, folder: Path, *arguments: object, code: int = 0, **env: str) -> str:
    """Run Python source as a script in a folder; what it prints."""
    script = folder / "script.py"
    script.write_text(source)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MLLOG_")}
    done = subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**clean, **env},
        check=False,
        timeout=int(os.environ.get("MLPERF_TIMEOUT", "600")),
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The records of the log, each a whole line."""
    return [
        json.loads(line.removeprefix(":::MLLOG ")) for line in (folder / "log.txt").read_text().splitlines()
    ]


@BUFFERING
@pytest.mark.parametrize("kind", ["logs", "flushes", "raises"])
@pytest.mark.parametrize("count", [20_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_signal_handlers_in_a_storm(tmp_path: Path, kind: str, count: int, buffer_seconds: str) -> None:
    """Handlers that log, flush or raise, thousands a second: nothing is lost, doubled or glued together."""
    told = json.loads(run_script(STORM, tmp_path, kind, count, buffer_seconds))
    assert (told["lost"], told["doubled"]) == (0, 0), told
    assert told["handled"] > 10
    if kind != "raises":
        assert told["returned"] == count
        assert told["logged"] == told["distinct"] == told["handled"]
        assert told["same"]
        assert (told["flushes"] > 0) == (kind == "flushes")


INTERRUPTED = """
import json, os, signal, sys, threading, time, random
from mlperf_logging import mllog
mllog.config(filename="log.txt", stdout=False, buffer_seconds=float(sys.argv[1]))
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's parent has it ignored
random.seed(int(sys.argv[2]))
delays = [random.random() * 0.01 for _ in range(int(sys.argv[3]))]

def interrupt():
    for delay in delays:
        time.sleep(0.001 + delay)
        while not armed:  # not an Event: an interrupt may leave that locked
            time.sleep(0.001)
        armed.clear()
        os.kill(os.getpid(), signal.SIGINT)

armed = []
threading.Thread(target=interrupt, daemon=True).start()
done, n = [], 0
for delay in delays:
    try:
        armed.append(True)
        while True:
            n += 1
            mllog.event("key", n)
            done.append(n)
    except KeyboardInterrupt:
        pass
print(json.dumps(done))
"""


@BUFFERING
@pytest.mark.parametrize("times", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_interrupts_that_are_caught(tmp_path: Path, times: int, buffer_seconds: str) -> None:
    """After each Ctrl-C that a script catches, all that it logged before is in the file, once."""
    done = json.loads(run_script(INTERRUPTED, tmp_path, buffer_seconds, 1, times))
    found = Counter(record["value"] for record in read_log(tmp_path))
    assert max(found.values()) == 1
    assert set(done) <= set(found)
    assert len(found) - len(done) <= times


WORKERS = """
import concurrent.futures, multiprocessing, os, sys
from mlperf_logging import mllog

method, where, buffer_seconds, events = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])

def work(name):
    if where == "child":
        mllog.config(filename="log.txt", stdout=False, buffer_seconds=buffer_seconds)
    for number in range(events):
        mllog.event("key", [name, number])

if __name__ == "__main__":
    if where == "parent":
        mllog.config(filename="log.txt", stdout=False, buffer_seconds=buffer_seconds)
    if where != "child":
        mllog.event("key", ["parent", 0])
    context = multiprocessing.get_context(method)
    workers = [context.Process(target=work, args=(f"process {n}",)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with context.Pool(2) as pool:
        pool.map(work, [f"terminated {n}" for n in range(3)])
    pool = context.Pool(2)
    pool.map(work, [f"joined {n}" for n in range(3)])
    pool.close()
    pool.join()
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
        list(executor.map(work, [f"executor {n}" for n in range(3)]))
"""


@BUFFERING
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.parametrize("events", [30, pytest.param(400, marks=pytest.mark.slow)])
def test_workers_lose_nothing(tmp_path: Path, method: str, events: int, buffer_seconds: str) -> None:
    """Processes, pools and executors, with the file set in the environment, the child or the parent."""
    names = [f"process {n}" for n in range(2)]
    names += [f"{kind} {n}" for kind in ("terminated", "joined", "executor") for n in range(3)]
    places = ("environment", "child", "parent") if method == "fork" else ("environment", "child")
    for place in places:
        (tmp_path / "log.txt").unlink(missing_ok=True)
        env = {"MLLOG_FILE": "log.txt", "MLLOG_BUFFER_SECONDS": buffer_seconds, "MLLOG_STDOUT": "0"}
        run_script(
            WORKERS,
            tmp_path,
            method,
            place,
            buffer_seconds,
            events,
            **(env if place == "environment" else {}),
        )
        found = Counter(tuple(record["value"]) for record in read_log(tmp_path))
        found.pop(("parent", 0), None)
        assert found == Counter({(name, number): 1 for name in names for number in range(events)}), place


BEGIN = """
import os, signal, sys, threading, time
from mlperf_logging import mllog
"""


@BUFFERING
def test_sigterm_when_everything_happens_in_a_thread(tmp_path: Path, buffer_seconds: str) -> None:
    """A run that a thread configures, begins and logs is ended as aborted, and its events are there."""
    run_script(
        BEGIN + "def train():\n"
        f"    mllog.config(filename='log.txt', stdout=False, buffer_seconds=100 * {buffer_seconds})\n"
        "    with mllog.run():\n"
        "        mllog.event('key', 1)\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        time.sleep(60)\n"
        "thread = threading.Thread(target=train)\nthread.start()\nthread.join()\n",
        tmp_path,
        code=-signal.SIGTERM,
    )
    assert [(record["key"], record["metadata"].get("status")) for record in read_log(tmp_path)] == [
        ("run_start", None),
        ("key", None),
        ("run_stop", "aborted"),
    ]


@BUFFERING
@pytest.mark.parametrize("scope", ["run", "interval", "TrainingRun"])
def test_a_forked_process_that_leaves_the_block_ends_nothing(
    tmp_path: Path, scope: str, buffer_seconds: str
) -> None:
    """After os.fork and sys.exit inside a block its end is logged once, by the process that began it."""
    block = {"run": "mllog.run()", "interval": "mllog.interval('run')", "TrainingRun": "TrainingRun()"}[scope]
    run_script(
        BEGIN + "from mlperf_logging.mllog.callbacks.loop import TrainingRun\n"
        f"mllog.config(filename='log.txt', stdout=False, buffer_seconds={buffer_seconds})\n"
        f"with {block} as it:\n"
        "    getattr(it, 'life', None) and it.start()\n"
        "    mllog.event('key', 'both')\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        mllog.event('key', 'child')\n"
        "        sys.exit(0)\n"
        "    os.waitpid(pid, 0)\n",
        tmp_path,
    )
    records = read_log(tmp_path)
    assert sorted(record["value"] for record in records if record["key"] == "key") == ["both", "child"]
    stops = [record["metadata"].get("status") for record in records if record["key"] == "run_stop"]
    assert stops == [None if scope == "interval" else "success"]


LATE = {
    "destructor of a global": "class A:\n    def __del__(self): LOG('key', 'late')\na = A()\n",
    "destructor in a cycle": (
        "class A:\n    def __del__(self): LOG('key', 'late')\na = A()\na.me = a\na.log = LOG\n"
    ),
    "generator": "def g():\n    try: yield\n    finally: LOG('key', 'late')\nit = g()\nnext(it)\n",
    "a module that outlives others": (
        "class A:\n    def __del__(self): LOG('key', 'late')\nimport json\njson.kept = A()\n"
    ),
    "exit hook": "import atexit\natexit.register(lambda: LOG('key', 'late'))\n",
    "thread": (
        "def late():\n    threading.main_thread().join()\n    LOG('key', 'late')\n"
        "threading.Thread(target=late).start()\n"
    ),
}


@BUFFERING
@pytest.mark.parametrize("end", LATE)
def test_events_at_the_very_end(tmp_path: Path, end: str, buffer_seconds: str) -> None:
    """What destructors, generators, hooks and threads log while the interpreter ends is in the file."""
    run_script(
        BEGIN + f"mllog.config(filename='log.txt', stdout=False, buffer_seconds={buffer_seconds})\n"
        "mllog.event('key', 'early')\nLOG = mllog.get_mllogger().event\n" + LATE[end],
        tmp_path,
    )
    assert [record["value"] for record in read_log(tmp_path)] == ["early", "late"]
