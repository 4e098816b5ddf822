"""The learning rate over the steps of a training, and the optimizer."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from reference_impls.harness.run.optimizers import make_adam, scale_losses
from reference_impls.speech_recognition.config import SpeechConfig


class AnnealedRate(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly to its base, and is divided by a number after each epoch.

    Args:
        base: learning rate of the first epoch.
        annealing: what it is divided by.
        epoch_steps: steps of an epoch.
        warmup_steps: steps of the rise.
    """

    def __init__(self, *, base: float, annealing: float, epoch_steps: int, warmup_steps: int = 0) -> None:
        self.base, self.annealing = base, annealing
        self.epoch_steps, self.warmup_steps = epoch_steps, warmup_steps

    def __call__(self, step: Any) -> tf.Tensor:
        """Learning rate of a step, counted from 0; the first step of a rise already moves."""
        done = tf.cast(step, tf.float32)
        epochs = tf.floor(done / self.epoch_steps)
        rise = tf.minimum((done + 1) / max(self.warmup_steps, 1), 1.0)
        return self.base * rise * tf.pow(tf.constant(self.annealing, tf.float32), -epochs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this schedule."""
        return {
            "base": self.base,
            "annealing": self.annealing,
            "epoch_steps": self.epoch_steps,
            "warmup_steps": self.warmup_steps,
        }


def make_optimizer(config: SpeechConfig) -> keras.optimizers.Optimizer:
    """The optimizer that a configuration asks for."""
    rate = AnnealedRate(
        base=config.learning_rate,
        annealing=config.annealing,
        epoch_steps=max(config.count_epoch_steps(), 1),
        warmup_steps=config.warmup_steps,
    )
    if config.optimizer == "sgd":
        sgd = keras.optimizers.SGD(rate, momentum=config.momentum, nesterov=True)
        return scale_losses(sgd, config)
    return make_adam(config, rate)
