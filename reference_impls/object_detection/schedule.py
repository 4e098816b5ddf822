"""The learning rate over the steps of a training."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class WarmupThenSteps(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly from a share of its base to it, and falls by a factor after some steps.

    Args:
        base: learning rate after the warm-up.
        warmup_steps: steps of the warm-up.
        warmup_factor: what it starts with, as a share of the base.
        decay_steps: steps after which it falls.
        decay_factor: factor by which it falls there.
    """

    def __init__(
        self,
        *,
        base: float,
        warmup_steps: int,
        warmup_factor: float,
        decay_steps: tuple[int, ...],
        decay_factor: float,
    ) -> None:
        self.base = base
        self.warmup_steps = warmup_steps
        self.warmup_factor = warmup_factor
        self.decay_steps = tuple(decay_steps)
        self.decay_factor = decay_factor

    def __call__(self, step: Any) -> tf.Tensor:
        """Learning rate of a step, counted from 0."""
        done = tf.cast(step, tf.float32)
        part = tf.minimum(done / max(self.warmup_steps, 1), 1.0) if self.warmup_steps else 1.0
        passed = tf.add_n([tf.cast(done >= each, tf.float32) for each in self.decay_steps])
        return (
            self.base
            * (self.warmup_factor + (1 - self.warmup_factor) * part)
            * tf.pow(self.decay_factor, passed)
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this schedule."""
        return dict(vars(self))
