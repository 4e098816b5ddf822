"""What `mlperf analyze` shows to people."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.analyses import (
    COMPARISON,
    EVALUATIONS,
    HYPERPARAMETERS,
    RUNS,
    SCALING,
    SEEDS,
    VARIANCE,
    AnalysisParameters,
)
from mlperf_logging.cli.frames import list_records
from mlperf_logging.cli.tables import render_table as render_cells
from mlperf_logging.reports._escape import show_text

if TYPE_CHECKING:
    import pandas as pd

MOST_NOTES = 12
_LONGEST_VALUE = 60
_PARTS = ("init", "train", "eval", "idle")

Row = Mapping[str, Any]


def render_analyses(
    tables: Mapping[str, pd.DataFrame],
    parameters: AnalysisParameters,
    doubts: Sequence[str],
    sides: Sequence[str] = (),
) -> str:
    """All tables as text.

    Args:
        tables: name to table.
        parameters: by what they were made.
        doubts: sentences to stand below.
        sides: names of the two systems that were compared.
    """
    makers: dict[str, Callable[[pd.DataFrame], str]] = {
        RUNS: _render_runs,
        EVALUATIONS: _render_evaluations,
        VARIANCE: lambda table: _render_variance(table, parameters),
        SEEDS: lambda table: _render_seeds(table, parameters),
        SCALING: lambda table: _render_scaling(table, parameters),
        HYPERPARAMETERS: _render_hyperparameters,
        COMPARISON: lambda table: _render_comparison(table, parameters, sides),
    }
    parts = [makers[name](table) for name, table in tables.items()]
    if doubts:
        parts.append("".join(f"{show_text(sentence)}\n" for sentence in doubts))
    return "\n".join(parts)


def render_table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str) -> str:
    """A table whose texts, some of them from logs, cannot fool a terminal.

    Args:
        titles: heads of the columns.
        rows: one text a column.
        caption: a line above the table.
    """
    cells = [[show_text(cell) for cell in row] for row in rows]
    return render_cells([show_text(title) for title in titles], cells, caption=show_text(caption))


def show_number(value: Any, digits: int = 4) -> str:
    """A number for people: four figures, thousands apart, nothing where it is not known.

    Args:
        value: a number or None.
        digits: how many figures count.
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if float(value).is_integer():
        return f"{int(value):,}"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    if places <= 0:
        return f"{round(value):,}"
    return f"{value:,.{min(places, 6)}f}"


def _show_share(value: Any) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _show_interval(row: Row, name: str, digits: int = 4) -> str:
    low, high = show_number(row[f"{name}_low"], digits), show_number(row[f"{name}_high"], digits)
    return f"{low} to {high}" if low and high else ""


def _unit(value: str) -> str:
    """The unit that stands in a column's name, with a space before it."""
    return next((f" {unit}" for unit in ("minutes", "seconds") if value.endswith(f"_{unit}")), "")


def _render_runs(table: pd.DataFrame) -> str:
    rows = list_records(table)
    folder = _find_common_folder([row["path"] for row in rows])
    by_benchmark: dict[str, list[Row]] = {}
    for row in rows:
        by_benchmark.setdefault(row["benchmark"] or "", []).append(row)
    parts = [_render_benchmark(name, runs) for name, runs in by_benchmark.items() if name]
    unread = len(by_benchmark.get("", ()))
    if unread:
        parts.append(f"{unread:,} log{'s' * (unread != 1)} without a benchmark, see below\n")
    return "\n".join(parts) + _render_notes(rows, folder)


def _render_benchmark(benchmark: str, rows: Sequence[Row]) -> str:
    from mlperf_logging.analysis.plots.looks import name_groups

    units = {row["progress_unit"] for row in rows if row["progress_unit"]}
    unit = units.pop() if len(units) == 1 else ""
    systems = name_groups([(row["submitter"], row["system"]) for row in rows])
    columns: dict[str, list[str]] = {
        "system": systems,
        "run": [os.path.basename(row["path"]) for row in rows],
        "batch": [show_number(row["batch_size"]) for row in rows],
        "status": [row["status"] or "" for row in rows],
        "seed": [row["seed"] or "" for row in rows],
        "minutes": [show_number(row["run_minutes"]) for row in rows],
        "to quality": [show_number(_to_minutes(row["time_to_quality_seconds"])) for row in rows],
        unit or "progress": [_show_progress(row, unit) for row in rows],
        **{part: [_show_minutes(row[f"{part}_minutes"]) for row in rows] for part in _PARTS},
        "samples/s": [show_number(row["samples_per_second"]) for row in rows],
    }
    # What all runs share is said once.
    shared = [name for name in ("system", "batch", "status") if len(set(columns[name])) == 1]
    said = "".join(f", {name} {columns.pop(name)[0] or 'not logged'}" for name in shared)
    runs = "run" if len(rows) == 1 else "runs"
    caption = f"{benchmark}: {len(rows):,} {runs}{said}; times in minutes"
    return render_table(list(columns), list(zip(*columns.values(), strict=True)), caption=caption)


