"""Configurations: frozen dataclasses whose fields say how they are logged and which values they take.

A field is annotated where it needs more than its type: ``Annotated[int, Range(1), LogKey("model_width")]``. Every field
reaches the log, so nothing that a run depends on can differ unseen.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, TypeVar

from mlperf_logging.suggestions import did_you_mean
from reference_impls.harness.errors import SettingError


@dataclasses.dataclass(frozen=True)
class LogKey:
    """The log key of a field; without, it is logged under its own name.

    Attributes:
        name: the key; empty: the workload logs the value itself.
    """

    name: str


class LogKeyBy:
    """A log key that depends on another field; if it has none, the field has no effect and is not logged.

    Args:
        field: name of the other field.
        **names: key by value of that field.
    """

    def __init__(self, field: str, **names: str) -> None:
        self.field, self.names = field, names


@dataclasses.dataclass(frozen=True)
class Range:
    """The values that a number, or each number of a sequence, may have.

    Attributes:
        low: the least value.
        below: the value that it must stay below.
        is_open: whether `low` itself is excluded.
    """

    low: float = -math.inf
    below: float = math.inf
    is_open: bool = False

    def __contains__(self, value: float) -> bool:
        return (value > self.low if self.is_open else value >= self.low) and value < self.below

    def __str__(self) -> str:
        parts = [f"{'above' if self.is_open else 'at least'} {self.low:g}"] if self.low > -math.inf else []
        parts += [f"below {self.below:g}"] if self.below < math.inf else []
        return " and ".join(parts) or "finite"


class OneOf:
    """The values that a text may have.

    Args:
        *values: those.
    """

    def __init__(self, *values: str) -> None:
        self.values = values

    def __contains__(self, value: str) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return f"one of {', '.join(self.values)}"


Count = Annotated[int, Range(1)]
Number = Annotated[float, Range()]
Positive = Annotated[float, Range(0, is_open=True)]
NotNegative = Annotated[float, Range(0)]
Fraction = Annotated[float, Range(0, 1)]
"""A number from 0 to below 1, such as a dropout rate."""


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
        gradient_accumulation_steps: parts in which each replica computes its batch, one after the other; the optimizer
            takes one step for all of them.
        precision: Keras' dtype policy: ``float32``, ``mixed_bfloat16``, or ``mixed_float16``, which scales the loss.
        train_samples: samples of the training set; 0: as the prepared data say.
        eval_samples: samples of the evaluation set; 0: as the prepared data say.
        eval_every_steps: steps from one evaluation to the next; 0: evaluations come by epochs. A field in `StepsConfig`.

    Raises:
        SettingError: a value is not one that its field may have.
    """

    global_batch_size: Count
    eval_batch_size: Count
    target: Annotated[Number, LogKey("eval_target")]
    max_epochs: Count
    first_eval_epoch: Count = 1
    eval_every_epochs: Count = 1
    checkpoint_every_epochs: Annotated[int, Range(0)] = 1
    gradient_accumulation_steps: Count = 1
    precision: Annotated[
        str, OneOf("float32", "mixed_bfloat16", "mixed_float16"), LogKey("numerical_precision")
    ] = "float32"
    train_samples: Annotated[int, Range(0), LogKey("")] = 0
    eval_samples: Annotated[int, Range(0), LogKey("")] = 0
    eval_every_steps: ClassVar[int] = 0

    def __post_init__(self) -> None:
        for name, notes in _list_annotations(type(self)).items():
            value = getattr(self, name)
            for allowed in notes:
                if not isinstance(allowed, Range | OneOf):
                    continue
                for each in value if isinstance(value, tuple) else (value,):
                    if each not in allowed:
                        raise SettingError(f"{name} must be {allowed}, not {each!r}")
            if value == ():
                raise SettingError(f"{name} must hold at least one value")

    def log_keys(self) -> dict[str, str]:
        """Log key by field, of the fields that have an effect and that the workload does not log itself."""
        keys = {}
        for name, notes in _list_annotations(type(self)).items():
            key = name
            for each in notes:
                if isinstance(each, LogKey):
                    key = each.name
                elif isinstance(each, LogKeyBy):
                    key = each.names.get(getattr(self, each.field), "")
            if key:
                keys[name] = key
        return keys

    def hyperparameters(self) -> dict[str, object]:
        """Values by log key."""
        values = {key: getattr(self, name) for name, key in self.log_keys().items()}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepsConfig(TaskConfig):
    """Settings of a task that is evaluated after so many steps, within epochs, instead of after epochs.

    Attributes:
        eval_every_steps: steps from one evaluation to the next, counted from the start of the run.
    """

    eval_every_steps: Count  # type: ignore[misc]  # here a field, in the base class the constant 0


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

    optimizer: Annotated[str, OneOf("adam", "adamw"), LogKey("opt_name")] = "adam"
    learning_rate: Annotated[Positive, LogKey("opt_base_learning_rate")]
    beta_1: Annotated[Fraction, LogKeyBy("optimizer", adam="opt_adam_beta_1", adamw="opt_adamw_beta_1")] = 0.9
    beta_2: Annotated[Fraction, LogKeyBy("optimizer", adam="opt_adam_beta_2", adamw="opt_adamw_beta_2")] = (
        0.999
    )
    epsilon: Annotated[
        Positive, LogKeyBy("optimizer", adam="opt_adam_epsilon", adamw="opt_adamw_epsilon")
    ] = 1e-8
    weight_decay: Annotated[NotNegative, LogKeyBy("optimizer", adamw="opt_adamw_weight_decay")] = 0.0


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
            meant = did_you_mean(key, kinds, f"choose from {', '.join(sorted(kinds))}")
            raise SettingError(f"--set {setting}: unknown setting {key!r}; {meant}")
        try:
            changes[key] = _read_value(kinds[key], text.strip())
        except ValueError:
            kind = getattr(kinds[key], "__name__", str(kinds[key]))
            raise SettingError(f"--set {setting}: {text.strip()!r} is not of the kind {kind}") from None
    return dataclasses.replace(config, **changes)


def _list_annotations(config: type[TaskConfig]) -> dict[str, tuple[Any, ...]]:
    """What the fields are annotated with, by name."""
    hints = typing.get_type_hints(config, include_extras=True)
    return {
        field.name: getattr(hints[field.name], "__metadata__", ()) for field in dataclasses.fields(config)
    }


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
