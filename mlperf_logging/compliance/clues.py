"""Clues to the round that a log was made for: the folders above it, and its date."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import lru_cache

from mlperf_logging.compliance.identity import Identity
from mlperf_logging.errors import UsageError
from mlperf_logging.rules.rounds import RoundIndex, find_round
from mlperf_logging.runs.summary import RUN_START

PARAMETERS_FILE = "package_checker_params"
"""Options of the public package checker, one on each line; ``ruleset N.N.N`` and ``usage NAME`` are read."""

_RESULTS_FOLDER = (
    r"[a-z]+_results_v\d+(\.\d+)+"  # compiled only where a folder may match: that costs a cold start
)
_FOLDERS_ABOVE = 4
"""From a benchmark's folder up to its submission's: system, results, submitter."""


def find_clue(
    known: Sequence[RoundIndex], identity: Identity, dialect: str, path: str | None
) -> tuple[RoundIndex, str] | None:
    """The round of some that know a log's dialect and benchmark to which a clue points, and which clue.

    The nearest folder named like ``training_results_vN.N`` counts most, then a ``package_checker_params`` file, then
    the date of the run. Keys that logs hold only since some round rule out the dates before it.

    Args:
        known: the rounds, oldest first within a usage.
        identity: what the log says of its kind.
        dialect: the dialect that counts.
        path: the log's file, if it has one.
    """
    named = find_named_round(path)
    if named is not None:
        entry = _find_known(known, named[0])
        if entry is not None:
            return entry, named[1]
    return _find_dated(known, identity, dialect)


def find_named_round(path: str | None) -> tuple[str, str] | None:
    """The round that a log's folders name, or a file of parameters in them, and what names it."""
    if path is None or not os.path.exists(path):
        return None
    return _find_named(os.path.dirname(os.path.abspath(path)))


@lru_cache(maxsize=4096)
def _find_named(folder: str) -> tuple[str, str] | None:
    """The round that the folders of a log name, and what names it."""
    above = [folder]
    while os.path.dirname(above[-1]) != above[-1]:
        above.append(os.path.dirname(above[-1]))
    for place in above:
        name = os.path.basename(place)
        if "_results_v" in name and re.fullmatch(_RESULTS_FOLDER, name):
            return name, f"the round of the folder {name}"
    for place in above[:_FOLDERS_ABOVE]:
        named = _read_parameters(os.path.join(place, PARAMETERS_FILE))
        if named is not None:
            return named, f"the round that {PARAMETERS_FILE} names"
    return None


def _read_parameters(path: str) -> str | None:
    """The round that a ``package_checker_params`` file names, if it does."""
    if not os.path.isfile(path):
        return None
    from mlperf_logging.runs.side_files import read_side_file

    try:
        lines = read_side_file(path).decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    options = dict([line.lstrip("- ").replace("=", " ").partition(" ")[::2] for line in lines])
    usage, ruleset = options.get("usage", "").strip(), options.get("ruleset", "").strip()
    if not ruleset:
        return None
    return f"{usage}/{ruleset}" if usage and "/" not in ruleset else ruleset


def _find_known(known: Sequence[RoundIndex], name: str) -> RoundIndex | None:
    try:
        return find_round(known, name)
    except UsageError:  # a round that does not know the log's benchmark, or none at all
        return None


def _find_dated(
    known: Sequence[RoundIndex], identity: Identity, dialect: str
) -> tuple[RoundIndex, str] | None:
    events = identity.events(dialect)
    event = events.get(RUN_START) or next(iter(events.values()), None)
    for place, entry in enumerate(known):
        if event is not None and entry.from_ms <= event.time_ms < entry.until_ms:
            later = [each for each in known[place + 1 :] if each.usage == entry.usage]
            if not any(each.keys & events.keys() for each in later):
                return (entry, f"the round under way at the log's date, {_show_day(event.time_ms)}")
    return None


def _show_day(time_ms: float) -> str:
    from time import gmtime, strftime

    return strftime("%Y-%m-%d", gmtime(time_ms / 1000))
