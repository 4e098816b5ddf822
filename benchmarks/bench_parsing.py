"""Time to read logs, beside the public package and beside decoding the same bytes alone; memory for a huge log.

    python benchmarks/bench_parsing.py --peer /path/to/python [--corpus FOLDER] [--json FILE]

`--peer` names the Python of an environment that has the public `mlperf-logging` package; without it only this
project and the floor are measured. `--corpus` names a folder of result logs; without it, copies of the logs in
`examples/logs` are read. Clean logs are those in which nearly every line is a record that begins the line, noisy
ones those in which most records stand behind a prefix. Figures are the least of several turns.

The floor is orjson alone: one call for each payload, found beforehand. Memory is the peak resident size of a
process that checks a log of the given size, made here: synthetic noise with some records.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
MARKER = b":::MLLOG "
TURNS = 5

PEER = """
import json, sys, time
from mlperf_logging.compliance_checker import mlp_parser
logs = json.load(open(sys.argv[1]))
best = 1e9
for _ in range(3):
    begin, count = time.perf_counter(), 0
    for path in logs:
        count += len(mlp_parser.parse_file(path, ruleset="5.1.0")[0])
    best = min(best, time.perf_counter() - begin)
print(json.dumps({"seconds": best, "events": count}))
"""

CHECK_HUGE = """
import resource, sys
from mlperf_logging import check_log
verdict = check_log(sys.argv[1])
print(verdict.event_count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer")
    parser.add_argument("--corpus", type=Path, default=PROJECT.parent / "shared" / "corpus" / "logs")
    parser.add_argument("--huge-megabytes", type=int, default=1024)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = options.corpus if options.corpus.is_dir() else PROJECT / "examples" / "logs" / "compliant"
    print(f"logs: {'real result logs' if folder == options.corpus else 'the shipped example logs'}\n")
    figures = {name: measure(logs, options.peer) for name, logs in sort_logs(folder).items() if logs}
    for name, row in figures.items():
        print(f"{name}: {row['logs']} logs, {row['events']} events")
        for what, value in row["microseconds"].items():
            print(f"  {what:<28}{value:8.2f} µs an event")
        if "peer" in row["microseconds"]:
            print(
                f"  {'peer / ours':<28}{row['microseconds']['peer'] / row['microseconds']['ours']:8.1f} times"
            )
        print()
    for shape in ("many lines", "one line"):
        events, peak = measure_memory(options.huge_megabytes, shape)
        figures[shape] = {"megabytes": options.huge_megabytes, "events": events, "peak_megabytes": peak}
        print(f"{options.huge_megabytes} MB of noise in {shape}: {events} events, peak memory {peak} MB")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


def sort_logs(folder: Path) -> dict[str, list[str]]:
    """The clean and the noisy logs below a folder, at most 120 of each."""
    found: dict[str, list[str]] = {"clean": [], "noisy": []}
    for path in sorted(folder.rglob("*.txt")):
        lines = path.read_bytes().split(b"\n")
        records = [line for line in lines if MARKER in line]
        behind = sum(not line.startswith(MARKER) for line in records)
        if records and not behind and len(records) > 0.95 * len(lines):
            found["clean"].append(str(path))
        elif records and behind > 0.5 * len(records):
            found["noisy"].append(str(path))
    return {name: paths[:: max(1, len(paths) // 120)][:120] for name, paths in found.items()}


def measure(logs: list[str], peer: str | None) -> dict[str, Any]:
    """Microseconds an event, of ours, of the peer, and of orjson alone."""
    import orjson

    from mlperf_logging import read_log

    payloads = [
        line[line.index(MARKER) + len(MARKER) :]
        for log in logs
        for line in Path(log).read_bytes().replace(b"\r\n", b"\n").split(b"\n")
        if MARKER in line
    ]
    events = sum(len(read_log(log).events) for log in logs)

    def decode() -> None:
        for payload in payloads:
            try:
                orjson.loads(payload)
            except ValueError:
                continue

    seconds = {
        "ours": least(lambda: [read_log(log) for log in logs]),
        "orjson alone on the payloads": least(decode),
    }
    if peer:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as names:
            json.dump(logs, names)
            names.flush()
            seconds["peer"] = json.loads(run([peer, "-c", PEER, names.name]))["seconds"]
    per_event = {name: value / events * 1e6 for name, value in seconds.items()}
    return {"logs": len(logs), "events": events, "microseconds": per_event}


def measure_memory(megabytes: int, shape: str) -> tuple[int, int]:
    """Events and peak memory in MB of a process that checks a huge log."""
    end = b"\n" if shape == "many lines" else b" "
    record = b':::MLLOG {"key": "epoch_start", "value": null, "metadata": {"epoch_num": 1}, "time_ms": 1}'
    noise = (b"step 1234: loss 0.1234, 5678 samples a second" + end) * 22_000
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "huge.txt"
        with log.open("wb") as file:
            for _ in range(megabytes):
                file.write(noise + (record + end if shape == "many lines" else b""))
            file.write(b"\n" + record + b"\n")
        events, peak = run([sys.executable, "-c", CHECK_HUGE, str(log)]).split()
    return int(events), int(peak)


def least(work: Callable[[], object]) -> float:
    """The least of several turns, in seconds."""
    turns = []
    for _ in range(TURNS):
        begin = perf_counter()
        work()
        turns.append(perf_counter() - begin)
    return min(turns)


def run(command: list[str]) -> str:
    """What a command prints; run elsewhere, so that it imports its own packages."""
    return subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=tempfile.gettempdir()
    ).stdout


if __name__ == "__main__":
    main()
