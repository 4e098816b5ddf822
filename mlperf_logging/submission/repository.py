"""Whether files and folders can be kept in the repository of results: names, sizes, links."""

from __future__ import annotations

import os
from collections.abc import Iterator

from mlperf_logging.submission.findings import PlacedFinding, place_finding
from mlperf_logging.submission.layout import FOLDER, OTHER, Entry, Tree

LARGEST_BYTES = 50 << 20
"""The repository refuses files that are larger."""


def check_repository(tree: Tree) -> list[PlacedFinding]:
    """What the repository of results would refuse, in the order of the folders."""
    return [found for entry in tree.entries for found in _check_entry(entry, tree)]


def _check_entry(entry: Entry, tree: Tree) -> Iterator[PlacedFinding]:
    what = "folder" if entry.kind == FOLDER else "file"
    if wrong := _blame_name(entry.name):
        yield place_finding("name-not-portable", entry.path, f"the {what}'s name {wrong}", found=entry.name)
    if entry.size > LARGEST_BYTES:
        size = f"{entry.size / (1 << 20):,.1f} MB"
        message = f"the file is {size}; the repository refuses files over {LARGEST_BYTES >> 20} MB"
        yield place_finding(
            "file-too-large", entry.path, message, expected=f"<= {LARGEST_BYTES >> 20} MB", found=size
        )
    if entry.target is not None:
        if entry.kind == OTHER:
            yield place_finding(
                "dangling-link", entry.path, f"the link leads to nothing: {_read_link(entry)}"
            )
        elif not tree.holds(entry.target):
            message = f"the link leads out of the submission, to {_read_link(entry)}"
            yield place_finding("dangling-link", entry.path, message)
    elif entry.kind == OTHER:
        yield place_finding("special-file", entry.path, "this is a pipe, a socket or a device, not a file")


def _blame_name(name: str) -> str:
    if any(letter.isspace() for letter in name):
        return "contains a space"
    if name.startswith("."):
        return "begins with a dot"
    return "" if name.isprintable() else "contains characters that cannot be shown"


def _read_link(entry: Entry) -> str:
    try:
        return os.readlink(entry.path)
    except OSError:
        return entry.target or ""
