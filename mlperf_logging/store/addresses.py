"""Logs at an address: whatever fsspec and the packages that it knows can reach."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from mlperf_logging.errors import MLPerfLoggingError, UsageError, describe_reason
from mlperf_logging.installation import require_libraries
from mlperf_logging.store.fetching import MAX_BYTES, Fetched, is_wanted, make_path

_PATTERN_LETTERS = "*?["
_CREDENTIALS = re.compile(r"(?<=://)[^/@]*@")


def choose_address(address: str) -> Fetched:
    """What fetches the logs at an address.

    Raises:
        UsageError: fsspec, or the package that it needs for the kind of address, is not installed.
        MLPerfLoggingError: there is nothing at the address, or it cannot be reached.
    """
    require_libraries(f"reading {_CREDENTIALS.sub('', address)}", ["fsspec"], "store")
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(address)
        top = _cut_pattern(path).rstrip("/")
        if top == path and system.isfile(path):
            top = path.rpartition("/")[0]
    except (ImportError, ValueError) as error:
        raise UsageError(
            f"{_CREDENTIALS.sub('', address)} cannot be read: {describe_reason(error)}; install the package that fsspec "
            "needs for this kind of address"
        ) from None
    except Exception as error:  # noqa: BLE001 - each kind of address has errors of its own
        raise MLPerfLoggingError(
            f"{_CREDENTIALS.sub('', address)} cannot be read: {describe_reason(error)}"
        ) from None
    place = _CREDENTIALS.sub("", f"{system.unstrip_protocol(top).rstrip('/')}/")

    def fetch(root: str) -> str:
        try:
            return _fetch(system, path, top, root)
        except MLPerfLoggingError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            reason = describe_reason(error)
            raise MLPerfLoggingError(f"{place} cannot be read: {reason}") from None

    return Fetched(os.path.basename(top), place, fetch)


def _cut_pattern(path: str) -> str:
    """The folder that a pattern begins with; a path that is none as it is."""
    while any(letter in path for letter in _PATTERN_LETTERS):
        path = path.rpartition("/")[0]
    return path


def _fetch(system: Any, path: str, top: str, root: str) -> str:
    size = 0
    for name, length in _list_files(system, path):
        below = name[len(top) :].strip("/") or os.path.basename(name)
        target = make_path(root, below)
        if target is None:
            continue
        size += length
        if size > MAX_BYTES:
            raise MLPerfLoggingError(
                f"{top} holds more than {MAX_BYTES >> 30} GiB of logs; name folders below it"
            )
        system.get_file(name, target)
    return ""


def _list_files(system: Any, path: str) -> Iterator[tuple[str, int]]:
    """Path and length of the files at an address that are wanted."""
    if path != _cut_pattern(path):
        found = system.glob(path, detail=True)
    elif system.isfile(path):
        found = {path: system.info(path)}
    else:
        found = system.find(path, detail=True)
    if not found:
        raise FileNotFoundError("there is nothing")
    for name, about in sorted(found.items()):
        if about.get("type") == "file" and (len(found) == 1 or is_wanted(name)):
            yield name, int(about.get("size") or 0)
