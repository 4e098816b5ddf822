"""Measure the reference trainers: targets, reference convergence points, seeded runs, broken models, tables, example logs.

    make measure-mini                          every trainer; hours on two processor cores
    make measure-mini TASKS=recommendation     one of them
    python -m benchmarks.measure_trainers recommendation --steps runs,tables

For each task: gets its data; trains five seeded runs, tests them against the reference convergence points and writes what came
out into the task's README; trains the example logs. Two steps are not among the default ones: ``targets`` sets the targets
and the reference convergence points; ``breaks`` trains models that are broken on purpose and records their qualities.

Targets are found as the suite's first round did: many seeds, disjoint from those of the runs, train for the greatest number of
epochs, and the target is the mean of their qualities less two standard deviations, rounded down; of an error rate, plus two,
rounded up. The epochs in which the same seeds reach it are the reference convergence points. The raw qualities are kept in the
task's ``target.json``; configuration, rules and README get the targets. Finished runs are kept and an interrupted one is
resumed, so the command may be repeated until all is done. Timings are worth publishing only from a machine that does
nothing else.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measured_logs import ROOT, SCALE, date_series, describe_system, find_logs
from benchmarks.measured_targets import (
    describe_breaks,
    describe_target,
    find_mode,
    find_target_file,
    train_breaks,
    write_points,
    write_target,
)
from benchmarks.trained_logs import train_examples
from reference_impls.harness import Task, find_task, list_tasks

STEPS = ("data", "runs", "tables", "logs")
MORE_STEPS = ("targets", "breaks")
"""Not among the default ones: they take long, and change what is measured."""
TARGET_SEEDS = {"recommendation": 20, "sentiment": 20, "image_classification": 20, "translation": 20}
"""Number of seeds of the step ``targets``; of other tasks `FEWEST_SEEDS`, since a run takes minutes."""
FEWEST_SEEDS = 10
UNREACHABLE = {"max": 1e9, "min": -1e9}
"""Targets that no quality reaches, see `find_mode`: where there are several, one of them is enough."""
BEGIN, END = "<!-- measured runs -->", "<!-- end of measured runs -->"
FIRST_SEED, TARGET_SEED = 1, 1001


def run(*arguments: str, may_fail: bool = False) -> str:
    """Run a module of this environment and give what it printed; its standard error passes through.

    Raises:
        SystemExit: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode and not may_fail:
        raise SystemExit(f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def mlperf(*arguments: str, may_fail: bool = False) -> str:
    """Run `mlperf` and give what it printed."""
    return run("mlperf_logging.cli.main", *arguments, may_fail=may_fail)


def train(
    task: Task, runs: int, first_seed: int, data: Path, output: Path, settings: Sequence[str] = ()
) -> None:
    """Train a series, or what is missing of it; runs that do not reach the target are part of the measurement."""
    mlperf(
        "train",
        task.name,
        "--scale",
        SCALE,
        "--runs",
        str(runs),
        "--seed",
        str(first_seed),
        "--data",
        str(data),
        "--output",
        str(output),
        "--resume",
        *(text for setting in settings for text in ("--set", setting)),
        may_fail=True,
    )
    found = find_logs(task, output)
    if len(found) != runs:
        raise SystemExit(f"{output} holds {len(found)} of the {runs} runs of {task.name}; repeat the command")


def analyze(logs: Sequence[Path]) -> list[dict[str, Any]]:
    """One row per run, from `mlperf analyze`."""
    rows: list[dict[str, Any]] = json.loads(mlperf("analyze", "--format", "json", *map(str, logs)))["runs"]
    return rows


def write_tables(task: Task, series: Path) -> None:
    """Put what was measured into the task's README, between its two marks."""
    logs = find_logs(task, series)
    rows = analyze(logs)
    reached = [row for row in rows if row["epochs_to_quality"] is not None]
    minutes = [row["time_to_quality_seconds"] / 60 for row in reached]
    epochs = [int(row["epochs_to_quality"]) for row in reached]
    target = json.loads(find_target_file(task).read_text("utf-8"))
    sentence = (
        f"{describe_target(target, find_mode(task))} {len(reached)} of {len(rows)} runs (seeds {rows[0]['seed']} to "
        f"{rows[-1]['seed']}) reached {'them' if isinstance(target['target'], dict) else 'it'}: after "
        f"{statistics.median(minutes):.2f} minutes in the median ({min(minutes):.2f} to {max(minutes):.2f}) and "
        f"{statistics.median(epochs):g} epochs ({min(epochs)} to {max(epochs)})."
    )
    made = f"Made by `make measure-mini` on {date_series(logs)}: {describe_system(series)}."
    tables = mlperf("analyze", *map(str, logs)).rstrip()
    test = mlperf("rcp", *map(str, sorted({log.parent for log in logs})), may_fail=True).rstrip()
    breaks = describe_breaks(target, find_mode(task))
    text = "\n\n".join(
        [
            *(textwrap.fill(each, 120, break_long_words=False) for each in (sentence, made)),
            f"```\n{tables}\n```",
            "The same runs against the reference convergence points, which the seeds of the target made:",
            f"```\n{test}\n```",
            *(["Models that are broken on purpose, by the same target:", breaks] if breaks else []),
        ]
    )
    path = ROOT / "reference_impls" / task.name / "README.md"
    readme = path.read_text("utf-8")
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} lacks the marks {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")


def main() -> int:
    """Measure what the arguments name."""
    parser = argparse.ArgumentParser(description="Measure the reference trainers at mini scale.")
    parser.add_argument("tasks", nargs="*", help="only these (default: all)")
    parser.add_argument(
        "--steps",
        default=",".join(STEPS),
        help=f"of {', '.join((*STEPS, *MORE_STEPS))} (default: {', '.join(STEPS)})",
    )
    parser.add_argument("--runs", type=int, default=5, help="runs of the series (default: 5)")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder of all data (default: data)")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "out" / "measured", help="default: out/measured"
    )
    options = parser.parse_args()
    steps = options.steps.split(",")
    if unknown := set(steps) - {*MORE_STEPS, *STEPS}:
        parser.error(f"unknown step {', '.join(unknown)}; choose from {', '.join((*MORE_STEPS, *STEPS))}")
    for name in options.tasks or list_tasks():
        task = find_task(name)
        series = (options.output / "series").resolve()
        data = options.data.resolve()
        if "data" in steps:
            print(run(task.scripts, "--scale", SCALE, "--data", str(data / task.name / SCALE)), end="")
        if "targets" in steps:
            runs = TARGET_SEEDS.get(task.name, FEWEST_SEEDS)
            found = (options.output / "target").resolve()
            train(task, runs, TARGET_SEED, data, found, [f"target={UNREACHABLE[find_mode(task)]}"])
            write_target(task, found)
            write_points(task, found)
        if "runs" in steps:
            train(task, options.runs, FIRST_SEED, data, series)
        if "breaks" in steps:
            train_breaks(task, data)
        if "tables" in steps:
            write_tables(task, series)
        if "logs" in steps:
            train_examples(task.name, data, (options.output / "examples").resolve())
        print(f"{task.name}: {', '.join(steps)} done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
