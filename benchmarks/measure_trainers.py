"""Measure the reference trainers: targets, seeded series, reference convergence points, tables, example logs.

    make measure-mini                          every trainer; hours on two processor cores
    make measure-mini TASKS=recommendation     one of them
    python -m benchmarks.measure_trainers recommendation --steps runs,points

For each task: gets its data; with the step ``targets``, which is not among the default ones, sets the target; trains a
series of seeded runs and another set of other seeds; writes where the series converged into the reference points; tests the
other set against them; writes tables into the task's README; trains the example logs. The step ``breaks``, which is not
among the default ones either, trains models that are broken on purpose and records their qualities.

The target is found as the suite's first round did: many seeds, disjoint from those of the series, train for a fixed number
of epochs, and the target is the mean of their qualities less two standard deviations, rounded down; of an error rate, plus
two, rounded up. The raw qualities are
kept in the task's ``target.json``; configuration and rules get the target. Finished runs
are kept and an interrupted one is resumed, so the command may be repeated until all is done. Timings
are worth publishing only from a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import statistics
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

from benchmarks.trained_logs import train_examples
from mlperf_logging.mllog.lifecycle import reaches_target
from reference_impls.harness import Task, find_task, list_tasks
from reference_impls.harness.run.series import RULESETS

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("data", "runs", "points", "tables", "logs")
MORE_STEPS = ("targets", "breaks")
"""Not among the default ones: they take long, and change what is measured."""
TARGET_RUNS = {
    "recommendation": (20, 8),
    "sentiment": (20, 6),
    "image_classification": (20, 6),
    "translation": (20, 3),
    "speech_recognition": (20, 8),
}
"""Number of seeds and of epochs of the step ``targets``."""
BELOW_MEAN = 2
"""Standard deviations from the mean down to the target: five runs, one of which may miss, then nearly always pass."""
UNREACHABLE = 1e9
SCALE = "mini"
POINTS = ROOT / "compliance_rules" / "rcp" / f"{RULESETS[SCALE].replace('/', '-')}.yaml"
RULES = ROOT / "compliance_rules" / f"{RULESETS[SCALE]}.yaml"
POINTS_HEAD = "# Where the reference trainers converged at mini scale, one number per seed. Written by `make measure-mini`.\n"
BEGIN, END = "<!-- measured runs -->", "<!-- end of measured runs -->"
SERIES_SEED, FRESH_SEED, TARGET_SEED = 1, 101, 1001
MISSED_ONE_IN = 5
"""At most one run in so many may miss the target, as the rules allow."""
_NOT_TOLD = {"seed", "train_samples", "eval_samples", "global_batch_size", "numerical_precision"}


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


def find_logs(task: Task, output: Path) -> list[Path]:
    """The logs of a series, by number."""
    logs = output.glob(f"*/results/*/{task.benchmark}/result_*.txt")
    return sorted(logs, key=lambda path: int(path.stem.rpartition("_")[2]))


def analyze(logs: Sequence[Path]) -> list[dict[str, Any]]:
    """One row per run, from `mlperf analyze`."""
    rows: list[dict[str, Any]] = json.loads(mlperf("analyze", "--format", "json", *map(str, logs)))["runs"]
    return rows


def read_events(log: Path) -> list[dict[str, Any]]:
    """The records of a log."""
    lines = log.read_text("utf-8").splitlines()
    return [json.loads(line.partition(" ")[2]) for line in lines if line.startswith(":::MLLOG ")]


def read_values(log: Path) -> dict[str, Any]:
    """The first value of each key of a log."""
    values: dict[str, Any] = {}
    for event in read_events(log):
        values.setdefault(event["key"], event["value"])
    return values


def describe_system(output: Path) -> str:
    """The machine that a series ran on, from its system description."""
    facts = json.loads(next(output.glob("*/systems/*.json")).read_text("utf-8"))
    return (
        f"{facts['host_processor_model_name']}, {facts['host_processor_vcpu_count']} cores, "
        f"{facts['host_memory_capacity']} of memory, {facts['framework']}"
    )


def date_series(logs: Sequence[Path]) -> str:
    """The day of a series' last event."""
    text = logs[-1].read_text("utf-8")
    last_ms = int(re.findall(r'"time_ms": (\d+)', text)[-1])
    return datetime.fromtimestamp(last_ms / 1000, timezone.utc).date().isoformat()


