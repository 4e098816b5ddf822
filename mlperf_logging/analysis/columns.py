"""The columns of the tables of runs, evaluations, series and power: name, kind and meaning. Units are in the names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mlperf_logging.frames import DTYPES
from mlperf_logging.runs.progress import to_float
from mlperf_logging.tables import COUNT, FLAG, NUMBER, TEXT, Column

if TYPE_CHECKING:
    import pandas as pd


def name_columns(*columns: Column) -> dict[str, Column]:
    """Columns by their names."""
    return {column.name: column for column in columns}


RUN_COLUMNS = name_columns(
    Column("path", TEXT, "the log, as named"),
    Column("benchmark", TEXT, "benchmark as logged; the folder's name where it was not"),
    Column("submitter", TEXT, "submitter: the folder above results/, else submission_org"),
    Column("system", TEXT, "system: the folder below results/, else submission_platform"),
    Column("division", TEXT, "closed or open, as logged"),
    Column("ruleset", TEXT, "round whose target and units were used"),
    Column(
        "accelerators",
        NUMBER,
        "accelerators as logged, else from the system description; nodes if there are none",
    ),
    Column("nodes", NUMBER, "nodes as logged, else from the system description"),
    Column("accelerator_model", TEXT, "name of the accelerator in the system description"),
    Column(
        "scaling", TEXT, "strong, or weak: many models trained at once; empty where the folder does not say"
    ),
    Column("seed", TEXT, "first seed that was logged"),
    Column("batch_size", NUMBER, "global batch size, in samples"),
    Column("status", TEXT, "what run_stop claims: success, aborted, …"),
    Column("run_minutes", NUMBER, "from run_start to run_stop: the claimed time"),
    Column("init_minutes", NUMBER, "from init_start to init_stop, before the clock starts"),
    Column("staging_minutes", NUMBER, "from staging_start to staging_stop"),
    Column("train_minutes", NUMBER, "inside epochs or blocks and outside evaluations"),
    Column("eval_minutes", NUMBER, "between eval_start and eval_stop"),
    Column("idle_minutes", NUMBER, "rest of the run: neither training nor evaluation"),
    Column("progress_unit", TEXT, "what the log counts progress in: epochs, samples, tokens or steps"),
    Column("target", TEXT, "quality target, as the rules write it"),
    Column(
        "quality_reached", FLAG, "whether an evaluation meets the target; missing where there is no target"
    ),
    Column("time_to_quality_seconds", NUMBER, "from run_start to the first evaluation that meets the target"),
    Column("progress_to_quality", NUMBER, "progress at that evaluation, in progress_unit"),
    Column("epochs_to_quality", NUMBER, "the same in epochs, where known"),
    Column("samples_to_quality", NUMBER, "the same in samples, where known"),
    Column(
        "stop_after_quality_seconds",
        NUMBER,
        "from that evaluation to run_stop: time claimed beyond what was needed",
    ),
    Column("evaluations", COUNT, "number of evaluations"),
    Column("first_evaluation_progress", NUMBER, "progress at the first evaluation, in progress_unit"),
    Column("evaluation_interval_progress", NUMBER, "median progress from one evaluation to the next"),
    Column("evaluation_interval_minutes", NUMBER, "median time from one evaluation to the next"),
    Column("last_progress", NUMBER, "progress at the last evaluation, in progress_unit"),
    Column("last_samples", NUMBER, "samples trained on up to the last evaluation"),
    Column(
        "samples_per_second", NUMBER, "samples up to the last evaluation over the time from run_start to it"
    ),
    Column("train_samples_per_second", NUMBER, "the same over that time without evaluations"),
    Column(
        "logged_throughput", NUMBER, "median of the throughput that the log states itself, in the log's unit"
    ),
    Column("events", COUNT, "records in the log"),
    Column("note", TEXT, "what is not known, and why"),
)
"""Columns of the table of runs, one row per log."""

EVALUATION_COLUMNS = name_columns(
    Column("path", TEXT, "the log, as named"),
    Column("benchmark", TEXT, "benchmark, as in the table of runs"),
    Column("submitter", TEXT, "submitter, as in the table of runs"),
    Column("system", TEXT, "system, as in the table of runs"),
    Column("seed", TEXT, "first seed that was logged"),
    Column("evaluation", COUNT, "number of the evaluation in its run, from 1"),
    Column("key", TEXT, "log key of the value: eval_accuracy, eval_error, …"),
    Column("metric", TEXT, "name of the metric; empty where an evaluation gives one value"),
    Column("quality", NUMBER, "the value, in the metric's unit"),
    Column("minutes", NUMBER, "from run_start to the evaluation's record"),
    Column("progress", NUMBER, "how far training had come, in progress_unit"),
    Column("progress_unit", TEXT, "epochs, samples, tokens or steps"),
    Column("epochs", NUMBER, "the same in epochs, where known"),
    Column("samples", NUMBER, "the same in samples, where known"),
    Column("meets_target", FLAG, "whether the evaluation meets the target; missing where there is none"),
    Column("target_value", NUMBER, "value that the target requires of this metric; NaN if it requires none"),
    Column("target_direction", TEXT, "at least or at most"),
    Column("line", COUNT, "line of the record in the log"),
)
"""Columns of the table of evaluations, one row per metric of each evaluation."""

SERIES_COLUMNS = name_columns(
    Column("path", TEXT, "the log, as named"),
    Column("benchmark", TEXT, "benchmark, as in the table of runs"),
    Column("submitter", TEXT, "submitter, as in the table of runs"),
    Column("system", TEXT, "system, as in the table of runs"),
    Column("seed", TEXT, "first seed that was logged"),
    Column("metric", TEXT, "name of the number: that of a statistic within tracked_stats, else the log key"),
    Column("key", TEXT, "log key: tracked_stats, train_loss, …"),
    Column("value", NUMBER, "the number, as logged"),
    Column("minutes", NUMBER, "from run_start to the record; negative before"),
    Column("progress", NUMBER, "how far training had come, in progress_unit"),
    Column("progress_unit", TEXT, "epochs, samples, tokens or steps; empty where the record does not say"),
    Column("epochs", NUMBER, "the same in epochs, where known"),
    Column("samples", NUMBER, "the same in samples, where known"),
    Column("line", COUNT, "line of the record in the log"),
)
"""Columns of the table of series, one row per logged number."""


def make_table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, Column]) -> pd.DataFrame:
    """A table of rows, with every column of its kind even if there are no rows; what a row leaves out is missing."""
    import pandas as pd

    held = list(rows)
    return pd.DataFrame(
        {
            name: pd.array([_clean(row.get(name), column.kind) for row in held], dtype=DTYPES[column.kind])
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
