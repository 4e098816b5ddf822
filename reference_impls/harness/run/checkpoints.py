"""Checkpoints: the state from which a run resumes as if it had not been interrupted.

A folder holds one checkpoint, the values of all variables and the state of the host, and ``latest.json``, which says after
which epoch and step it was taken and how long the log was at that time. A thread writes it while training continues; the
description is replaced once the checkpoint is complete, so whatever interrupts the run, it names a complete checkpoint.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from reference_impls.harness.data.prepared import read_prepared, write_prepared
from reference_impls.harness.errors import DataError, TrainerError
from reference_impls.harness.workload import HostState, Share

LATEST = "latest.json"
HOST = "host"


class Checkpoint(NamedTuple):
    """A checkpoint to resume from.

    Attributes:
        epoch: the last whole epoch included.
        log_bytes: length of the log when it was taken.
        request: identity of the run; a different run must not resume from it.
        step: steps of the next epoch that are included, too.
        total_steps: steps of all epochs that are included.
        part: how many checkpoints were taken while the data of the next epoch was made; they are numbered from 1.
        is_open: whether an epoch or a block was open in the log.
    """

    epoch: int
    log_bytes: int
    request: dict[str, Any]
    step: int = 0
    total_steps: int = 0
    part: int = 0
    is_open: bool = False


class Host(Protocol):
    """What a checkpoint holds besides variables; a `Workload` is one."""

    def host_state(self) -> HostState:
        """What is saved."""

    def restore_host_state(self, state: HostState) -> None:
        """Continue from it."""


class CheckpointKeeper:
    """Writes and reads the checkpoints of one run.

    Args:
        folder: folder of the checkpoints; all processes of the run must see it.
        state: Keras models and optimizers by name, see `Workload.state`.
        share: which process this is; only the first one writes, but all must call `save`.
        host: has the state of the host; None: there is none.
    """

    def __init__(
        self, folder: Path, state: Mapping[str, Any], share: Share, host: Host | None = None
    ) -> None:
        self.folder = folder
        self._state = state
        self._host = host
        self._is_first = share.index == 0
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None

    def save(self, checkpoint: Checkpoint) -> None:
        """Take a checkpoint; it is written in the background and then replaces the previous one.

        Raises:
            TrainerError: the previous one could not be written.
        """
        values = read_values(self._state)
        host = self._host.host_state() if self._host is not None else HostState()
        self.wait()
        if self._is_first:
            self._writing = self._writer.submit(self._write, checkpoint, values, host)

    def wait(self) -> None:
        """Wait until what was taken has been written.

        Raises:
            TrainerError: it could not be written.
        """
        if self._writing is None:
            return
        try:
            self._writing.result()
        except OSError as error:
            raise TrainerError(f"the checkpoint cannot be written: {error}") from None

    def close(self) -> None:
        """Let what is being written be finished, whether it can be or not."""
        self._writer.shutdown()

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore the workload's state.

        Raises:
            TrainerError: the checkpoint cannot be read or is of another model.
        """
        place = self.folder / _name(checkpoint)
        try:
            values, _ = read_prepared(place, "")
            assign_values(self._state, values)
            host = HostState(*read_prepared(place / HOST, ""))
        except (DataError, ValueError):
            raise TrainerError(
                f"the checkpoint at {place} is missing, damaged or of another model and cannot be read; "
                f"remove {self.folder} to start over"
            ) from None
        if self._host is not None:
            self._host.restore_host_state(host)

    def _write(self, checkpoint: Checkpoint, values: Mapping[str, np.ndarray], host: HostState) -> None:
        place = self.folder / _name(checkpoint)
        write_prepared(place / HOST, host.arrays, host.facts)
        write_prepared(place, values, {})
        draft = self.folder / f"{LATEST}.part"
        draft.write_text(json.dumps(checkpoint._asdict()), "utf-8")
        draft.replace(self.folder / LATEST)
        for other in self.folder.glob("epoch_*"):
            if other != place:
                shutil.rmtree(other, ignore_errors=True)


def _name(checkpoint: Checkpoint) -> str:
    parts = [
        f"{name}_{number}"
        for name, number in (("step", checkpoint.step), ("part", checkpoint.part))
        if number
    ]
    return "_".join([f"epoch_{checkpoint.epoch}", *parts])


def read_values(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The values of all variables of Keras models and optimizers, those of dropout's generators included.

    Every process of a run must call this: some variables are averaged over replicas when they are read.
    """
    return {
        f"{name}.{number:05}": tf.convert_to_tensor(variable).numpy()
        for name, holder in state.items()
        for number, variable in enumerate(holder.variables)
    }


def assign_values(state: Mapping[str, Any], values: Mapping[str, np.ndarray]) -> None:
    """Give all variables the values that `read_values` read.

    Raises:
        ValueError: they are those of another model.
    """
    variables = {
        f"{name}.{number:05}": variable
        for name, holder in state.items()
        for number, variable in enumerate(holder.variables)
    }
    if {name: tuple(each.shape) for name, each in variables.items()} != {
        name: each.shape for name, each in values.items()
    }:
        raise ValueError("other variables")
    for name, variable in variables.items():
        variable.assign(values[name])


def find_checkpoint(folder: Path) -> Checkpoint | None:
    """The latest checkpoint in a folder, or None.

    Raises:
        TrainerError: its description is damaged.
    """
    path = folder / LATEST
    try:
        entry = json.loads(path.read_text("utf-8"))
        return Checkpoint(
            int(entry["epoch"]),
            int(entry["log_bytes"]),
            dict(entry["request"]),
            int(entry["step"]),
            int(entry["total_steps"]),
            int(entry["part"]),
            bool(entry["is_open"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise TrainerError(f"{path} is damaged; remove {folder} to start the run over") from None