def write_points(task: Task, output: Path) -> None:
    """Put where a series converged among the reference points; other benchmarks' stay."""
    logs = find_logs(task, output)
    rows = analyze(logs)
    missed = [row["seed"] for row in rows if row["epochs_to_quality"] is None]
    if len(missed) * MISSED_ONE_IN > len(rows):
        raise SystemExit(
            f"{task.name}: seeds {', '.join(missed)} did not reach the target; no points were written"
        )
    values = read_values(logs[0])
    point = {
        "converged_at": [
            int(row["epochs_to_quality"]) for row in rows if row["epochs_to_quality"] is not None
        ],
        "hyperparameters": {
            key: value
            for key, value in values.items()
            if key.startswith(("opt_", "sgd_opt_")) and key not in _NOT_TOLD
        },
        "platform": describe_system(output),
        "precision": values["numerical_precision"],
        "creator": f"reference trainer {task.name}, seeds {rows[0]['seed']} to {rows[-1]['seed']}",
        "when": date_series(logs),
    }
    known = yaml.safe_load(POINTS.read_text("utf-8")) if POINTS.exists() else {"benchmarks": {}}
    known["benchmarks"][task.benchmark] = {
        "unit": "epochs",
        "points": {int(values["global_batch_size"]): point},
    }
    known["benchmarks"] = dict(sorted(known["benchmarks"].items()))
    text = yaml.safe_dump(known, sort_keys=False, width=110, default_flow_style=None, allow_unicode=True)
    POINTS.write_text(POINTS_HEAD + text, "utf-8")


def write_target(task: Task, output: Path) -> None:
    """Set the target by the series of the step ``targets``, in configuration, README and rules."""
    logs = find_logs(task, output)
    qualities = {}
    for log in logs:
        events = read_events(log)
        seed = next(event["value"] for event in events if event["key"] == "seed")
        qualities[seed] = [event["value"] for event in events if event["key"] == "eval_accuracy"]
    last = [course[-1] for course in qualities.values()]
    mean, deviation = statistics.mean(last), statistics.stdev(last)
    digits = 1 if mean > 1 else 3
    # Where less is better, the target is above the mean by as much.
    sign = 1 if find_mode(task) == "max" else -1
    target = sign * math.floor((sign * mean - BELOW_MEAN * deviation) * 10**digits) / 10**digits
    record = {
        "target": target,
        "mean": mean,
        "standard_deviation": deviation,
        "deviations_below_mean": BELOW_MEAN,
        "epochs": len(next(iter(qualities.values()))),
        "date": date_series(logs),
        "system": describe_system(output),
        "qualities_by_seed": qualities,
    }
    find_target_file(task).write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    config = ROOT / "reference_impls" / task.name / "config.py"
    head, mini, rest = config.read_text("utf-8").partition("\nMINI = ")
    config.write_text(head + mini + re.sub(r"target=[\d.]+", f"target={target}", rest, count=1), "utf-8")
    readme = ROOT / "reference_impls" / task.name / "README.md"
    page = readme.read_text("utf-8")
    row = re.search(r"^(\| target \| [^|]+ \| )([^|]+)( \|)$", page, re.MULTILINE)
    if row is None:
        raise SystemExit(f"{readme} has no row of the targets")
    cell = f"{100 * target:.1f} %" if "%" in row[2] else str(target)
    readme.write_text(page.replace(row[0], f"{row[1]}{cell}{row[3]}"), "utf-8")
    text = RULES.read_text("utf-8")
    start = text.index(f"\n  {task.benchmark}:\n")
    end = re.compile(r"^  \w+:$|\Z", re.MULTILINE).search(text, start + len(task.benchmark) + 5).start()
    changed = re.sub(r"((?:eval_target: |reaches )value [<>]= )[\d.]+", rf"\g<1>{target}", text[start:end])
    RULES.write_text(text[:start] + changed + text[end:], "utf-8")


def find_mode(task: Task) -> str:
    """Which quality is better: ``max``, the greater, or ``min``, the smaller, as of an error rate."""
    return task.load_workload().mode


def train_breaks(task: Task, data: Path) -> None:
    """Train what `broken_models` breaks, or what is missing of it, and keep the qualities beside those of the target."""
    from benchmarks.broken_models import BREAKS, SEEDS, train_broken

    path = find_target_file(task)
    record = json.loads(path.read_text("utf-8"))
    for what in BREAKS[task.name]:
        for seed in SEEDS:
            known = record.setdefault("qualities_by_break", {}).setdefault(what, {})
            if str(seed) not in known:
                known[str(seed)] = train_broken(task.name, what, seed, data)
                path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
                best = find_best(known[str(seed)], find_mode(task))
                print(f"{task.name}: {what}, seed {seed}: at best {best:.4f}", flush=True)


def find_best(qualities: Sequence[float], mode: str) -> float:
    """The best quality; see `find_mode`."""
    return max(qualities) if mode == "max" else min(qualities)


