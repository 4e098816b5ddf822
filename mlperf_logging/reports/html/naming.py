"""What logs and folders are called on the page, and what a page for the public leaves out of every text."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

from mlperf_logging.reports._places import find_common_folder
from mlperf_logging.runs.folders import ResultFolder, describe_folder

HIDDEN = "…"
"""What stands in place of what is left out."""

_PATH = re.compile(
    r"(?<![\w/.:<-])(?:[A-Za-z]:[\\/]|~/|\.{0,2}/)(?=[\w./~-]*[A-Za-z]{2})[\w.~@+=%{}-]+(?:[\\/][\w.~@+=%{}-]*)*"
)
_ROUND = re.compile(r"v?\d+(\.\d+)+")
_ADDRESS = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}(?![\w:])"
)
_HOST = re.compile(
    r"(?<![\w.@/-])(?:[\w-]+\.)+(?:com|org|net|edu|gov|mil|io|ai|cloud|dev|local|localdomain|internal|intranet|lan|corp|cluster)(?![\w-])"
)
_HOST_FIELD = re.compile(
    r'("(?:host|hostname|host_name|node|nodename|node_name|machine|fqdn|user|username|ip)"\s*:\s*)"[^"]*"',
    re.IGNORECASE,
)


class Naming:
    """Names of paths: below the folder that all share or, for the public, by submitter, system and benchmark alone.

    Attributes:
        folder: the folder that all paths share, as people call it, with its slash; empty where they share none.
    """

    def __init__(
        self, paths: Iterable[str], *, public: bool = False, unpacked: tuple[str, str] = ("", "")
    ) -> None:
        """Name paths; those that are named alike get numbers.

        Args:
            paths: all paths that will be named.
            public: whether the public is to read them.
            unpacked: the folder that an archive was unpacked to, and what people call it.
        """
        held = list(dict.fromkeys(paths))
        self._unpacked = unpacked
        self._common = find_common_folder(held)
        self.folder = _replace_start(self._common, *unpacked)
        self._public = public
        self._names: dict[str, str] = {}
        if public:
            taken: dict[str, int] = {}
            for path in held:
                name = _name_for_public(path)
                taken[name] = taken.get(name, 0) + 1
                self._names[path] = name if taken[name] == 1 else f"{name} ({taken[name]})"

    def name(self, path: str) -> str:
        """What a path is called."""
        folder, shown = self._unpacked
        path = _replace_start(path, shown, folder)
        if not self._public:
            return path.removeprefix(self._common) if path != self._common else self.folder
        head, number = (path, "") if path in self._names else _split_run(path)
        return f"{self._names.get(head) or _name_for_public(head)}{number}"

    def name_folder(self, path: str) -> str:
        """What a folder is called."""
        return os.path.dirname(self.name(os.path.join(path, "log"))) or HIDDEN

    def name_result(self, folder: ResultFolder) -> str:
        """What a result is called: system and benchmark, else its folder."""
        if folder.system is None:
            return self.name_folder(folder.path)
        parts = (folder.submitter, folder.system, folder.scaling, folder.benchmark)
        return " ".join(part for part in parts if part)


def _replace_start(path: str, old: str, new: str) -> str:
    """A path with another beginning, where it begins with a folder."""
    return f"{new}{path.removeprefix(old)}" if old and path.startswith(old) else path


def label_folders(folders: Sequence[str], *, public: bool = False) -> list[str]:
    """Short names of folders that are compared: their last parts where these differ, else the folders as they are.

    For the public they are numbered, unless they are named after rounds.
    """
    names = [os.path.basename(os.path.abspath(folder)) for folder in folders]
    differ = len(set(names)) == len(names)
    if public and not (differ and all(map(_ROUND.fullmatch, names))):
        return [f"set {number}" for number in range(1, len(names) + 1)]
    return names if differ else list(folders)


def _split_run(path: str) -> tuple[str, str]:
    """A path and what follows it where one of several runs of a file is meant."""
    head, mark, rest = path.rpartition(" (run ")
    return (head, f"{mark}{rest}") if mark else (path, "")


def _name_for_public(path: str) -> str:
    """What a results repository would show of a path: submitter, system, benchmark and file; else the file alone."""
    folder = describe_folder(os.path.dirname(path) or ".", ())
    name = os.path.basename(path)
    if folder.system is None:
        return name
    parts = (folder.submitter, folder.system, folder.scaling, folder.benchmark, name)
    return "/".join(part for part in parts if part)


def make_cleaner(secrets: Iterable[str]) -> Callable[[str], str]:
    """What takes paths, addresses and names of hosts out of a text.

    Args:
        secrets: texts that are left out wherever they stand: names of this machine, its user, its folders.
    """
    known = sorted({each for each in secrets if len(each) > 2}, key=len, reverse=True)
    own = re.compile("|".join(rf"(?<![\w/]){re.escape(each)}(?!\w)" for each in known)) if known else None

    def clean(text: str) -> str:
        if own is not None:
            text = own.sub(HIDDEN, text)
        if "/" in text or "\\" in text:
            text = _PATH.sub(_hide_path, text)
        if "." in text or ":" in text:
            text = _ADDRESS.sub(HIDDEN, _HOST.sub(HIDDEN, text))
        return _HOST_FIELD.sub(rf'\1"{HIDDEN}"', text) if '"' in text else text

    return clean


def _hide_path(found: re.Match[str]) -> str:
    """The name of the file that a path leads to, where it has one with a suffix; its folders are left out."""
    name = re.split(r"[\\/]", found[0])[-1]
    return f"{HIDDEN}/{name}" if re.search(r"\.[A-Za-z]\w{0,4}$", name) else HIDDEN


def clean_values(value: Any, clean: Callable[[str], str], spared: frozenset[str] = frozenset()) -> Any:
    """A value of the page with every text in it cleaned; the fields that are named stay as they are."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {
            key if not isinstance(key, str) else clean(key): each
            if key in spared
            else clean_values(each, clean, spared)
            for key, each in value.items()
        }
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value,
            **{
                each.name: clean_values(getattr(value, each.name), clean, spared)
                for each in fields(value)
                if each.name not in spared
            },
        )
    if isinstance(value, tuple):
        cleaned = [clean_values(each, clean, spared) for each in value]
        return type(value)(*cleaned) if hasattr(value, "_fields") else tuple(cleaned)
    if isinstance(value, list):
        return [clean_values(each, clean, spared) for each in value]
    return value
