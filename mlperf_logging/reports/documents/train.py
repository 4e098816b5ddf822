"""The answers of `mlperf train`: the runs of a training, the trainers, the settings of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlperf_logging.tables import COUNT, NAME, NOTES, NUMBER, PROSE, TEXT, Column, Document, make_table

SCHEMA = "mlperf-train/1"


def _show_quality(quality: float | Mapping[str, float]) -> str:
    """A quality, or several by name, for people."""
    if isinstance(quality, Mapping):
        return ", ".join(f"{name} {value:.4f}" for name, value in quality.items())
    return f"{quality:.4f}"


_RUN_COLUMNS = (
    Column("log", NAME, "the log", priority=0),
    Column("seed", COUNT, "seed of the run", format=str, priority=1),
    Column("verdict", TEXT, "of the compliance check", priority=0),
    Column("status", TEXT, "what run_stop claims", missing="none", priority=2),
    Column("epochs", NUMBER, "epochs trained", priority=3),
    Column("quality", NUMBER, "quality reached", format=_show_quality, priority=1),
    Column("minutes", NUMBER, "from run_start to run_stop", format=".2f", priority=1),
)
_TASK_COLUMNS = (
    Column("task", TEXT, "name of the trainer", "trainer", priority=0),
    Column("benchmark", TEXT, "its benchmark", priority=2),
    Column("runs", COUNT, "runs that have ended", priority=1),
    Column("compliant", COUNT, "runs that are compliant", priority=0),
    Column(
        "quality_minutes",
        NUMBER,
        "time to quality, the median of the runs that count",
        "minutes",
        format=".2f",
        priority=0,
        missing="none",
    ),
    Column("verdict", TEXT, "pass: every run is compliant; fail; error: not all runs were done", priority=0),
    Column("problem", NOTES, "why not all runs were done", "why", priority=1),
)
_TRAINER_COLUMNS = (
    Column("name", TEXT, "name of the trainer", "trainer", priority=0),
    Column("benchmark", TEXT, "its benchmark", priority=1),
    Column("summary", PROSE, "what it trains", "what it trains", priority=0),
    Column("scales", PROSE, "the scales it comes in", priority=2),
)
_AUDIT_COLUMNS = (
    Column("trainer", TEXT, "name of the trainer", priority=0),
    Column("seed", COUNT, "seed of the run", format=str, priority=2),
    Column("epoch", COUNT, "the run's last", priority=3),
    Column("target", NUMBER, "quality that the run had to reach", format=_show_quality, priority=1),
    Column(
        "recorded", NUMBER, "quality that the run found", missing="none", format=_show_quality, priority=1
    ),
    Column("quality", NUMBER, "quality that the weights have", format=_show_quality, priority=0),
    Column("verdict", TEXT, "whether the weights reach the target", priority=0),
    Column("checksum", NAME, "of the weights; the run's log has the same", priority=4),
)
_SETTING_COLUMNS = (
    Column("setting", TEXT, "name of the setting", priority=0),
    Column("value", PROSE, "its value", priority=0),
)


def describe_training(
    runs: Sequence[Mapping[str, Any]], benchmark: str, results: str, title: str
) -> Document:
    """The runs of a training."""
    table = make_table("runs", _RUN_COLUMNS, runs, title=title)
    fields = {"benchmark": benchmark, "output": results, "runs": list(runs)}
    return Document(schema=SCHEMA, tables=(table,), fields=fields)


def describe_trained_tasks(
    tasks: Sequence[Mapping[str, Any]], submission: str, minutes: float, title: str
) -> Document:
    """The series of several tasks, one row per task.

    Args:
        tasks: a record per task; ``results`` holds its runs as `describe_training` takes them.
        submission: the submitter's folder.
        minutes: what all of it took.
        title: what was trained.
    """
    facts = (("submission", submission), ("took", f"{minutes:,.1f} minutes in all"))
    table = make_table("tasks", _TASK_COLUMNS, tasks, title=title, footnotes=facts)
    fields = {"submission": submission, "minutes": minutes, "tasks": list(tasks)}
    return Document(schema=SCHEMA, tables=(table,), fields=fields)


def describe_trainers(trainers: Sequence[Mapping[str, Any]]) -> Document:
    """Every trainer."""
    records = [{**trainer, "scales": ", ".join(trainer["scales"])} for trainer in trainers]
    tables = (make_table("trainers", _TRAINER_COLUMNS, records),)
    return Document(schema=SCHEMA, tables=tables, fields={"trainers": list(trainers)})


def describe_audit(audit: Mapping[str, Any], *, is_confirmed: bool) -> Document:
    """A run's final weights, evaluated again."""
    record = {**audit, "verdict": "reached" if is_confirmed else "missed"}
    return Document(
        schema=SCHEMA, tables=(make_table("audit", _AUDIT_COLUMNS, [record]),), fields={"audit": record}
    )


def describe_settings(benchmark: str, settings: Mapping[str, Any]) -> Document:
    """The settings of a trainer."""
    records = [
        {"setting": name, "value": ",".join(map(str, value)) if isinstance(value, tuple) else str(value)}
        for name, value in settings.items()
    ]
    tables = (make_table("settings", _SETTING_COLUMNS, records),)
    return Document(schema=SCHEMA, tables=tables, fields={"benchmark": benchmark, "settings": dict(settings)})
