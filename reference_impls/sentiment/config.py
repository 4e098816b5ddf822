"""Settings of the sentiment task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from reference_impls.harness.configs import AdamConfig, Count, Fraction, LogKey, NotNegative, Range


@dataclass(frozen=True, kw_only=True)
class SentimentConfig(AdamConfig):
    """What a run of the sentiment net needs to know.

    Attributes:
        words: size of the vocabulary: the most frequent words; others count as none.
        ngrams: size of the bag layer's vocabulary: the most frequent n-grams of one to three words.
        regions: sizes of the text regions, in words; one convolution for each, side by side.
        units: neurons of each convolution.
        bag_units: neurons of the layer that sees the whole text as a bag of n-grams.
        dropout: dropout rate before the last layer.
        l2: weight in the loss of half the squared weights of the last layer.
    """

    words: Annotated[Count, LogKey("model_vocabulary")]
    ngrams: Annotated[Count, LogKey("model_ngrams")]
    regions: Annotated[tuple[int, ...], Range(1), LogKey("model_regions")] = (3, 4)
    units: Annotated[Count, LogKey("model_units")]
    bag_units: Annotated[Count, LogKey("model_bag_units")] = 20
    dropout: Fraction = 0.5
    l2: Annotated[NotNegative, LogKey("opt_l2_regularization")] = 1e-4


MINI = SentimentConfig(
    train_samples=8_425,
    eval_samples=2_143,
    words=16_000,
    ngrams=5_000,
    units=50,
    global_batch_size=100,
    eval_batch_size=512,
    learning_rate=0.001,
    epsilon=1e-7,
    target=0.774,
    max_epochs=6,
)
"""Human-rated snippets of movie reviews."""

MINI_OPEN = replace(MINI, optimizer="adamw", weight_decay=0.01)
"""The open-division variant: decoupled weight decay."""

FULL = SentimentConfig(
    train_samples=25_000,
    eval_samples=25_000,
    words=30_000,
    ngrams=200_000,
    units=1_000,
    global_batch_size=100,
    eval_batch_size=100,
    learning_rate=0.0002,
    epsilon=1e-7,
    target=0.906,
    max_epochs=30,
)
"""IMDB's 50,000 reviews, the original suite's task."""

FULL_OPEN = replace(FULL, optimizer="adamw", weight_decay=0.01)
"""The open-division variant: decoupled weight decay."""
