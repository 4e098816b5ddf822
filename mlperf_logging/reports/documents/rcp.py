"""The answer of `mlperf rcp`: tests of convergence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlperf_logging.reports.documents.folders import (
    describe_head,
    describe_round,
    list_folder_columns,
    title_folder,
)
from mlperf_logging.scoring.rcp.pass_probability import PassProbability
from mlperf_logging.scoring.rcp.references import BELOW, EXACT, INTERPOLATED, MISSING
from mlperf_logging.scoring.rcp.submissions import SubmissionCheck
from mlperf_logging.scoring.rcp.test import ConvergenceCheck
from mlperf_logging.tables import COUNT, FLAG, NOTES, NUMBER, TEXT, Column, Document, Table, make_table, pick

SCHEMA = "mlperf-rcp/1"
_VERDICTS = {True: "passed", False: "failed", None: "not tested"}
_MATCHES = {
    EXACT: "there are reference runs for it",
    INTERPOLATED: "between two reference points, interpolated",
    BELOW: "smaller than every reference point, judged against the smallest",
    MISSING: "larger than every reference point",
}
_METHODS = {
    "check": "as the rounds' public checks compute",
    "rules": "as the rules are written (deviation of the runs in the mean; pruning repeated)",
}


def _show(number: float) -> str:
    if number == float("inf"):
        return "none"
    return f"{number:,.2f}".rstrip("0").rstrip(".") if abs(number) >= 100 else f"{number:.4f}"


def show_p(number: float) -> str:
    """A p-value as people read it."""
    return f"{number:.4f}" if number >= 0.0001 else "< 0.0001"


def _say_use(counts: bool) -> str:
    return "counts" if counts else "pruned"


_CHECK_COLUMNS = (
    Column("passed", FLAG, "whether the convergence is acceptable"),
    Column("reason", TEXT, "why, why not, or why it is not tested"),
    Column("method", TEXT, "check: as the public checks; rules: as the rules are written"),
    Column("unit", TEXT, "unit of convergence", priority=4, said_once=True),
    Column("runs", COUNT, "runs in the folder", priority=3),
    Column("runs_required", COUNT, "runs that a result needs"),
    Column("batch_size", NUMBER, "global batch size", "batch", format=",.10g", priority=3),
    Column("match", TEXT, "how the batch size was found among the reference points"),
    Column("normalisation", NUMBER, "factor for the score", "scaling", format=".5f", priority=3),
    Column("submission_mean", NUMBER, "mean of the submission", "mean", format=_show, priority=1),
    Column("reference_mean", NUMBER, "mean of the reference"),
    Column("reference_stdev", NUMBER, "standard deviation of the reference"),
    Column("reference_min", NUMBER, "smallest mean that the test does not reject"),
    Column("allowance", NUMBER, "by how much a mean may be smaller than that"),
    Column("p_value", NUMBER, "p-value of the test", "p", format=show_p, priority=2),
    Column("reference_runs", COUNT, "runs that the reference counts as"),
    Column("submission_runs", COUNT, "runs that the submission counts as"),
    Column("chance_to_pass", NUMBER, "with the runs still to come"),
)
_FOR_PEOPLE = (
    Column("acceptable", NUMBER, "smallest mean that passes", format=_show, priority=1),
    Column("verdict", TEXT, "of the test", priority=0),
    Column("why", NOTES, "why it did not pass", priority=1),
)
_POINT_COLUMNS = (
    Column("batch_size", NUMBER, "of the reference", "reference batch", format=",.10g", priority=0),
    Column("mean", NUMBER, "where its runs converged", format=_show, priority=0),
    Column("stdev", NUMBER, "standard deviation", "deviation", format=_show, priority=1),
    Column("runs", COUNT, "runs that are kept", "runs kept", priority=1),
    Column("counts", FLAG, "kept by pruning", "use", format=_say_use, priority=0),
)


def describe_checks(outcomes: Sequence[SubmissionCheck], *, for_people: bool = False) -> Table:
    """The tests of folders, one row each."""
    records = [_describe_row(outcome) for outcome in outcomes]
    columns = (*list_folder_columns(records), *_CHECK_COLUMNS, *(_FOR_PEOPLE if for_people else ()))
    return make_table("tests", columns, records)


def describe_check(outcome: SubmissionCheck, scaling_factor: float | None) -> list[Table]:
    """The test of one folder as facts, and its reference points, for people."""
    check, simulated = outcome.check, outcome.pass_probability
    facts = [(_say_verdict(outcome).upper().replace("SO FAR", "so far"), outcome.reason)]
    facts += _list_facts(check, scaling_factor) if check is not None else []
    facts += [("to come", _say_probability(simulated, check))] if simulated is not None else []
    tables = [make_table("test", (), (), title=title_folder(outcome), footnotes=tuple(facts))]
    if check is not None:
        tables.append(make_table("points", _POINT_COLUMNS, _list_points(check)))
    return tables


def describe_tests(outcomes: Sequence[SubmissionCheck], tables: Sequence[Table]) -> Document:
    """The whole answer: the tables, and the fields of ``mlperf-rcp/1``."""
    folders = [_describe_folder_fields(outcome) for outcome in outcomes]
    head = folders[0] if len(folders) == 1 else {}
    return Document(schema=SCHEMA, tables=tuple(tables), fields={**head, "folders": folders})


def _describe_row(outcome: SubmissionCheck) -> dict[str, Any]:
    check = outcome.check
    return {
        **describe_head(outcome),
        **{column.name: None for column in _CHECK_COLUMNS},
        **(check._asdict() if check is not None else {}),
        **pick(outcome, "passed", "reason"),
        "runs": len(outcome.runs),
        "runs_required": outcome.requirement.required if outcome.requirement is not None else None,
        "chance_to_pass": outcome.pass_probability and outcome.pass_probability.probability,
        "acceptable": _find_acceptable(check),
        "verdict": _say_verdict(outcome),
        "why": None if outcome.passed else outcome.reason,
    }


def _describe_folder_fields(outcome: SubmissionCheck) -> dict[str, Any]:
    """One entry of ``folders`` in the ``mlperf-rcp/1`` document."""
    check, row = outcome.check, _describe_row(outcome)
    names = [column.name for column in (*list_folder_columns([row]), *_CHECK_COLUMNS)]
    return {
        **{name: row[name] for name in names if name != "chance_to_pass"},
        **describe_round(outcome),
        "converged_at": list(check.converged_at) if check is not None else [],
        "points": _list_points(check) if check is not None else [],
        "chance": outcome.pass_probability._asdict() if outcome.pass_probability is not None else None,
    }


def _list_points(check: ConvergenceCheck) -> list[dict[str, Any]]:
    counting = {reference.batch_size for reference in check.pruned}
    return [
        {
            **pick(each, "batch_size", "mean"),
            "stdev": each.deviation,
            "runs": each.kept,
            "counts": each.batch_size in counting,
        }
        for each in check.references
    ]


def _say_verdict(outcome: SubmissionCheck) -> str:
    so_far = " so far" if outcome.pass_probability is not None and outcome.passed is not None else ""
    return f"{_VERDICTS[outcome.passed]}{so_far}"


def _list_facts(check: ConvergenceCheck, scaling_factor: float | None) -> list[tuple[str, str]]:
    failed = sum(run == float("inf") for run in check.converged_at)
    missing = f", {failed} did not converge" if failed else ""
    mean = f"mean {_show(check.submission_mean)} {check.unit} of {len(check.converged_at)} runs{missing}"
    facts = [("batch size", f"{check.batch_size:,.10g}: {_MATCHES[check.match]}"), ("submission", mean)]
    if check.reference_mean is not None and check.reference_stdev is not None:
        reference = (
            f"mean {_show(check.reference_mean)} {check.unit}, standard deviation {_show(check.reference_stdev)} "
            f"(counts as {check.reference_runs} runs, the submission as {check.submission_runs})"
        )
        facts += [("reference", reference), ("acceptable", _say_acceptable(check))]
        facts += [("p-value", "" if check.p_value is None else show_p(check.p_value))]
    return [*facts, ("scaling", _say_scaling(check, scaling_factor)), ("method", _METHODS[check.method])]


def _say_acceptable(check: ConvergenceCheck) -> str:
    acceptable, smallest = _find_acceptable(check), check.reference_min
    if acceptable is None or smallest is None:
        return ""
    text = f"a mean of {_show(acceptable)} {check.unit} or more"
    if check.allowance:
        text += f" ({_show(smallest)} by the test, {_show(check.allowance)} less is allowed)"
    return text


def _say_scaling(check: ConvergenceCheck, factor: float | None) -> str:
    wanted = check.normalisation
    if not check.passed:
        return "none, because it did not pass"
    if wanted == 1:
        text = "none: the submission converges no faster than the reference"
    else:
        text = f"the score must be multiplied by {wanted:.6g}"
    if factor is None:
        return text if wanted == 1 else f"{text}; there is no scaling.json (--write-scaling writes it)"
    if abs(factor - wanted) <= 1e-6 * wanted:
        return f"{text}, as scaling.json says"
    return f"{text}, but scaling.json says {factor:.6g}"


def _say_probability(simulated: PassProbability, check: ConvergenceCheck | None) -> str:
    high = "too many failed runs" if simulated.mean_high == float("inf") else _show(simulated.mean_high)
    unit = f" {check.unit}" if check is not None else ""
    return (
        f"{simulated.done} of {simulated.required} runs are done; chance to pass {simulated.probability:.1%} "
        f"(± {simulated.standard_error:.1%} of {simulated.draws:,} simulated), mean between {_show(simulated.mean_low)} "
        f"and {high}{unit} in 90% of them"
    )


def _find_acceptable(check: ConvergenceCheck | None) -> float | None:
    return None if check is None or check.reference_min is None else check.reference_min - check.allowance
