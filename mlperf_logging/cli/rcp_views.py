"""Tests of convergence as people and programs read them: JSON records, flat rows, text."""

from __future__ import annotations

from typing import Any

from mlperf_logging.cli.scoring import name_system
from mlperf_logging.cli.tables import align_columns
from mlperf_logging.scoring.rcp.pass_probability import PassProbability
from mlperf_logging.scoring.rcp.references import BELOW, EXACT, INTERPOLATED, MISSING
from mlperf_logging.scoring.rcp.submissions import SubmissionCheck
from mlperf_logging.scoring.rcp.test import ConvergenceCheck

CHECK_COLUMNS = (
    "path",
    "submitter",
    "system",
    "benchmark",
    "division",
    "ruleset",
    "passed",
    "reason",
    "method",
    "unit",
    "runs",
    "runs_required",
    "batch_size",
    "match",
    "normalisation",
    "submission_mean",
    "reference_mean",
    "reference_stdev",
    "reference_min",
    "allowance",
    "p_value",
    "reference_runs",
    "submission_runs",
    "chance_to_pass",
)
"""Columns of the table of tests; means, deviations and the allowance are in ``unit``."""

_FIGURES = (
    "method",
    "unit",
    "batch_size",
    "match",
    "normalisation",
    "submission_mean",
    "reference_mean",
    "reference_stdev",
    "reference_min",
    "allowance",
    "p_value",
    "reference_runs",
    "submission_runs",
)
_VERDICTS = {True: "PASSED", False: "FAILED", None: "NOT TESTED"}
_MATCHES = {
    EXACT: "there are reference runs of it",
    INTERPOLATED: "between two reference points, interpolated",
    BELOW: "smaller than every reference point, judged against the smallest",
    MISSING: "larger than every reference point",
}


def make_check_row(outcome: SubmissionCheck) -> dict[str, Any]:
    """A row of the table of tests; see `CHECK_COLUMNS`.

    Args:
        outcome: the test of one folder.
    """
    folder, check = outcome.folder, outcome.check
    figures = check._asdict() if check is not None else {}
    row = {
        "path": folder.path,
        "submitter": folder.submitter,
        "system": folder.system,
        "benchmark": outcome.benchmark,
        "division": outcome.division,
        "ruleset": outcome.ruleset,
        "passed": outcome.passed,
        "reason": outcome.reason,
        "runs": len(outcome.runs),
        "runs_required": outcome.requirement.required if outcome.requirement is not None else None,
        "chance_to_pass": outcome.pass_probability.probability
        if outcome.pass_probability is not None
        else None,
        **{name: figures.get(name) for name in _FIGURES},
    }
    return {name: row[name] for name in CHECK_COLUMNS}


def describe_check(outcome: SubmissionCheck) -> dict[str, Any]:
    """One entry of ``folders`` in the ``mlperf-rcp/1`` document.

    Args:
        outcome: the test of one folder.
    """
    check = outcome.check
    record = make_check_row(outcome)
    usage, _, version = (outcome.ruleset or "").partition("/")
    del record["chance_to_pass"]
    record |= {"usage": usage or None, "ruleset": version or None, "ruleset_reason": outcome.ruleset_reason}
    record["converged_at"] = list(check.converged_at) if check is not None else []
    counting = {reference.batch_size for reference in check.pruned} if check is not None else set()
    record["points"] = [
        {
            "batch_size": each.batch_size,
            "mean": each.mean,
            "stdev": each.deviation,
            "runs": each.kept,
            "counts": each.batch_size in counting,
        }
        for each in (check.references if check is not None else ())
    ]
    record["chance"] = outcome.pass_probability._asdict() if outcome.pass_probability is not None else None
    return record


def render_check(outcome: SubmissionCheck, scaling_factor: float | None) -> str:
    """The test of one folder, as text.

    Args:
        outcome: the test.
        scaling_factor: what the folder's ``scaling.json`` says; None where there is none.
    """
    about = [part for part in (outcome.division, outcome.ruleset) if part]
    reason = f" ({outcome.ruleset_reason})" if outcome.ruleset_reason else ""
    benchmark = outcome.benchmark or outcome.folder.benchmark
    lines = [
        f"{benchmark} on {name_system(outcome.folder)}, {', '.join(about)}{reason}",
        f"{_VERDICTS[outcome.passed]}{_so_far(outcome)}: {outcome.reason}",
        "",
    ]
    facts = _list_figures(outcome.check, scaling_factor) if outcome.check is not None else []
    if outcome.pass_probability is not None:
        facts.append(("to come", _say_probability(outcome.pass_probability, outcome.check)))
    lines += [f"{name:<15}{text}" for name, text in facts]
    if outcome.check is not None:
        lines += ["", *_render_points(outcome.check)]
    return "\n".join(lines).rstrip() + "\n"


