"""The answer of `mlperf analyze`: the tables of the analyses, as programs and as people read them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from mlperf_logging.analysis.analyses import (
    COMPARISON,
    EVALUATIONS,
    HYPERPARAMETERS,
    RUNS,
    SCALING,
    SEEDS,
    SERIES,
    VARIANCE,
    AnalysisParameters,
)
from mlperf_logging.analysis.columns import EVALUATION_COLUMNS, RUN_COLUMNS, SERIES_COLUMNS
from mlperf_logging.analysis.comparison import COMPARISON_COLUMNS
from mlperf_logging.analysis.hyperparameters import HYPERPARAMETER_COLUMNS, pivot_hyperparameters
from mlperf_logging.analysis.scaling import SCALING_COLUMNS
from mlperf_logging.analysis.seeds import SEED_COLUMNS
from mlperf_logging.analysis.variance import VARIANCE_COLUMNS
from mlperf_logging.reports._escape import crop
from mlperf_logging.reports._lines import count_of
from mlperf_logging.reports._places import find_common_folder
from mlperf_logging.tables import (
    COUNT,
    NAME,
    NOTES,
    NUMBER,
    PROSE,
    Column,
    Document,
    Table,
    make_table,
    show_nonzero,
    show_number,
)

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "mlperf-analyze/1"
_SETTING_NAMES = {"center": "centre"}
"""Names of parameters in JSON, where they are not those of Python."""
_LONGEST_VALUE = 60
_SHARE, _PART = ".1%", ",.2f"
_COUNTS = ("runs", "seeds", "repeated_seeds", "outliers", "runs_needed", "runs_a", "runs_b")
_COLUMNS = {
    name: Column(name, COUNT if name in _COUNTS else NUMBER, meaning)
    for columns in (SCALING_COLUMNS, SEED_COLUMNS, VARIANCE_COLUMNS, COMPARISON_COLUMNS)
    for name, meaning in columns.items()
} | {**HYPERPARAMETER_COLUMNS, **SERIES_COLUMNS, **EVALUATION_COLUMNS, **RUN_COLUMNS}
_GROUP: dict[str, Any] = {"kind": NAME, "priority": 0, "said_once": True}


def _to_minutes(seconds: float) -> str:
    return show_number(seconds / 60)


_IN_MINUTES: dict[str, Any] = {"unit": "min", "format": _to_minutes}
_LOOKS: dict[str, dict[str, dict[str, Any]]] = {
    RUNS: {
        "path": {"kind": NAME, "title": "run", "priority": 0},
        "submitter": {"kind": NAME, "priority": 6, "said_once": True},
        "system": {"kind": NAME, "priority": 0, "said_once": True},
        "seed": {"priority": 7},
        "batch_size": {"title": "batch", "priority": 5, "said_once": True},
        "status": {"priority": 4, "said_once": True},
        "run_minutes": {"title": "minutes", "priority": 0},
        **{
            f"{part}_minutes": {"title": part, "unit": "min", "format": _PART, "priority": 8}
            for part in ("init", "train", "eval", "idle")
        },
        "progress_unit": {"title": "progress in", "priority": 4, "said_once": True},
        "time_to_quality_seconds": {"title": "to quality", **_IN_MINUTES, "priority": 2},
        "progress_to_quality": {"title": "progress", "priority": 3},
        "samples_per_second": {"title": "samples/s", "priority": 7},
        "note": {"kind": NOTES, "title": "notes", "priority": 1},
    },
    EVALUATIONS: {
        "path": {"kind": NAME, "title": "run", "priority": 0},
        "evaluation": {"priority": 0},
        "metric": {"kind": NAME, "priority": 3, "said_once": True},
        "quality": {"format": lambda value: show_number(value, 5), "priority": 0},
        "minutes": {"priority": 1},
        "progress": {"priority": 2},
        "progress_unit": {"title": "progress in", "priority": 3, "said_once": True},
        "epochs": {"priority": 4},
        "samples": {"priority": 4},
        "meets_target": {"title": "meets target", "priority": 1},
    },
    SERIES: {
        "path": {"kind": NAME, "title": "run", "priority": 0},
        "metric": {"kind": NAME, "priority": 0, "said_once": True},
        "value": {"format": lambda value: show_number(value, 5), "priority": 0},
        "minutes": {"priority": 1},
        "progress": {"priority": 2},
        "progress_unit": {"title": "progress in", "priority": 3, "said_once": True},
        "epochs": {"priority": 4},
        "samples": {"priority": 4},
    },
    VARIANCE: {
        "runs": {"priority": 0},
        "mean": {"priority": 0},
        "mean_t_low": {"title": "{level} low", "priority": 4},
        "mean_t_high": {"title": "{level} high", "priority": 4},
        "median": {"priority": 3},
        "coefficient_of_variation": {"title": "cv", "format": _SHARE, "priority": 0},
        "minimum": {"title": "min", "priority": 5},
        "maximum": {"title": "max", "priority": 5},
        "outliers": {"format": show_nonzero, "priority": 7},
        "share_within_5_percent": {"title": "± 5%", "format": _SHARE, "priority": 6},
        "share_within_10_percent": {"title": "± 10%", "format": _SHARE, "priority": 6},
        "runs_needed": {"title": "needed", "priority": 2},
    },
    SEEDS: {
        "runs": {"priority": 0},
        "seeds": {"priority": 0},
        "share_from_learning": {"title": "from learning", "format": _SHARE, "priority": 0},
        "share_from_speed": {"title": "from speed", "format": _SHARE, "priority": 0},
        "repeated_seeds": {"title": "repeated seeds", "format": show_nonzero, "priority": 2},
        "share_between_seeds": {"title": "between seeds", "format": _SHARE, "priority": 1},
        "p_value": {"title": "p", "format": lambda value: show_number(value, 2), "priority": 1},
    },
    SCALING: {
        "benchmark": {"kind": NAME, "priority": 0, "said_once": True},
        "submitter": {"kind": NAME, "priority": 3, "said_once": True},
        "accelerator_model": {"kind": NAME, "title": "accelerator", "priority": 3, "said_once": True},
        "accelerators": {"title": "number", "priority": 0},
        "runs": {"priority": 4},
        "mean_minutes": {"title": "mean", "unit": "min", "priority": 1},
        "speedup": {"priority": 0},
        "ideal_speedup": {"title": "ideal", "priority": 2},
        "efficiency": {"format": _SHARE, "priority": 0},
        "efficiency_low": {"title": "{level} low", "format": _SHARE, "priority": 5},
        "efficiency_high": {"title": "{level} high", "format": _SHARE, "priority": 5},
        "learning_efficiency": {"title": "of learning", "format": _SHARE, "priority": 4},
        "speed_efficiency": {"title": "of speed", "format": _SHARE, "priority": 4},
    },
}
"""How people read the columns of each table; what is not named is for programs."""


def describe_analyses(
    made: Mapping[str, pd.DataFrame],
    parameters: AnalysisParameters,
    doubts: Sequence[str],
    sides: Sequence[str] | None = None,
    *,
    for_people: bool = False,
) -> Document:
    """The whole answer: the tables, and the fields of ``mlperf-analyze/1``."""
    whole = {name: _describe_table(name, frame, parameters) for name, frame in made.items()}
    settings = {_SETTING_NAMES.get(name, name): value for name, value in asdict(parameters).items()}
    settings |= {"by": list(parameters.by), "compare": sides}
    records = {name: list_records(frame) for name, frame in made.items()}
    fields = {"parameters": settings, **records, "doubts": list(doubts)}
    tables = list(whole.values())
    if for_people:
        splitters: dict[str, Callable[[], list[Table]]] = {
            RUNS: lambda: _split_runs(whole[RUNS]),
            HYPERPARAMETERS: lambda: _pivot_benchmarks(made[HYPERPARAMETERS]),
            COMPARISON: lambda: _tell_comparison(records[COMPARISON], parameters, sides or ("A", "B")),
        }
        tables = [part for name in made for part in splitters.get(name, lambda name=name: [whole[name]])()]
    return Document(schema=SCHEMA, tables=tuple(tables), fields=fields, notes=tuple(doubts))


def list_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as JSON values; what is missing or not a number is null."""
    return [
        {str(name): _to_json(value) for name, value in row.items()} for row in table.to_dict(orient="records")
    ]


