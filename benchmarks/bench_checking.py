"""Time to judge logs, compared with the public package: a folder in one process, a cold start, two processes.

    python benchmarks/bench_checking.py --peer /path/to/python [--corpus FOLDER] [--json FILE]

`--peer` names the Python of an environment that has the public `mlperf-logging` package; without it only this
project is measured. `--corpus` names a folder of result logs with a table `expected_verdicts.csv` beside it
that says by which round each is judged; without it, copies of the logs in `examples/logs` are judged, which
are smaller than real ones. The contestants take turns, so that a busy machine treats all alike; figures are
medians.

- *folder*: both judge the same logs by the same rounds, each in one process. Timed is the judging, from the
  first log to the last, reading the rules included, starting Python and importing not. The logs are of rounds
  that both know.
- *cold start*: `mlperf-check FILE` beside `python -m mlperf_logging.compliance_checker FILE` and
  `python -c pass`, from the start of the process to its end, for the log of median size and for a short one.
- *processes*: `mlperf-check --jobs 1` beside `--jobs 2`.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from harness import add_peer_option, install_package

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
EXAMPLES = PROJECT / "examples" / "logs"
UNKNOWN_TO_PEER = ("0.5.0",)
SHORT_LOG = ("compliant/6.1.0_llama31_8b.txt", "training", "6.1.0")

OURS = """
import json, sys, time
from mlperf_logging import check_log
logs = json.load(open(sys.argv[1]))
begin = time.perf_counter()
passed = 0
for path, usage, ruleset, _ in logs:
    passed += check_log(path, usage=usage, ruleset=ruleset).verdict == "pass"
print(json.dumps({"seconds": time.perf_counter() - begin, "passed": passed}))
"""

PEER = """
import contextlib, io, json, logging, sys, time
from mlperf_logging.compliance_checker import mlp_compliance
logging.disable(logging.CRITICAL)
logs = json.load(open(sys.argv[1]))
passed = 0
begin = time.perf_counter()
for path, usage, ruleset, _ in logs:
    checker = mlp_compliance.make_checker(usage, ruleset, True, False)
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            passed += bool(mlp_compliance.main(path, f"{usage}_{ruleset}/common.yaml", checker)[0])
        except Exception:
            pass
print(json.dumps({"seconds": time.perf_counter() - begin, "passed": passed}))
"""


class Log(NamedTuple):
    """A log, the round that judges it, and whether it keeps that round's rules."""

    path: str
    usage: str
    ruleset: str
    is_compliant: bool


def list_corpus(corpus: Path | None, folder: Path, wanted: int) -> tuple[list[Log], str]:
    """Logs to judge and what they are: real ones, or copies of the examples in a folder.

    Args:
        corpus: folder of real logs, or None.
        folder: where copies are put.
        wanted: number of copies.
    """
    if corpus is not None:
        with (corpus.parent / "expected_verdicts.csv").open(newline="") as table:
            rows = list(csv.DictReader(table))
        return [
            Log(str(corpus / row["path"]), row["usage"], row["ruleset"], row["verdict"] == "pass")
            for row in rows
        ], "real logs"
    checks = json.loads((EXAMPLES / "expected.json").read_text("utf-8"))["checks"]
    checks = [check for check in checks if not check["strict"]]
    copies = []
    for number in range(wanted):
        check = checks[number % len(checks)]
        copy = folder / f"{number:04}_{Path(check['path']).name}"
        copy.write_bytes((EXAMPLES / check["path"]).read_bytes())
        copies.append(Log(str(copy), check["usage"], check["ruleset"], check["verdict"] == "pass"))
    return copies, "copies of the example logs"


