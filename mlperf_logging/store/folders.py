"""What a result folder gives besides its logs: score, test of convergence, the system; and what all of it depends on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mlperf_logging.analysis.places import place_log, read_count
from mlperf_logging.runs.folders import ResultFolder, describe_folder
from mlperf_logging.runs.side_files import read_side_json
from mlperf_logging.scoring.folders import FolderScore, score_folder
from mlperf_logging.scoring.rcp.submissions import FindTable, SubmissionCheck, check_submission
from mlperf_logging.scoring.runs import ScoredRun
from mlperf_logging.store.reading import HashedLog
from mlperf_logging.store.rows import write_value
from mlperf_logging.tables import pick

_BLOCK = 1 << 20
_NUMBERS = {
    "nodes": "number_of_nodes",
    "accelerators_per_node": "accelerators_per_node",
    "host_processors_per_node": "host_processors_per_node",
}
_TEXTS = {
    "accelerator_model": "accelerator_model_name",
    "system_name": "system_name",
    "division": "division",
    "status": "status",
    "host_processor_model": "host_processor_model_name",
    "framework": "framework",
    "operating_system": "operating_system",
}
"""Columns of the table of systems, and the fields of descriptions that they hold."""


class ScoredFolder(NamedTuple):
    """Score and test of convergence of a result folder."""

    score: FolderScore
    check: SubmissionCheck


def find_folder(path: str) -> ResultFolder:
    """What the folder of a log is in its submission."""
    return describe_folder(os.path.dirname(path) or ".", ())


def sum_up_inputs(folder: ResultFolder, logs: Sequence[HashedLog]) -> str:
    """A checksum of all that the rows of a folder are computed from, apart from the toolkit and its rules."""
    digest = hashlib.sha256()
    for log in logs:
        digest.update(f"{os.path.basename(log.path)}\0{log.log_id}\0".encode("utf-8", "surrogateescape"))
    for path in _list_side_files(folder):
        name = os.path.relpath(path, folder.path)
        digest.update(f"{name}\0".encode("utf-8", "surrogateescape"))
        try:
            with open(path, "rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
        except OSError as error:
            digest.update(f"\0{error.errno}".encode())
        digest.update(b"\0")
    return digest.hexdigest()


def _list_side_files(folder: ResultFolder) -> Iterator[str]:
    yield from [path for path in (folder.description, folder.scaling_file) if path is not None]
    if folder.power is not None:
        for here, folders, names in os.walk(folder.power):
            folders.sort()
            yield from [path for name in sorted(names) if os.path.isfile(path := os.path.join(here, name))]


def score_runs(folder: ResultFolder, runs: Sequence[ScoredRun], find_table: FindTable) -> ScoredFolder:
    """The score and the test of convergence of a folder, as `mlperf score` and `mlperf rcp` give them."""
    return ScoredFolder(score_folder(folder, runs), check_submission(folder, runs, find_table, draws=0))


def describe_score(
    scored: ScoredFolder, head: Mapping[str, Any], name_places: Callable[[str], str]
) -> dict[str, Any]:
    """The folder's row in the table of scores; `head` says whose it is, `name_places` gives texts the names of places."""
    score = scored.score
    times = [run.summary.minutes for run in score.runs if run.summary.minutes is not None and run.counts]
    logged = [run.accelerators for run in score.runs if run.accelerators]
    throughput = score.throughput
    return {
        **head,
        **_describe_runs(score),
        **pick(score, "non_compliant", "method", "score_minutes", "unscaled_minutes", "scaling_factor"),
        **pick(score, "median_minutes", "energy_kj"),
        "accelerators": logged[0] if logged else place_log(score.runs[0].path).accelerators,
        "fastest_minutes": min(times, default=None),
        "slowest_minutes": max(times, default=None),
        "throughput_minutes": throughput.minutes if throughput is not None else None,
        **pick(throughput, "models", "models_per_minute", "accelerators_per_model"),
        "problems": write_value([name_places(each) for each in score.problems]),
        "notes": write_value([name_places(each) for each in score.notes]),
    }


def describe_check(
    scored: ScoredFolder, head: Mapping[str, Any], name_places: Callable[[str], str]
) -> dict[str, Any]:
    """The folder's row in the table of tests of convergence; arguments as of `describe_score`."""
    outcome = scored.check
    return {
        **(outcome.check._asdict() if outcome.check is not None else {}),
        **head,
        **_describe_runs(outcome),
        "passed": outcome.passed,
        "reason": name_places(outcome.reason),
    }


def _describe_runs(result: FolderScore | SubmissionCheck) -> dict[str, Any]:
    folder = result.folder
    return {
        **pick(folder, "submitter", "system", "scaling"),
        **pick(result, "benchmark", "division", "ruleset_reason"),
        "ruleset": result.ruleset or "",
        "runs": len(result.runs),
        "runs_required": result.requirement.required if result.requirement is not None else None,
    }


def describe_system(folder: ResultFolder) -> dict[str, Any]:
    """The row of the system of a folder that has a description, but for the name of its place."""
    try:
        description = read_side_json(folder.description or "")
    except (OSError, ValueError):  # what is wrong with it is for the package checker to say
        description = None
    fields: dict[str, Any] = description if isinstance(description, dict) else {}
    numbers = {name: read_count(fields.get(field)) for name, field in _NUMBERS.items()}
    nodes, each = numbers["nodes"], numbers["accelerators_per_node"]
    return {
        "system": folder.system,
        "submitter": folder.submitter,
        **numbers,
        "accelerators": nodes * max(each, 1) if nodes is not None and each is not None else None,
        **{name: _read_text(fields.get(field)) for name, field in _TEXTS.items()},
        "description": json.dumps(fields) if fields else None,
    }


def _read_text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
