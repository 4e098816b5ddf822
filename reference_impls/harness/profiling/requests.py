"""The request for a profile and its result: values that pass between processes as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from reference_impls.harness.run.stages import STAGES

INPUT, SELF_PLAY, MATCH, EVALUATION = "input", "self-play", "match", "evaluation"
PHASES = (INPUT, SELF_PLAY, *STAGES, MATCH, EVALUATION)
"""The phases of an epoch, in order."""


@dataclass(frozen=True, kw_only=True)
class ProfileRequest:
    """The request for a profile.

    Attributes:
        task: the task's name.
        scale: ``mini`` or ``full``.
        division: ``closed`` or ``open``.
        settings: changes of the configuration, ``key=value``.
        seed: seed of all random choices.
        data: folder of the prepared data.
        data_command: the command that gets it, for messages.
        steps: steps that are timed and traced.
        most_batches: batches of the evaluation, where it has more.
        deterministic: whether operations must be deterministic.
    """

    task: str
    scale: str = "mini"
    division: str = "closed"
    settings: tuple[str, ...] = ()
    seed: int = 1
    data: str
    data_command: str = ""
    steps: int = 10
    most_batches: int = 100
    deterministic: bool = True

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ProfileRequest:
        """From `to_json`'s text."""
        entry: dict[str, Any] = json.loads(text)
        return cls(**{**entry, "settings": tuple(entry["settings"])})


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Where the time of a task goes, and what a sample costs.

    Attributes:
        trainer: the task's name.
        benchmark: its benchmark.
        scale: ``mini`` or ``full``.
        division: ``closed`` or ``open``.
        phases: the share of each phase in the time of an epoch, by `PHASES`; None: the task has no such phase.
        classes: the share of each class of operations in the time of all operations of training steps, see
            `classes.CLASSES`.
        operations: the types of operations that take the most of that time: ``type``, ``class``, ``share``, and ``count``
            for each step.
        parameters: values of the model's trainable variables.
        forward_flops: floating-point operations of the forward pass, for each sample; see `flops.count_flops`.
        step_flops: those of a whole training step, for each sample.
        sample_bytes: bytes of a sample of training data as they reach the step, padding included.
        batch_samples: samples of a step, on average.
        step_seconds: of a step without its input.
        epoch_seconds: of an epoch with its share of an evaluation, computed from what was measured.
        load_seconds: of reading the data, once for each run; part of no phase.
        steps: steps of an epoch.
        profiled_steps: those that were timed and traced.
        eval_batches: batches of an evaluation.
        profiled_eval_batches: those that were evaluated; where they are fewer, the time is that of all batches,
            estimated, without measuring the quality.
        system: processor, threads and versions.
    """

    trainer: str
    benchmark: str
    scale: str
    division: str
    phases: Mapping[str, float | None]
    classes: Mapping[str, float]
    operations: Sequence[Mapping[str, Any]]
    parameters: int
    forward_flops: float
    step_flops: float
    sample_bytes: float
    batch_samples: float
    step_seconds: float
    epoch_seconds: float
    load_seconds: float
    steps: int
    profiled_steps: int
    eval_batches: int
    profiled_eval_batches: int
    system: Mapping[str, Any]

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Profile:
        """From `to_json`'s text."""
        return cls(**json.loads(text))