def take_evenly(logs: Sequence[Log], count: int) -> list[Log]:
    """So many logs, evenly spread over all."""
    return [logs[number * len(logs) // count] for number in range(min(count, len(logs)))]


def run_worker(python: str, program: str, listing: Path) -> dict[str, float]:
    """Run a timing program in a process of its own and give what it prints."""
    answer = subprocess.run(
        [python, "-c", program, str(listing)], capture_output=True, check=False, cwd=listing.parent
    )
    if answer.returncode:
        raise SystemExit(f"{python} could not judge the logs:\n{answer.stderr.decode()[-2000:]}")
    told: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return told


def time_command(command: Sequence[str | Path], folder: Path, codes: tuple[int, ...]) -> float:
    """Seconds from the start of a process to its end."""
    begin = time.perf_counter()
    answer = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    seconds = time.perf_counter() - begin
    if answer.returncode not in codes:
        raise SystemExit(f"{command[0]} ended with {answer.returncode}: {answer.stderr.decode()[-500:]}")
    return seconds


def take_turns(contestants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Median of each contestant's figure, the contestants taking turns."""
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, measure in contestants.items():
            figures[name].append(measure())
    return {name: statistics.median(values) for name, values in figures.items()}


def measure_folder(
    logs: list[Log], ours: Path, peer: str | None, folder: Path, rounds: int
) -> dict[str, Any]:
    """Judge the same logs in one process each."""
    listing = folder / "logs.json"
    listing.write_text(json.dumps(logs))
    passed: dict[str, float] = {}

    def contest(name: str, python: str, program: str) -> Callable[[], float]:
        def measure() -> float:
            told = run_worker(python, program, listing)
            passed[name] = told["passed"]
            return told["seconds"]

        return measure

    contestants = {"mlperf_logging": contest("mlperf_logging", str(ours / "python"), OURS)}
    if peer:
        contestants["peer"] = contest("peer", peer, PEER)
    seconds = take_turns(contestants, rounds)
    megabytes = sum(Path(log.path).stat().st_size for log in logs) / 1e6
    counts = ", ".join(f"{name} {count:.0f}" for name, count in passed.items())
    return {
        "title": f"folder: {len(logs)} logs, {megabytes:.1f} MB, one process (compliant: {counts})",
        "seconds": seconds,
        "ratios": {"peer / ours": seconds["peer"] / seconds["mlperf_logging"]} if peer else {},
    }


def measure_cold_start(log: Log, ours: Path, peer: str | None, folder: Path, rounds: int) -> dict[str, Any]:
    """Start, judge one log and end."""
    commands: dict[str, list[str | Path]] = {
        "python -c pass": [ours / "python", "-c", "pass"],
        "mlperf_logging": [ours / "mlperf-check", log.path],
    }
    if peer:
        rest = ["--usage", log.usage, "--ruleset", log.ruleset, "--log_output", os.devnull, log.path]
        commands["peer"] = [peer, "-m", "mlperf_logging.compliance_checker", *rest]
    contestants = {
        name: partial(time_command, command, folder, codes=(0,)) for name, command in commands.items()
    }
    take_turns(contestants, 1)  # files come into the page cache
    seconds = take_turns(contestants, rounds)
    ratios = {"ours / pass": seconds["mlperf_logging"] / seconds["python -c pass"]}
    if peer:
        ratios["ours / peer"] = seconds["mlperf_logging"] / seconds["peer"]
    kilobytes = Path(log.path).stat().st_size / 1e3
    title = f"cold start: one log of {kilobytes:.0f} kB, median of {rounds}"
    return {"title": title, "seconds": seconds, "ratios": ratios}


def choose_median(logs: list[Log]) -> Log:
    """The compliant log of median size."""
    candidates = sorted((Path(log.path).stat().st_size, log) for log in logs if log.is_compliant)
    return candidates[len(candidates) // 2][1]


def measure_processes(logs: list[Log], ours: Path, folder: Path, rounds: int) -> dict[str, Any]:
    """Judge many logs in one process and in two."""
    command = [str(ours / "mlperf-check"), "--quiet", *[log.path for log in logs]]
    contestants = {
        f"--jobs {jobs}": partial(time_command, [*command, "--jobs", str(jobs)], folder, codes=(0, 1))
        for jobs in (1, 2)
    }
    seconds = take_turns(contestants, rounds)
    return {
        "title": f"processes: {len(logs)} logs, mlperf-check",
        "seconds": seconds,
        "ratios": {"one / two": seconds["--jobs 1"] / seconds["--jobs 2"]},
    }


def describe(results: dict[str, Any]) -> str:
    """The figures as a table."""
    lines = [f"{results['machine']}; {results['corpus']}", ""]
    for part in results["measurements"]:
        lines.append(part["title"])
        lines += [f"  {name:<16} {seconds * 1000:>10,.1f} ms" for name, seconds in part["seconds"].items()]
        lines += [f"  {name:<16} {ratio:>10.2f} times" for name, ratio in part["ratios"].items()]
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time to judge logs, compared with the public package.")
    add_peer_option(parser)
    parser.add_argument(
        "--corpus",
        type=lambda text: Path(text).resolve(),
        help="folder of real logs, expected_verdicts.csv beside it",
    )
    parser.add_argument("--files", type=int, default=400, help="logs for the comparison in one process")
    parser.add_argument("--many", type=int, default=1000, help="logs for one process against two")
    parser.add_argument("--rounds", type=int, default=3, help="turns of the long measurements")
    parser.add_argument("--starts", type=int, default=21, help="turns of the cold starts")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    parser.add_argument("--page", type=Path, help="put the figures into the block of text on this page")
    options = parser.parse_args()
    shared = Path(os.environ.get("MLPERF_SHARED", PROJECT.parent / "shared")) / "corpus" / "logs"
    corpus = options.corpus or (shared if shared.is_dir() else None)
    if not options.peer:
        print("no --peer: the public package is not measured; `make peer` installs it\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = install_package(folder)
        logs, kind = list_corpus(corpus, folder, options.many)
        known = [log for log in logs if log.ruleset not in UNKNOWN_TO_PEER]
        some, many = take_evenly(known, options.files), take_evenly(logs, options.many)
        short = Log(str(EXAMPLES / SHORT_LOG[0]), *SHORT_LOG[1:], True)
        results: dict[str, Any] = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "corpus": kind,
            "measurements": [
                measure_folder(some, ours, options.peer, folder, options.rounds),
                measure_cold_start(choose_median(known), ours, options.peer, folder, options.starts),
                measure_cold_start(short, ours, options.peer, folder, options.starts),
                measure_processes(many, ours, folder, options.rounds),
            ],
        }
    print(describe(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.page:
        page = options.page.read_text("utf-8")
        figures = f"```text\n{describe(results).rstrip()}\n```"
        options.page.write_text(re.sub(r"```text\n.*?```", lambda _: figures, page, flags=re.DOTALL), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
