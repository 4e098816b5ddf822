"""Time and memory to read logs, compared with the public package.

    python benchmarks/bench_parsing.py --peer /path/to/python [--corpus FOLDER] [--json FILE]

`--peer` names the Python of an environment that has the public `mlperf-logging` package; without it only this
project is measured. `--corpus` names a folder of result logs; without it synthetic logs are made, and the
tables say so.

- *logs*: the time from the call to its result, for a log in the page cache. The contestants take turns on each
  log, and of several repetitions the fastest counts; "all" is the sum over the logs, divided by their events,
  "median" that of the logs' own ratios. Clean logs have nothing but records; all others are noisy. Of the noisy
  ones, those are mostly noise in which fewer than one line in three holds a record. Logs that the peer cannot
  read are left out. The peer gives no line numbers of the file and no columns. "JSON alone" is
  `orjson.loads` on the payloads, cut out beforehand.
- *length of a line*: the time for one long line.
- *malformed lines*: the time for lines of which each gives a problem.
- *large files*: peak memory of a process that reads a file as a stream.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from harness import Figure, Worker, add_peer_option, describe_machine, format_table, run_alone, take_evenly

OURS = """
from mlperf_logging.parsing import read_log as run
def count(log):
    return len(log.events) + len(log.problems)
"""

PEER = """
from mlperf_logging.compliance_checker import mlp_parser
def run(path):
    try:
        return mlp_parser.parse_file(path, ruleset="5.1.0")
    except (KeyError, TypeError):
        return [], []
def count(result):
    return len(result[0])
"""

JSON_ALONE = """
import orjson
payloads = {}
def run(path):
    return [orjson.loads(payload) for payload in payloads.get(path, ())]
def count(result):
    return len(result)
def prepare(path):
    data = open(path, "rb").read().replace(b"\\r", b"\\n")
    payloads.clear()
    payloads[path] = [part.partition(b"\\n")[0] for part in data.split(b":::MLLOG ")[1:]]
plain = run
def run(path):
    if path not in payloads:
        prepare(path)
    return plain(path)
"""

STREAM = r"""
import json, os, re, resource, sys, time
from mlperf_logging.parsing import read_batches
begin, items = time.perf_counter(), 0
for batch in read_batches(sys.argv[1]):
    items += len(batch)
