"""Settings from a file above the logs, under those of the command line.

Looking for the file costs calls of `stat` alone; what reads it is loaded if there is one.
"""

from __future__ import annotations

import os
import re
from argparse import Namespace
from collections.abc import Iterable, Mapping
from typing import Any

from mlperf_logging.errors import UsageError
from mlperf_logging.parsing.sources import STANDARD_INPUT

OWN_FILE, SHARED_FILE = "mlperf.toml", "pyproject.toml"
SHARED_TABLE = ("tool", "mlperf")
"""Where the settings stand in the file that other tools share."""
SHARED_SETTINGS = ("usage", "ruleset", "division", "strict", "rules", "jobs")
"""Settings of every command that judges; those of `mlperf-check` alone come on top."""
COMMAND_LINE, DEFAULT = "command line", "default"
_PATTERN_LETTERS = "*?["


def complete_settings(options: Namespace, defaults: Mapping[str, Any], program: str) -> None:
    """Give the settings that the command line leaves open (None) their value from a file, or the default.

    Raises:
        UsageError: the file is wrong, or the logs have different ones above them.
    """
    if options.config is not None and options.no_config:
        raise UsageError("--config names a file of settings and --no-config wants none; leave one out")
    path = options.config
    if path is None and not options.no_config:
        path = find_configuration(getattr(options, "paths", ()))
    written: Mapping[str, Any] = {}
    if path is not None:
        from mlperf_logging.cli.configuration_file import check_round, read_settings

        written = read_settings(path, SHARED_TABLE if os.path.basename(path) == SHARED_FILE else ())
        if options.ruleset is not None and any(mark in options.ruleset for mark in "/-"):
            written = {name: value for name, value in written.items() if name != "usage"}  # it names its own
    values = vars(options)
    sources = options.setting_sources = dict[str, str]()
    for name, default in defaults.items():
        if values[name] is not None:
            sources[name] = COMMAND_LINE
        else:
            values[name] = written.get(name, default)
            sources[name] = path if name in written else DEFAULT
    if path is not None and any(sources[name] == path for name in ("usage", "ruleset")):
        with blame_file(options, "usage", "ruleset"):
            check_round(options)
    if options.show_config:
        from mlperf_logging.cli.configuration_file import show_settings

        show_settings(options)
        raise SystemExit(0)
    if options.config is None and path in sources.values():
        from mlperf_logging.cli.running import print_error

        # Never left out: the file may be a stranger's, and it decides what counts.
        print_error(program, f"settings from {path} (--no-config leaves them out)")


def find_configuration(paths: Iterable[str]) -> str | None:
    """The nearest file with settings at or above the folders of logs; None if there is none.

    Raises:
        UsageError: the logs have different ones above them.
    """
    known: dict[str, str | None] = {}
    given = [path for path in paths if path != STANDARD_INPUT] or [os.curdir]
    found = list(dict.fromkeys([_look_upward(_find_folder(path), known) for path in given]))
    here = f"{os.getcwd()}{os.sep}"
    found = [path and path.removeprefix(here) for path in found]
    if len(found) > 1:
        first, second = (path or "none" for path in found[:2])
        raise UsageError(
            f"the logs have different settings above them, {first} and {second}; "
            "check them one at a time, or choose with --config FILE or --no-config"
        )
    return found[0]


class blame_file:  # noqa: N801 - a context, named for what it does; contextlib costs a cold start
    """Names the file of settings before what is wrong with them, where one of these comes from it."""

    def __init__(self, options: Namespace, *names: str) -> None:
        self._files = {options.setting_sources[name] for name in names} - {COMMAND_LINE, DEFAULT}

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, raised: object, trace: object) -> None:
        if self._files and isinstance(raised, UsageError):
            raise UsageError(f"{', '.join(self._files)}: {raised}") from None


def _find_folder(path: str) -> str:
    """The folder that a path or pattern stands for, or stands in."""
    magic = min([place for letter in _PATTERN_LETTERS if (place := path.find(letter)) >= 0], default=-1)
    if magic >= 0 and not os.path.lexists(path):
        path = path[:magic] + "_"
    whole = os.path.abspath(path)
    return whole if os.path.isdir(whole) else os.path.dirname(whole)


def _look_upward(folder: str, known: dict[str, str | None]) -> str | None:
    visited, found = [], None
    while folder not in known:
        visited.append(folder)
        found = _look_into(folder)
        above = os.path.dirname(folder)
        if found is not None or above == folder:
            break
        folder = above
    else:
        found = known[folder]
    known.update(dict.fromkeys(visited, found))
    return found


def _look_into(folder: str) -> str | None:
    own = os.path.join(folder, OWN_FILE)
    if os.path.lexists(own):
        return own
    shared = os.path.join(folder, SHARED_FILE)
    if os.path.isfile(shared) and _may_have_settings(shared):
        from mlperf_logging.cli.configuration_file import has_settings

        return shared if has_settings(shared, SHARED_TABLE) else None
    return None


def _may_have_settings(shared: str) -> bool:
    """Return whether the table's name is in a file as a word, outside comments; most files name a package at most."""
    from mlperf_logging.runs.side_files import read_side_file

    try:
        content = read_side_file(shared)
    except OSError:  # none of ours is so long, or cannot be read
        return False
    name = SHARED_TABLE[-1].encode()
    return name in content and bool(re.search(rb"(?m)^[^#\n]*(?<![\w-])%b(?![\w-])" % name, content))
