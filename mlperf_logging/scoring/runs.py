"""One run as scores see it: what its log says, whether it counts, and where it converged."""

from __future__ import annotations

import os
from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.compliance.unread import Unread
from mlperf_logging.events import Outcome, Severity, minutes_between
from mlperf_logging.runs.intervals import Progress, read_progress
from mlperf_logging.runs.summary import RunSummary
from mlperf_logging.scoring.quality import QualityPoint, find_quality, list_quality_points
from mlperf_logging.scoring.requirements import Requirement, read_requirement
from mlperf_logging.scoring.seeds import RunSeeds, read_seeds

if TYPE_CHECKING:
    from mlperf_logging.compliance.judged_run import JudgedRun
    from mlperf_logging.runs.run import Run

CONVERGENCE_KEYS = ("eval_accuracy", "eval_error")
FAULTS_KEPT = 5


class ScoredRun(NamedTuple):
    """What scores need to know of a run; a small value that passes between processes.

    Attributes:
        path: the log as the caller named it.
        verdict: "pass", "fail", or "error" where the log could not be judged.
        faults: the first rules that it breaks, as ``MLPxxx key``.
        fault_count: different rules that it breaks.
        usage: usage of the ruleset that judged.
        ruleset: round that judged; None where none could be chosen.
        ruleset_reason: why that round.
        compliant_under: other rounds under which it is compliant, see `Verdict`.
        benchmark: as logged or given, or None.
        division: "closed" or "open", or None.
        org: organization, as logged.
        platform: system, as logged.
        summary: start, stop, status and minutes.
        batch_size: samples in a step, or None.
        accelerators: accelerators of the run as far as it logs them, or None.
        converged_at: how far training had come when it reached the target; None where it did not succeed.
        trained_samples: samples that the run says it trained on in all, or None.
        logged_seeds: the logged seeds, and where they were logged.
        quality_minutes: from the start to the evaluation that reached the target, see `quality`; or None.
        unread: the records of the log that cannot be read as written.
        requirement: how often the rules require the benchmark to be run; None where they do not know it.
        run_count: runs that the log holds; of several, none gives a figure.
    """

    path: str
    verdict: Outcome
    faults: tuple[str, ...] = ()
    fault_count: int = 0
    usage: str = ""
    ruleset: str | None = None
    ruleset_reason: str = ""
    compliant_under: tuple[str, ...] = ()
    benchmark: str | None = None
    division: str | None = None
    org: str | None = None
    platform: str | None = None
    summary: RunSummary = RunSummary()
    batch_size: float | None = None
    accelerators: float | None = None
    converged_at: Progress | None = None
    trained_samples: float | None = None
    logged_seeds: RunSeeds = RunSeeds("")
    quality_minutes: float | None = None
    requirement: Requirement | None = None
    run_count: int = 1
    unread: Unread = Unread()

    @property
    def minutes(self) -> float | None:
        """From ``run_start`` to ``run_stop``, in minutes."""
        return self.summary.minutes

    @property
    def seeds(self) -> tuple[Any, ...]:
        """The values of the logged seeds."""
        return tuple([seed.value for seed in self.logged_seeds.seeds])

    @property
    def several_runs(self) -> str | None:
        """Why a log of several runs gives no figure; None for a log of one run."""
        if self.run_count == 1:
            return None
        name = os.path.basename(self.path)
        return f"{name} holds {self.run_count} runs; --run says which one counts"

    @property
    def counts(self) -> bool:
        """Whether the run has a score: it is compliant, reached its target, and its time is known.

        A compliant log need not say that the run succeeded in the oldest dialect; where it says how the run ended,
        it must be with success.
        """
        ended_well = self.summary.succeeded or self.summary.status is None
        return self.verdict == Outcome.PASSED and ended_well and self.summary.minutes is not None


def score_run(judged: JudgedRun) -> ScoredRun:
    """What scores need to know of a judged run."""
    verdict, run = judged.verdict, judged.run
    quality = find_quality(judged, list_quality_points(judged))
    quality_minutes = None
    if quality is not None and run.start_ms is not None and not isnan(quality.time_ms):
        quality_minutes = minutes_between(run.start_ms, quality.time_ms)
    faults = dict.fromkeys(
        [(each.code, each.key or each.rule) for each in verdict.findings if each.severity == Severity.ERROR]
    )
    # Without times there is no score, but whether the run succeeded can be read.
    summary = verdict.run if verdict.run.status is not None else verdict.run._replace(status=run.status)
    return ScoredRun(
        path=run.path,
        verdict=verdict.verdict,
        faults=tuple([f"{code} {key}" for code, key in list(faults)[:FAULTS_KEPT]]),
        fault_count=len(faults),
        usage=verdict.usage,
        ruleset=verdict.ruleset,
        ruleset_reason=verdict.ruleset_reason,
        compliant_under=verdict.compliant_under,
        benchmark=verdict.benchmark,
        division=verdict.division,
        org=run.org,
        platform=run.platform,
        summary=summary,
        batch_size=run.global_batch_size,
        accelerators=run.accelerator_count,
        converged_at=find_convergence(judged, quality) if summary.succeeded else None,
        trained_samples=run.trained_samples,
        logged_seeds=read_seeds(judged),
        quality_minutes=quality_minutes,
        requirement=read_requirement(judged.facts.get("runs")),
        run_count=max(len(verdict.runs), 1),
        unread=judged.unread,
    )


def find_convergence(judged: JudgedRun, quality: QualityPoint | None) -> Progress | None:
    """How far training had come at the evaluation that the run stopped for.

    That is the last one before ``run_stop``; where the metrics of an evaluation are logged apart and joined, the
    first at which all of them met the target.
    """
    if judged.join is None:
        return _last_evaluation(judged.run)
    by = judged.join["by"]
    if quality is None or by not in Progress._fields or getattr(quality.logged, by) is None:
        return None
    return Progress(**{by: getattr(quality.logged, by)})


def _last_evaluation(run: Run) -> Progress | None:
    for event in reversed(run.evaluation_events):
        stopped = run.stop_line is not None and event.line > run.stop_line
        if event.key in CONVERGENCE_KEYS and not stopped:
            return read_progress(event)
    return None
