"""How checking grows with the number of logs and of workers, and what it would cost for a million and a billion logs.

    python benchmarks/bench_scale.py [--logs FOLDER] [--files 15000] [--json FILE] [--page docs/benchmarks/scale.md]

`--logs` names a folder of result logs; without it, the shared corpus is taken, or else the example logs. They are copied
into a temporary folder with other seeds until there are so many as `--files` says; with the corpus, 15,000 logs take 3.4 GB.

Each point is `mlperf check --format jsonl --output FILE` of an installed package, in a process of its own (Linux only).
What a log costs is measured step by step in one process; least squares over the logs' sizes give a cost per file and one
per byte. The model in `scale_model.py` adds these up. It is shown beside what was measured, and simulates clusters.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness import PROJECT, describe_machine, format_table, install_package, run_alone, take_evenly

from mlperf_logging.engines.dask_batches import LARGEST_BATCH

sys.path.insert(0, str(PROJECT))
from benchmarks.scale_model import Cluster, Costs, Line, predict_seconds, simulate

SIZES = (250, 500, 1_000, 1_500, 15_000)
WORKERS = (1, 2, 4, 8)
SEED = re.compile(rb'("key":\s*"seed"[^\n]{0,60}?"value":\s*)(\d+)')
FIGURES = re.compile(r"(?s)(<!-- figures -->\n).*?(<!-- end -->)")
SAMPLED = 300
EMPTY_BATCHES = 400
CLUSTERS = [Cluster(workers, 20_000, 10e9) for workers in (8, 64, 512, 4_096)]
"""The file system is assumed to be a parallel one of medium size: no measurement of ours."""

_CHECK = """
import json, resource, sys
from mlperf_logging.cli.check import main
folder, output, *options = sys.argv[1:]
code = main([folder, "--no-config", "--quiet", "--format", "jsonl", "--output", output, *options])
# Not the peak of the resource module, which begins with that of the process before it.
peak_kb = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([code, peak_kb / 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))
"""


class Point(NamedTuple):
    """One command.

    Attributes:
        engine: "local" or "dask".
        workers: its processes.
        files: logs.
        seconds: from the start of the process to its end.
        peak_mb: most memory of the command's own process.
        worker_peak_mb: most memory of one of its other processes; 0 where there are none.
    """

    engine: str
    workers: int
    files: int
    seconds: float
    peak_mb: float
    worker_peak_mb: float


def find_sources(folder: Path | None) -> tuple[list[Path], str]:
    """The logs to copy, and what they are."""
    shared = Path(os.environ.get("MLPERF_SHARED", PROJECT.parent / "shared")) / "corpus" / "logs"
    place = folder or (shared if shared.is_dir() else None)
    if place is not None:
        return sorted(place.rglob("result_*.txt")), "published logs"
    return sorted((PROJECT / "examples" / "submission").rglob("result_*.txt")), "copies of the example logs"


def copy_logs(sources: Sequence[Path], count: int, place: Path) -> list[Path]:
    """So many logs below a folder, in which no two have the same seed where their source has one; their paths."""
    made = []
    for number in range(count):
        source, copy = sources[number % len(sources)], number // len(sources)
        content = source.read_bytes()
        if copy:
            content = SEED.sub(lambda found, more=copy: found[1] + b"%d" % (int(found[2]) + more), content)
        path = place / f"copy_{copy}" / f"{number:06}_{source.stem}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        made.append(path)
    return made


def link_logs(logs: Sequence[Path], count: int, place: Path) -> Path:
    """A folder with so many of some logs, evenly taken, as further names of the same files."""
    folder = place / f"set_{count}"
    for path in take_evenly(logs, count):
        link = folder / path.parent.name / path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, link)
    return folder


def measure_check(python: Path, folder: Path, files: int, engine: str, workers: int) -> Point:
    """Check the logs below a folder once, with the Python of an environment that has the package."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as output:
        options = ["--engine", engine, "--jobs", str(workers)]
        begin = time.perf_counter()
        code, peak, worker_peak = run_alone(_CHECK, str(folder), output.name, *options, python=str(python))
        seconds = time.perf_counter() - begin
        lines = Path(output.name).read_bytes().count(b"\n")
    if code not in {0, 1} or lines != files:
        raise RuntimeError(f"{files} logs gave {lines} lines and exit code {code}")
    return Point(
        engine, workers, files, seconds, peak, 0.0 if (engine, workers) == ("local", 1) else worker_peak
    )


