"""The answer of `mlperf summary`: a round's results, one row per result, or laid out as the public tables are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mlperf_logging.reports.documents.score import show_money
from mlperf_logging.scoring.folders import WEAK
from mlperf_logging.scoring.rcp.references import INTERPOLATED
from mlperf_logging.submission.summary import BenchmarkResult, SystemFacts, SystemResults
from mlperf_logging.tables import COUNT, NAME, NOTES, NUMBER, TEXT, Column, Document, Table, make_table, pick

SCHEMA = "mlperf-summary/1"
ROWS, PUBLIC, DETAILED, THROUGHPUT = "rows", "public", "detailed", "throughput"
LAYOUTS = {
    ROWS: "one row per system and benchmark (default)",
    PUBLIC: "the public results table: one row per system, one column per benchmark",
    DETAILED: "the public table with six columns per benchmark",
    THROUGHPUT: "the public table of models trained at once",
}
_VERDICTS = {True: "passed", False: "failed", None: "not tested"}
_TIME = "time_to_train"
_JOULES_PER_KILOJOULE = 1_000


def _show_percent(share: float) -> str:
    return f"{share:+.2%}"


_COLUMNS = (
    Column("path", NAME, "the folder"),
    Column("submitter", NAME, "who submits", priority=3, said_once=True),
    Column("division", TEXT, "closed or open", priority=5, said_once=True),
    Column("availability", TEXT, "status of the system", priority=5, said_once=True),
    Column("system", NAME, "name of the system", priority=0),
    Column("number_of_nodes", TEXT, "nodes"),
    Column("host_processor_model_name", NAME, "the processors of a node"),
    Column("host_processors_count", COUNT, "processors of all nodes"),
    Column("accelerator_model_name", NAME, "the accelerators", "accelerator", priority=6),
    Column("accelerators_count", COUNT, "accelerators of all nodes", "accelerators", priority=2),
    Column("framework", NAME, "the framework"),
    Column("scaling", TEXT, "strong or weak, where the folder says so", priority=2),
    Column("benchmark", TEXT, "the benchmark", priority=0),
    Column("ruleset", TEXT, "the round that judged", priority=5, said_once=True),
    Column("score_minutes", NUMBER, "the score", "minutes", format=",.3f", priority=0, missing="none"),
    Column("scaling_factor", NUMBER, "what the score was multiplied by", "scaling", format=".5f", priority=4),
    Column("runs", COUNT, "runs in the folder", priority=3),
    Column("runs_required", COUNT, "runs that a result needs"),
    Column("batch_size", NUMBER, "global batch size", "batch", format=",.10g", priority=1),
    Column("converged", NUMBER, "mean of where its runs converged", format=",.10g", priority=1),
    Column("converged_unit", TEXT, "what that counts", "unit", priority=1),
    Column("rcp", TEXT, "test of convergence against the reference", "RCP", priority=1),
    Column(
        "rcp_margin",
        NUMBER,
        "the mean over the smallest acceptable, less 1",
        "margin",
        format=_show_percent,
        priority=2,
    ),
    Column("energy_kj", NUMBER, "of the runs that count", "energy", unit="kJ", format=",.3f", priority=4),
    Column(
        "cost_of_score", NUMBER, "cost of a run as long as the score", "cost", format=show_money, priority=2
    ),
    Column("currency", TEXT, "currency of the cost", priority=4, said_once=True),
    Column("models", COUNT, "models trained at once", priority=4),
    Column("models_per_minute", NUMBER, "throughput", "models/min", format=",.5g", priority=0),
    Column("problems", NOTES, "why there is no score", "why", priority=1),
    Column("notes", NOTES, "what a reader should know", "notes", priority=1),
    Column("details_url", TEXT, "where the round publishes the description"),
    Column("code_url", TEXT, "where the round publishes the code"),
)
_HEAD = SystemFacts._fields[:-2]
_TAIL = SystemFacts._fields[-2:]


def describe_summary(
    systems: Sequence[SystemResults], benchmarks: Sequence[str], layout: str = ROWS
) -> Document:
    """The whole answer, in one of `LAYOUTS`."""
    if layout == ROWS:
        table = _describe_rows(systems)
    else:
        weak = layout == THROUGHPUT
        chosen = [each for each in systems if (each.scaling == WEAK) == weak]
        table = _describe_public(chosen, benchmarks, layout)
    return Document(schema=SCHEMA, tables=(table,), fields={"layout": layout, "results": table.records()})


def _describe_rows(systems: Iterable[SystemResults]) -> Table:
    by_submitter = sorted(systems, key=lambda each: (each.facts.submitter.casefold(), each.facts.system))
    records = [_describe_result(each, result) for each in by_submitter for result in each.results.values()]
    return make_table("results", _COLUMNS, records)


def _describe_result(system: SystemResults, result: BenchmarkResult) -> dict[str, Any]:
    score = result.score
    converged, unit = result.converged
    return {
        **system.facts._asdict(),
        "path": score.folder.path,
        "scaling": system.scaling,
        "benchmark": result.benchmark,
        **pick(score, "ruleset", "score_minutes", "scaling_factor", "energy_kj", "problems"),
        "notes": result.notes,
        "runs": len(score.runs),
        "runs_required": score.requirement.required if score.requirement is not None else None,
        "batch_size": result.batch_size,
        "converged": converged,
        "converged_unit": unit,
        "rcp": _VERDICTS[result.check.passed],
        "rcp_margin": result.rcp_margin,
        "cost_of_score": result.cost.score if result.cost is not None else None,
        **pick(result.cost, "currency"),
        **pick(score.throughput, "models", "models_per_minute"),
    }


def _describe_public(systems: Iterable[SystemResults], benchmarks: Iterable[str], layout: str) -> Table:
    """A row per system between what is said of it and where it is published; cells in the public table's words."""
    measured = {PUBLIC: ("",), DETAILED: _DETAILS, THROUGHPUT: _THROUGHPUTS}[layout]
    names = {
        (benchmark, what): f"{benchmark}:{what}" if what else benchmark
        for benchmark in benchmarks
        for what in measured
    }
    columns = (
        *[Column(name, TEXT, priority=0 if name == "system" else None) for name in _HEAD],
        *[
            Column(
                name,
                TEXT if what == "RCP" else NUMBER,
                format=",.3f" if what in ("", _TIME) else "",
                priority=1,
            )
            for (_, what), name in names.items()
        ],
        *[Column(name) for name in _TAIL],
    )
    records = []
    for each in systems:
        cells = {
            names[benchmark, what]: value
            for benchmark, result in each.results.items()
            for what, value in _measure(result).items()
            if (benchmark, what) in names
        }
        records.append({**each.facts._asdict(), **cells})
    return make_table(layout, columns, records)


_DETAILS = (_TIME, "Energy", "GBS", "samples_to_converge", "RCP", "rcp_scaling_factor")
_THROUGHPUTS = ("number_of_models", "instance_scale", "time_to_train_all")


def _measure(result: BenchmarkResult) -> dict[str, Any]:
    """The cells of a benchmark in the public tables, by the part of their names behind the colon; energy is in joules."""
    score, check, throughput = result.score, result.check.check, result.score.throughput
    words = {True: "Pass", False: "Fail", None: ""}[result.check.passed]
    if words == "Fail" and check is not None and check.match == INTERPOLATED:
        words = "Interp. Fail"
    return {
        "": score.score_minutes,
        _TIME: score.score_minutes,
        "Energy": score.energy_kj * _JOULES_PER_KILOJOULE if score.energy_kj is not None else None,
        "GBS": float(result.batch_size) if result.batch_size is not None else None,
        "samples_to_converge": result.converged[0],
        "RCP": words,
        "rcp_scaling_factor": score.scaling_factor,
        **(
            {
                "number_of_models": throughput.models,
                "instance_scale": throughput.accelerators_per_model,
                "time_to_train_all": throughput.minutes,
            }
            if throughput is not None
            else {}
        ),
    }
