"""Write the reference results of the suite at mini scale, by which `mlperf score --suite mini` normalizes.

    make suite-references                                      from the series of `make measure-mini`
    python -m benchmarks.suite_references out/measured/series

Of each benchmark below the folder, the runs with the suite's seeds make the reference result. All of them must be compliant and
reach the target; otherwise the benchmark's reference result stays as it is, and the reason is said. Times are comparable
only if the machine did nothing else, so this is a series of its own and not the suite that is scored.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measured_logs import ROOT, SCALE, date_series, describe_system
from mlperf_logging.scoring.results import read_results
from mlperf_logging.scoring.runs import ScoredRun
from mlperf_logging.scoring.suites import load_suite

SERIES = ROOT / "out" / "measured" / "series"
SUITE = ROOT / "compliance_rules" / "suites" / f"{SCALE}.yaml"
_DECIMALS = 3
_SECONDS_PER_MINUTE = 60


class MissingRunError(Exception):
    """The runs of a benchmark do not make a reference result; the message says why."""


def choose_runs(runs: Sequence[ScoredRun], seeds: Sequence[int]) -> list[ScoredRun]:
    """The runs with the suite's seeds, in their order.

    Raises:
        MissingRunError: a seed has no run or several, or its run does not count.
    """
    chosen = []
    for seed in seeds:
        found = [run for run in runs if run.seeds == (seed,)]
        if len(found) != 1:
            raise MissingRunError(f"{len(found) or 'no'} runs with seed {seed}")
        if not found[0].counts:
            raise MissingRunError(f"the run with seed {seed} does not count: {', '.join(found[0].faults)}")
        chosen += found
    return chosen


def measure_references(folder: Path, suite_file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The reference results that a folder of results makes.

    Args:
        folder: holds the results of one system, laid out as a submission.
        suite_file: the suite, which says the benchmarks and the seeds.

    Returns:
        The entry of each benchmark in the suite's file, and why others have none.

    Raises:
        UsageError: there are no results.
    """
    suite = load_suite(str(suite_file))
    entries: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for found, runs in read_results(folder):
        benchmark = next((run.benchmark for run in runs if run.benchmark is not None), found.benchmark)
        if not any(suite.takes(benchmark, run.usage) for run in runs):
            problems[benchmark] = f"{found.path} holds no results of the suite"
            continue
        if benchmark in entries:
            raise SystemExit(f"{folder} holds several results of {benchmark}; name the folder of one system")
        try:
            chosen = choose_runs(runs, suite.seeds)
        except MissingRunError as error:
            problems[benchmark] = str(error)
            continue
        minutes = [run.minutes for run in chosen if run.minutes is not None]
        entries[benchmark] = {
            "reference_seconds": [round(each * _SECONDS_PER_MINUTE, _DECIMALS) for each in minutes],
            "creator": f"reference trainers, seeds {suite.seeds[0]} to {suite.seeds[-1]}",
            "platform": describe_system(folder),
            "when": date_series([Path(run.path) for run in chosen]),
        }
    return entries, problems


def write_references(entries: Mapping[str, Any], suite_file: Path) -> None:
    """Put reference results into the suite's file; those of other benchmarks stay."""
    text = suite_file.read_text("utf-8")
    head = text.splitlines(keepends=True)[0]
    suite = yaml.safe_load(text)
    suite["benchmarks"] = {name: entries.get(name, entry) for name, entry in suite["benchmarks"].items()}
    dumped = yaml.safe_dump(suite, sort_keys=False, width=120, default_flow_style=None, allow_unicode=True)
    suite_file.write_text(head + dumped, "utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what a folder makes; 1 where a benchmark of it makes no reference result."""
    parser = argparse.ArgumentParser(description="Write the reference results of the suite at mini scale.")
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=SERIES,
        help="of one system's results (default: out/measured/series)",
    )
    folder = parser.parse_args(arguments).folder
    entries, problems = measure_references(folder, SUITE)
    write_references(entries, SUITE)
    for benchmark, entry in entries.items():
        print(f"{benchmark}: {', '.join(map(str, entry['reference_seconds']))} s")
    for benchmark, problem in problems.items():
        print(f"{benchmark}: {problem}; its reference result stays as it is")
    missing = [
        name for name, entry in load_suite(str(SUITE)).benchmarks.items() if entry.reference_minutes is None
    ]
    if missing:
        print(f"no reference result yet: {', '.join(missing)}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
