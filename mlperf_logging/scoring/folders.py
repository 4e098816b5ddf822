"""The score of a result folder: all runs of one benchmark on one system."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mlperf_logging.runs.evaluations import read_number
from mlperf_logging.runs.folders import ResultFolder
from mlperf_logging.runs.side_files import read_side_json
from mlperf_logging.runs.summary import RunSummary
from mlperf_logging.scoring.agreement import explain_unread, find_agreement
from mlperf_logging.scoring.energy import PowerError, RunPower, add_energy, read_power
from mlperf_logging.scoring.means import find_median_window, median, trim
from mlperf_logging.scoring.power_checks import PowerFinding, check_power, describe_power
from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.scoring.runs import ScoredRun
from mlperf_logging.scoring.seeds import describe_seeds
from mlperf_logging.scoring.throughput import Throughput, ThroughputError, measure_throughput

OLYMPIC, MEDIAN = "olympic", "median"
MEDIAN_WINDOW, THROUGHPUT = "median-window", "throughput"
WEAK = "weak"


class FolderScore(NamedTuple):
    """The score of a result folder.

    Attributes:
        folder: where the logs are, and what is next to them.
        benchmark: the benchmark that the runs are of, or None where they do not agree.
        division: "closed" or "open", or None where they do not agree.
        ruleset: ``usage/round`` that judged, or None where the runs do not agree.
        ruleset_reason: why that round.
        runs: every run, in the order of the logs.
        requirement: how often the rules require the benchmark to be run, or None.
        method: "olympic", "median-window", "median" or "throughput".
        window: positions of the first and the last run that count, or None where all do.
        kept: positions of the runs that the mean is of.
        unscaled_minutes: the score before scaling, or None.
        scaling_factor: what the score is multiplied by; None where the benchmark is not known.
        score_minutes: the score, or None if there is none.
        median_minutes: median of the runs that count, each at its own time; None without one.
        energy_kj: energy of the runs that the mean is of, scaled as the score is, or None.
        run_energy_kj: energy of each run, or None where it was not measured.
        energy_faults: logs of runs without energy, each with the reason in a sentence; only where power was measured.
        power_findings: what the power readings lack, see `check_power`.
        throughput: of models trained at once, or None.
        problems: why there is no score.
        notes: what a reader should know of a score that there is.
    """

    folder: ResultFolder
    benchmark: str | None
    division: str | None
    ruleset: str | None
    ruleset_reason: str
    runs: tuple[ScoredRun, ...]
    requirement: Requirement | None
    method: str = OLYMPIC
    window: tuple[int, int] | None = None
    kept: tuple[int, ...] = ()
    unscaled_minutes: float | None = None
    scaling_factor: float | None = None
    score_minutes: float | None = None
    median_minutes: float | None = None
    energy_kj: float | None = None
    run_energy_kj: tuple[float | None, ...] = ()
    energy_faults: tuple[tuple[str, str], ...] = ()
    power_findings: tuple[PowerFinding, ...] = ()
    throughput: Throughput | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def non_compliant(self) -> int:
        """Runs that do not count: not compliant, or without the target reached."""
        return sum(not run.counts for run in self.runs)

    @property
    def has_result(self) -> bool:
        """Whether there is a score, or a throughput."""
        return self.score_minutes is not None or self.throughput is not None


def score_folder(
    folder: ResultFolder,
    runs: Sequence[ScoredRun],
    *,
    requirement: Requirement | None = None,
    method: str = OLYMPIC,
) -> FolderScore:
    """Score a result folder.

    Args:
        folder: where the logs are, and what is next to them.
        runs: every run, in the order of the logs.
        requirement: how often the benchmark is to be run; None for what the rules say that judged the runs.
        method: "olympic" (the fastest and the slowest dropped, the others averaged) or "median".

    Returns:
        The score; if there is none, `FolderScore.problems` says why.
    """
    shared = find_agreement(runs)
    wanted = requirement or shared.requirement
    problems = list(shared.problems)
    seeds = describe_seeds([run.logged_seeds for run in runs])
    score = FolderScore(folder, *shared.identity, tuple(runs), wanted, method, notes=seeds)
    if wanted is None:
        why = f"{score.ruleset or 'the ruleset'} does not know {score.benchmark!r}"
        if score.benchmark is None:
            unread = explain_unread(runs)
            why = f"no log names its benchmark{f': {unread}' if unread else ''}"
        problems.append(f"{why}, so how to score it is not known")
        return score._replace(problems=tuple(problems))
    try:
        factor = read_scaling_factor(folder.scaling_file)
    except ValueError as error:
        return score._replace(problems=(*problems, str(error)))
    score = score._replace(scaling_factor=factor)
    if problems:
        return score._replace(problems=tuple(problems))
    score = score._replace(notes=(*shared.batch_size_problems, *seeds))
    if folder.scaling == WEAK:
        score = score._replace(method=THROUGHPUT)
        try:
            return score._replace(throughput=measure_throughput(score.runs, wanted))
        except ThroughputError as error:
            return score._replace(problems=(str(error),))
    return _score_time(score, wanted, factor)


def read_scaling_factor(path: str | None) -> float:
    """The factor that a score is multiplied by, from a folder's ``scaling.json``; 1 without one, ValueError if wrong."""
    if path is None:
        return 1.0
    try:
        factor = read_side_json(path)["scaling_factor"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ValueError(f'{path} cannot be read as {{"scaling_factor": NUMBER}}') from None
    if (
        isinstance(factor, bool)
        or not isinstance(factor, (int, float))
        or not 0 < factor <= sys.float_info.max
    ):
        raise ValueError(f"{path} says a scaling_factor of {factor!r}; it must be a positive number")
    return factor


def _score_time(score: FolderScore, requirement: Requirement, factor: float) -> FolderScore:
    minutes = [run.summary.minutes if run.counts else None for run in score.runs]
    times = [math.inf if each is None else each for each in minutes]
    notes = list(score.notes)
    method, window, required = score.method, None, requirement.required
    chosen = list(range(len(times)))
    if requirement.attempts is not None:  # of more runs than a result needs, the first that count are taken
        chosen = [index for index in chosen if times[index] < math.inf][:required]
    elif requirement.min_runs <= len(times) < required:
        notes.append(f"{len(times)} of the {required} runs that a result needs")
    elif len(times) > required >= requirement.min_runs:
        window = first, last = _choose_window(times, requirement, method)
        chosen = chosen[first : last + 1]
        notes.append(
            f"{len(times)} runs where {required} are required: the median window is that of runs {first + 1} to {last + 1}"
        )
        method = MEDIAN_WINDOW if method == OLYMPIC else method
    mean, kept, problem = _average([times[index] for index in chosen], requirement, score.method)
    if requirement.attempts is not None and mean is not None:
        notes.append(f"the first {len(chosen)} runs that count, of the {required} that a result needs")
    score = score._replace(
        method=method,
        window=window,
        kept=tuple([chosen[index] for index in kept]),
        unscaled_minutes=mean,
        score_minutes=None if mean is None else mean * factor,
        median_minutes=median([times[index] for index in chosen if times[index] < math.inf]),
        problems=() if problem is None else (problem,),
        notes=tuple(notes),
    )
    is_measured = score.folder.power is not None and requirement.attempts is None
    return _add_energy(score, factor) if is_measured else score


def _choose_window(times: Sequence[float], requirement: Requirement, method: str) -> tuple[int, int]:
    """The first and the last run of the window that counts."""
    size = requirement.required
    windows = [times[first : first + size] for first in range(len(times) - size + 1)]
    means = [_average(window, requirement, method)[0] for window in windows]
    first = find_median_window([math.inf if mean is None else mean for mean in means])
    return first, first + size - 1


def _average(
    times: Sequence[float], requirement: Requirement, method: str
) -> tuple[float | None, tuple[int, ...], str | None]:
    """Mean in minutes and the runs that it is of, or why there is none."""
    if len(times) < requirement.min_runs and method == OLYMPIC:
        return None, (), describe_too_few(len(times), requirement)
    missing = sum(math.isinf(each) for each in times)
    if missing > requirement.max_failures:
        plural = "s do" if missing != 1 else " does"
        return None, (), f"{missing} run{plural} not count; {requirement.max_failures} may"
    if method == MEDIAN:
        middle = median(times)
        if middle is None or math.isinf(middle):
            return None, (), "too few runs count for a median"
        return middle, (min(range(len(times)), key=lambda index: abs(times[index] - middle)),), None
    trimmed = trim(times, requirement.olympic_dropped)
    if trimmed is None or math.isinf(trimmed.mean):
        return None, (), describe_too_few(len(times), requirement)
    return trimmed.mean, trimmed.kept, None


def describe_too_few(count: int, requirement: Requirement) -> str:
    """Why so few runs have no mean."""
    runs = {0: "no runs give", 1: "one run gives"}.get(count, f"{count} runs give")
    dropped = requirement.olympic_dropped
    ends = (
        "the fastest and the slowest" if dropped == 1 else f"the {dropped} fastest and the {dropped} slowest"
    )
    return f"{runs} no mean: {ends} are dropped, so at least {requirement.min_runs} are needed"


def _add_energy(score: FolderScore, factor: float) -> FolderScore:
    energies: list[float | None] = []
    faults: list[tuple[str, str]] = []
    reasons: dict[str, list[str]] = {}
    measured: list[tuple[RunPower, RunSummary]] = []
    for run in score.runs:
        energy = None
        if run.summary.minutes is not None:
            try:
                power = read_power(score.folder.power or "", run.path)
                measured.append((power, run.summary))
                energy = add_energy(power, run.summary.minutes).total_kj
            except PowerError as error:
                reasons.setdefault(error.reason, []).append(str(error))
                name = os.path.relpath(error.path, score.folder.power)
                faults.append((run.path, error.reason.replace("{path}", name)))
        energies.append(energy)
    kept = [energies[index] for index in score.kept]
    known = [each for each in kept if each is not None]
    mean = sum(known) / len(known) * factor if known and len(known) == len(kept) else None
    findings = check_power(measured, _read_node_count(score.folder.description))
    return score._replace(
        energy_kj=mean,
        run_energy_kj=tuple(energies),
        energy_faults=tuple(faults),
        power_findings=tuple(findings),
        notes=(
            *score.notes,
            *_explain_no_energy(list(reasons.values()), len(energies)),
            *describe_power(findings, score.folder.path),
        ),
    )


def _explain_no_energy(errors: Sequence[Sequence[str]], runs: int) -> Iterator[str]:
    """Why runs have no energy, in one sentence for all."""
    if errors:
        parts = []
        for alike in errors:
            others = len(alike) - 1
            likewise = f" ({others:,} other run{'s' * (others != 1)} likewise)" if others else ""
            parts.append(f"{alike[0]}{likewise}")
        count = sum(map(len, errors))
        which = "" if count == runs else f" of {count:,} of {runs:,} runs"
        yield f"no energy{which}: {'; '.join(parts)}"


def _read_node_count(description: str | None) -> float | None:
    """The number of nodes that a system description gives; None where it gives none."""
    try:
        return None if description is None else read_number(read_side_json(description)["number_of_nodes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
