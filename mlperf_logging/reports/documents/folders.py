"""What the answers of `mlperf score` and `mlperf rcp` share: whose folder it is, and facts below a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlperf_logging.runs.folders import ResultFolder
from mlperf_logging.tables import NAME, TEXT, Column

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
    """`FOLDER_COLUMNS`, with the path for people where a folder does not stand below a system's."""
    if all(record["system"] is not None for record in records):
        return FOLDER_COLUMNS
    return (replace(FOLDER_COLUMNS[0], priority=0), *FOLDER_COLUMNS[1:])


def name_system(folder: ResultFolder) -> str:
    """What a folder's results are of, in short: submitter and system, else its path."""
    if folder.system is None:
        return folder.path
    scaling = f" ({folder.scaling})" if folder.scaling else ""
    return f"{folder.submitter}/{folder.system}{scaling}" if folder.submitter else f"{folder.system}{scaling}"