def list_points(sizes: Sequence[int]) -> Iterator[tuple[str, int, int]]:
    """Engine, workers and logs of each measurement: growth with the logs, then with the workers."""
    yield from (("local", 1, files) for files in sizes)
    yield from (("dask", 2, files) for files in sizes)
    middle, most = (min(1_500, sizes[-1]), sizes[-1])
    yield from (("local", workers, most) for workers in WORKERS[1:])
    yield from (("dask", workers, middle) for workers in WORKERS if workers != 2)


def measure_costs(logs: Sequence[Path]) -> Costs:
    """What a log costs, step by step."""
    from mlperf_logging import read_log
    from mlperf_logging.cli.judging import LogJudge
    from mlperf_logging.reports import ReportOptions, load_format

    judge, report = LogJudge().judge, load_format("jsonl")(ReportOptions())
    paths = [str(path) for path in take_evenly(logs, SAMPLED)]
    sizes = [float(Path(path).stat().st_size) for path in paths]
    results = [judge(path) for path in paths]  # and the rules are loaded
    packed = [pickle.dumps(result, 5) for result in results]
    steps: dict[str, list[float]] = {
        "look": _time_each(os.stat, paths),
        "read": _time_each(_read_bytes, paths),
        "parse": _time_each(lambda path: list(read_log(path).events), paths),
        "judge": _time_each(judge, paths),
        "ship": _time_each(lambda result: pickle.dumps(result, 5), results),
        "take": _time_each(pickle.loads, packed),
        "report": _time_each(lambda result: report.add(result[0]), results),
    }
    parse = [whole - read for whole, read in zip(steps["parse"], steps["read"], strict=True)]
    beyond = [whole - part for whole, part in zip(steps["judge"], steps["parse"], strict=True)]
    mean = {name: sum(values) / len(values) for name, values in steps.items()}
    batch, start_cluster = measure_batches()
    return Costs(
        look=mean["look"],
        read=fit_line(sizes, steps["read"]),
        parse=fit_line(sizes, parse),
        judge=fit_line(sizes, beyond),
        ship=mean["ship"],
        take=mean["take"],
        report=mean["report"],
        batch=batch,
        start=0.0,
        start_cluster=start_cluster,
        file_bytes=sum(sizes) / len(sizes),
        result_bytes=sum(map(len, packed)) / len(packed),
    )


def measure_batches() -> tuple[float, float]:
    """What a batch of no work costs, in seconds of a processor, and seconds to start a cluster of one worker.

    The scheduler of such a cluster is in this process, so the processor time is that of client and scheduler.
    """
    from mlperf_logging.engines.dask import SMALLEST_BATCH, DaskEngine

    engine = DaskEngine(jobs=1)
    with engine.kept_open():
        begin = time.perf_counter()
        names = ["no such log"] * (2 * SMALLEST_BATCH)
        list(engine.map_logs(len, names))
        start = time.perf_counter() - begin
        before = time.process_time()
        list(engine.map_logs(len, names[:1] * (EMPTY_BATCHES * LARGEST_BATCH)))
    return (time.process_time() - before) / EMPTY_BATCHES, start


def count_fed_workers(costs: Costs) -> int:
    """How many workers one client keeps busy."""
    client = costs.look + costs.take + costs.report + costs.batch / costs.files_per_batch()
    return round((costs.work(costs.file_bytes) + costs.ship) / client)


def fit_line(sizes: Sequence[float], seconds: Sequence[float]) -> Line:
    """The line through the costs of files by their sizes, by least squares; neither part is below zero."""
    count, mean_size, mean = len(sizes), sum(sizes) / len(sizes), sum(seconds) / len(seconds)
    spread = sum((size - mean_size) ** 2 for size in sizes)
    together = sum((size - mean_size) * (cost - mean) for size, cost in zip(sizes, seconds, strict=True))
    slope = together / spread if spread else 0.0
    if mean - slope * mean_size < 0:
        return Line(0.0, sum(seconds) / (mean_size * count))
    return Line(mean - slope * mean_size, slope) if slope > 0 else Line(mean, 0.0)


def _time_each(step: Callable[[Any], object], things: Sequence[Any]) -> list[float]:
    """Seconds of a processor for each, the best of three."""
    best = [float("inf")] * len(things)
    for number, thing in enumerate(things):
        for _ in range(3):
            begin = time.process_time()
            step(thing)
            best[number] = min(best[number], time.process_time() - begin)
    return best


def _read_bytes(path: str) -> int:
    with open(path, "rb") as file:  # noqa: PTH123 - as the reader opens it
        return len(file.read())