def describe_breaks(record: dict[str, Any], mode: str = "max") -> str:
    """A Markdown table of the best quality of each broken model, see `find_mode`; empty if none was trained."""
    breaks = record.get("qualities_by_break", {})
    intact = [find_best(course, mode) for course in record["qualities_by_seed"].values()]
    rows = [("intact", intact)] + [
        (what, [find_best(course, mode) for course in seeds.values()]) for what, seeds in breaks.items()
    ]
    lines = [
        f"| {what} | {len(best)} | {min(best):.4f} to {max(best):.4f} | "
        f"{sum(reaches_target(each, record['target'], mode) for each in best)} of {len(best)} |"
        for what, best in rows
    ]
    head = f"| model | seeds | best quality within {record['epochs']} epochs | target reached |\n|---|---|---|---|"
    return "\n".join([head, *lines]) if breaks else ""


def find_target_file(task: Task) -> Path:
    """Where the qualities are that the target was set by."""
    return ROOT / "reference_impls" / task.name / "target.json"


def write_tables(task: Task, series: Path, fresh: Path) -> None:
    """Put what was measured into the task's README, between its two marks."""
    logs, fresh_logs = find_logs(task, series), find_logs(task, fresh)
    rows = analyze(logs)
    reached = [row for row in rows if row["epochs_to_quality"] is not None]
    minutes = [row["time_to_quality_seconds"] / 60 for row in reached]
    epochs = [int(row["epochs_to_quality"]) for row in reached]
    sentence = (
        f"{len(reached)} of {len(rows)} runs (seeds {rows[0]['seed']} to {rows[-1]['seed']}) reached the target: after "
        f"{statistics.median(minutes):.2f} minutes in the median ({min(minutes):.2f} to {max(minutes):.2f}) and "
        f"{statistics.median(epochs):g} epochs ({min(epochs)} to {max(epochs)})."
    )
    made = f"Made by `make measure-mini` on {date_series(logs)}: {describe_system(series)}."
    tables = mlperf("analyze", *map(str, logs)).rstrip()
    test = mlperf("rcp", *map(str, sorted({log.parent for log in fresh_logs})), may_fail=True).rstrip()
    breaks = ""
    if find_target_file(task).exists():
        target = json.loads(find_target_file(task).read_text("utf-8"))
        breaks = describe_breaks(target, find_mode(task))
        seeds = list(target["qualities_by_seed"])
        side, rounded = ("minus", "down") if find_mode(task) == "max" else ("plus", "up")
        sentence = (
            f"The target, {target['target']}, is the mean of {len(seeds)} seeds ({seeds[0]} to {seeds[-1]}) after "
            f"{target['epochs']} epochs, {target['mean']:.4f}, {side} {target['deviations_below_mean']} times their standard "
            f"deviation, {target['standard_deviation']:.4f}, rounded {rounded} (`target.json`). {sentence}"
        )
    text = "\n\n".join(
        [
            *(textwrap.fill(each, 120, break_long_words=False) for each in (sentence, made)),
            f"```\n{tables}\n```",
            f"{len(fresh_logs)} further runs (seeds from {FRESH_SEED} on) against the points made of these:",
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
    parser.add_argument("tasks", nargs="*", help="only these (default: all that are not experimental)")
    parser.add_argument("--steps", default=",".join(STEPS), help=f"of {', '.join(STEPS)} (default: all)")
    parser.add_argument("--runs", type=int, default=10, help="runs of the series (default: 10)")
    parser.add_argument("--fresh", type=int, default=5, help="runs of the set to test (default: 5)")
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="folder of all data (default: data)")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "out" / "measured", help="default: out/measured"
    )
    options = parser.parse_args()
    steps = options.steps.split(",")
    if unknown := set(steps) - {*MORE_STEPS, *STEPS}:
        parser.error(f"unknown step {', '.join(unknown)}; choose from {', '.join((*MORE_STEPS, *STEPS))}")
    measured = [name for name, task in list_tasks().items() if not task.is_experimental]
    for name in options.tasks or measured:
        task = find_task(name)
        if task.name not in TARGET_RUNS:
            parser.error(f"{task.name} has no target of one number to set or to measure by")
        series, fresh = options.output / "series", options.output / "fresh"
        data = options.data.resolve() / task.name / SCALE
        if "data" in steps:
            print(run(task.scripts, "--scale", SCALE, "--data", str(data)), end="")
        if "targets" in steps:
            runs, epochs = TARGET_RUNS[task.name]
            settings = (f"target={UNREACHABLE}", f"max_epochs={epochs}")
            found = (options.output / "target").resolve()
            train(task, runs, TARGET_SEED, options.data.resolve(), found, settings)
            write_target(task, found)
        if "runs" in steps:
            train(task, options.runs, SERIES_SEED, options.data.resolve(), series.resolve())
            train(task, options.fresh, FRESH_SEED, options.data.resolve(), fresh.resolve())
        if "breaks" in steps:
            train_breaks(task, options.data.resolve())
        if "points" in steps:
            write_points(task, series)
        if "tables" in steps:
            write_tables(task, series, fresh)
        if "logs" in steps:
            train_examples(task.name, options.data.resolve(), (options.output / "examples").resolve())
        print(f"{task.name}: {', '.join(steps)} done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
