"""Cost of logging an event, compared with the public package and beside the bare system call.

    python benchmarks/bench_mllog.py --peer /path/to/python [--json FILE]

`--peer` names the Python of an environment that has the public `mlperf-logging` package; without it only this
project's figures and the floor are measured. Every figure is the least of several rounds, and the contestants
take turns within a round, so that a busy machine treats all alike.

What is timed: `event("eval_accuracy", 0.7512, metadata={"epoch_num": 3})` to a file, call site included,
called from a function of three lines and from one of 300 lines; the floor is `os.write` of the same bytes to
a file opened for appending. The 300 lines are the set-up of a run under an `if` that holds once, as in long
main functions.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness import PROJECT, add_peer_option

ROUNDS = 15
IMPORT_ROUNDS = 15
HEAVY = (
    "numpy",
    "pandas",
    "typing",
    "dataclasses",
    "inspect",
    "lark",
    "yaml",
    "orjson",
    "asyncio",
    "pathlib",
)

WORKER = r"""
import json, logging, os, sys, time
from mlperf_logging import mllog

folder, mode, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
path = os.path.join(folder, mode + ".txt")

lines = ["def long(step, logger):", "    if step == 0:"]
for number in range(297):
    lines.append(f'        option_{number} = {{"name": "option {number}", "value": step * {number} + 0.5}}')
lines.append('    logger.event("eval_accuracy", 0.7512, metadata={"epoch_num": 3})')
module = os.path.join(folder, "long_function.py")
with open(module, "w") as file:
    file.write("\n".join(lines) + "\n")
sys.path.insert(0, folder)
from long_function import long

def short(step, logger):
    scale = 0.7512
    logger.event("eval_accuracy", scale, metadata={"epoch_num": 3})

options = {"buffer_seconds": 1.0} if mode.startswith("buffered") else {}
mllog.config(filename=path, **options)
logger = mllog.get_mllogger()
logger.logger.removeHandler(logger.logger.handlers[0])  # standard output
assert len(logger.logger.handlers) == 1
if mode == "checked":
    mllog.config(check="training/5.1.0", on_violation="ignore")
    for key, value in {"benchmark": "retinanet", "division": "closed", "org": "o", "platform": "p"}.items():
        logger.event("submission_" + key, value)
    for key in ("init_start", "init_stop", "run_start"):
        logger.event(key)

def time_it(function):
    for step in range(200):
        function(step, logger)
    begin = time.perf_counter()
    for step in range(1, count + 1):
        function(step, logger)
    logger.logger.handlers[0].flush()
    return (time.perf_counter() - begin) / count * 1e6

result = {"short": time_it(short), "long": time_it(long)}
with open(path, "rb") as file:
    line = file.readlines()[-1]
fd = os.open(os.path.join(folder, "floor.txt"), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o644)
write = os.write
begin = time.perf_counter()
for _ in range(count):
    write(fd, line)
