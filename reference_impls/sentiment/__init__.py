"""Sentiment analysis: a convolutional net on one-hot regions of movie reviews; accuracy."""

from reference_impls.harness import Task
from reference_impls.sentiment.config import FULL, FULL_OPEN, MINI, MINI_OPEN

TASK = Task(
    name="sentiment",
    benchmark="sentiment",
    summary="seq2-bown-CNN on movie reviews, accuracy",
    configs={
        ("mini", "closed"): MINI,
        ("mini", "open"): MINI_OPEN,
        ("full", "closed"): FULL,
        ("full", "open"): FULL_OPEN,
    },
    workload="reference_impls.sentiment.workload:SentimentWorkload",
    scripts="reference_impls.sentiment.download",
    aliases=("imdb", "sentiment_analysis"),
)

__all__ = ["TASK"]
