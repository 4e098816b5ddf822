"""Targets and reference convergence points of the mini scale, from the qualities of many seeds, and what broken models reach.

`measure_trainers` trains; here is what follows from it. The raw qualities are kept in the task's ``target.json``.
"""

from __future__ import annotations

import json
import math
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measured_logs import (
    ROOT,
    SCALE,
    date_series,
    describe_system,
    find_logs,
    read_events,
    read_values,
)
from mlperf_logging.mllog.lifecycle import reaches_target
from reference_impls.harness import Task
from reference_impls.harness.run.series import RULESETS

BELOW_MEAN = 2
"""Standard deviations from the mean down to the target: five runs, one of which may miss, then nearly always pass."""
MISSED_ONE_IN = 5
"""At most one run in so many may miss the target, as the rules allow."""
SETTINGS = {
    "object_detection": {"BBOX": "target", "SEGM": "mask_target"},
    "reinforcement_learning": {"agreement": "target", "win_rate": "win_target"},
}
"""Of tasks with several qualities: the setting that holds the target of each, by the quality's name."""
POINTS = ROOT / "compliance_rules" / "rcp" / f"{RULESETS[SCALE].replace('/', '-')}.yaml"
RULES = ROOT / "compliance_rules" / f"{RULESETS[SCALE]}.yaml"
POINTS_HEAD = "# Where the reference trainers converged at mini scale, one number per seed. Written by `make measure-mini`.\n"
_NOT_TOLD = {"seed", "train_samples", "eval_samples", "global_batch_size", "numerical_precision"}

Course = Sequence[Any]
"""The quality after each epoch: a number, or several by name."""


def find_target_file(task: Task) -> Path:
    """Where the qualities are that the target was set by."""
    return ROOT / "reference_impls" / task.name / "target.json"


def find_mode(task: Task) -> str:
    """Which quality is better: ``max``, the greater, or ``min``, the smaller, as of an error rate."""
    return task.load_workload().mode


def choose_target(qualities: Sequence[float], mode: str) -> float:
    """The target that follows from the last qualities of many seeds.

    Args:
        qualities: one for each seed, at least two.
        mode: see `find_mode`.

    Returns:
        Their mean less `BELOW_MEAN` standard deviations, rounded down, to three digits of a share or to one of a larger
        number; where less is better, plus as many, rounded up.
    """
    mean, deviation = statistics.mean(qualities), statistics.stdev(qualities)
    digits = 1 if mean > 1 else 3
    sign = 1 if mode == "max" else -1
    return sign * math.floor((sign * mean - BELOW_MEAN * deviation) * 10**digits) / 10**digits


def split_course(course: Course) -> dict[str, list[float]]:
    """The course of each quality by its name; of a task with only one, by the empty name."""
    if not isinstance(course[0], Mapping):
        return {"": list(course)}
    return {name: [each[name] for each in course] for name in course[0]}


def join_names(values: Mapping[str, Any]) -> Any:
    """Values by the name of the quality; of a task with only one, its value."""
    return values[""] if set(values) == {""} else dict(values)


def write_target(task: Task, output: Path) -> None:
    """Set the targets by the series of the step ``targets``, in configuration, README and rules.

    Raises:
        SystemExit: a seed did not train for all epochs; more seeds miss the target than the rules allow; or one of these
            places does not have a target to set. Nothing has been changed then, but in the last case.
    """
    logs = find_logs(task, output)
    mode = find_mode(task)
    settings = SETTINGS.get(task.name, {"": "target"})
    courses: dict[str, Course] = {}
    for log in logs:
        events = read_events(log)
        seed = next(event["value"] for event in events if event["key"] == "seed")
        courses[str(seed)] = [event["value"] for event in events if event["key"] == "eval_accuracy"]
    whole = max(map(len, courses.values()))
    if short := [seed for seed, course in courses.items() if not whole or len(course) < whole]:
        raise SystemExit(
            f"{task.name}: seeds {', '.join(short)} ended before the others (after {whole} evaluations); no target was set"
        )
    split = [split_course(course) for course in courses.values()]
    last = {name: [course[name][-1] for course in split] for name in settings}
    targets = {name: choose_target(qualities, mode) for name, qualities in last.items()}
    record = {
        "target": join_names(targets),
        "mean": join_names({name: statistics.mean(qualities) for name, qualities in last.items()}),
        "standard_deviation": join_names({name: statistics.stdev(each) for name, each in last.items()}),
        "deviations_below_mean": BELOW_MEAN,
        "epochs": len(next(iter(courses.values()))),
        "date": date_series(logs),
        "system": describe_system(output),
        "qualities_by_seed": courses,
    }
    find_epochs(task, record)
    find_target_file(task).write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    home = ROOT / "reference_impls" / task.name
    _set_in_config(home / "config.py", {settings[name]: target for name, target in targets.items()})
    _set_in_readme(home / "README.md", targets)
    _set_in_rules(task.benchmark, {name: (settings[name], each) for name, each in targets.items()}, mode)


