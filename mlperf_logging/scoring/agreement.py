"""What the runs of a result folder agree on: the benchmark, the division, the round and the batch size."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.scoring.runs import ScoredRun


class Agreement(NamedTuple):
    """What the runs of a folder agree on.

    Attributes:
        benchmark: the benchmark that they are of, or None where they do not agree or say none.
        division: "closed" or "open", or None likewise.
        ruleset: ``usage/round`` that judged, or None likewise.
        ruleset_reason: why that round.
        requirement: how often the rules require the benchmark to be run, or None.
        batch_size: samples in a step, or None.
        problems: where benchmark, division or ruleset differ, a sentence each.
        batch_size_problems: where the batch sizes differ, a sentence.
    """

    benchmark: str | None
    division: str | None
    ruleset: str | None
    ruleset_reason: str
    requirement: Requirement | None
    batch_size: float | None
    problems: tuple[str, ...]
    batch_size_problems: tuple[str, ...]

    @property
    def identity(self) -> tuple[str | None, str | None, str | None, str]:
        """Benchmark, division, ruleset, and why that ruleset."""
        return self.benchmark, self.division, self.ruleset, self.ruleset_reason


def find_agreement(runs: Sequence[ScoredRun]) -> Agreement:
    """What all runs of a folder agree on."""
    rounds = [f"{run.usage}/{run.ruleset}" if run.ruleset else None for run in runs]
    sizes = [None if run.batch_size is None else f"{run.batch_size:g}" for run in runs]
    benchmark, problems = _agree("benchmark", [run.benchmark for run in runs])
    division, split = _agree("division", [run.division for run in runs])
    ruleset, mixed = _agree("ruleset", rounds)
    _, mixed_sizes = _agree("batch size", sizes)
    return Agreement(
        benchmark,
        division,
        ruleset,
        runs[0].ruleset_reason if runs else "",
        next((run.requirement for run in runs if run.requirement is not None), None),
        next((run.batch_size for run in runs if run.batch_size is not None), None),
        problems + split + (mixed if not problems else ()),
        mixed_sizes,
    )


def _agree(what: str, values: Sequence[str | None]) -> tuple[str | None, tuple[str, ...]]:
    """The one value that runs share, or what is wrong; logs that say nothing (damaged ones, say) have no vote."""
    votes = Counter(value for value in values if value is not None)
    if len(votes) > 1:
        shown = ", ".join(f"{value} ({count})" for value, count in sorted(votes.items()))
        return None, (f"the folder mixes {what}s: {shown}; keep one per folder",)
    return next(iter(votes), None), ()


def explain_unread(runs: Sequence[ScoredRun]) -> str:
    """Which runs' logs hold records that cannot be read as written, and why; empty where all can be read."""
    unread = [run for run in runs if run.unread.text]
    if not unread:
        return ""
    more = len(unread) - 1
    others = f"; likewise in {more} other log{'s' * (more != 1)}" if more else ""
    return f"in {os.path.basename(unread[0].path)}, {unread[0].unread.text}{others}"
