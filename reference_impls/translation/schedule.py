"""Learning rates over the steps of a training."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf


class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly and then falls.

    ``inverse_sqrt`` is the paper's: ``factor × width^-0.5 × min(step^-0.5, step × warmup^-1.5)``. ``cosine`` rises to
    the same peak and falls to 0 along half a cosine wave.

    Args:
        factor: factor of the schedule.
        width: the model's width.
        warmup_steps: steps of the warm-up.
        kind: ``inverse_sqrt`` or ``cosine``.
        decay_steps: step at which the cosine reaches 0.
    """

    def __init__(
        self,
        *,
        factor: float,
        width: int,
        warmup_steps: int,
        kind: str = "inverse_sqrt",
        decay_steps: int = 1,
    ) -> None:
        self.factor, self.width, self.warmup_steps = factor, width, max(warmup_steps, 1)
        self.kind, self.decay_steps = kind, decay_steps

    def __call__(self, step: Any) -> tf.Tensor:
        """Learning rate of a step, counted from 0."""
        number = tf.cast(step, tf.float32) + 1
        scale = self.factor * self.width**-0.5
        if self.kind == "inverse_sqrt":
            return scale * tf.minimum(number**-0.5, number * self.warmup_steps**-1.5)
        length = max(self.decay_steps - self.warmup_steps, 1)
        part = tf.clip_by_value((number - self.warmup_steps) / length, 0.0, 1.0)
        rise = tf.minimum(number / self.warmup_steps, 1.0)
        return scale * self.warmup_steps**-0.5 * rise * 0.5 * (1 + tf.cos(math.pi * part))

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this schedule."""
        return {
            "factor": self.factor,
            "width": self.width,
            "warmup_steps": self.warmup_steps,
            "kind": self.kind,
            "decay_steps": self.decay_steps,
        }
