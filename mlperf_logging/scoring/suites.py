"""Suites: several benchmarks with one score, normalized by reference results.

A normalized result is the reference's time over the result, so bigger is better; a suite's score is the weighted
geometric mean of its benchmarks' normalized results, and needs all of them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.scoring.cost import Cost
from mlperf_logging.scoring.means import geometric_mean, median, olympic_mean
from mlperf_logging.scoring.requirements import Requirement, read_requirement

MEDIAN, OLYMPIC = "median", "olympic"
_FOLDER = "suites"
_PROVENANCE = ("creator", "platform", "when")


class SuiteBenchmark(NamedTuple):
    """One benchmark of a suite.

    Attributes:
        reference_minutes: the reference's result in minutes; None where it has not been measured.
        reference_seconds: the reference runs in seconds, in the order of the suite's seeds.
        weight: weight in the geometric mean.
        creator: whose runs they are.
        platform: the machine that they ran on.
        when: the day of the last one, as YYYY-MM-DD.
    """

    reference_minutes: float | None
    reference_seconds: tuple[float, ...] = ()
    weight: float = 1.0
    creator: str = ""
    platform: str = ""
    when: str = ""


class Suite(NamedTuple):
    """Several benchmarks with one score.

    Attributes:
        name: name of the suite's file.
        title: as people call it.
        source: where the reference results come from.
        method: "median" or "olympic": how a benchmark's runs make its result.
        requirement: how often each benchmark is run, or None for what the round says.
        seeds: the seeds that the runs are to have; empty where any will do.
        benchmarks: by name.
        usages: the usages whose rules judge its results; empty where any will do.
    """

    name: str
    title: str
    source: str
    method: str
    requirement: Requirement | None
    seeds: tuple[int, ...]
    benchmarks: Mapping[str, SuiteBenchmark]
    usages: tuple[str, ...] = ()

    def takes(self, benchmark: str | None, usage: str) -> bool:
        """Whether a result of a benchmark, judged by the rules of a usage, is one of the suite."""
        return benchmark in self.benchmarks and (not self.usages or usage in self.usages)


class SuiteScore(NamedTuple):
    """The score of a suite on one system.

    Attributes:
        suite: name of the suite.
        system: what was scored.
        normalized: benchmark to reference time over result; bigger is better.
        score: weighted geometric mean; None where a result or a reference result is missing.
        missing: benchmarks without a result.
        unreferenced: benchmarks without a reference result, which nothing can be normalized by.
        division: "closed" or "open"; None where it is not known, or does not matter.
        minutes: sum of the results that the score is made of; None where one is missing.
        energy_kj: sum of their energy; None where one is not known.
        cost: what they cost together; None without prices, or where a result is missing.
    """

    suite: str
    system: str
    normalized: Mapping[str, float]
    score: float | None
    missing: tuple[str, ...]
    unreferenced: tuple[str, ...] = ()
    division: str | None = None
    minutes: float | None = None
    energy_kj: float | None = None
    cost: Cost | None = None


def score_suite(
    suite: Suite, minutes: Mapping[str, float], system: str = "", weights: Mapping[str, float] | None = None
) -> SuiteScore:
    """The score of a suite.

    Args:
        suite: the suite.
        minutes: benchmark to its result in minutes; others than the suite's are skipped.
        system: what was scored.
        weights: benchmark to its weight in place of the suite's; those left out weigh nothing.

    Raises:
        UsageError: a weight is of no benchmark of the suite, is negative, or all are zero.
    """
    weighed = {name: entry.weight for name, entry in suite.benchmarks.items()}
    if weights:
        unknown = [name for name in weights if name not in weighed]
        if unknown:
            raise UsageError(f"{suite.name} has no benchmark {unknown[0]!r}; it has {', '.join(weighed)}")
        weighed = {name: weights.get(name, 0.0) for name in weighed}
    wanted = [name for name, weight in weighed.items() if weight]
    known = {name: minutes[name] for name in suite.benchmarks if minutes.get(name, 0) > 0}
    references = {name: entry.reference_minutes for name, entry in suite.benchmarks.items()}
    normalized = {
        name: reference / known[name]
        for name, reference in references.items()
        if name in known and reference is not None
    }
    missing = tuple(name for name in wanted if name not in known)
    unreferenced = tuple(name for name in wanted if references[name] is None)
    score = None
    if not missing and not unreferenced:
        try:
            score = geometric_mean([normalized[name] for name in wanted], [weighed[name] for name in wanted])
        except ValueError as error:
            raise UsageError(str(error)) from None
    total = None if missing else sum(known[name] for name in wanted)
    return SuiteScore(suite.name, system, normalized, score, missing, unreferenced, minutes=total)


def list_suites(folder: str | PathLike[str] | None = None) -> list[str]:
    """The names of the suites of a folder of rules, and of the rules that it extends; None means those of the package."""
    return list(_find_suites(folder))


def load_suite(name: str, folder: str | PathLike[str] | None = None) -> Suite:
    """A suite by its name, or from a file.

    Args:
        name: name of a suite that ships with the package, or path of a YAML file.
        folder: folder of other rule files; None means those that ship with the package.

    Raises:
        UsageError: there is no such suite.
        RuleError: its file is wrong.
    """
    from pathlib import Path

    from mlperf_logging.rules.files import load_rule_file

    known = _find_suites(folder)
    path = Path(known.get(name, name))
    if not path.is_file():
        raise UsageError(f"unknown suite {name!r}; known: {', '.join(known)}, or give a YAML file")
    return _read_suite(
        load_rule_file(path, path.name if name not in known else f"{_FOLDER}/{path.name}"), path.stem
    )


def _find_suites(folder: str | PathLike[str] | None) -> dict[str, str]:
    """Name of each suite and path of its file; a folder's own go before those of the rules that it extends."""
    from mlperf_logging.rules.repository import open_rules

    found: dict[str, str] = {}
    rules = open_rules(folder)
    for each in (rules.base, rules):
        place = os.path.join(each.folder, _FOLDER) if each is not None else ""
        if os.path.isdir(place):
            found |= {
                name.removesuffix(".yaml"): os.path.join(place, name)
                for name in os.listdir(place)
                if name.endswith(".yaml")
            }
    return dict(sorted(found.items()))


