"""What the answers of `mlperf score` and `mlperf rcp` share: whose folder it is, and facts below a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlperf_logging.runs.folders import ResultFolder
from mlperf_logging.tables import NAME, TEXT, Column, pick

if TYPE_CHECKING:
    from mlperf_logging.scoring.folders import FolderScore
    from mlperf_logging.scoring.rcp.submissions import SubmissionCheck

FOLDER_COLUMNS = (
    Column("path", NAME, "the folder"),
    Column("submitter", NAME, "who submits", priority=3, said_once=True),
    Column("system", NAME, "the system", priority=0, said_once=True),
    Column("benchmark", TEXT, "the benchmark", priority=0),
    Column("division", TEXT, "closed or open", priority=5, said_once=True),
    Column("ruleset", TEXT, "the round that judged", priority=5, said_once=True),
)
"""Whose results a row is about."""


def list_folder_columns(records: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """`FOLDER_COLUMNS`, with the path for people where a folder is not below a system's."""
    if all(record["system"] is not None for record in records):
        return FOLDER_COLUMNS
    return (replace(FOLDER_COLUMNS[0], priority=0), *FOLDER_COLUMNS[1:])


def title_folder(result: FolderScore | SubmissionCheck) -> str:
    """What the answer for one folder is about: benchmark, system, division, and the round with why it was chosen."""
    about = ", ".join(part for part in (result.division, result.ruleset) if part)
    reason = f" ({result.ruleset_reason})" if result.ruleset_reason else ""
    benchmark = result.benchmark or result.folder.benchmark
    return f"{benchmark} on {name_system(result.folder)}, {about}{reason}"


def describe_head(result: FolderScore | SubmissionCheck) -> dict[str, Any]:
    """What a row says under `FOLDER_COLUMNS`."""
    return {
        **pick(result.folder, "path", "submitter", "system"),
        **pick(result, "benchmark", "division", "ruleset"),
    }


def describe_round(result: FolderScore | SubmissionCheck) -> dict[str, str | None]:
    """The fields of a folder's JSON that say which round judged."""
    usage, _, version = (result.ruleset or "").partition("/")
    return {"usage": usage or None, "ruleset": version or None, "ruleset_reason": result.ruleset_reason}


def name_system(folder: ResultFolder) -> str:
    """What a folder's results are of, in short: submitter and system, else its path."""
    if folder.system is None:
        return folder.path
    scaling = f" ({folder.scaling})" if folder.scaling else ""
    return f"{folder.submitter}/{folder.system}{scaling}" if folder.submitter else f"{folder.system}{scaling}"
