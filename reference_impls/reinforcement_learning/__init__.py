"""Reinforcement learning: Minigo, which learns Go by playing against itself; agreement with good moves."""

from reference_impls.harness import Task
from reference_impls.reinforcement_learning.config import FULL, FULL_OPEN, MINI, MINI_OPEN

TASK = Task(
    name="reinforcement_learning",
    benchmark="minigo",
    summary="Minigo on 9×9 by self-play, professional moves predicted (mini: 5×5, GNU Go)",
    configs={
        ("mini", "closed"): MINI,
        ("mini", "open"): MINI_OPEN,
        ("full", "closed"): FULL,
        ("full", "open"): FULL_OPEN,
    },
    workload="reference_impls.reinforcement_learning.workload:ReinforcementWorkload",
    scripts="reference_impls.reinforcement_learning.download",
    aliases=("reinforcement", "go"),
)

__all__ = ["TASK"]