def _set_in_config(path: Path, targets: Mapping[str, float]) -> None:
    head, mini, rest = path.read_text("utf-8").partition("\nMINI = ")
    for setting, target in targets.items():
        rest, number = re.subn(rf"\b{setting}=[\d.]+", f"{setting}={target}", rest, count=1)
        if not number:
            raise SystemExit(f"{path}: the mini scale does not set {setting}")
    path.write_text(head + mini + rest, "utf-8")


def _set_in_readme(path: Path, targets: Mapping[str, float]) -> None:
    page = path.read_text("utf-8")
    row = re.search(r"^(\| target \| [^|]+ \| )([^|]+)( \|)$", page, re.MULTILINE)
    if row is None:
        raise SystemExit(f"{path} has no row of the targets")
    cells = [
        f"{100 * target:.1f} %" if "%" in row[2] else f"{target} {_name_quality(name)}".rstrip()
        for name, target in targets.items()
    ]
    path.write_text(page.replace(row[0], f"{row[1]}{' and '.join(cells)}{row[3]}"), "utf-8")


def _name_quality(name: str) -> str:
    return name.replace("_", " ")


def _set_in_rules(benchmark: str, qualities: Mapping[str, tuple[str, float]], mode: str) -> None:
    text = RULES.read_text("utf-8")
    start = text.index(f"\n  {benchmark}:\n")
    end = re.compile(r"^  \w+:$|\Z", re.MULTILINE).search(text, start + len(benchmark) + 5).start()
    rules = text[start:end]
    bound = ">=" if mode == "max" else "<="
    for name, (setting, target) in qualities.items():
        quality = f"value.{name}" if name else "value"
        # Without a rule of its own, it was that of the full scale so far, which the small one extends.
        if f" eval_{setting}:" not in rules:
            rules = re.sub(
                r"( +)max_epochs: .*\n", rf"\g<0>\1eval_{setting}: value {bound} 0\n", rules, count=1
            )
        for place in (f"eval_{setting}: value", f"(?:reaches|and) {re.escape(quality)}"):
            rules, number = re.subn(rf"(\b{place} {bound} )[\d.]+", rf"\g<1>{target}", rules)
            if not number:
                raise SystemExit(f"{RULES}: {benchmark} has no rule '{place} {bound} …'")
    RULES.write_text(text[:start] + rules + text[end:], "utf-8")


def write_points(task: Task, output: Path) -> None:
    """Put where the seeds of the target reached it among the reference points; other benchmarks' stay.

    Args:
        task: the trainer.
        output: the series that set the target.

    Raises:
        SystemExit: more seeds missed the target than the rules allow.
    """
    logs = find_logs(task, output)
    record = json.loads(find_target_file(task).read_text("utf-8"))
    epochs = find_epochs(task, record)
    values = read_values(logs[0])
    point = {
        "converged_at": [number for number in epochs.values() if number is not None],
        "hyperparameters": {
            key: value
            for key, value in values.items()
            if key.startswith(("opt_", "sgd_opt_", "lr_")) and key not in _NOT_TOLD
        },
        "platform": record["system"],
        "precision": values["numerical_precision"],
        "creator": f"reference trainer {task.name}, seeds {min(epochs, key=int)} to {max(epochs, key=int)}",
        "when": record["date"],
    }
    known = yaml.safe_load(POINTS.read_text("utf-8")) if POINTS.exists() else {"benchmarks": {}}
    known["benchmarks"][task.benchmark] = {
        "unit": "epochs",
        "points": {int(values["global_batch_size"]): point},
    }
    known["benchmarks"] = dict(sorted(known["benchmarks"].items()))
    text = yaml.safe_dump(known, sort_keys=False, width=110, default_flow_style=None, allow_unicode=True)
    POINTS.write_text(POINTS_HEAD + text, "utf-8")


