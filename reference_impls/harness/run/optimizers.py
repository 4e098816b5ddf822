"""Optimizers from a task's settings."""

from __future__ import annotations

import keras

from reference_impls.harness.configs import AdamConfig, TaskConfig


def make_adam(
    config: AdamConfig, schedule: keras.optimizers.schedules.LearningRateSchedule | None = None
) -> keras.optimizers.Optimizer:
    """The optimizer that a configuration asks for.

    Args:
        config: its settings.
        schedule: learning rate of each step; default: the configuration's, constant.
    """
    rate = config.learning_rate if schedule is None else schedule
    moments = {"beta_1": config.beta_1, "beta_2": config.beta_2, "epsilon": config.epsilon}
    if config.optimizer == "adam":
        return scale_losses(keras.optimizers.Adam(rate, **moments), config)
    return scale_losses(keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **moments), config)


def scale_losses(optimizer: keras.optimizers.Optimizer, config: TaskConfig) -> keras.optimizers.Optimizer:
    """An optimizer that scales losses in half precision, whose small gradients would become 0."""
    if config.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer
