"""Resolved rulesets, kept as JSON between runs and never older than the rule files.

Looking at the times of a few dozen small files takes half a millisecond; resolving them (YAML and lark)
takes a thousand times that. The name of a cache file holds a digest over every rule file and over the code
that resolves them, so an edit of either can only miss the cache, never find something stale. What is read
back is checked like a rule file: unknown node names are refused when formulas are compiled.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from mlperf_logging.errors import RuleError

if TYPE_CHECKING:
    from mlperf_logging.rules.codes import Vocabulary
    from mlperf_logging.rules.reference_files import ReferenceResolver
    from mlperf_logging.rules.resolving import Resolver

_SETTLED_NS = 3_000_000_000
"""A file whose last change is this long ago can no longer change without its times changing."""

_CODE = (
    "binding.py",
    "brace_expansion.py",
    "cache.py",
    "cells.py",
    "codes.py",
    "files.py",
    "formula.lark",
    "formula.py",
    "reference_files.py",
    "reference_points.py",
    "resolving.py",
    "rule.py",
)


def cache_folder() -> str | None:
    """Where resolved rules are kept.

    That is ``$MLPERF_CACHE_DIR``, ``$XDG_CACHE_HOME/mlperf_logging`` or ``~/.cache/mlperf_logging``.
    None when ``MLPERF_CACHE_DIR`` is set to nothing, which turns the cache off, or when there is no home
    folder.
    """
    named = os.environ.get("MLPERF_CACHE_DIR")
    if named is not None:
        return named or None
    base = os.environ.get("XDG_CACHE_HOME")
    if base:
        return f"{base}/mlperf_logging"
    home = os.environ.get("HOME")
    return f"{home}/.cache/mlperf_logging" if home else None


class RuleStore:
    """Resolved rulesets of one folder of rule files, from the cache where that is possible.

    Attributes:
        folder: the folder of rule files.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._built: Resolver | None = None
        self._points: ReferenceResolver | None = None
        self._digest_text = ""

    def index(self) -> list[Any]:
        """``[usage/round, dialect, benchmarks]`` of every ruleset."""
        return self._kept("index", self._build_index)  # type: ignore[no-any-return]

    def resolved(self, name: str) -> dict[str, Any]:
        """One ruleset as JSON values."""
        return self._kept(name.replace("/", "-"), lambda: self._build_ruleset(name))  # type: ignore[no-any-return]

    def vocabulary(self) -> Vocabulary:
        """The codes and keys."""
        from mlperf_logging.rules.codes import Vocabulary

        return Vocabulary.from_json(self._kept("vocabulary", self._build_vocabulary))

    def reference_points(self, name: str) -> dict[str, Any]:
        """The reference convergence points of one ruleset: benchmark to its table, as JSON values."""
        return self._kept(f"rcp-{name.replace('/', '-')}", lambda: self._build_points(name))  # type: ignore[no-any-return]

    def digest(self) -> str:
        """What tells this state of the rule files, and of the code that resolves them, from every other.

        It is made from each file's size, inode and times of change, which an edit cannot leave as they were.
        Where a file changed within the last seconds, so that a second edit might share its times, it is made
        from the files' contents.

        Raises:
            RuleError: a rule file cannot be read.
        """
        if not self._digest_text:
            code = os.path.dirname(__file__)
            try:
                files = [*_list_rule_files(self.folder), *[f"{code}/{name}" for name in _CODE]]
                self._digest_text = _hash_files(files)
            except OSError as trouble:
                message = f"cannot read the rule files: {trouble.strerror}"
                raise RuleError(message, path=str(trouble.filename)) from None
        return self._digest_text

    def _kept(self, name: str, build: Any) -> Any:
        folder = cache_folder()
        if folder is None:
            return json.loads(json.dumps(build()))
        path = f"{folder}/{name}-{self.digest()}.json"
        try:
            with open(path, "rb") as file:
                return json.loads(file.read())
        except (OSError, ValueError):
            content = json.dumps(build(), separators=(",", ":")).encode()
        _write_quietly(folder, path, content)
        return json.loads(content)

    def _resolver(self) -> Resolver:
        if self._built is None:
            from pathlib import Path

            from mlperf_logging.rules.resolving import Resolver

            self._built = Resolver(Path(self.folder))
        return self._built

    def _build_index(self) -> list[Any]:
        resolver = self._resolver()
        drafts = [resolver.resolve(name) for name in resolver.list_rulesets()]
        return [[draft["name"], draft["dialect"], draft["benchmarks"]] for draft in drafts]

    def _build_vocabulary(self) -> dict[str, Any]:
        return self._resolver().vocabulary.as_json()

    def _build_ruleset(self, name: str) -> dict[str, Any]:
        from mlperf_logging.rules.binding import finish_draft

        return finish_draft(self._resolver().resolve(name))

    def _build_points(self, name: str) -> dict[str, Any]:
        if self._points is None:
            from pathlib import Path

            from mlperf_logging.rules.reference_files import ReferenceResolver

            self._points = ReferenceResolver(Path(self.folder))
        return self._points.resolve(name)


def _load_blake2b() -> Any:
    # hashlib loads all of OpenSSL, which costs more than everything else that reading the cache does.
    try:
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b
    return blake2b


def _hash_files(paths: list[str]) -> str:
    from time import time_ns

    marks = _load_blake2b()(digest_size=16)
    newest = 0
    for path in paths:
        stat = os.stat(path)
        marks.update(f"{path}\0{stat.st_size} {stat.st_ino} {stat.st_mtime_ns} {stat.st_ctime_ns}\0".encode())
        newest = max(newest, stat.st_mtime_ns, stat.st_ctime_ns)
    if newest < time_ns() - _SETTLED_NS:
        return str(marks.hexdigest())
    contents = _load_blake2b()(digest_size=16)
    for path in paths:
        with open(path, "rb") as file:
            content = file.read()
        contents.update(b"%d %s\0" % (len(content), os.fsencode(path)))
        contents.update(content)
    return str(contents.hexdigest())


def _list_rule_files(folder: str) -> list[str]:
    found: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                found += _list_rule_files(entry.path)
            elif entry.name.endswith(".yaml"):
                found.append(entry.path)
    return sorted(found)


def _write_quietly(folder: str, path: str, content: bytes) -> None:
    # A cache that cannot be written costs time, not correctness; a torn file cannot happen: it is renamed
    # into place.
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(folder, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        return
