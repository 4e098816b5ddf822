"""The answer of `mlperf score`: results, runs and speedups."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlperf_logging.events import Outcome
from mlperf_logging.reports._lines import count_of
from mlperf_logging.reports.documents.folders import (
    FOLDER_COLUMNS,
    describe_head,
    describe_round,
    list_folder_columns,
    title_folder,
)
from mlperf_logging.runs.intervals import Progress
from mlperf_logging.scoring.cost import Cost
from mlperf_logging.scoring.folders import MEDIAN, MEDIAN_WINDOW, OLYMPIC, THROUGHPUT, FolderScore
from mlperf_logging.scoring.runs import ScoredRun
from mlperf_logging.scoring.speedups import SpeedupTable
from mlperf_logging.scoring.suites import SuiteScore
from mlperf_logging.tables import (
    COUNT,
    FLAG,
    NAME,
    NOTES,
    NUMBER,
    TEXT,
    Column,
    Document,
    Table,
    make_table,
    pick,
    show_nonzero,
)

SCHEMA = "mlperf-score/1"
MINUTES = ",.3f"
_SMALL_AMOUNT = 0.1
_METHODS = {
    OLYMPIC: "olympic mean",
    MEDIAN_WINDOW: "olympic mean of the median window",
    MEDIAN: "median",
    THROUGHPUT: "throughput",
}


def show_times(factor: float) -> str:
    """How many times as much, as people read it."""
    return f"{factor:.3f}×"


def show_money(amount: float) -> str:
    """An amount of money: two decimals, or two figures of what is less than a tenth."""
    return f"{amount:.2g}" if 0 < amount < _SMALL_AMOUNT else f"{amount:,.2f}"


class PricedScore(NamedTuple):
    """A score and what it costs.

    Attributes:
        score: of one result folder.
        cost: at the price that was given, or None.
        root: the path of the command line that the folder was found below.
        normalized: reference time over score, where a suite gives a reference, else None.
    """

    score: FolderScore
    cost: Cost | None = None
    root: str = ""
    normalized: float | None = None


RESULT_COLUMNS = (
    Column("scaling", TEXT, "strong or weak, where the folder says so", priority=2),
    Column("method", TEXT, "how the runs make the score"),
    Column("runs", COUNT, "runs in the folder", priority=0),
    Column("runs_required", COUNT, "runs that a result needs"),
    Column("non_compliant", COUNT, "runs that do not count", "not counted", format=show_nonzero, priority=3),
    Column("score_minutes", NUMBER, "the score", "minutes", format=MINUTES, priority=0, missing="none"),
    Column("unscaled_minutes", NUMBER, "the score before scaling"),
    Column("scaling_factor", NUMBER, "what the score was multiplied by"),
    Column("median_minutes", NUMBER, "median of the runs that count"),
    Column("fastest_minutes", NUMBER, "the fastest run that counts"),
    Column("slowest_minutes", NUMBER, "the slowest run that counts"),
    Column("energy_kj", NUMBER, "of the runs that count", "energy", unit="kJ", format=MINUTES, priority=4),
    Column("throughput_minutes", NUMBER, "from the first start to the last stop"),
    Column("models", COUNT, "models trained at once"),
    Column("models_per_minute", NUMBER, "throughput", "models/min", format=",.5g", priority=0),
    Column("accelerators_per_model", NUMBER, "accelerators of each model"),
    Column("normalized", NUMBER, "reference time over score", format=MINUTES, priority=4),
    Column(
        "cost_of_score", NUMBER, "cost of a run as long as the score", "cost", format=show_money, priority=4
    ),
    Column("cost_of_median_run", NUMBER, "cost of the median run"),
    Column("cost_to_quality", NUMBER, "cost up to the first evaluation at the target"),
    Column("cost_of_all_runs", NUMBER, "cost of all runs together"),
    Column("cost_of_energy", NUMBER, "cost of the energy"),
    Column("currency", TEXT, "currency of the costs", priority=4, said_once=True),
    Column("problems", NOTES, "why there is no score", "why", priority=1),
    Column("notes", NOTES, "what a reader should know", "notes", priority=1),
)
_RUN_COLUMNS = (
    Column("run", NAME, "the log", priority=0),
    Column("minutes", NUMBER, "from run_start to run_stop", format=MINUTES, priority=0),
    Column("status", TEXT, "what run_stop claims", missing="none", priority=2),
    Column("verdict", TEXT, "of the compliance check", priority=2),
    Column("counts", FLAG, "whether the run counts"),
    Column("kept", FLAG, "whether the score includes it"),
    Column("faults", NOTES, "the rules that it breaks"),
    Column("batch_size", NUMBER, "global batch size"),
    Column("seed", TEXT, "seeds that it logs"),
    Column("converged_epochs", NUMBER, "where it converged", "epochs", priority=3),
    Column("converged_samples", NUMBER, "the same in samples", "samples", format=",.10g", priority=3),
    Column("converged_steps", NUMBER, "the same in steps", "steps", format=",.10g", priority=3),
    Column("quality_minutes", NUMBER, "to the first evaluation at the target"),
    Column("energy_kj", NUMBER, "energy of the run", "energy", unit="kJ", format=MINUTES, priority=4),
)
_COST_PARTS = {
    "score": "of a run as long as the score",
    "median_run": "of the median run",
    "to_quality": "to the first evaluation at the target, median run",
    "all_runs": "of all runs together",
    "energy": "of the energy",
}
_CONVERGED = ("converged_epochs", "converged_samples", "converged_steps")
_PLACE = Column("place", TEXT, "the run's role in the score", "score", priority=1)


def describe_results(scores: Sequence[PricedScore]) -> Table:
    """The scores of folders, one row each."""
    records = [describe_result(each) for each in scores]
    return make_table("results", (*list_folder_columns(records), *RESULT_COLUMNS), records)


def describe_runs(scores: Sequence[PricedScore]) -> Table:
    """The runs of folders, one row each."""
    records = []
    for each in scores:
        result = describe_result(each)
        head = {column.name: result[column.name] for column in FOLDER_COLUMNS}
        for run in _list_runs(each.score):
            seeds = ", ".join(map(str, run["seeds"]))
            more = {"run": os.path.basename(run["path"]), "seed": seeds, "faults": tuple(run["faults"])}
            records.append({**run, **more, **head})
    return make_table("runs", (*FOLDER_COLUMNS, *_RUN_COLUMNS), records)


def describe_folder(priced: PricedScore) -> Table:
    """The runs of one folder with what they make, for people."""
    score = priced.score
    records = [
        {**run, "run": os.path.basename(run["path"]), "place": _say_place(score, index)}
        for index, run in enumerate(_list_runs(score))
    ]
    missing = _explain_missing(score)
    return make_table(
        "runs",
        (*_RUN_COLUMNS, _PLACE),
        records,
        title=title_folder(score),
        footnotes=(*missing, *([""] if missing else []), *_list_facts(priced)),
    )


def describe_speedups(found: SpeedupTable) -> Table:
    """A comparison, one row per system and benchmark, and one per system for the geometric mean."""
    columns = (
        Column("benchmark", TEXT, "the benchmark", priority=0),
        Column("of", NAME, "what is compared with the baseline", priority=0),
        Column("minutes", NUMBER, "its score", format=MINUTES, priority=0),
        Column("speedup", NUMBER, "over the baseline", format=show_times, priority=0),
        Column("benchmarks", COUNT, "number of benchmarks in the mean", priority=1),
    )
    records: list[dict[str, Any]] = [
        {"benchmark": benchmark, "of": column, "minutes": minutes[column], "speedup": factors.get(column)}
        for benchmark, factors in found.speedups.items()
        for minutes in [found.minutes[benchmark]]
        for column in found.columns
        if column in minutes
    ]
    records += [
        {"benchmark": "geometric mean", "of": column, "speedup": mean[0], "benchmarks": mean[1]}
        for column, mean in found.means.items()
    ]
    return make_table("speedup", columns, records, title=f"speedup over {found.baseline}")


def describe_scores(
    scores: Sequence[PricedScore],
    tables: Sequence[Table],
    suites: Sequence[SuiteScore] = (),
    speedups: SpeedupTable | None = None,
) -> Document:
    """The whole answer: the tables, and the fields of ``mlperf-score/1``."""
    folders = [_describe_folder_fields(each) for each in scores]
    fields: dict[str, Any] = {**(folders[0] if len(folders) == 1 else {}), "folders": folders}
    if suites:
        fields["suite"] = [
            {**each._asdict(), "cost": None if each.cost is None else each.cost._asdict()} for each in suites
        ]
    if speedups is not None:
        fields["speedup"] = speedups._asdict()
    return Document(schema=SCHEMA, tables=tuple(tables), fields=fields)


def _describe_folder_fields(priced: PricedScore) -> dict[str, Any]:
    """One entry of ``folders`` in the ``mlperf-score/1`` document."""
    score = priced.score
    record = describe_result(priced)
    throughput = [name for name in record if name.startswith(("throughput_", "models", "accelerators_"))]
    for name in ("currency", *throughput, *[name for name in record if name.startswith("cost_")]):
        del record[name]
    return {
        **record,
        **describe_round(score),
        "run_minutes": [run.summary.minutes for run in score.runs],
        "power_findings": [each._asdict() for each in score.power_findings],
        "window": None if score.window is None else [score.window[0] + 1, score.window[1] + 1],
        "throughput": None if score.throughput is None else score.throughput._asdict(),
        "cost": None if priced.cost is None else priced.cost._asdict(),
        "results": _list_runs(score),
    }


def describe_result(priced: PricedScore) -> dict[str, Any]:
    """A row of the table of results."""
    score, throughput = priced.score, priced.score.throughput
    times = [run.summary.minutes for run in score.runs if run.summary.minutes is not None and run.counts]
    speeds = ("models", "models_per_minute", "accelerators_per_model")
    return {
        **describe_head(score),
        "scaling": score.folder.scaling,
        "method": score.method,
        "runs": len(score.runs),
        "runs_required": score.requirement.required if score.requirement is not None else None,
        **pick(
            score, "non_compliant", "score_minutes", "unscaled_minutes", "scaling_factor", "median_minutes"
        ),
        "fastest_minutes": min(times, default=None),
        "slowest_minutes": max(times, default=None),
        "energy_kj": score.energy_kj,
        "throughput_minutes": throughput.minutes if throughput else None,
        **pick(throughput, *speeds),
        "normalized": priced.normalized,
        **describe_cost(priced.cost),
        **pick(score, "problems", "notes"),
    }


def describe_cost(cost: Cost | None) -> dict[str, Any]:
    """The cells of a cost."""
    *parts, _ = Cost._fields
    return {_name_cost(name): value for name, value in pick(cost, *parts).items()} | pick(cost, "currency")


def _name_cost(part: str) -> str:
    return f"cost_{part}" if part.startswith("to_") else f"cost_of_{part}"


def _list_runs(score: FolderScore) -> list[dict[str, Any]]:
    """The entries of ``results`` in the ``mlperf-score/1`` document."""
    energies = score.run_energy_kj or (None,) * len(score.runs)
    return [
        {
            "path": run.path,
            **pick(run.summary, "minutes", "status"),
            "verdict": run.verdict,
            "faults": list(run.faults),
            **pick(run, "fault_count", "counts"),
            "kept": index in score.kept,
            "batch_size": run.batch_size,
            "seeds": list(run.seeds),
            **dict(zip(_CONVERGED, run.converged_at or Progress(), strict=True)),
            "quality_minutes": run.quality_minutes,
            "energy_kj": energy_kj,
        }
        for index, (run, energy_kj) in enumerate(zip(score.runs, energies, strict=True))
    ]


def _explain_missing(score: FolderScore) -> list[str]:
    """Why runs do not count, those with the same reason together."""
    reasons = Counter(_explain_run(run) for run in score.runs if not run.counts)
    return [f"{count_of(count, 'run')}: {reason}" for reason, count in reasons.items()]


def _explain_run(run: ScoredRun) -> str:
    if run.verdict == Outcome.UNJUDGED:
        return run.faults[0] if run.faults else "cannot be read"
    if run.several_runs is not None:
        return run.several_runs
    if run.unread.text:  # the rest follows from it, or will be seen when these records can be read
        return run.unread.text
    parts = []
    if run.summary.status is not None and not run.summary.succeeded:
        parts.append(f"status {run.summary.status}")
    if run.summary.minutes is None:
        parts.append("no time from run_start to run_stop")
    if run.verdict == Outcome.FAILED:
        more = run.fault_count - len(run.faults)
        parts.append(f"breaks {', '.join(run.faults)}{f' and {more} more' if more > 0 else ''}")
    return "; ".join(parts)


def _count_scored(score: FolderScore) -> int:
    """Runs that the score is of."""
    if score.method != MEDIAN:
        return len(score.kept)
    return len(score.runs) if score.window is None else score.window[1] - score.window[0] + 1


def _say_place(score: FolderScore, index: int) -> str:
    if not score.runs[index].counts:
        return "does not count"
    if index in score.kept:
        return "median" if score.method == MEDIAN else "kept"
    if score.window is not None and not score.window[0] <= index <= score.window[1]:
        return "outside the window"
    return "dropped" if score.kept and score.method != MEDIAN else ""


def list_cost_facts(cost: Cost, parts: Mapping[str, str]) -> list[tuple[str, str]]:
    """What something costs, a fact per part that is known; `parts` says in words what each is the cost of."""
    currency = f" {cost.currency}" if cost.currency else ""
    known = [(getattr(cost, part), words) for part, words in parts.items() if getattr(cost, part) is not None]
    return [
        ("" if place else "cost", f"{show_money(amount)}{currency} {words}")
        for place, (amount, words) in enumerate(known)
    ]


def _list_facts(priced: PricedScore) -> list[tuple[str, str]]:
    score, cost = priced.score, priced.cost
    facts = []
    if score.score_minutes is not None and score.unscaled_minutes is not None:
        text = f"{score.score_minutes:,.6f} minutes: {_METHODS[score.method]} of {count_of(_count_scored(score), 'run')}"
        if score.scaling_factor not in (None, 1):
            text += f", {score.unscaled_minutes:,.6f} × scaling {score.scaling_factor:.6g}"
        facts.append(("score", text))
    if score.throughput is not None:
        shown = score.throughput
        text = (
            f"{shown.models} models in {shown.minutes:,.4f} minutes ({shown.models_per_minute:,.5g} per minute), "
            f"{shown.accelerators_per_model:g} accelerators each, {shown.accelerators:g} in all"
        )
        facts.append(("throughput", text))
    if score.energy_kj is not None:
        facts.append(("energy", f"{score.energy_kj:,.3f} kJ over the same runs"))
    if cost is not None:
        facts += list_cost_facts(cost, _COST_PARTS)
    if priced.normalized is not None:
        facts.append(("normalized", f"{priced.normalized:.6g} (reference time over score, bigger is better)"))
    facts += [("no score", problem) for problem in score.problems]
    return facts + [("note", note) for note in score.notes]
