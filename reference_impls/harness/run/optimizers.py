"""Adam and AdamW from a task's settings."""

from __future__ import annotations

import keras

from reference_impls.harness.configs import AdamConfig


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
        return keras.optimizers.Adam(rate, **moments)
    return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **moments)