def _to_json(value: Any) -> Any:
    import pandas as pd

    if isinstance(value, list):
        return [_to_json(part) for part in value]
    if pd.isna(value):
        return None
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _describe_table(name: str, frame: pd.DataFrame, parameters: AnalysisParameters) -> Table:
    looks = dict(_LOOKS.get(name, {}))
    if name in (VARIANCE, SEEDS):
        looks |= dict.fromkeys(parameters.by, _GROUP)
    level = f"{100 * parameters.confidence:g}%"
    columns = []
    for each in map(str, frame.columns):
        column = replace(_COLUMNS.get(each, Column(each, NUMBER)), **looks.get(each, {}))
        columns.append(replace(column, title=column.title.format(level=level)))
    titles = {
        EVALUATIONS: f"{len(frame):,} values of evaluations",
        SERIES: f"{count_of(len(frame), 'value')} of series",
        VARIANCE: f"run-to-run variance of {parameters.value}",
        SEEDS: f"where the variance of log {parameters.value} comes from",
        SCALING: f"scaling of {parameters.value} over accelerators, against the smallest size of each",
    }
    footnote = (
        f"cv: standard deviation over mean; ± 5%, ± 10%: share of the runs that close to the {parameters.center}; "
        f"needed: runs for a mean within ± {100 * parameters.precision:g}%"
    )
    empty = {
        VARIANCE: "no run converged, so there is no spread to describe",
        SCALING: "no submitter has runs of one benchmark at two sizes, so there is no scaling to show",
        SERIES: "no log repeats such a number (what evaluations gave is in a table of its own)",
    }
    records = list_records(frame)
    if name in (EVALUATIONS, SERIES):
        columns[0] = _name_runs(columns[0], records)
    return make_table(
        name,
        columns,
        records,
        title=titles.get(name, ""),
        footnotes=(footnote,) if name == VARIANCE and records else (),
        empty=empty.get(name, ""),
    )


