"""Findings on the power readings of a result: which logs are there, and what they lack."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from mlperf_logging.runs.folders import ResultFolder, name_run
from mlperf_logging.scoring.energy import NODE, SWITCH
from mlperf_logging.scoring.folders import FolderScore
from mlperf_logging.scoring.power_checks import NODES
from mlperf_logging.submission.findings import PlacedFinding, place_finding
from mlperf_logging.submission.layout import FOLDER, Tree

_NAME = re.compile(r"(node_|sw_)(\d+)\.txt")
_NOUNS = {NODE: "node", SWITCH: "switch"}
_PLURALS = {NODE: "nodes", SWITCH: "switches"}


def check_power_folders(folder: ResultFolder, score: FolderScore, tree: Tree) -> Iterator[PlacedFinding]:
    """What is wrong with a result's power readings; nothing where it has none.

    Args:
        folder: the benchmark's folder.
        score: its score, which has read them.
        tree: what is in the submission's folders.
    """
    if folder.power is None:
        return
    runs = {name_run(path): path for path in folder.logs}
    measured = set(tree.list_names(folder.power, FOLDER))
    for name in sorted(runs.keys() - measured):
        yield place_finding(
            "power-missing", runs[name], f"the run has no power readings: there is no power/{name}/"
        )
    for name in (*sorted(measured - runs.keys()), *tree.list_names(folder.power)):
        path = os.path.join(folder.power, name)
        yield place_finding("power-extra-file", path, "no run has this name")
    numbers = {
        name: _read_numbers(tree.list_names(os.path.join(folder.power, name)))
        for name in sorted(measured & runs.keys())
    }
    wrong = set()
    for name in numbers:
        for finding in _check_names(os.path.join(folder.power, name), numbers, tree):
            wrong.add(name)
            yield finding
    for log, sentence in score.energy_faults:
        if name_run(log) in numbers and name_run(log) not in wrong:
            yield place_finding("power-unreadable", log, f"the run has no energy: {sentence}")
    for each in score.power_findings:
        incomplete = os.path.basename(each.path) in wrong
        if not (each.kind == NODES and incomplete):
            yield place_finding(f"power-{each.kind}", each.path, each.message, line=each.line)


def _check_names(
    folder: str, numbers: dict[str, dict[str, list[int]]], tree: Tree
) -> Iterator[PlacedFinding]:
    """Whether the power logs of a run are numbered without gaps, and are as many as in most runs."""
    name = os.path.basename(folder)
    for kind, found in numbers[name].items():
        gap = next((number for number in range(len(found)) if number not in found), None)
        usual = _most_common([len(each[kind]) for each in numbers.values()])
        if gap is not None:
            message = f"{kind}{gap}.txt is missing, though there is a {kind}{max(found)}.txt"
            wanted = _list_files(kind, range(len(found)))
            yield place_finding(
                "power-numbering", folder, message, expected=wanted, found=_list_files(kind, found)
            )
        elif len(found) != usual:
            here = f"{len(found)} {(_PLURALS if len(found) != 1 else _NOUNS)[kind]}"
            message = f"the run is measured at {here}, the others at {usual}"
            yield place_finding("power-count-differs", folder, message, expected=str(usual), found=here)
    for file in (*tree.list_names(folder), *tree.list_names(folder, FOLDER)):
        if not _NAME.fullmatch(file):
            message = "the name is not that of a power log, node_N.txt or sw_N.txt"
            yield place_finding("power-extra-file", os.path.join(folder, file), message)


def _read_numbers(files: Sequence[str]) -> dict[str, list[int]]:
    """The numbers of a run's power logs, of nodes and of switches."""
    found: dict[str, list[int]] = {NODE: [], SWITCH: []}
    for file in files:
        if match := _NAME.fullmatch(file):
            found[match[1]].append(int(match[2]))
    return found


def _most_common(counts: Sequence[int]) -> int:
    """The commonest count, of equally common ones the largest."""
    return max(Counter(counts).items(), key=lambda pair: (pair[1], pair[0]))[0]


def _list_files(kind: str, numbers: Sequence[int]) -> str:
    shown = ", ".join(f"{kind}{number}.txt" for number in sorted(numbers)[:4])
    return f"{shown}, …" if len(numbers) > 4 else shown
