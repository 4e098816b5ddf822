"""The request for one run and its result: values that pass between processes as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from reference_impls.harness.configs import TaskConfig


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """The request for one run.

    Attributes:
        task: the task's name.
        benchmark: the name that is logged.
        scale: ``mini`` or ``full``.
        division: ``closed`` or ``open``.
        settings: changes of the configuration, ``key=value``.
        seed: seed of all random choices.
        data: folder of the prepared data.
        data_command: the command that gets it, for messages.
        log: the log to write.
        work: folder for checkpoints and the result.
        strategy: see `devices.make_strategy`.
        replicas: virtual devices of the strategy ``mirrored``; 0: as many as there are accelerators, or two.
        deterministic: whether operations must be deterministic.
        resume: resume from the checkpoint in the work folder, if there is one.
        checkpoint_steps: steps from one checkpoint within an epoch to the next; 0: none.
        jit_compile: whether XLA compiles the steps of training and evaluation; one device only.
        steps_per_call: training steps that one call of TensorFlow does.
        org: the submitter.
        platform: the system.
        status: availability of the system.
        ruleset: usage and round by whose rules the run is judged.
    """

    task: str
    benchmark: str
    scale: str
    division: str
    settings: tuple[str, ...] = ()
    seed: int
    data: str
    data_command: str
    log: str
    work: str
    strategy: str = "auto"
    replicas: int = 0
    deterministic: bool = True
    resume: bool = False
    checkpoint_steps: int = 0
    jit_compile: bool = False
    steps_per_call: int = 1
    org: str
    platform: str
    status: str
    ruleset: str

    @property
    def submission(self) -> dict[str, str]:
        """Who submits what, see `mllog.submission`."""
        return {
            "benchmark": self.benchmark,
            "org": self.org,
            "division": self.division,
            "platform": self.platform,
            "status": self.status,
            "ruleset": self.ruleset,
        }

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RunRequest:
        """From `to_json`'s text."""
        entry: dict[str, Any] = json.loads(text)
        return cls(**{**entry, "settings": tuple(entry["settings"])})


@dataclass(frozen=True)
class RunResult:
    """The result of a run.

    Attributes:
        reached: whether the target was reached.
        epochs: epochs trained.
        quality: of the last evaluation, by name where there are several; None where there was none.
        identity: see `identify_run`; empty in results of former versions.
    """

    reached: bool
    epochs: int
    quality: float | Mapping[str, float] | None
    identity: Mapping[str, Any] = field(default_factory=dict)


def identify_run(request: RunRequest, config: TaskConfig) -> dict[str, Any]:
    """The identity of a run: what must be equal for it to be resumed, or kept as a finished run of a series.

    Args:
        request: the run.
        config: its configuration, with the settings applied.
    """
    text = json.dumps(asdict(config), sort_keys=True)
    return {
        "task": request.task,
        "seed": request.seed,
        "division": request.division,
        "scale": request.scale,
        "config": hashlib.sha256(text.encode()).hexdigest(),
    }


def list_differences(identity: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The names of what an identity has and the other one does not have, or has differently."""
    return [name for name, value in identity.items() if other.get(name) != value]
