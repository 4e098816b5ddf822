"""Scores as people and programs read them: JSON records, flat rows, text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from mlperf_logging.cli.scoring import name_system
from mlperf_logging.cli.tables import align_columns
from mlperf_logging.events import Outcome
from mlperf_logging.reports._lines import count_of
from mlperf_logging.runs.intervals import Progress
from mlperf_logging.scoring.cost import Cost
from mlperf_logging.scoring.folders import MEDIAN, MEDIAN_WINDOW, OLYMPIC, THROUGHPUT, FolderScore
from mlperf_logging.scoring.runs import ScoredRun


class PricedScore(NamedTuple):
    """A score and what it costs.

    Attributes:
        score: of one result folder.
        cost: at the price that was given, or None.
        root: the path of the command line that the folder was found below.
        normalised: reference time over score, where a suite gives a reference, else None.
    """

    score: FolderScore
    cost: Cost | None = None
    root: str = ""
    normalised: float | None = None


RESULT_COLUMNS = (
    "path",
    "submitter",
    "system",
    "benchmark",
    "division",
    "ruleset",
    "scaling",
    "method",
    "runs",
    "runs_required",
    "non_compliant",
    "score_minutes",
    "unscaled_minutes",
    "scaling_factor",
    "median_minutes",
    "fastest_minutes",
    "slowest_minutes",
    "energy_kj",
    "throughput_minutes",
    "models",
    "models_per_minute",
    "accelerators_per_model",
    "normalised",
    "cost_of_score",
    "cost_of_median_run",
    "cost_to_quality",
    "cost_of_all_runs",
    "cost_of_energy",
    "currency",
    "problems",
    "notes",
)
"""Columns of the table of results; units stand in the names, costs are in ``currency``."""

RUN_COLUMNS = (
    "path",
    "submitter",
    "system",
    "benchmark",
    "division",
    "ruleset",
    "run",
    "minutes",
    "status",
    "verdict",
    "counts",
    "kept",
    "faults",
    "batch_size",
    "seed",
    "converged_epochs",
    "converged_samples",
    "converged_steps",
    "quality_minutes",
    "energy_kj",
)
"""Columns of the table of runs."""

_METHODS = {
    OLYMPIC: "olympic mean",
    MEDIAN_WINDOW: "olympic mean of the median window",
    MEDIAN: "median",
    THROUGHPUT: "throughput",
}


def describe_score(priced: PricedScore) -> dict[str, Any]:
    """One entry of ``folders`` in the ``mlperf-score/1`` document.

    Args:
        priced: the score and its cost.
    """
    score = priced.score
    row = make_row(priced)
    usage, _, version = (score.ruleset or "").partition("/")
    kept = set(score.kept)
    energies = score.run_energy_kj or (None,) * len(score.runs)
    return {
        **{name: row[name] for name in RESULT_COLUMNS[:5]},
        "usage": usage or None,
        "ruleset": version or None,
        "ruleset_reason": score.ruleset_reason,
        **{name: row[name] for name in RESULT_COLUMNS[6:18]},
        "run_minutes": [run.summary.minutes for run in score.runs],
        "window": None if score.window is None else [score.window[0] + 1, score.window[1] + 1],
        "throughput": None if score.throughput is None else score.throughput._asdict(),
        "normalised": priced.normalised,
        "cost": None if priced.cost is None else priced.cost._asdict(),
        "problems": list(score.problems),
        "notes": list(score.notes),
        "results": [
            _describe_run(run, index in kept, energy)
            for index, (run, energy) in enumerate(zip(score.runs, energies, strict=True))
        ],
    }


def make_row(priced: PricedScore) -> dict[str, Any]:
    """A row of the table of results; see `RESULT_COLUMNS`.

    Args:
        priced: the score and its cost.
    """
    score, cost = priced.score, priced.cost
    times = [run.summary.minutes for run in score.runs if run.summary.minutes is not None and run.counts]
    throughput = score.throughput
    values = (
        score.folder.path,
        score.folder.submitter,
        score.folder.system,
        score.benchmark,
        score.division,
        score.ruleset,
        score.folder.scaling,
        score.method,
        len(score.runs),
        score.requirement.required if score.requirement is not None else None,
        score.non_compliant,
        score.score_minutes,
        score.unscaled_minutes,
        score.scaling_factor,
        score.median_minutes,
        min(times, default=None),
        max(times, default=None),
        score.energy_kj,
        *(
            (
                throughput.minutes,
                throughput.models,
                throughput.models_per_minute,
                throughput.accelerators_per_model,
            )
            if throughput is not None
            else (None,) * 4
        ),
        priced.normalised,
        *(
            (cost.score, cost.median_run, cost.to_quality, cost.all_runs, cost.energy, cost.currency)
            if cost is not None
            else (None,) * 6
        ),
        "; ".join(score.problems),
        "; ".join(score.notes),
    )
    return dict(zip(RESULT_COLUMNS, values, strict=True))


def make_run_rows(priced: PricedScore) -> list[dict[str, Any]]:
    """The rows of the table of runs; see `RUN_COLUMNS`.

    Args:
        priced: the score and its cost.
    """
    score = priced.score
    record = describe_score(priced)
    head = (
        score.folder.path,
        score.folder.submitter,
        score.folder.system,
        score.benchmark,
        score.division,
        score.ruleset,
    )
    return [
        dict(
            zip(
                RUN_COLUMNS,
                (
                    *head,
                    os.path.basename(result["path"]),
                    result["minutes"],
                    result["status"],
                    result["verdict"],
                    result["counts"],
                    result["kept"],
                    "; ".join(result["faults"]),
                    result["batch_size"],
                    ", ".join(map(str, result["seeds"])),
                    result["converged_epochs"],
                    result["converged_samples"],
                    result["converged_steps"],
                    result["quality_minutes"],
                    result["energy_kj"],
                ),
                strict=True,
            )
        )
        for result in record["results"]
    ]


def render_folder(priced: PricedScore) -> str:
    """The score of one folder with all its runs, as text.

    Args:
        priced: the score and its cost.
    """
    score = priced.score
    about = [part for part in (score.division, score.ruleset) if part]
    reason = f" ({score.ruleset_reason})" if score.ruleset_reason else ""
    lines = [
        f"{score.benchmark or score.folder.benchmark} on {name_system(score.folder)}, {', '.join(about)}{reason}",
        "",
    ]
    lines += _render_runs(score)
    lines.append("")
    lines += _explain_missing(score)
    lines += [f"{name:<12}{text}" for name, text in _list_facts(priced)]
    return "\n".join(lines) + "\n"


def render_results(scores: Sequence[PricedScore]) -> str:
    """The scores of several folders, a line each, as text.

    Args:
        scores: the scores and their costs.
    """
    has = {
        "energy": any(each.score.energy_kj is not None for each in scores),
        "cost": any(each.cost is not None for each in scores),
        "normalised": any(each.normalised is not None for each in scores),
    }
    titles = ["benchmark", "system", "division", "ruleset", "runs", "minutes"]
    titles += [name for name, present in (("kJ", has["energy"]), ("cost", has["cost"])) if present]
    titles += ["normalised"] if has["normalised"] else []
    rows = []
    remarks: dict[str, int] = {}
    for each in scores:
        score = each.score
        row = [
            score.benchmark or score.folder.benchmark,
            name_system(score.folder),
            score.division or "",
            score.ruleset or "",
            _count_runs(score),
            _show_result(score),
        ]
        if has["energy"]:
            row.append(_show(score.energy_kj))
        if has["cost"]:
            row.append(_show_cost(each.cost.score if each.cost else None, each.cost))
        if has["normalised"]:
            row.append(_show(each.normalised))
        row.append(
            " ".join(f"[{remarks.setdefault(text, len(remarks) + 1)}]" for text in _list_remarks(score))
        )
        rows.append(row)
    table = align_columns([*titles, ""], rows, right={"runs", "minutes", "kJ", "cost", "normalised"})
    feet = "".join(f"[{number}] {text}\n" for text, number in remarks.items())
    return f"{table}\n{feet}" if feet else table


def show_progress(progress: Progress | None) -> str:
    """Where a run converged, with its unit.

    Args:
        progress: as logged, or None.
    """
    if progress is None:
        return ""
    epochs, samples, steps = progress
    if samples is not None:
        return f"{samples:,.10g} samples"
    if epochs is not None:
        return f"epoch {epochs:,.6g}"
    return f"step {steps:,.10g}" if steps is not None else ""


def _list_remarks(score: FolderScore) -> tuple[str, ...]:
    return (*score.problems, *score.notes)


def _render_runs(score: FolderScore) -> list[str]:
    kept = set(score.kept)
    has_energy = any(each is not None for each in score.run_energy_kj)
    titles = ["run", "minutes", "status", "verdict", "converged at", *(["kJ"] if has_energy else []), "score"]
    rows = []
    for index, run in enumerate(score.runs):
        row = [
            os.path.basename(run.path),
            _show(run.summary.minutes),
            run.summary.status or "none",
            run.verdict,
            show_progress(run.converged_at),
        ]
        if has_energy:
            row.append(_show(score.run_energy_kj[index]))
        rows.append([*row, _say_place(score, index, index in kept)])
    return align_columns(titles, rows, right={"minutes", "converged at", "kJ"}).splitlines()


def _explain_missing(score: FolderScore) -> list[str]:
    """Why runs do not count, those with the same reason together."""
    reasons: dict[str, int] = {}
    for run in score.runs:
        if not run.counts:
            reason = _explain_run(run)
            reasons[reason] = reasons.get(reason, 0) + 1
    lines = [f"{count_of(count, 'run')}: {reason}" for reason, count in reasons.items()]
    return [*lines, ""] if lines else []


def _explain_run(run: ScoredRun) -> str:
    if run.verdict == Outcome.UNJUDGED:
        return run.faults[0] if run.faults else "cannot be read"
    parts = []
    if run.summary.status is not None and not run.summary.succeeded:
        parts.append(f"status {run.summary.status}")
    if run.summary.minutes is None:
        parts.append("no time from run_start to run_stop")
    if run.verdict == Outcome.FAILED:
        more = run.fault_count - len(run.faults)
        parts.append(f"breaks {', '.join(run.faults)}{f' and {more} more' if more > 0 else ''}")
    return "; ".join(parts)


def _say_place(score: FolderScore, index: int, kept: bool) -> str:
    if not score.runs[index].counts:
        return "does not count"
    if kept:
        return "kept"
    if score.window is not None and not score.window[0] <= index <= score.window[1]:
        return "outside the window"
    return "dropped" if score.kept else ""


def _list_facts(priced: PricedScore) -> list[tuple[str, str]]:
    score, cost = priced.score, priced.cost
    facts = []
    if score.score_minutes is not None and score.unscaled_minutes is not None:
        text = f"{score.score_minutes:,.6f} minutes: {_METHODS[score.method]} of {count_of(len(score.kept), 'run')}"
        if score.scaling_factor not in (None, 1):
            text += f", {score.unscaled_minutes:,.6f} × scaling {score.scaling_factor:.6g}"
        facts.append(("score", text))
    if score.throughput is not None:
        shown = score.throughput
        facts.append(
            (
                "throughput",
                f"{shown.models} models in {shown.minutes:,.4f} minutes ({shown.models_per_minute:,.5g} a minute), "
                f"{shown.accelerators_per_model:g} accelerators each, {shown.accelerators:g} in all",
            )
        )
    if score.energy_kj is not None:
        facts.append(("energy", f"{score.energy_kj:,.3f} kJ over the same runs"))
    if cost is not None:
        named = (
            ("cost", cost.score, "of a run as long as the score"),
            ("", cost.median_run, "of the median run"),
            ("", cost.to_quality, "to the first evaluation at the target, median run"),
            ("", cost.all_runs, "of all runs together"),
            ("", cost.energy, "of the energy"),
        )
        facts += [
            (name, f"{_show_cost(value, cost)} {what}") for name, value, what in named if value is not None
        ]
    if priced.normalised is not None:
        facts.append(("normalised", f"{priced.normalised:.6g} (reference time over score, bigger is better)"))
    facts += [("no score", problem) for problem in score.problems]
    facts += [("note", note) for note in score.notes]
    return facts


def _describe_run(run: ScoredRun, kept: bool, energy_kj: float | None) -> dict[str, Any]:
    epochs, samples, steps = run.converged_at or Progress()
    return {
        "path": run.path,
        "minutes": run.summary.minutes,
        "status": run.summary.status,
        "verdict": run.verdict,
        "faults": list(run.faults),
        "fault_count": run.fault_count,
        "counts": run.counts,
        "kept": kept,
        "batch_size": run.batch_size,
        "seeds": list(run.seeds),
        "converged_epochs": epochs,
        "converged_samples": samples,
        "converged_steps": steps,
        "quality_minutes": run.quality_minutes,
        "energy_kj": energy_kj,
    }


def _count_runs(score: FolderScore) -> str:
    missing = f" ({score.non_compliant} do not count)" if score.non_compliant > 1 else ""
    return f"{len(score.runs)}{' (1 does not count)' if score.non_compliant == 1 else missing}"


def _show_result(score: FolderScore) -> str:
    if score.throughput is not None:
        return f"{score.throughput.models_per_minute:,.5g} models/min"
    return _show(score.score_minutes) or "no score"


def _show(number: float | None) -> str:
    return "" if number is None else f"{number:,.3f}"


def _show_cost(value: float | None, cost: Cost | None) -> str:
    currency = f" {cost.currency}" if cost is not None and cost.currency else ""
    return "" if value is None else f"{value:,.2f}{currency}"