def _to_minutes(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 60


def _show_minutes(minutes: float | None) -> str:
    return "" if minutes is None else f"{minutes:,.2f}"


def _show_progress(row: Row, unit: str) -> str:
    reached = show_number(row["progress_to_quality"])
    return reached if unit or not reached else f"{reached} {row['progress_unit']}"


def _render_notes(rows: Sequence[Row], folder: str) -> str:
    by_note: dict[str, list[str]] = {}
    for row in rows:
        if row["note"]:
            by_note.setdefault(row["note"], []).append(row["path"][len(folder) :] or row["path"])
    lines = []
    for note, paths in list(by_note.items())[:MOST_NOTES]:
        more = f" and {len(paths) - 2:,} more" if len(paths) > 2 else ""
        lines.append(f"{show_text(', '.join(paths[:2]))}{more}: {show_text(note)}\n")
    if len(by_note) > MOST_NOTES:
        lines.append(f"… and {len(by_note) - MOST_NOTES} other notes (--format json has them all)\n")
    return "".join(["\n", *lines]) if lines else ""


def _render_evaluations(table: pd.DataFrame) -> str:
    rows = list_records(table)
    folder = _find_common_folder(sorted({row["path"] for row in rows}))
    titles = (
        "log",
        "evaluation",
        "metric",
        "quality",
        "minutes",
        "progress",
        "epochs",
        "samples",
        "meets target",
    )
    cells = [
        [
            row["path"][len(folder) :] or row["path"],
            str(row["evaluation"]),
            row["metric"] or "",
            show_number(row["quality"], 5),
            show_number(row["minutes"]),
            f"{show_number(row['progress'])} {row['progress_unit'] or ''}".strip(),
            show_number(row["epochs"]),
            show_number(row["samples"]),
            {True: "yes", False: "no", None: ""}[row["meets_target"]],
        ]
        for row in rows
    ]
    return render_table(titles, cells, caption=f"{len(rows):,} values of evaluations")


def _render_variance(table: pd.DataFrame, parameters: AnalysisParameters) -> str:
    if table.empty:
        return "no run converged, so there is no spread to describe\n"
    rows = list_records(table)
    by, said = _split_shared(rows, parameters.by)
    titles = (
        *by,
        "runs",
        "mean",
        f"{100 * parameters.confidence:g} % (t)",
        "median",
        "cv",
        "range",
        "outliers",
        "± 5 %",
        "± 10 %",
        "needed",
    )
    cells = [
        [
            *[str(row[name] or "") for name in by],
            str(row["runs"]),
            show_number(row["mean"]),
            _show_interval(row, "mean_t"),
            show_number(row["median"]),
            _show_share(row["coefficient_of_variation"]),
            f"{show_number(row['minimum'])} to {show_number(row['maximum'])}" if row["runs"] > 1 else "",
            str(row["outliers"] or ""),
            _show_share(row["share_within_5_percent"]),
            _show_share(row["share_within_10_percent"]),
            show_number(row["runs_needed"]),
        ]
        for row in rows
    ]
    caption = (
        f"run-to-run variance of {parameters.value}{said}; shares within ± 5 % and ± 10 % of the "
        f"{parameters.center}; runs needed for ± {100 * parameters.precision:g} %"
    )
    return render_table(titles, cells, caption=caption)


def _split_shared(rows: Sequence[Row], by: Sequence[str]) -> tuple[list[str], str]:
    """Columns of the group that tell rows apart, and what all rows share, as words for the caption."""
    different = [name for name in by if len({row[name] for row in rows}) > 1]
    kept = different or list(by[-1:])
    shared = [str(rows[0][name] or "?") for name in by if name not in kept] if rows else []
    return kept, f" of {' '.join(shared)}" if shared else ""


def _render_seeds(table: pd.DataFrame, parameters: AnalysisParameters) -> str:
    rows = list_records(table)
    by, said = _split_shared(rows, parameters.by)
    titles = (*by, "runs", "seeds", "from learning", "from speed", "repeated seeds", "between seeds", "p")
    cells = [
        [
            *[str(row[name] or "") for name in by],
            str(row["runs"]),
            str(row["seeds"]),
            _show_share(row["share_from_learning"]),
            _show_share(row["share_from_speed"]),
            str(row["repeated_seeds"] or ""),
            _show_share(row["share_between_seeds"]),
            show_number(row["p_value"], 2),
        ]
        for row in rows
    ]
    caption = f"where the variance of log {parameters.value}{said} comes from"
    return render_table(titles, cells, caption=caption)


def _render_scaling(table: pd.DataFrame, parameters: AnalysisParameters) -> str:
    if table.empty:
        return "no submitter has runs of one benchmark at two sizes, so there is no scaling to show\n"
    titles = (
        "benchmark",
        "submitter",
        "accelerator",
        "number",
        "runs",
        "mean",
        "speedup",
        "ideal",
        "efficiency",
        f"{100 * parameters.confidence:g} %",
        "of learning",
        "of speed",
    )
    cells = [
        [
            *[str(row[name] or "") for name in ("benchmark", "submitter", "accelerator_model")],
            show_number(row["accelerators"]),
            str(row["runs"]),
            show_number(row["mean_minutes"]),
            show_number(row["speedup"]),
            show_number(row["ideal_speedup"]),
            _show_share(row["efficiency"]),
            f"{_show_share(row['efficiency_low'])} to {_show_share(row['efficiency_high'])}"
            if row["efficiency_low"] is not None and row["speedup"] != 1
            else "",
            _show_share(row["learning_efficiency"]),
            _show_share(row["speed_efficiency"]),
        ]
        for row in list_records(table)
    ]
    caption = f"scaling of {parameters.value} over accelerators, against the smallest size of each"
    return render_table(titles, cells, caption=caption)


def _render_hyperparameters(table: pd.DataFrame) -> str:
    from mlperf_logging.analysis.hyperparameters import pivot_hyperparameters

    parts = []
    for benchmark in table["benchmark"].dropna().unique():
        wide = pivot_hyperparameters(table, benchmark)
        groups = [name for name in wide.columns if name not in ("key", "freedom", "rule")]
        rows = [[_cut(str(value or "")) for value in row.values()] for row in list_records(wide)]
        count = table[table["benchmark"] == benchmark][["submitter", "system"]].drop_duplicates().shape[0]
        if count < 2:
            parts.append(f"{benchmark}: one system only, so there is nothing to compare\n")
        elif not rows:
            parts.append(f"{benchmark}: {count} systems log the same hyperparameters\n")
        else:
            caption = f"{benchmark}: hyperparameters that differ; (!) marks values that break a rule"
            parts.append(render_table(["key", "freedom", "rule", *groups], rows, caption=caption))
    return "\n".join(parts)


def _render_comparison(table: pd.DataFrame, parameters: AnalysisParameters, sides: Sequence[str]) -> str:
    name_a, name_b = sides
    unit = _unit(parameters.value)
    level = f"{100 * parameters.confidence:g} %"
    lines = [f"A: {show_text(name_a)}\nB: {show_text(name_b)}\n"]
    for row in list_records(table):
        lines.append(
            f"\n{row['benchmark']}: {parameters.value} of A: mean {show_number(row['mean_a'])}{unit} of "
            f"{row['runs_a']} runs; of B: {show_number(row['mean_b'])}{unit} of {row['runs_b']} runs\n"
        )
        if row["speedup"] is not None:
            lines.append(
                f"  mean of A over mean of B: {show_number(row['speedup'])}"
                f"{_in_brackets(row, 'speedup', f'{level} by bootstrap')}\n"
                f"  A over B in the median pair of runs: {show_number(row['pair_ratio'])}"
                f"{_in_brackets(row, 'pair_ratio', _show_level(row))}\n"
            )
        lines.append(
            f"  shift from A to B (Hodges-Lehmann): {show_number(row['shift'])}{unit}"
            f"{_in_brackets(row, 'shift', _show_level(row))}\n"
            f"  Mann-Whitney: U = {show_number(row['mann_whitney_u'])}, {_show_p(row['p_value'])}; "
            f"B is smaller in {_show_share(row['share_of_pairs_b_smaller'])} of the pairs\n"
        )
    return "".join(lines)


def _in_brackets(row: Row, name: str, level: str) -> str:
    interval = _show_interval(row, name)
    return f" ({level}: {interval})" if interval else " (too few runs for an interval)"


def _show_level(row: Row) -> str:
    return _show_share(row["interval_confidence"]) or "interval"


def _show_p(value: float | None) -> str:
    if value is None:
        return "p not known"
    return "p below 0.0001" if value < 0.0001 else f"p = {value:.4f}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _find_common_folder(paths: Sequence[str]) -> str:
    """The folder that all paths share, with its slash; nothing where they share none."""
    folders = {os.path.dirname(path) for path in paths}
    if not folders or "" in folders:
        return ""
    try:
        common = os.path.commonpath(folders)
    except ValueError:  # some absolute, some not
        return ""
    shown = f"{common}{os.sep}"
    return shown if common and all(path.startswith(shown) for path in paths) else ""
