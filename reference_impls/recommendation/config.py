"""Settings of the recommendation task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from reference_impls.harness.configs import AdamConfig, Count, Fraction, LogKey, NotNegative, Range


@dataclass(frozen=True, kw_only=True)
class RecommendationConfig(AdamConfig):
    """What a run of NeuMF needs to know.

    Attributes:
        users: number of users in the data.
        items: number of items in the data.
        factors: width of the matrix-factorization embeddings.
        mlp_layers: widths of the perceptron's layers; the first is the width of its two embeddings together.
        dropout: dropout rate of the embeddings' output.
        l2: weight in the loss of the squared embeddings of a batch.
        train_negatives: items sampled for each training interaction, again in each epoch.
        eval_negatives: items that a user's held-out item competes with.
        eval_draws: times that those are sampled; the quality is the mean over the draws.
        eval_seed: seed of the first draw, each further draw having the next one; the same for every run.
        top: cutoff rank of a hit: 10 for HR@10.
    """

    users: Annotated[Count, LogKey("data_users")]
    items: Annotated[Count, LogKey("data_items")]
    factors: Annotated[Count, LogKey("model_factors")]
    mlp_layers: Annotated[tuple[int, ...], Range(1), LogKey("model_mlp_layers")]
    dropout: Fraction = 0.0
    l2: Annotated[NotNegative, LogKey("opt_l2_regularization")] = 0.0
    train_negatives: Count = 4
    eval_negatives: Count
    eval_draws: Count = 1
    eval_seed: Annotated[int, Range(0)] = 1
    top: Annotated[Count, LogKey("eval_top_k")] = 10


MINI = RecommendationConfig(
    users=943,
    items=1682,
    train_samples=99_057,
    eval_samples=943,
    eval_negatives=99,
    eval_draws=10,
    factors=16,
    mlp_layers=(128, 64),
    dropout=0.2,
    l2=0.001,
    global_batch_size=2048,
    eval_batch_size=100,
    learning_rate=0.004,
    target=0.64,
    max_epochs=8,
)
"""MovieLens-100k; each held-out item competes with ten draws of 99 sampled ones."""

MINI_OPEN = replace(MINI, optimizer="adamw", weight_decay=0.01)
"""The open-division variant: decoupled weight decay."""

FULL = RecommendationConfig(
    users=138_493,
    items=26_744,
    train_samples=19_861_770,
    eval_samples=138_493,
    eval_negatives=999,
    factors=64,
    mlp_layers=(256, 256, 128, 64),
    global_batch_size=2_048,
    eval_batch_size=1_000,
    learning_rate=0.0005,
    target=0.635,
    max_epochs=20,
)
"""MovieLens-20M; each held-out item competes with 999 sampled ones, the original suite's task."""

FULL_OPEN = replace(FULL, optimizer="adamw", weight_decay=0.01)
"""The open-division variant: decoupled weight decay."""
