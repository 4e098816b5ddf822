"""Recommendation: neural collaborative filtering (NeuMF) on MovieLens; hit rate at 10."""

from reference_impls.harness import Task
from reference_impls.recommendation.config import FULL, FULL_OPEN, MINI, MINI_OPEN

TASK = Task(
    name="recommendation",
    benchmark="ncf",
    summary="NeuMF on MovieLens, HR@10",
    configs={
        ("mini", "closed"): MINI,
        ("mini", "open"): MINI_OPEN,
        ("full", "closed"): FULL,
        ("full", "open"): FULL_OPEN,
    },
    workload="reference_impls.recommendation.workload:RecommendationWorkload",
    scripts="reference_impls.recommendation.download",
    aliases=("neumf",),
)

__all__ = ["TASK"]
