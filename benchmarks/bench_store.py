"""Time, memory and space of a store: a corpus, and copies of it with other seeds, ingested by processes of their own.

    python benchmarks/bench_store.py [--corpus FOLDER] [--copies 1 10] [--jobs 1 2] [--kills 50] [--json FILE] [--page FILE]

`--corpus` names a folder of result logs; without it that of the shared corpus is taken, or copies of the example submission.
`--copies` says how often it is taken: in each copy the seeds differ, so that each log is another. For each number of copies:

- *ingest*: into a new store, by so many processes; the time from the start of Python to its end, the processor time of all
  processes, the most memory of the process that writes and of the largest of those that read;
- *again*: the same once more. It must read nothing, add nothing and leave the file as it is, or the benchmark fails;
- *space*: of the logs, of the store, and of a folder of Parquet that is exported from it;
- *check* and *question*: reading every value, and one question over all runs;
- *two at once*: two processes that ingest all of it into one new store, which must hold what one process stores;
- *kills*: with `--kills N`, ingests of one copy are killed at N random moments in all; each time that one comes to its end, the
  tables must be those of one clean run, and a new store is begun.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import describe_machine, format_table, run_alone

from mlperf_logging.runs.folders import is_log_name
from mlperf_logging.store.asking import open_store
from mlperf_logging.store.checking import check_store
from mlperf_logging.store.exporting import export_store
from mlperf_logging.store.schema import BY_NAME

PROJECT = Path(__file__).resolve().parent.parent
EXAMPLE = PROJECT / "examples" / "submission"
FIGURES = re.compile(r"(<!-- figures -->\n)(.*)(<!-- end -->)", re.DOTALL)
SEED = re.compile(rb'("key": ?"seed", ?"value": ?|(?:run_set_random_seed|[: ]seed): ?)(?=[0-9])')
QUESTION = "SELECT benchmark, ruleset, count(*), median(run_minutes), stddev(epochs_to_quality) FROM submitted_runs GROUP BY ALL"

INGEST = r"""
import json, os, resource, sys, time
begin = time.perf_counter()
from mlperf_logging.engines.local import LocalEngine
from mlperf_logging.store.ingest import ingest_logs
summary = ingest_logs([sys.argv[1]], sys.argv[2], engine=LocalEngine(int(sys.argv[3])))
own, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "seconds": time.perf_counter() - begin,
    "processor_seconds": own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime,
    "writer_mb": own.ru_maxrss / 1000, "reader_mb": below.ru_maxrss / 1000,
    **{name: getattr(summary, name) for name in ("logs", "read", "added", "folders")},
    "complaints": len(summary.complaints),
}))
"""


def copy_corpus(corpus: Path, folder: Path, copies: int) -> Path:
    """Copies of all files below a folder, the logs of each with seeds of its own."""
    for number in range(copies):
        for here, _, names in os.walk(corpus):
            target = folder / f"copy_{number:02}" / Path(here).relative_to(corpus)
            target.mkdir(parents=True)
            for name in names:
                source = Path(here) / name
                if number and is_log_name(name):
                    (target / name).write_bytes(change_seeds(source.read_bytes(), number))
                else:
                    shutil.copyfile(source, target / name)
    return folder


def change_seeds(content: bytes, number: int) -> bytes:
    """A log with a number before the digits of each seed; a log without a seed gets a line of its own."""
    changed, count = SEED.subn(lambda found: found[1] + b"%d" % number, content)
    return changed if count else content + b"\n# copy %d\n" % number


def measure(corpus: Path, folder: Path, copies: int, jobs: Sequence[int]) -> list[dict[str, Any]]:
    """What ingest, asking and the files of so many copies take; one entry for each number of processes."""
    logs = copy_corpus(corpus, folder / "logs", copies)
    measured = []
    for count in jobs:
        store = folder / f"jobs_{count}.duckdb"
        first = run_alone(INGEST, str(logs), str(store), str(count))
        held, size = store.read_bytes(), store.stat().st_size
        again = run_alone(INGEST, str(logs), str(store), str(count))
        if again["read"] or again["added"] or store.read_bytes() != held:
            raise RuntimeError(f"a second ingest of {copies} copies has read or written something: {again}")
        export_store(str(store), str(folder / "parquet"))
        began = time.perf_counter()
        faults = check_store(str(store)).faults
        checked = time.perf_counter()
        open_store(store).read(QUESTION)
        asked = time.perf_counter()
        if faults:
            raise RuntimeError(f"the store of {copies} copies is not whole: {faults}")
        measured.append(
            {
                "copies": copies,
                "jobs": count,
                **first,
                "logs_per_second": first["logs"] / first["seconds"],
                "again_seconds": again["seconds"],
                "log_mb": size_of(logs) / 1e6,
                "store_mb": size / 1e6,
                "parquet_mb": size_of(folder / "parquet") / 1e6,
                "check_seconds": checked - began,
                "question_seconds": asked - checked,
            }
        )
    expected = dump(folder / f"jobs_{jobs[0]}.duckdb")
    if any(dump(folder / f"jobs_{count}.duckdb") != expected for count in jobs[1:]):
        raise RuntimeError("another number of processes gave other tables")
    store = folder / "two.duckdb"
    command = [sys.executable, "-c", INGEST, str(logs), str(store), "1"]
    began = time.perf_counter()
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    codes = [process.wait() for process in both]
    measured[0]["two_at_once_seconds"] = time.perf_counter() - began
    if any(codes) or dump(store) != expected:
        raise RuntimeError(f"two ingests at once gave other tables, or failed: {codes}")
    return measured


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def dump(store: Path) -> dict[str, tuple[Any, ...]]:
    """A checksum and a count of each table's rows, in any order, but for when they were written."""
    found = {}
    with open_store(store) as opened, opened.reading() as connection:
        for name, table in BY_NAME.items():
            columns = ", ".join(f'"{column}"' for column in table.names if column != "stored_at")
            sql = f"SELECT count(*), sum(hash({columns})) FROM {name}"  # noqa: S608 - our own names
            found[name] = tuple(connection.execute(sql).fetchone() or ())
    return found


