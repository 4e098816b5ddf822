"""Adam and AdamW from a task's settings, and their log keys."""

from __future__ import annotations

import keras

from reference_impls.harness.configs import AdamConfig
from reference_impls.harness.errors import SettingError


def make_adam(
    config: AdamConfig, schedule: keras.optimizers.schedules.LearningRateSchedule | None = None
) -> keras.optimizers.Optimizer:
    """The optimizer that a configuration asks for.

    Args:
        config: its settings.
        schedule: learning rate of each step; default: the configuration's, constant.

    Raises:
        SettingError: it names another optimizer.
    """
    rate = config.learning_rate if schedule is None else schedule
    moments = {"beta_1": config.beta_1, "beta_2": config.beta_2, "epsilon": config.epsilon}
    if config.optimizer == "adam":
        return keras.optimizers.Adam(rate, **moments)
    if config.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **moments)
    raise SettingError(f"optimizer must be adam or adamw, not {config.optimizer!r}")


def describe_adam(config: AdamConfig) -> dict[str, object]:
    """Values by log key."""
    name = config.optimizer
    values: dict[str, object] = {
        "opt_name": name,
        "opt_base_learning_rate": config.learning_rate,
        f"opt_{name}_beta_1": config.beta_1,
        f"opt_{name}_beta_2": config.beta_2,
        f"opt_{name}_epsilon": config.epsilon,
    }
    if name == "adamw":
        values["opt_adamw_weight_decay"] = config.weight_decay
    return values
