"""Time to score results, compared with the public package's result summarizer: a whole corpus, and a cold start.

    python benchmarks/bench_scoring.py --peer /path/to/python [--corpus FOLDER] [--json FILE] [--page FILE]

`--peer` names the Python of an environment that has the public `mlperf-logging` package; without it only this
project is measured. `--corpus` names a folder of rounds, each with submitters that have results; without it, copies
of the example submission are scored. The contestants take turns, so that a busy machine treats all alike.

- *corpus*: every submitter of every round, scored by its round, in one process each; both judge every log along the way.
  Counted is the processor time of the process, from the first submitter to the last, reading the rules included,
  starting Python and importing not: other work on the machine does not count. The figure is the least of the turns.
- *cold start*: `mlperf score FOLDER` beside `python -m mlperf_logging.result_summarizer FOLDER`, from the start of the
  process to its end, for a submitter with one result. The figure is the median of the turns.

The public package writes and removes `scaling.json` in what it scores, so everything is scored in a copy of the tree,
in which logs are links and all else is copied.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness import add_peer_option, install_package

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
SUBMISSION = PROJECT / "examples" / "submission"
UNKNOWN_TO_PEER = ("0.5.0",)

OURS = """
import json, os, sys, time
from mlperf_logging.cli.score import main
submitters = json.load(open(sys.argv[1]))
begin = time.process_time()
for folder, usage, ruleset in submitters:
    main([folder, "--usage", usage, "--ruleset", ruleset, "--output", os.devnull])
print(json.dumps({"seconds": time.process_time() - begin, "failed": 0}))
"""

PEER = """
import contextlib, io, json, logging, sys, time, warnings
from mlperf_logging.result_summarizer import result_summarizer
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
submitters = json.load(open(sys.argv[1]))
failed = 0
begin = time.process_time()
for folder, usage, ruleset in submitters:
    sys.argv = ["result_summarizer", folder, usage, ruleset]
    silence = io.StringIO()
    with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
        try:
            result_summarizer.main()
        except SystemExit:
            pass
        except Exception:
            failed += 1
print(json.dumps({"seconds": time.process_time() - begin, "failed": failed}))
"""


class Submitter(NamedTuple):
    """A submitter's folder and the round that it is scored by."""

    folder: str
    usage: str
    ruleset: str


def list_submitters(corpus: Path | None, folder: Path) -> tuple[list[Submitter], str]:
    """The submitters to score and what they are: real ones, or copies of the example submission.

    Args:
        corpus: folder of rounds, or None.
        folder: where copies are put.
    """
    if corpus is None:
        for number in range(3):
            shutil.copytree(SUBMISSION / "Example_Lab", folder / f"Example_{number}")
        copies = [Submitter(str(folder / f"Example_{number}"), "training", "6.1.0") for number in range(3)]
        return copies, "copies of the example submission"
    shutil.copytree(corpus, folder / "corpus", copy_function=link_log)
    for place, _, _ in os.walk(folder / "corpus"):
        Path(place).chmod(0o755)
    corpus = folder / "corpus"
    found = []
    for version in sorted(path for path in corpus.iterdir() if path.is_dir()):
        usage = "hpc" if version.name.startswith("hpc") else "training"
        ruleset = f"{version.name.removeprefix('hpc-')}.0"
        if ruleset not in UNKNOWN_TO_PEER:
            found += [
                Submitter(str(each), usage, ruleset)
                for each in sorted(version.iterdir())
                if (each / "results").is_dir()
            ]
    return found, "real results"


def link_log(source: str, target: str) -> None:
    """Link a log, copy anything else, so that nothing can be written into the original."""
    if source.endswith(".txt"):
        Path(target).symlink_to(Path(source).resolve())
    else:
        Path(target).write_bytes(Path(source).read_bytes())


def count_logs(submitters: Sequence[Submitter]) -> tuple[int, float]:
    """Result logs below the submitters' folders, and their megabytes."""
    logs = [
        log
        for submitter in submitters
        for log in (Path(submitter.folder) / "results").rglob("result_*.txt")
        if "power" not in log.parts and "pruned_results" not in log.parts
    ]
    return len(logs), sum(log.stat().st_size for log in logs) / 1e6


def run_worker(python: str, program: str, listing: Path) -> dict[str, float]:
    """Run a timing program in a process of its own and give what it prints."""
    answer = subprocess.run(
        [python, "-c", program, str(listing)], capture_output=True, check=False, cwd=listing.parent
    )
    if answer.returncode:
        raise SystemExit(f"{python} could not score the results:\n{answer.stderr.decode()[-2000:]}")
    told: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return told