def _read_suite(record: Any, name: str) -> Suite:
    record.allow("title", "source", "score", "runs", "seeds", "usages", "benchmarks")
    method = record.take("score", str, OLYMPIC)
    if method not in (MEDIAN, OLYMPIC):
        raise record.fail(f"'score' must be {MEDIAN} or {OLYMPIC}, not {method!r}", "score")
    runs = record.take("runs", dict)
    if runs is not None:
        runs.allow("required", "dropped_each_side", "non_converged_allowed")
        for key in ("required", "dropped_each_side", "non_converged_allowed"):
            if runs.take(key, int) is None:
                raise runs.fail(f"'runs' must say {key!r}")
            if runs[key] < 0:
                raise runs.fail(f"{key!r} must not be negative", key)
    requirement = read_requirement(runs)
    seeds = tuple(record.take("seeds", list, []))
    usages = tuple(record.take_texts("usages"))
    entries = record.take("benchmarks", dict)
    if not entries:
        raise record.fail("a suite needs 'benchmarks' with their reference results")
    dropped = requirement.olympic_dropped if requirement is not None else 1
    benchmarks = {
        benchmark: _read_benchmark(entry, method, dropped) for benchmark, entry in entries.sections()
    }
    title, source = record.take("title", str, name), record.take("source", str, "")
    return Suite(name, title, source, method, requirement, seeds, benchmarks, usages)


def _read_benchmark(entry: Any, method: str, dropped: int) -> SuiteBenchmark:
    entry.allow("reference_seconds", "weight", *_PROVENANCE)
    weight = entry.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
        raise entry.fail(f"'weight' must be zero or more, not {weight!r}", "weight")
    provenance = {name: entry.take(name, str, "") for name in _PROVENANCE}
    if "reference_seconds" in entry and entry["reference_seconds"] is None:
        return SuiteBenchmark(None, weight=float(weight), **provenance)
    seconds = _read_numbers(entry, entry.get("reference_seconds"))
    result = median(seconds) if method == MEDIAN else olympic_mean(seconds, dropped)
    if len(seconds) == 1:
        result = seconds[0]
    if result is None:
        raise entry.fail(f"{len(seconds)} reference runs are too few for a mean", "reference_seconds")
    return SuiteBenchmark(result / 60, tuple(seconds), float(weight), **provenance)


def _read_numbers(entry: Any, value: Any) -> Sequence[float]:
    values = value if isinstance(value, list) else [value]
    if not values or any(
        isinstance(each, bool) or not isinstance(each, (int, float)) or each <= 0 for each in values
    ):
        field = "reference_seconds"
        raise entry.fail(f"{field!r} must be the reference's seconds: a number, or a list of runs", field)
    return values