def _split_runs(table: Table) -> list[Table]:
    """One table per benchmark, and one of the logs that name none."""
    by_benchmark: dict[str | None, list[dict[str, Any]]] = {}
    for record in table.records():
        by_benchmark.setdefault(record["benchmark"], []).append(record)
    tables = []
    for benchmark in sorted(by_benchmark, key=lambda name: name is None):
        records = by_benchmark[benchmark]
        columns = [
            _name_runs(column, records) if column.name == "path" else column for column in table.columns
        ]
        title = f"{benchmark}: {count_of(len(records), 'run')}"
        if benchmark is None:
            title = f"{count_of(len(records), 'log')} without a benchmark"
        tables.append(make_table(RUNS, columns, records, title=title))
    return tables


def _name_runs(column: Column, records: Sequence[Mapping[str, Any]]) -> Column:
    """The column of paths with names of files where these distinguish the runs of a system, else below a folder."""
    runs = {record["path"]: (record["submitter"], record["system"]) for record in records}
    names = {(*system, os.path.basename(path)) for path, system in runs.items()}
    if len(names) == len(runs):
        return replace(column, format=os.path.basename)
    folder = find_common_folder(list(runs))
    return replace(column, format=lambda path: path.removeprefix(folder))


def _pivot_benchmarks(frame: pd.DataFrame) -> list[Table]:
    """Hyperparameters that differ, one table per benchmark and one column per system."""
    tables = []
    for benchmark in frame["benchmark"].dropna().unique():
        wide = pivot_hyperparameters(frame, benchmark)
        systems = frame[frame["benchmark"] == benchmark][["submitter", "system"]].drop_duplicates().shape[0]
        about = ("key", "freedom", "rule")
        columns = [
            Column(name="key", priority=0),
            Column(name="freedom", priority=2),
            Column(name="rule", kind=PROSE, priority=1),
            *[
                Column(name=str(name), kind=PROSE, format=lambda text: crop(text, _LONGEST_VALUE), priority=0)
                for name in wide.columns
                if name not in about
            ],
        ]
        empty = f"{benchmark}: {systems} systems log the same hyperparameters"
        if systems < 2:
            empty = f"{benchmark}: one system only, so there is nothing to compare"
        title = f"{benchmark}: hyperparameters that differ; (!) marks values that break a rule"
        records = list_records(wide) if systems > 1 else []
        tables.append(make_table(HYPERPARAMETERS, columns, records, title=title, empty=empty))
    return tables


def _tell_comparison(
    records: Sequence[Mapping[str, Any]], parameters: AnalysisParameters, sides: Sequence[str]
) -> list[Table]:
    """Facts for each benchmark."""
    unit = next((f" {unit}" for unit in ("minutes", "seconds") if parameters.value.endswith(f"_{unit}")), "")
    level = f"{100 * parameters.confidence:g}%"

    def show(row: Mapping[str, Any], name: str, level: str) -> str:
        low, high = show_number(row[f"{name}_low"]), show_number(row[f"{name}_high"])
        interval = f"{level}: {low} to {high}" if low and high else "too few runs for an interval"
        return f"{show_number(row[name])}{unit if name == 'shift' else ''} ({interval})"

    tables = []
    for row in records:
        facts = [
            (side, f"{name}, mean {show_number(row[f'mean_{letter}'])}{unit} of {row[f'runs_{letter}']} runs")
            for side, letter, name in zip("AB", "ab", sides, strict=True)
        ]
        exact = f"{row['interval_confidence']:.1%}" if row["interval_confidence"] is not None else "interval"
        if row["speedup"] is not None:
            facts += [
                ("speedup", f"mean of A over mean of B: {show(row, 'speedup', f'{level} by bootstrap')}"),
                ("pairs", f"A over B in the median pair of runs: {show(row, 'pair_ratio', exact)}"),
            ]
        share = "" if row["share_of_pairs_b_smaller"] is None else f"{row['share_of_pairs_b_smaller']:.1%}"
        test = f"U = {show_number(row['mann_whitney_u'])}, {_say_p(row['p_value'])}"
        facts += [
            ("shift", f"from A to B (Hodges-Lehmann): {show(row, 'shift', exact)}"),
            ("Mann-Whitney", f"{test}; B is smaller in {share or 'none'} of the pairs"),
        ]
        group = " ".join(
            show_number(each) if isinstance(each, float) else str(each) for each in _name_group(row)
        )
        title = f"{group}: {parameters.value} of A and B"
        tables.append(make_table(COMPARISON, (), (), title=title, footnotes=tuple(facts)))
    return tables


def _name_group(row: Mapping[str, Any]) -> list[Any]:
    """What the runs of a comparison have in common: the values of the columns before those of the comparison."""
    named = [(name, value) for name, value in row.items() if name not in COMPARISON_COLUMNS]
    return [part for name, value in named for part in ((value,) if name == "benchmark" else (name, value))]


def _say_p(value: float | None) -> str:
    if value is None:
        return "p not known"
    return "p below 0.0001" if value < 0.0001 else f"p = {value:.4f}"
