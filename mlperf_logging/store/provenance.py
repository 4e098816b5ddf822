"""Who made the rows of a store: which version of the toolkit, with which rules, asked for what."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from os import PathLike, fspath

import mlperf_logging
from mlperf_logging.compliance.ruleset_selection import AUTO, RuleSelection
from mlperf_logging.rules.repository import open_rules

_DIGITS = 12


def describe_maker(rules: str | PathLike[str] | None = None) -> str:
    """The version of the toolkit and a checksum of the rules, in one text: rows of another one are made again."""
    folders = [open_rules(rules).folder]
    if rules is not None:
        folders.append(open_rules().folder)  # which they may extend
    return f"{mlperf_logging.__version__}+{_sum_up_folders(*map(fspath, folders))}"


@lru_cache(maxsize=8)
def _sum_up_folders(*folders: str) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        for here, below, names in os.walk(folder):
            below[:] = sorted(name for name in below if not name.startswith((".", "__")))
            for name in sorted(names):
                path = os.path.join(here, name)
                if name.endswith((".yaml", ".yml", ".json")) and os.path.isfile(path):
                    digest.update(f"{os.path.relpath(path, folder)}\0".encode("utf-8", "surrogateescape"))
                    with open(path, "rb") as file:
                        digest.update(file.read())
    return digest.hexdigest()[:_DIGITS]


def describe_options(selection: RuleSelection) -> str:
    """The options by which logs are judged, as a command line has them; empty where each log chooses."""
    parts = [f"--usage {selection.usage}"] if selection.usage is not None else []
    parts += [f"--ruleset {selection.ruleset}"] if selection.ruleset != AUTO else []
    return " ".join(parts)