def describe_points(points: Sequence[Point], costs: Costs, cores: int) -> str:
    """What was measured beside what the model says."""
    rows = []
    for point in points:
        said = predict_seconds(costs, point.files, point.workers, cores, dask=point.engine == "dask")
        rows.append(
            [
                point.engine,
                point.workers,
                point.files,
                point.seconds,
                said,
                point.files / point.seconds,
                point.peak_mb,
                point.worker_peak_mb,
            ]
        )
    head = ["engine", "workers", "logs", "seconds", "by the model", "logs/s", "memory MB", "of a worker MB"]
    return format_table(head, rows)


def describe_costs(costs: Costs) -> str:
    """The steps of a log of mean size, in the order of the work."""
    size = costs.file_bytes
    steps: list[tuple[str, str, float, float]] = [
        ("look up its size", "client", costs.look, 0.0),
        ("read it, from memory", "worker", *costs.read),
        ("parse it", "worker", *costs.parse),
        ("judge it", "worker", *costs.judge),
        ("pack the result", "worker", costs.ship, 0.0),
        ("unpack the result", "client", costs.take, 0.0),
        ("report it", "client", costs.report, 0.0),
        ("its part of a batch", "client and scheduler", costs.batch / costs.files_per_batch(), 0.0),
    ]
    rows = [
        [name, where, 1e6 * file, 1e9 * byte, 1e6 * (file + byte * size)] for name, where, file, byte in steps
    ]
    return format_table(["step", "where", "µs per log", "ns per byte", "µs for the mean log"], rows)


def describe_forecasts(costs: Costs) -> str:
    """What simulated clusters need."""
    rows = []
    for files in (10**6, 10**9):
        for cluster in CLUSTERS:
            forecast = simulate(costs, files, cluster)
            shares = [f"{100 * share:.0f} %" for share in forecast.busy.values()]
            rows.append(
                [
                    f"{files:,}",
                    f"{cluster.workers:,}",
                    _show_time(forecast.seconds),
                    forecast.bottleneck,
                    *shares,
                ]
            )
    head = ["logs", "workers", "time", "bottleneck", "client busy", "workers busy", "file system busy"]
    return format_table(head, rows)


def _show_time(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and put the figures where they are asked for."""
    parser = argparse.ArgumentParser(description="How checking grows with the number of logs and of workers.")
    parser.add_argument("--logs", type=Path, help="folder of result logs")
    parser.add_argument("--files", type=int, default=SIZES[-1], help="most logs of a measurement")
    parser.add_argument("--peer", help="not used: the public package takes one log at a time")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    parser.add_argument("--page", type=Path, help="put the figures between the marks of this page")
    options = parser.parse_args(arguments)
    sources, what = find_sources(options.logs)
    sizes = [size for size in SIZES if size < options.files] + [options.files]
    cores, load = os.cpu_count() or 1, os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "package").mkdir()
        logs = copy_logs(sources, options.files, place / "copies")
        folders = {size: link_logs(logs, size, place) for size in sizes}
        (one,) = list(folders[sizes[0]].rglob("*.txt"))[:1]
        python = install_package(place / "package") / "python"
        costs = measure_costs(logs)
        costs = costs._replace(start=measure_check(python, one, 1, "local", 1).seconds)
        points = []
        for engine, workers, files in list_points(sizes):
            points.append(measure_check(python, folders[files], files, engine, workers))
            print("measured:", *points[-1][:3], f"{points[-1].seconds:.2f} s", flush=True)
    about = (
        f"{describe_machine()}, {cores} cores, with a load of {load:.1f} of other work; "
        f"{what}, {len(sources):,} of them, copied with other seeds; "
        f"{costs.file_bytes / 1e3:,.0f} kB and a packed result of {costs.result_bytes / 1e3:,.1f} kB on average; "
        f"starting takes {costs.start:.2f} s, a cluster of one worker {costs.start_cluster:.1f} s more, "
        f""
        f"a batch of {costs.files_per_batch()} logs {1e3 * costs.batch:.1f} ms. "
        f"**One client keeps {count_fed_workers(costs)} workers busy.**"
    )
    parts = [
        about,
        f"**Measured**\n\n{describe_points(points, costs, cores)}",
        f"**What a log costs**\n\n{describe_costs(costs)}",
        f"**Simulated clusters**\n\n{describe_forecasts(costs)}",
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    if options.json:
        figures = {"points": [point._asdict() for point in points], "costs": costs._asdict()}
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    if options.page:
        page = options.page.read_text("utf-8")
        options.page.write_text(FIGURES.sub(lambda found: found[1] + text + found[2], page, count=1), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
