"""``package_checker_params``: which checks a submission asks to be spared, one name on each line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from mlperf_logging.compliance.clues import PARAMETERS_FILE
from mlperf_logging.runs.side_files import read_side_file
from mlperf_logging.submission.findings import PlacedFinding, place_finding
from mlperf_logging.suggestions import did_you_mean

RCP_BYPASS, SEED_BYPASS = "rcp-bypass", "seed-checker-bypass"
_OTHERS = re.compile(r"werror|quiet|rcp-\w+-train-samples|(-*\s*)(ruleset|usage)[ =].*")
"""Other options of the public package checker, which the rounds' scripts take from the file too, and what names the round."""


class Parameters(NamedTuple):
    """The checks that are spared: name to the file that says so, with its folder's name."""

    bypassed: dict[str, str]

    def add(self, others: Parameters) -> Parameters:
        """These and others; of two files that say the same, the others' counts."""
        return Parameters({**self.bypassed, **others.bypassed})


def read_parameters(folder: str, names: Iterable[str]) -> tuple[Parameters, list[PlacedFinding]]:
    """What a folder's file says, where the folder holds one; lines that say nothing known are findings."""
    if PARAMETERS_FILE not in names:
        return Parameters({}), []
    path = os.path.join(folder, PARAMETERS_FILE)
    known = (RCP_BYPASS, SEED_BYPASS)
    try:
        lines = read_side_file(path).decode("utf-8", "replace").splitlines()
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        return Parameters({}), [place_finding("unknown-parameter", path, message)]
    bypassed, findings = {}, []
    for number, line in enumerate(lines, 1):
        name = line.strip()
        if name in (RCP_BYPASS, SEED_BYPASS):
            bypassed[name] = f"{os.path.basename(os.path.abspath(folder))}/{PARAMETERS_FILE}"
        elif name and not _OTHERS.fullmatch(name):
            meant = did_you_mean(name.lstrip("-"), known, f"known: {', '.join(known)}")
            if name.lstrip("-") in known:
                meant = "write it without dashes"
            message = f"{name!r} has no effect; {meant}"
            findings.append(
                place_finding("unknown-parameter", path, message, line=number, found=name, excerpt=line)
            )
    return Parameters(bypassed), findings
