"""Prepared data: arrays in one file, made once from the downloaded data, outside the timed run.

A folder of prepared data holds ``prepared.npz`` (the arrays) and ``prepared.json`` (facts, such as the number of
samples, and the checksum of the arrays).
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reference_impls.harness.errors import DataError

ARRAYS, FACTS = "prepared.npz", "prepared.json"


def write_prepared(folder: Path, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    """Write prepared data; readers see either the old or the new files.

    Args:
        folder: where to; created if missing.
        arrays: by name; no objects.
        facts: facts about them, as JSON values.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{ARRAYS}.part"
    with draft.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    checksum = hash_arrays(arrays)
    (folder / FACTS).unlink(missing_ok=True)
    draft.replace(folder / ARRAYS)
    text = json.dumps({"sha256": checksum, "facts": dict(facts)}, indent=1, sort_keys=True)
    (folder / FACTS).write_text(text + "\n", "utf-8")


def check_prepared(folder: Path, command: str) -> None:
    """Check that prepared data is there, without reading it.

    Args:
        folder: where it should be.
        command: the command that prepares it; messages name it.

    Raises:
        DataError: it is not there, or its description is damaged.
    """
    _read_description(folder, command)
    if not (folder / ARRAYS).is_file():
        raise DataError(f"{folder / ARRAYS} is missing; prepare the data with: {command}")


def read_facts(folder: Path, command: str) -> dict[str, Any]:
    """The facts about prepared data, without reading the data.

    Args:
        folder: where the prepared data is.
        command: the command that prepares it; messages name it.

    Raises:
        DataError: there is no prepared data, or its description is damaged.
    """
    return _read_description(folder, command)[1]


def read_prepared(folder: Path, command: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and facts of prepared data.

    Args:
        folder: where the prepared data is.
        command: the command that prepares it; messages name it.

    Raises:
        DataError: something is missing or damaged.
    """
    checksum, facts = _read_description(folder, command)
    path = folder / ARRAYS
    if not path.is_file():
        raise DataError(f"{path} is missing; prepare the data with: {command}")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}); prepare the data again with: {command}") from None
    if hash_arrays(arrays) != checksum:
        raise DataError(f"{path} is damaged: its checksum differs; prepare the data again with: {command}")
    return arrays, facts


def read_checksum(folder: Path, command: str) -> str:
    """The checksum of prepared data, without reading the data; see `hash_arrays`.

    Args:
        folder: where the prepared data is.
        command: the command that prepares it; messages name it.

    Raises:
        DataError: there is no prepared data, or its description is damaged.
    """
    return _read_description(folder, command)[0]


def hash_arrays(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of names, types, shapes and values, in hexadecimal; the same whatever library wrote the file."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()


def _read_description(folder: Path, command: str) -> tuple[str, dict[str, Any]]:
    path = folder / FACTS
    try:
        description = json.loads(path.read_text("utf-8"))
        return str(description["sha256"]), dict(description["facts"])
    except FileNotFoundError:
        raise DataError(f"there is no prepared data at {folder}; get it with: {command}") from None
    except (ValueError, KeyError, TypeError, OSError):
        raise DataError(f"{path} is damaged; prepare the data again with: {command}") from None