result["floor"] = (time.perf_counter() - begin) / count * 1e6
result["line"] = line.decode()
print(json.dumps(result))
"""

IMPORT = r"""
import sys, time
before = set(sys.modules)
begin = time.perf_counter()
import {modules}
print((time.perf_counter() - begin) * 1e3)
print(",".join(sorted(name for name in {heavy} if name in sys.modules and name not in before)))
"""


def run_python(python: str, code: str, *arguments: str, own: bool, cache: Path) -> str:
    """Run code as a script in an interpreter and return what it prints."""
    script = cache / "script.py"
    script.write_text(code)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MLLOG_"))}
    env["PYTHONPYCACHEPREFIX"] = str(cache)  # bytecode is cached, as in any installed package
    if own:
        env["PYTHONPATH"] = str(PROJECT)
    done = subprocess.run(
        [python, str(script), *arguments], capture_output=True, text=True, env=env, cwd=cache, check=False
    )
    if done.returncode:
        raise SystemExit(f"{python}: {done.stderr}")
    return done.stdout


def measure_events(peer: str | None, folder: Path, count: int) -> dict[str, dict[str, float]]:
    """Microseconds per event, by contestant and place, the least of all rounds."""
    contestants = {"now": (sys.executable, True, count), "buffered": (sys.executable, True, count)}
    contestants["checked"] = (sys.executable, True, count)
    if peer:
        contestants["peer"] = (peer, False, max(count // 20, 100))
    best: dict[str, dict[str, float]] = {}
    for number in range(ROUNDS):
        for name, (python, own, events) in contestants.items():
            place = folder / f"{name}-{number}"
            place.mkdir()
            out = json.loads(run_python(python, WORKER, str(place), name, str(events), own=own, cache=folder))
            kept = best.setdefault(name, {})
            for key in ("short", "long", "floor"):
                kept[key] = min(out[key], kept.get(key, out[key]))
            for file in place.iterdir():
                if file.is_file():
                    file.unlink()
    floor = min(figures["floor"] for figures in best.values())
    for figures in best.values():
        figures["floor"] = floor
    return best


def measure_imports(folder: Path) -> dict[str, Any]:
    """Milliseconds of the imports, the least of processes that take turns, and heavy modules that came."""
    times: dict[str, list[float]] = {"logging, json": [], "mlperf_logging.mllog": []}
    loaded = ""
    for _ in range(IMPORT_ROUNDS):
        for modules, kept in times.items():
            code = IMPORT.format(modules=modules, heavy=HEAVY)
            out = run_python(sys.executable, code, own=True, cache=folder).splitlines()
            kept.append(float(out[0]))
            loaded = out[1] if len(out) > 1 else ""
    return {"ms": {name: min(kept) for name, kept in times.items()}, "heavy": loaded}


def list_ratios(events: dict[str, dict[str, float]], imports: dict[str, Any]) -> list[tuple[str, float, str]]:
    """What was promised: name, figure, and the promise."""
    now, buffered, floor = events["now"], events["buffered"], events["now"]["floor"]
    rows = [
        ("one event against os.write of its bytes", now["short"] / floor, "<= 5"),
        ("one event against a buffered one", now["short"] / buffered["short"], ">= 1.3"),
        ("live check, microseconds added", events["checked"]["short"] - now["short"], "<= 10"),
        (
            "import against import logging, json",
            imports["ms"]["mlperf_logging.mllog"] / imports["ms"]["logging, json"],
            "<= 1.5",
        ),
    ]
    if "peer" in events:
        peer = events["peer"]
        rows += [
            ("times faster than the public package, short function", peer["short"] / now["short"], ">= 8"),
            ("times faster than the public package, 300 lines", peer["long"] / now["long"], ">= 30"),
        ]
    return rows


def is_kept(figure: float, promise: str) -> bool:
    """Whether a figure keeps its promise."""
    bound = float(promise[2:])
    return figure <= bound if promise.startswith("<") else figure >= bound


def main() -> int:
    """Measure and print; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add_peer_option(parser)
    parser.add_argument("--events", type=int, default=20_000, help="events in a round")
    parser.add_argument("--folder", default=None, help="where the logs go (the disk to measure)")
    parser.add_argument("--json", default=None, help="also write the figures to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        events = measure_events(arguments.peer, Path(name), arguments.events)
        imports = measure_imports(Path(name))
    system = f"{platform.system()} {platform.release()}"
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {system}\n")
    print("| microseconds per event | short function | 300-line function |")
    print("| --- | --- | --- |")
    titles = {
        "now": "this project, written at once",
        "buffered": "this project, buffered",
        "checked": "this project, written at once, live check",
        "peer": "the public package",
    }
    for name, figures in events.items():
        print(f"| {titles[name]} | {figures['short']:.2f} | {figures['long']:.2f} |")
    print(f"| `os.write` of the same bytes | {events['now']['floor']:.2f} | |\n")
    for modules, ms in imports["ms"].items():
        print(f"import {modules}: {ms:.2f} ms")
    print(f"heavy modules that come along: {imports['heavy'] or 'none'}\n")
    print("| target | measured | required | met |")
    print("| --- | --- | --- | --- |")
    rows = list_ratios(events, imports)
    for title, figure, promise in rows:
        print(f"| {title} | {figure:.2f} | {promise} | {'yes' if is_kept(figure, promise) else 'no'} |")
    if arguments.json:
        document = {"events": events, "imports": imports, "promises": rows}
        Path(arguments.json).write_text(json.dumps(document, indent=2))
    return 0 if all(is_kept(figure, promise) for _, figure, promise in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