def measure_corpus(
    submitters: list[Submitter], ours: Path, peer: str | None, folder: Path, rounds: int
) -> dict[str, Any]:
    """Score all submitters in one process each."""
    listing = folder / "submitters.json"
    listing.write_text(json.dumps(submitters))
    contestants: dict[str, tuple[str, str]] = {"mlperf_logging": (str(ours / "python"), OURS)}
    if peer:
        contestants["peer"] = (peer, PEER)
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    failed: dict[str, float] = {}
    for _ in range(rounds):
        for name, (python, program) in contestants.items():
            told = run_worker(python, program, listing)
            seconds[name].append(told["seconds"])
            failed[name] = told["failed"]
    least = {name: min(values) for name, values in seconds.items()}
    logs, megabytes = count_logs(submitters)
    broken = f", {failed['peer']:.0f} of which the peer breaks off" if failed.get("peer") else ""
    return {
        "title": f"corpus: {len(submitters)} submitters{broken}; {logs} logs, {megabytes:.0f} MB; processor time",
        "seconds": least,
        "ratios": {"peer / ours": least["peer"] / least["mlperf_logging"]} if peer else {},
    }


def time_command(command: Sequence[str | Path], folder: Path) -> float:
    """Seconds from the start of a process to its end."""
    begin = time.perf_counter()
    answer = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    seconds = time.perf_counter() - begin
    if answer.returncode not in (0, 1):
        raise SystemExit(f"{command[0]} ended with {answer.returncode}: {answer.stderr.decode()[-500:]}")
    return seconds


def choose_single(submitters: list[Submitter]) -> Submitter:
    """The newest submitter with one result folder of which the score needs at least three runs."""

    def count_folders(submitter: Submitter) -> list[int]:
        logs = (Path(submitter.folder) / "results").rglob("result_*.txt")
        folders: dict[Path, int] = {}
        for log in logs:
            if "power" not in log.parts:
                folders[log.parent] = folders.get(log.parent, 0) + 1
        return list(folders.values())

    single = [
        submitter
        for submitter in submitters
        if len(count := count_folders(submitter)) == 1 and count[0] >= 3 and submitter.usage == "training"
    ]
    return max(single or submitters, key=lambda submitter: submitter.ruleset)


def measure_cold_start(
    submitter: Submitter, ours: Path, peer: str | None, folder: Path, rounds: int
) -> dict[str, Any]:
    """Start, score one submitter and end."""
    options = ["--usage", submitter.usage, "--ruleset", submitter.ruleset]
    commands: Mapping[str, list[str | Path]] = {
        "python -c pass": [ours / "python", "-c", "pass"],
        "mlperf_logging": [ours / "mlperf", "score", submitter.folder, *options],
    }
    if peer:
        rest = [submitter.folder, submitter.usage, submitter.ruleset]
        commands = {**commands, "peer": [peer, "-m", "mlperf_logging.result_summarizer", *rest]}
    measures: dict[str, Callable[[], float]] = {
        name: lambda command=command: time_command(command, folder)  # type: ignore[misc]
        for name, command in commands.items()
    }
    figures: dict[str, list[float]] = {name: [] for name in measures}
    for turn in range(rounds + 1):
        for name, measure in measures.items():
            seconds = measure()
            if turn:  # in the first, files come into the page cache
                figures[name].append(seconds)
    medians = {name: statistics.median(values) for name, values in figures.items()}
    logs, megabytes = count_logs([submitter])
    return {
        "title": f"cold start: one result of {logs} runs, {megabytes:.1f} MB, median of {rounds}",
        "seconds": medians,
        "ratios": {"ours / peer": medians["mlperf_logging"] / medians["peer"]} if peer else {},
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
    parser = argparse.ArgumentParser(description="Time to score results, compared with the public package.")
    add_peer_option(parser)
    parser.add_argument("--corpus", type=Path, help="folder of rounds with real results")
    parser.add_argument("--rounds", type=int, default=3, help="turns of the whole corpus")
    parser.add_argument("--starts", type=int, default=15, help="turns of the cold start")
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
        submitters, kind = list_submitters(corpus, folder)
        results: dict[str, Any] = {
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "corpus": kind,
            "measurements": [
                measure_corpus(submitters, ours, options.peer, folder, options.rounds),
                measure_cold_start(choose_single(submitters), ours, options.peer, folder, options.starts),
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