def find_epochs(task: Task, record: Mapping[str, Any]) -> dict[str, int | None]:
    """The epochs after which each seed of the target reached it.

    Raises:
        SystemExit: more seeds missed it than the rules allow.
    """
    mode = find_mode(task)
    epochs = {
        seed: count_epochs(course, record["target"], mode)
        for seed, course in record["qualities_by_seed"].items()
    }
    missed = [seed for seed, number in epochs.items() if number is None]
    if len(missed) * MISSED_ONE_IN > len(epochs):
        raise SystemExit(f"{task.name}: seeds {', '.join(missed)} did not reach the target")
    return epochs


def count_epochs(course: Course, target: Any, mode: str) -> int | None:
    """The first epoch whose quality reaches the target, or ``None``; where there are several, all of them at once."""
    return next((epoch for epoch, each in enumerate(course, 1) if reaches_target(each, target, mode)), None)


def train_breaks(task: Task, data: Path) -> None:
    """Train what `broken_models` breaks, or what is missing of it, and keep the qualities beside those of the target."""
    from benchmarks.broken_models import BREAKS, SEEDS, train_broken

    path = find_target_file(task)
    record = json.loads(path.read_text("utf-8"))
    for seed in SEEDS:
        for what in BREAKS[task.name]:
            known = record.setdefault("qualities_by_break", {}).setdefault(what, {})
            if str(seed) not in known:
                known[str(seed)] = train_broken(task.name, what, seed, data)
                path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
                best = find_best(known[str(seed)], find_mode(task))
                told = ", ".join(f"{_name_quality(name)} {each:.4f}".lstrip() for name, each in best.items())
                print(f"{task.name}: {what}, seed {seed}: at best {told}", flush=True)


def find_best(course: Course, mode: str) -> dict[str, float]:
    """The best of each quality by its name, not necessarily of one epoch; see `find_mode`."""
    choose = max if mode == "max" else min
    return {name: choose(qualities) for name, qualities in split_course(course).items()}


def describe_breaks(record: Mapping[str, Any], mode: str = "max") -> str:
    """A Markdown table of the best quality of each broken model, see `find_mode`; empty if none was trained."""
    breaks = record.get("qualities_by_break", {})
    if not breaks:
        return ""
    target = record["target"]
    names = list(target) if isinstance(target, Mapping) else [""]
    lines = []
    for what, courses in [("intact", record["qualities_by_seed"]), *breaks.items()]:
        best = [find_best(course, mode) for course in courses.values()]
        ranges = [
            f"{min(each[name] for each in best):.4f} to {max(each[name] for each in best):.4f}"
            for name in names
        ]
        reached = sum(count_epochs(course, target, mode) is not None for course in courses.values())
        cells = (what, str(len(courses)), *ranges, f"{reached} of {len(courses)}")
        lines.append(f"| {' | '.join(cells)} |")
    best_heads = [
        f"best {_name_quality(name) or 'quality'} within {record['epochs']} epochs" for name in names
    ]
    heads = ("model", "seeds", *best_heads, "target reached")
    return "\n".join([f"| {' | '.join(heads)} |", f"{'|---' * len(heads)}|", *lines])


def describe_target(record: Mapping[str, Any], mode: str = "max") -> str:
    """A sentence that says how the target was set, or the targets of several qualities."""
    seeds = list(record["qualities_by_seed"])
    side, rounded = ("minus", "down") if mode == "max" else ("plus", "up")
    several = isinstance(record["target"], Mapping)

    def tell(what: str, pattern: str) -> str:
        if not several:
            return format(record[what], pattern)
        return " and ".join(
            f"{each:{pattern}} ({_name_quality(name)})" for name, each in record[what].items()
        )

    return (
        f"The {'targets' if several else 'target'}, {tell('target', '')}, {'are' if several else 'is'} the mean of "
        f"{len(seeds)} seeds ({seeds[0]} to {seeds[-1]}) after {record['epochs']} epochs, {tell('mean', '.4f')}, {side} "
        f"{record['deviations_below_mean']} times their standard deviation, {tell('standard_deviation', '.4f')}, rounded "
        f"{rounded} (`target.json`)."
    )
