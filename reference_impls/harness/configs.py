"""Configurations: frozen dataclasses, changed by ``key=value``."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable
from typing import Any, TypeVar

from mlperf_logging.suggestions import did_you_mean
from reference_impls.harness.errors import SettingError

PRECISIONS = ("float32", "mixed_bfloat16")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """The settings that the harness needs; each task adds fields of its own.

    Attributes:
        global_batch_size: samples of one training step, over all replicas.
        eval_batch_size: samples of one evaluation step, over all replicas.
        target: quality at which the run succeeds.
        max_epochs: greatest number of epochs; then the run is aborted.
        first_eval_epoch: the first epoch that is followed by an evaluation.
        eval_every_epochs: epochs from one evaluation to the next.
        checkpoint_every_epochs: epochs from one checkpoint to the next; 0: none.
        precision: Keras' dtype policy: ``float32`` or ``mixed_bfloat16``.
        train_samples: samples of the training set; 0: as the prepared data say.
        eval_samples: samples of the evaluation set; 0: as the prepared data say.
    """

    global_batch_size: int
    eval_batch_size: int
    target: float
    max_epochs: int
    first_eval_epoch: int = 1
    eval_every_epochs: int = 1
    checkpoint_every_epochs: int = 1
    precision: str = "float32"
    train_samples: int = 0
    eval_samples: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdamConfig(TaskConfig):
    """Settings of a task that trains with Adam or AdamW.

    Attributes:
        optimizer: ``adam`` or ``adamw``.
        learning_rate: of the optimizer.
        beta_1: of the optimizer.
        beta_2: of the optimizer.
        epsilon: of the optimizer.
        weight_decay: of ``adamw``.
    """

    optimizer: str = "adam"
    learning_rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0


Config = TypeVar("Config", bound=TaskConfig)


def change_config(config: Config, settings: Iterable[str]) -> Config:
    """A configuration with some fields set.

    Args:
        config: the configuration; stays as it is.
        settings: strings of the form ``key=value``; a sequence is written ``256,128,64``.

    Raises:
        SettingError: there is no such field, or the value is invalid.
    """
    kinds = typing.get_type_hints(type(config))
    changes: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        key = key.strip()
        if not equals:
            raise SettingError(f"--set {setting}: write key=value, for example --set max_epochs=3")
        if key not in kinds:
            meant = did_you_mean(key, kinds, f"there are {', '.join(sorted(kinds))}")
            raise SettingError(f"--set {setting}: there is no setting {key!r}; {meant}")
        try:
            changes[key] = _read_value(kinds[key], text.strip())
        except ValueError:
            kind = getattr(kinds[key], "__name__", str(kinds[key]))
            raise SettingError(f"--set {setting}: {text.strip()!r} is not of the kind {kind}") from None
    changed = dataclasses.replace(config, **changes)
    if changed.precision not in PRECISIONS:
        raise SettingError(f"precision must be one of {', '.join(PRECISIONS)}, not {changed.precision!r}")
    return changed


def _read_value(kind: Any, text: str) -> Any:
    """Parse the value of a field; ValueError if it is not of the field's type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if text.lower() == "none" and types.NoneType in arguments:
            return None
        return _read_value(next(each for each in arguments if each is not types.NoneType), text)
    if origin is tuple:
        return tuple(_read_value(arguments[0], part.strip()) for part in text.split(",") if part.strip())
    if kind is bool:
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise ValueError(text)
        return text.lower() in ("true", "1", "yes")
    if kind is int:
        return int(text.replace("_", ""), 10)
    return kind(text)