def kill_often(corpus: Path, folder: Path, kills: int) -> dict[str, Any]:
    """Ingests that are killed at random moments until they come to an end, each compared with one clean run."""
    moments = random.Random(kills)  # noqa: S311 - it decides when to kill
    clean, killed = folder / "clean.duckdb", folder / "killed.duckdb"
    seconds = run_alone(INGEST, str(corpus), str(clean), "1")["seconds"]
    command = [sys.executable, "-c", INGEST, str(corpus), str(killed), "1"]
    wanted = dump(clean)
    struck = ended = 0
    is_begun = False
    while struck < kills or is_begun:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            longest = moments.uniform(0.2, max(1.0, seconds / 4)) if struck < kills else None
            if process.wait(longest):
                raise RuntimeError(f"an ingest after {struck} kills failed")
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            struck += 1
            is_begun = True
        else:  # it came to its end, since it goes on where those before were killed
            if dump(killed) != wanted:
                raise RuntimeError(f"{struck} kills left other tables than one clean run")
            ended += 1
            is_begun = False
            killed.unlink()
    return {"kills": struck, "stores": ended, "clean_seconds": seconds}


def find_corpus() -> Path:
    """The logs of the shared corpus, else those of the example."""
    shared = Path(os.environ.get("MLPERF_SHARED", PROJECT.parent / "shared")) / "corpus" / "logs"
    return shared if shared.is_dir() else EXAMPLE


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and put the figures where they are asked for."""
    parser = argparse.ArgumentParser(description="What stores take.")
    parser.add_argument("--corpus", type=Path, help="a folder of result logs")
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 10], help="how often it is taken")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="processes")
    parser.add_argument("--kills", type=int, default=0, help="kill an ingest of one copy so often")
    parser.add_argument("--peer", help="ignored: the public package has no store")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    parser.add_argument("--page", type=Path, help="put the figures between the marks on this page")
    options = parser.parse_args(arguments)
    corpus = options.corpus or find_corpus()
    measured: list[dict[str, Any]] = []
    killed = None
    for copies in options.copies:
        with tempfile.TemporaryDirectory(prefix="bench-store-") as folder:
            measured += measure(corpus, Path(folder), copies, options.jobs)
    if options.kills:
        with tempfile.TemporaryDirectory(prefix="bench-store-") as folder:
            killed = kill_often(corpus, Path(folder), options.kills)
    text = describe(measured, killed)
    print(text)
    if options.json:
        figures = {"corpus": corpus.name, "measurements": measured, "kills": killed}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    if options.page:
        page = options.page.read_text("utf-8")
        options.page.write_text(
            FIGURES.sub(lambda found: found[1] + text + "\n" + found[3], page, count=1), "utf-8"
        )
    return 0


def describe(measured: Sequence[dict[str, Any]], killed: dict[str, Any] | None) -> str:
    """The figures as tables."""
    ingest = (
        "copies",
        "jobs",
        "logs",
        "seconds",
        "logs_per_second",
        "processor_seconds",
        "writer_mb",
        "reader_mb",
    )
    files = (
        "copies",
        "jobs",
        "log_mb",
        "store_mb",
        "parquet_mb",
        "again_seconds",
        "check_seconds",
        "question_seconds",
    )
    parts = [describe_machine()]
    parts += [
        format_table(
            [name.replace("_", " ") for name in names], [[row[name] for name in names] for row in measured]
        )
        for names in (ingest, files)
    ]
    twice = [row for row in measured if "two_at_once_seconds" in row]
    parts.append(
        "Two ingests of all logs at once, into one store: "
        + ", ".join(f"{row['two_at_once_seconds']:.1f} s for {row['logs']:,} logs" for row in twice)
        + "; the same tables as of one."
    )
    if killed is not None:
        parts.append(
            f"Killed {killed['kills']} times at random moments, on the way to the end of {killed['stores']} ingests: each time "
            "the same tables as of one clean run."
        )
    return "\n\n".join(parts)


if __name__ == "__main__":
    raise SystemExit(main())
