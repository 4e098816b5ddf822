"""Learning rates over the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from reference_impls.image_classification.config import ImageClassificationConfig


class WarmupThenDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly to its base and then falls.

    Args:
        base: learning rate after the warm-up.
        end: learning rate after the decay (polynomial, cosine).
        warmup_steps: steps of the warm-up.
        decay: ``polynomial``, ``steps`` or ``cosine``.
        decay_steps: step, counted from the first of all, at which the decay ends (polynomial, cosine).
        power: power of the polynomial.
        boundaries: steps after which the learning rate falls (steps).
        factor: factor by which it falls there.
    """

    def __init__(
        self,
        *,
        base: float,
        end: float = 0.0,
        warmup_steps: int = 0,
        decay: str = "polynomial",
        decay_steps: int = 1,
        power: float = 2.0,
        boundaries: tuple[int, ...] = (),
        factor: float = 0.1,
    ) -> None:
        self.settings: Mapping[str, Any] = {
            "base": base,
            "end": end,
            "warmup_steps": warmup_steps,
            "decay": decay,
            "decay_steps": decay_steps,
            "power": power,
            "boundaries": tuple(boundaries),
            "factor": factor,
        }

    def __call__(self, step: Any) -> tf.Tensor:
        """Learning rate of a step, counted from 0; the first step of a warm-up already moves."""
        get = self.settings
        done = tf.cast(step, tf.float32)
        warm = get["base"] * (done + 1) / max(get["warmup_steps"], 1)
        if get["decay"] == "steps":
            passed = tf.add_n(
                [tf.zeros(())] + [tf.cast(done >= each, tf.float32) for each in get["boundaries"]]
            )
            later = get["base"] * tf.pow(get["factor"], passed)
        else:
            length = max(get["decay_steps"] - get["warmup_steps"], 1)
            part = tf.clip_by_value((done - get["warmup_steps"]) / length, 0.0, 1.0)
            if get["decay"] == "cosine":
                left = 0.5 * (1 + tf.cos(math.pi * part))
            else:
                left = tf.pow(1 - part, get["power"])
            later = get["end"] + (get["base"] - get["end"]) * left
        return tf.where(done < get["warmup_steps"], warm, later)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this schedule."""
        return dict(self.settings)


def make_schedule(config: ImageClassificationConfig) -> WarmupThenDecay:
    """The schedule that a configuration asks for."""
    epoch_steps = config.count_epoch_steps()
    return WarmupThenDecay(
        base=config.peak_learning_rate,
        end=config.end_learning_rate,
        warmup_steps=round(config.warmup_epochs * epoch_steps),
        decay=config.decay,
        decay_steps=round(config.decay_epochs * epoch_steps),
        power=config.decay_power,
        boundaries=tuple(round(epoch * epoch_steps) for epoch in config.boundary_epochs),
        factor=config.boundary_factor,
    )
