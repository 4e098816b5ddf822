"""The columns of the tables of runs, evaluations and power: name, kind and meaning. Units are in the names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.runs.progress import to_float

if TYPE_CHECKING:
    import pandas as pd

TEXT, NUMBER, COUNT, FLAG = "text", "number", "count", "flag"

_DTYPES = {TEXT: "string", NUMBER: "float64", COUNT: "Int64", FLAG: "boolean"}


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        kind: "text", "number" (NaN where unknown), "count" or "flag" (missing where unknown).
        meaning: what it holds.
    """

    kind: str
    meaning: str


RUN_COLUMNS = {
    "path": Column(TEXT, "the log, as it was named"),
    "benchmark": Column(TEXT, "benchmark as logged; the folder's name where it was not"),
    "submitter": Column(TEXT, "submitter: the folder above results/, else submission_org"),
    "system": Column(TEXT, "system: the folder below results/, else submission_platform"),
    "division": Column(TEXT, "closed or open, as logged"),
    "ruleset": Column(TEXT, "round whose target and units were used"),
    "accelerators": Column(
        NUMBER, "accelerators, as logged, else of the system described; nodes where there are none"
    ),
    "nodes": Column(NUMBER, "nodes, as logged, else of the system described"),
    "accelerator_model": Column(TEXT, "name of the accelerator in the system description"),
    "scaling": Column(
        TEXT, "strong, or weak: many models trained at once; empty where the folder does not say"
    ),
    "seed": Column(TEXT, "first seed that was logged"),
    "batch_size": Column(NUMBER, "global batch size, in samples"),
    "status": Column(TEXT, "what run_stop claims: success, aborted, …"),
    "run_minutes": Column(NUMBER, "from run_start to run_stop: the claimed time"),
    "init_minutes": Column(NUMBER, "from init_start to init_stop, before the clock starts"),
    "staging_minutes": Column(NUMBER, "from staging_start to staging_stop"),
    "train_minutes": Column(NUMBER, "inside epochs or blocks and outside evaluations"),
    "eval_minutes": Column(NUMBER, "between eval_start and eval_stop"),
    "idle_minutes": Column(NUMBER, "rest of the run: neither training nor evaluation"),
    "progress_unit": Column(TEXT, "what the log counts progress in: epochs, samples, tokens or steps"),
    "target": Column(TEXT, "quality target, as the rules write it"),
    "quality_reached": Column(
        FLAG, "whether an evaluation meets the target; missing where there is no target"
    ),
    "time_to_quality_seconds": Column(NUMBER, "from run_start to the first evaluation that meets the target"),
    "progress_to_quality": Column(NUMBER, "progress at that evaluation, in progress_unit"),
    "epochs_to_quality": Column(NUMBER, "the same in epochs, where that can be told"),
    "samples_to_quality": Column(NUMBER, "the same in samples, where that can be told"),
    "stop_after_quality_seconds": Column(
        NUMBER, "from that evaluation to run_stop: time claimed beyond need"
    ),
    "evaluations": Column(COUNT, "number of evaluations"),
    "first_evaluation_progress": Column(NUMBER, "progress at the first evaluation, in progress_unit"),
    "evaluation_interval_progress": Column(NUMBER, "median progress from one evaluation to the next"),
    "evaluation_interval_minutes": Column(NUMBER, "median time from one evaluation to the next"),
    "last_progress": Column(NUMBER, "progress at the last evaluation, in progress_unit"),
    "last_samples": Column(NUMBER, "samples trained on up to the last evaluation"),
    "samples_per_second": Column(
        NUMBER, "samples up to the last evaluation over the time from run_start to it"
    ),
    "train_samples_per_second": Column(NUMBER, "the same over that time without evaluations"),
    "logged_throughput": Column(
        NUMBER, "median of the throughput that the log states itself, in the log's unit"
    ),
    "events": Column(COUNT, "records in the log"),
    "note": Column(TEXT, "what is not known, and why"),
}
"""Columns of the table of runs, one row per log."""

EVALUATION_COLUMNS = {
    "path": Column(TEXT, "the log, as it was named"),
    "benchmark": Column(TEXT, "benchmark, as in the table of runs"),
    "submitter": Column(TEXT, "submitter, as in the table of runs"),
    "system": Column(TEXT, "system, as in the table of runs"),
    "seed": Column(TEXT, "first seed that was logged"),
    "evaluation": Column(COUNT, "number of the evaluation in its run, from 1"),
    "metric": Column(TEXT, "name of the metric; empty where an evaluation gives one value"),
    "quality": Column(NUMBER, "the value, in the metric's unit"),
    "minutes": Column(NUMBER, "from run_start to the evaluation's record"),
    "progress": Column(NUMBER, "how far training had come, in progress_unit"),
    "progress_unit": Column(TEXT, "epochs, samples, tokens or steps"),
    "epochs": Column(NUMBER, "the same in epochs, where that can be told"),
    "samples": Column(NUMBER, "the same in samples, where that can be told"),
    "meets_target": Column(FLAG, "whether the evaluation meets the target; missing where there is none"),
    "target_value": Column(NUMBER, "number that the target asks of this metric; NaN where it asks none"),
    "target_direction": Column(TEXT, "at least or at most"),
}
"""Columns of the table of evaluations, a row for each metric of each evaluation."""


def make_table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, Column]) -> pd.DataFrame:
    """A table of rows, with every column of its kind even if there are no rows.

    Args:
        rows: column to value; what is left out is missing.
        columns: the columns, in order.
    """
    import pandas as pd

    held = list(rows)
    return pd.DataFrame(
        {
            name: pd.array([_clean(row.get(name), column.kind) for row in held], dtype=_DTYPES[column.kind])
            for name, column in columns.items()
        }
    )


def _clean(value: Any, kind: str) -> Any:
    if kind == NUMBER:
        return math.nan if value is None else to_float(value)
    if kind == TEXT and value is not None:
        # Half a character, which JSON can hold, cannot be written to most of the formats that tables go to.
        return str(value).encode("utf-8", "backslashreplace").decode()
    return value
