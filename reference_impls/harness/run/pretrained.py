"""Weights that a model starts from: a file of the data folder, with a checksum that is logged with the settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from reference_impls.harness.configs import LogKey, TaskConfig
from reference_impls.harness.data.files import DataFile, check_files
from reference_impls.harness.errors import DataError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class PretrainedConfig(TaskConfig):
    """Settings of a task whose model, or a part of it, starts from weights that were trained before.

    Attributes:
        pretrained_weights: name of the file in the data folder, in Keras' format (``.weights.h5``).
        pretrained_checksum: its SHA-256 in hexadecimal.
    """

    pretrained_weights: str
    pretrained_checksum: Annotated[str, LogKey("pretrained_weights_checksum")]

    def list_pretrained(self) -> list[DataFile]:
        """The file, as `check_files` takes it."""
        return [DataFile(self.pretrained_weights, self.pretrained_checksum)]


def load_pretrained(model: keras.Model, config: PretrainedConfig, folder: Path, command: str) -> None:
    """Give a model, or a part of one that was built, its pretrained weights.

    Args:
        model: as it was saved.
        config: names the file and its checksum.
        folder: the data folder.
        command: the command that gets the data; messages name it.

    Raises:
        DataError: the file is missing, damaged, or holds the weights of another model.
    """
    (path,) = check_files(folder, config.list_pretrained(), command)
    try:
        model.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{path} does not hold the weights of {model.name}: {reason}") from None
