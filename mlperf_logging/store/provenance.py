"""Who made the rows of a store: which version of the toolkit, with which rules, asked for what."""

from __future__ import annotations

import hashlib
import os
from functools import cache, lru_cache
from glob import glob
from os import PathLike

import mlperf_logging
from mlperf_logging.bundled import BUNDLE, HOME
from mlperf_logging.compliance.ruleset_selection import AUTO, RuleSelection
from mlperf_logging.rules.fingerprints import fingerprint_files
from mlperf_logging.rules.repository import open_rules

_DIGITS = 12


def describe_maker(rules: str | PathLike[str] | None = None) -> str:
    """The version of the toolkit and a checksum of the rules, in one text: rows of another one are made again."""
    return f"{describe_version()} rules {_sum_up_rules(open_rules(rules))[:_DIGITS]}"


_sum_up_rules = lru_cache(maxsize=8)(fingerprint_files)


@cache
def describe_version() -> str:
    """The version of this package; of a checkout, whose files may change without it, also a checksum of them."""
    if HOME.endswith(BUNDLE):
        return mlperf_logging.__version__
    folder, digest = os.path.dirname(mlperf_logging.__file__), hashlib.sha256()
    for pattern in ("*.py", "*.lark"):
        for path in sorted(glob(os.path.join(folder, "**", pattern), recursive=True)):
            with open(path, "rb") as file:
                digest.update(file.read())
    return f"{mlperf_logging.__version__}+{digest.hexdigest()[:_DIGITS]}"


def describe_options(selection: RuleSelection) -> str:
    """The options by which logs are judged, as a command line has them; empty where each log chooses."""
    parts = [f"--usage {selection.usage}"] if selection.usage is not None else []
    parts += [f"--ruleset {selection.ruleset}"] if selection.ruleset != AUTO else []
    return " ".join(parts)
