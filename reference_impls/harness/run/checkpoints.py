"""Checkpoints: the state from which a run resumes as if it had not been interrupted.

A folder holds one checkpoint of the workload's state and ``latest.json``, which holds the epoch after which it was
written and the length of the log at that time. The description is replaced once the checkpoint is complete, so whatever
interrupts the run, it names a complete checkpoint.
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
    """A checkpoint to resume from.

    Attributes:
        epoch: the last epoch included.
        log_bytes: length of the log when it was written.
        request: identity of the run; a different run must not resume from it.
    """

    epoch: int
    log_bytes: int
    request: dict[str, Any]


class CheckpointKeeper:
    """Writes and reads the checkpoints of one run.

    Args:
        folder: folder of the checkpoints; all processes of the run must see it.
        state: trackable objects by name, see `Workload.state`.
        share: which process this is; only the first one's checkpoint is kept, but all must write.
    """

    def __init__(self, folder: Path, state: dict[str, Any], share: Share) -> None:
        self.folder = folder
        self._checkpoint = tf.train.Checkpoint(
            **{name: _list_variables(each) for name, each in state.items()}
        )
        self._share = share

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint and remove the previous one."""
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
        """Restore the workload's state.

        Raises:
            TrainerError: the checkpoint cannot be read or is of another model.
        """
        place = self.folder / f"epoch_{checkpoint.epoch}" / "state"
        try:
            self._checkpoint.read(str(place)).assert_existing_objects_matched()
        except (tf.errors.OpError, AssertionError, ValueError) as error:
            first = str(error).splitlines()[0]
            raise TrainerError(
                f"the checkpoint at {place.parent} cannot be read ({first}); remove {self.folder} to start over"
            ) from None


def _list_variables(holder: Any) -> Any:
    """All variables of a Keras model or optimizer; anything else unchanged.

    Keras does not expose all of them to TensorFlow's checkpoints: the states of dropout's generators would be missing,
    and a resumed run would draw different numbers.
    """
    variables = getattr(holder, "variables", None)
    if not isinstance(variables, list | tuple):
        return holder
    return [getattr(variable, "value", variable) for variable in variables]


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
        raise TrainerError(f"{path} is damaged; remove {folder} to start the run over") from None
