"""Checkpoints: what a run needs to go on as if it had not been interrupted.

A folder holds one checkpoint of the workload's state and ``latest.json``, which says after which epoch it was made
and how long the log was then. The description is replaced when the checkpoint is whole, so whatever
interrupts the run, the description speaks of a whole checkpoint.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from reference_impls.harness.errors import TrainerError
from reference_impls.harness.workload import Share

LATEST = "latest.json"


class Checkpoint(NamedTuple):
    """A checkpoint that can be gone on from.

    Attributes:
        epoch: the last epoch that it holds.
        log_bytes: length of the log when it was made.
        request: what was asked of the run; another request cannot go on from it.
    """

    epoch: int
    log_bytes: int
    request: dict[str, Any]


class CheckpointKeeper:
    """Writes and reads the checkpoints of one run.

    Args:
        folder: where they are; all processes of the run must see it.
        state: trackable objects by name, see `Workload.state`.
        share: which process this is; only the first one's checkpoint is kept, but all must write.
    """

    def __init__(self, folder: Path, state: dict[str, Any], share: Share) -> None:
        self.folder = folder
        self._checkpoint = tf.train.Checkpoint(**state)
        self._share = share

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint and remove the one before."""
        is_first = self._share.index == 0
        name = f"epoch_{checkpoint.epoch}" if is_first else f"process_{self._share.index}"
        place = self.folder / name
        place.mkdir(parents=True, exist_ok=True)
        self._checkpoint.write(str(place / "state"))
        if not is_first:
            shutil.rmtree(place, ignore_errors=True)
            return
        draft = self.folder / f"{LATEST}.part"
        draft.write_text(json.dumps(checkpoint._asdict()), "utf-8")
        draft.replace(self.folder / LATEST)
        for other in self.folder.glob("epoch_*"):
            if other != place:
                shutil.rmtree(other, ignore_errors=True)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Put the workload's state back.

        Raises:
            TrainerError: the checkpoint cannot be read or is of another model.
        """
        place = self.folder / f"epoch_{checkpoint.epoch}" / "state"
        try:
            self._checkpoint.read(str(place)).assert_existing_objects_matched()
        except (tf.errors.OpError, AssertionError, ValueError) as trouble:
            first = str(trouble).splitlines()[0]
            raise TrainerError(
                f"the checkpoint at {place.parent} cannot be read ({first}); remove {self.folder} to start anew"
            ) from None


def find_checkpoint(folder: Path) -> Checkpoint | None:
    """The latest checkpoint in a folder, or None.

    Raises:
        TrainerError: its description is damaged.
    """
    path = folder / LATEST
    try:
        entry = json.loads(path.read_text("utf-8"))
        return Checkpoint(int(entry["epoch"]), int(entry["log_bytes"]), dict(entry["request"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise TrainerError(f"{path} is damaged; remove {folder} to start the run anew") from None
