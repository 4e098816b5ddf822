"""How often a benchmark is run, as the rules of a round say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Requirement(NamedTuple):
    """How often a benchmark is run.

    Attributes:
        required: runs that a result needs.
        olympic_dropped: runs that are dropped on each side of the mean.
        max_failures: runs that may miss the target or break a rule.
        attempts: up to so many runs may be made, and the first required ones that count make the result; None where
            every run is part of the result.
    """

    required: int
    olympic_dropped: int = 1
    max_failures: int = 1
    attempts: int | None = None

    @property
    def min_runs(self) -> int:
        """Runs that a mean needs at least."""
        return 2 * self.olympic_dropped + 1


def read_requirement(facts: Mapping[str, Any] | None) -> Requirement | None:
    """What the rule files say of a benchmark's runs, or None where they say nothing."""
    if not facts:
        return None
    return Requirement(
        facts["required"], facts["dropped_each_side"], facts["non_converged_allowed"], facts.get("attempts")
    )