def render_checks(outcomes: list[SubmissionCheck]) -> str:
    """The tests of several folders, a line each, as text.

    Args:
        outcomes: the tests.
    """
    titles = [
        "benchmark",
        "system",
        "ruleset",
        "runs",
        "batch",
        "verdict",
        "mean",
        "acceptable",
        "p",
        "scaling",
        "",
    ]
    rows = []
    remarks: dict[str, int] = {}
    for outcome in outcomes:
        check = outcome.check
        remark = "" if outcome.passed else f"[{remarks.setdefault(outcome.reason, len(remarks) + 1)}]"
        acceptable = _acceptable(check)
        figures = ["", "", "", "", ""]
        if check is not None:
            figures = [
                f"{check.batch_size:,.10g}",
                _show(check.submission_mean),
                _show(acceptable),
                _show_p(check.p_value),
                f"{check.normalisation:.5f}",
            ]
        rows.append(
            [
                outcome.benchmark or outcome.folder.benchmark,
                name_system(outcome.folder),
                outcome.ruleset or "",
                str(len(outcome.runs)),
                figures[0],
                f"{_VERDICTS[outcome.passed].lower()}{_so_far(outcome)}",
                *figures[1:],
                remark,
            ]
        )
    table = align_columns(titles, rows, right={"runs", "batch", "mean", "acceptable", "p", "scaling"})
    feet = "".join(f"[{number}] {text}\n" for text, number in remarks.items())
    return f"{table}\n{feet}" if feet else table


def _so_far(outcome: SubmissionCheck) -> str:
    return " so far" if outcome.pass_probability is not None and outcome.passed is not None else ""


def _list_figures(check: ConvergenceCheck, scaling_factor: float | None) -> list[tuple[str, str]]:
    converged = [run for run in check.converged_at if run != float("inf")]
    failed = len(check.converged_at) - len(converged)
    missing = f", {failed} did not converge" if failed else ""
    facts = [
        ("batch size", f"{check.batch_size:,.10g}: {_MATCHES[check.match]}"),
        (
            "submission",
            f"mean {_show(check.submission_mean)} {check.unit} of {len(check.converged_at)} runs{missing}",
        ),
    ]
    if check.reference_mean is not None and check.reference_stdev is not None:
        facts += [
            (
                "reference",
                f"mean {_show(check.reference_mean)} {check.unit}, standard deviation "
                f"{_show(check.reference_stdev)} (counts as {check.reference_runs} runs, "
                f"the submission as {check.submission_runs})",
            ),
            ("acceptable", _say_acceptable(check)),
            ("p-value", _show_p(check.p_value)),
        ]
    facts.append(("scaling", _say_scaling(check, scaling_factor)))
    facts.append(("method", _METHODS[check.method]))
    return facts


_METHODS = {
    "check": "as the rounds' public checks compute",
    "rules": "as the rules are written (deviation of the runs that the mean is of; pruning repeated)",
}


def _say_acceptable(check: ConvergenceCheck) -> str:
    text = f"a mean of {_show(_acceptable(check))} {check.unit} or more"
    if check.allowance:
        text += f" ({_show(check.reference_min)} by the test, {_show(check.allowance)} less is allowed)"
    return text


def _say_scaling(check: ConvergenceCheck, factor: float | None) -> str:
    wanted = check.normalisation
    if not check.passed:
        return "none, as it did not pass"
    if wanted == 1:
        text = "none: the submission converges no faster than the reference"
    else:
        text = f"the score is to be multiplied by {wanted:.6g}"
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
        f"and {high}{unit} in 90 % of them"
    )


def _render_points(check: ConvergenceCheck) -> list[str]:
    counting = {reference.batch_size for reference in check.pruned}
    rows = [
        [
            f"{each.batch_size:,.10g}",
            _show(each.mean),
            _show(each.deviation),
            str(each.kept),
            "counts" if each.batch_size in counting else "pruned",
        ]
        for each in check.references
    ]
    titles = ["reference batch", "mean", "deviation", "runs kept", ""]
    return align_columns(
        titles, rows, right={"reference batch", "mean", "deviation", "runs kept"}
    ).splitlines()


def _acceptable(check: ConvergenceCheck | None) -> float | None:
    return None if check is None or check.reference_min is None else check.reference_min - check.allowance


def _show(number: float | None) -> str:
    if number is None:
        return ""
    if number == float("inf"):
        return "none"
    return f"{number:,.2f}".rstrip("0").rstrip(".") if abs(number) >= 100 else f"{number:.4f}"


def _show_p(number: float | None) -> str:
    return "" if number is None else f"{number:.4f}" if number >= 0.0001 else "< 0.0001"