seconds = time.perf_counter() - begin
if os.path.exists("/proc/self/status"):  # elsewhere the figure may be that of the process which started this one
    peak = int(re.search(r"VmHWM:\s*([0-9]+) kB", open("/proc/self/status").read())[1]) / 1000
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
print(json.dumps({"items": items, "seconds": seconds, "peak_mb": peak}))
"""

KEYS = ("tracked_stats", "block_start", "eval_accuracy", "opt_base_learning_rate", "weights_initialization")
LIMIT_MB = 200


def make_record(number: int, choice: random.Random) -> bytes:
    """A record as training scripts log them."""
    key = choice.choice(KEYS)
    value = (
        {"throughput": choice.random() * 1e4}
        if key == "tracked_stats"
        else choice.choice([None, 0.5, 64, "adamw"])
    )
    record = {
        "namespace": "",
        "time_ms": 1_700_000_000_000 + 37 * number,
        "event_type": "POINT_IN_TIME",
        "key": key,
        "value": value,
        "metadata": {
            "file": "/workspace/train/callbacks.py",
            "lineno": choice.randrange(1, 900),
            "samples_count": number,
        },
    }
    return b":::MLLOG " + json.dumps(record).encode()


def make_noise(choice: random.Random) -> bytes:
    """A line as launchers and progress bars print them."""
    percent = choice.randrange(100)
    return (
        b"%d: [2024-05-17 05:38:%02d] iteration %d: %d%%|%s| %d/1000 [00:%02d<00:12, 81.2it/s, loss=0.%04d]"
        % (
            choice.randrange(8),
            percent % 60,
            percent,
            percent,
            b"#" * (percent // 4),
            percent * 10,
            percent % 60,
            percent,
        )
    )


def make_logs(folder: Path, count: int) -> dict[str, list[Path]]:
    """Synthetic logs of each kind."""
    choice = random.Random(7)  # noqa: S311 - nothing here is a secret
    sets: dict[str, list[Path]] = {}
    for name, rank, noise in (("clean", b"", 0), ("noisy", b"0: ", 1), ("mostly noise", b"0: ", 10)):
        sets[name] = []
        for number in range(count):
            path = folder / f"{name.replace(' ', '_')}_{number}.txt"
            lines = []
            for event in range(450):
                lines += [*(make_noise(choice) for _ in range(noise)), rank + make_record(event, choice)]
            path.write_bytes(b"\n".join(lines) + b"\n")
            sets[name].append(path)
    return sets


def choose_logs(corpus: Path, count: int) -> dict[str, list[Path]]:
    """Real logs of the newest dialect of each kind, evenly spread over all there are."""
    clean, noisy, mostly_noise = [], [], []
    for path in sorted(corpus.rglob("result_*.txt")):
        lines = path.read_bytes().split(b"\n")
        records = [line for line in lines if b":::MLLOG " in line]
        if not records:
            continue
        prefixed = any(not line.startswith(b":::MLLOG ") for line in records)
        if not prefixed and len(records) > 0.95 * len(lines):
            clean.append(path)
            continue
        noisy.append(path)
        if len(records) * 3 < len(lines):
            mostly_noise.append(path)
    sets = {"clean": clean, "noisy": noisy, "mostly noise": mostly_noise}
    return {name: take_evenly(paths, count) for name, paths in sets.items()}


def measure_logs(sets: dict[str, list[Path]], peer: str | None, repetitions: int) -> list[dict[str, Any]]:
    """Time to read the logs of each set."""
    rows = []
    with ExitStack() as stack:
        ours = stack.enter_context(Worker(sys.executable, OURS, repetitions=repetitions))
        floor = stack.enter_context(Worker(sys.executable, JSON_ALONE, repetitions=repetitions))
        theirs = stack.enter_context(Worker(peer, PEER, repetitions=2)) if peer else None
        for name, paths in sets.items():
            figures = [
                (path, ours.measure(path), floor.measure(path), theirs.measure(path) if theirs else None)
                for path in paths
            ]
            rows.append(sum_up(name, [row for row in figures if row[3] is None or row[3].count]))
    return rows


def sum_up(name: str, figures: list[tuple[Path, Figure, Figure, Figure | None]]) -> dict[str, Any]:
    """One row of the table of logs."""
    events = sum(ours.count for _, ours, _, _ in figures)
    row: dict[str, Any] = {
        "logs": name,
        "number": len(figures),
        "events": events,
        "bytes per event": sum(path.stat().st_size for path, *_ in figures) / events,
        "ours, µs per event": sum(ours.seconds for _, ours, _, _ in figures) / events * 1e6,
        "JSON alone": sum(floor.seconds for _, _, floor, _ in figures) / events * 1e6,
    }
    pairs = [(ours.seconds, theirs.seconds) for _, ours, _, theirs in figures if theirs]
    if pairs:
        row["peer, µs per event"] = sum(theirs for _, theirs in pairs) / events * 1e6
        row["times faster, all"] = sum(theirs for _, theirs in pairs) / sum(ours for ours, _ in pairs)
        row["median"] = statistics.median(theirs / ours for ours, theirs in pairs)
    return row


def measure_line_length(folder: Path, peer: str | None) -> list[dict[str, Any]]:
    """Time for one long line; the peer reads the short ones only, since its time grows with the square."""
    kinds = {
        "noise before a record": lambda filling: filling + make_record(1, random.Random(1)),  # noqa: S311
        "a record with a long text": lambda filling: (
            b':::MLLOG {"namespace": "", "time_ms": 1, "key": "k", "value": "%s", "metadata": {}}' % filling
        ),
    }
    rows = []
    with ExitStack() as stack:
        ours = stack.enter_context(Worker(sys.executable, OURS, repetitions=3))
        theirs = stack.enter_context(Worker(peer, PEER)) if peer else None
        for name, make in kinds.items():
            for kilobytes in (16, 64, 1 << 10, 3 << 10, *((1 << 16,) if name.startswith("noise") else ())):
                path = folder / "line.txt"
                path.write_bytes(make(b"=" * (kilobytes << 10)) + b"\n")
                seconds = ours.measure(path).seconds
                nanoseconds = seconds * 1e9 / path.stat().st_size
                row: dict[str, Any] = {
                    "line": name,
                    "kB": kilobytes,
                    "ours, ms": seconds * 1e3,
                    "ns per byte": nanoseconds,
                }
                if theirs:
                    row["peer, ms"] = theirs.measure(path).seconds * 1e3 if kilobytes <= 64 else "not tried"
                rows.append(row)
    return rows


def measure_malformed(folder: Path) -> list[dict[str, Any]]:
    """Time for lines of which each gives a problem."""
    good = (
        b':::MLLOG {"namespace": "", "time_ms": 5, "event_type": "POINT_IN_TIME", "key": "k", "value": %s,'
        b' "metadata": {"file": "a.py", "lineno": 3}}'
    )
    kinds = {
        "a Python literal": good % b"None",
        "single quotes": good % b"{'a': 1}",
        "cut short": (good % b"64")[:-20],
        "no time_ms": (good % b"64").replace(b"time_ms", b"time_s"),
        "two on a line": good % b"64" + good % b"65",
    }
    rows = []
    with Worker(sys.executable, OURS) as ours:
        for name, line in kinds.items():
            row: dict[str, Any] = {"lines": name}
            for count in (1000, 10_000, 100_000):
                path = folder / "malformed.txt"
                path.write_bytes((line + b"\n") * count)
                row[f"{count:,} lines, µs each"] = ours.measure(path).seconds / count * 1e6
            rows.append(row)
    return rows


def measure_large_files(folder: Path, gigabytes: float) -> list[dict[str, Any]]:
    """Peak memory and time to read large files as a stream."""
    choice = random.Random(3)  # noqa: S311
    records = [make_record(number, choice) for number in range(2000)]
    noise = [make_noise(choice) for _ in range(20_000)]
    mixed = b"\n".join(
        [
            line
            for number, record in enumerate(records)
            for line in [*noise[number * 10 : number * 10 + 10], record]
        ]
    )
    size = int(gigabytes * 1e9)
    files = {
        "nine lines in ten are noise": (mixed + b"\n", b""),
        "records only": (b"\n".join(records) + b"\n", b""),
        "one line of noise, a record at its end": (b"noise :: " * 100_000, records[0]),
        "one line of records between carriage returns": (b"\r".join(records) + b"\r", b""),
        "one record without end": (b'"text", ' * 100_000, b""),
    }
    rows = []
    for name, (part, end) in files.items():
        path = folder / "large.txt"
        start = b':::MLLOG {"key": [' if name.endswith("without end") else b""
        with path.open("wb") as file:
            file.writelines(repeat_to(size, start, part, end))
        told = run_alone(STREAM, str(path))
        path.unlink()
        rows.append(
            {
                "file of": name,
                "GB": gigabytes,
                "items": told["items"],
                "peak memory, MB": told["peak_mb"],
                "seconds": told["seconds"],
                "MB per second": size / 1e6 / told["seconds"],
            }
        )
    return rows


def repeat_to(size: int, start: bytes, part: bytes, end: bytes) -> Iterator[bytes]:
    """A beginning, a part again and again up to a size, and an end."""
    yield start
    for _ in range(size // len(part) + 1):
        yield part
    yield end


def main() -> int:
    """Measure, print tables, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_peer_option(parser)
    parser.add_argument("--corpus", type=lambda text: Path(text).resolve(), help="folder of real result logs")
    parser.add_argument("--logs", type=int, default=120, help="number of logs of each kind (default: 120)")
    parser.add_argument("--repetitions", type=int, default=7, help="repetitions of which the fastest counts")
    parser.add_argument(
        "--gigabytes", type=float, default=1.0, help="size of the large files; 0 leaves them out"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        kind = "real logs" if options.corpus else "synthetic logs"
        sets = (
            choose_logs(options.corpus, options.logs)
            if options.corpus
            else make_logs(folder, min(options.logs, 20))
        )
        results = {
            f"logs ({kind})": measure_logs(sets, options.peer, options.repetitions),
            "length of a line": measure_line_length(folder, options.peer),
            "malformed lines": measure_malformed(folder),
        }
        if options.gigabytes:
            results["large files"] = measure_large_files(folder, options.gigabytes)
    print(f"{describe_machine()}\n")
    for title, rows in results.items():
        print(f"{title}\n\n{format_table(list(rows[0]), [list(row.values()) for row in rows])}\n")
    if options.json:
        options.json.write_text(json.dumps({"machine": describe_machine(), **results}, indent=2) + "\n")
    peaks = [row["peak memory, MB"] for row in results.get("large files", [])]
    return int(any(peak > LIMIT_MB for peak in peaks))


if __name__ == "__main__":
    sys.exit(main())
