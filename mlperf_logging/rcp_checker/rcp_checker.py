"""Testing convergence against the reference, under the public package's names."""

from __future__ import annotations

import argparse
import logging
import math
from collections.abc import Iterable, Sequence
from typing import Any

from mlperf_logging.cli.drop_in import (
    DIVIDER,
    LOG,
    USAGES,
    count_train_samples,
    list_rounds,
    make_parser,
    run_drop_in,
)
from mlperf_logging.cli.rcp import write_scaling
from mlperf_logging.compliance.judged_run import judge_run
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.errors import UsageError
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.runs.folders import find_result_folders
from mlperf_logging.scoring.rcp.files import open_reference_points
from mlperf_logging.scoring.rcp.references import EXACT, INTERPOLATED, Reference
from mlperf_logging.scoring.rcp.submissions import SubmissionCheck, check_submission
from mlperf_logging.scoring.rcp.test import find_acceptance, read_converged
from mlperf_logging.scoring.requirements import read_requirement
from mlperf_logging.scoring.runs import ScoredRun, score_run

FULL = "full"
_SUGGESTION = "consider adding --rcp_bypass in when running the package_checker."


def get_parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = make_parser("rcp_checker", "Test the convergence of a benchmark's folder against the reference.")
    parser.add_argument("dir", help="the folder of a benchmark's result logs")
    parser.add_argument("--rcp_usage", choices=USAGES, default=USAGES[0], help="training or hpc")
    parser.add_argument("--rcp_version", default=list_rounds()[-1], help="the round")
    parser.add_argument("--verbose", action="store_true", help="show the reference points")
    parser.add_argument(
        "--bert_train_samples", action="store_true", help="samples are those of train_samples"
    )
    parser.add_argument("--rcp_pass", default="pruned_rcps", help="pruned_rcps or full_rcps")
    parser.add_argument("--custom_rcps", help="file of reference points in place of the round's")
    parser.add_argument(
        "--set_scaling", action="store_true", help="write scaling.json where the score is scaled"
    )
    return parser


def check_directory(
    dir: str,
    usage: str,
    version: str,
    verbose: bool = False,
    bert_train_samples: bool = False,
    rcp_file: str | None = None,
    rcp_pass: str = "full_rcps",
    rcp_bypass: bool = False,
    set_scaling: bool = False,
) -> tuple[bool, str, float]:
    """Test a benchmark's folder: whether it passes, how it was tested, and the factor that its score is scaled by.

    Raises:
        MLPerfLoggingError: there are no logs, or they cannot be read.
    """
    LOG.info(DIVIDER)
    LOG.info(" Running RCP Checker, pass: %s", rcp_pass)
    LOG.info(DIVIDER)
    folders = find_result_folders(dir)
    if len(folders) != 1:
        raise UsageError(
            f"there are result logs in {len(folders)} folders below {dir!r}; name that of one benchmark"
        )
    runs = _read_runs(folders[0].logs, version, usage, bert_train_samples)
    for run in runs:
        if run.converged_at is None:
            LOG.warning(" %s did not converge.", run.path)
    find_table = open_reference_points(own=rcp_file)
    outcome = check_submission(folders[0], runs, find_table, pruned=not rcp_pass.startswith(FULL), draws=0)
    check = outcome.check
    if check is not None:
        if verbose:
            for reference in check.pruned:
                LOG.info(" reference %s", reference._asdict())
        LOG.info(" Submission mean %s: %.4f", check.unit, check.submission_mean)
    LOG.info(" %s", outcome.reason)
    if set_scaling:
        write_scaling([outcome], "rcp_checker")
    message, passed = name_outcome(outcome), bool(outcome.passed)
    if rcp_bypass and not passed:
        message, passed = f"{message} passed using rcp_bypass", True
    return passed, message, check.normalisation if check is not None else 1.0


def name_outcome(outcome: SubmissionCheck) -> str:
    """How a folder was tested, in the public tool's words."""
    check = outcome.check
    if check is None:
        return outcome.reason
    if math.isinf(check.submission_mean):
        return "Insufficient convergence"
    if check.match in (EXACT, INTERPOLATED):
        return "RCP found" if check.match == EXACT else "RCP Interpolation"
    if check.passed:
        return "RCP not found but slower convergence on smaller batch size"
    return f"Missing RCP, please submit RCP with BS = {check.batch_size:.15g}"


def read_submission_file(
    result_file: str, ruleset: str, use_train_samples: bool = False
) -> tuple[int, float, float | None, str | None]:
    """Of one log: 1 where it did not converge, else 0; where it did (infinity); batch size; benchmark."""
    (run,) = _read_runs([result_file], ruleset, None, use_train_samples)
    return int(run.converged_at is None), _count(run), run.batch_size, run.benchmark


def get_submission_epochs(
    result_files: Sequence[str], ruleset: str, bert_train_samples: bool = False
) -> tuple[float | None, list[float], str | None]:
    """Of the logs of a benchmark: batch size, where each converged (infinity where it did not), benchmark."""
    runs = _read_runs(result_files, ruleset, None, bert_train_samples)
    batch_size = next((run.batch_size for run in runs if run.batch_size is not None), None)
    return (
        batch_size,
        [_count(run) for run in runs],
        next((run.benchmark for run in runs if run.benchmark), None),
    )


class RCP_Checker:
    """The reference points of a benchmark, and what a submission of a batch size is measured by.

    Attributes:
        rcp_data: all points, by name.
        pruned_rcp_data: those that pruning leaves.
    """

    def __init__(
        self, usage: str, ruleset: str, benchmark: str, verbose: bool = False, rcp_file: str | None = None
    ) -> None:
        name = f"{usage}/{ruleset}"
        table = open_reference_points(own=rcp_file)(name, benchmark)
        requirement = read_requirement(open_rules().load(name).facts(benchmark).get("runs"))
        if table is None or requirement is None:
            raise UsageError(f"{name} has no reference convergence points of {benchmark}")
        self.benchmark, self.verbose = benchmark, verbose
        self._table, self._requirement = table, requirement
        wanted = find_acceptance(table, table.points[0].batch_size, requirement)
        self.rcp_data = self._describe(wanted.references)
        self.pruned_rcp_data = self._describe(wanted.pruned)

    def _find_rcp(self, bs: float, rcp_pass: str = FULL) -> dict[str, Any] | None:
        """What a batch size is measured by, interpolated between points where it must be; None where it is missing."""
        wanted = find_acceptance(self._table, bs, self._requirement, pruned=not rcp_pass.startswith(FULL))
        return None if wanted.match.reference is None else self._record(wanted.match.reference)

    def _describe(self, references: Iterable[Reference]) -> dict[str, dict[str, Any]]:
        names = {point.batch_size: point.name for point in self._table.points}
        return {names[each.batch_size]: self._record(each) for each in references}

    def _record(self, reference: Reference) -> dict[str, Any]:
        smallest = find_acceptance(
            self._table, reference.batch_size, self._requirement, pruned=False
        ).smallest
        return {
            "Benchmark": self.benchmark,
            "BS": reference.batch_size,
            "RCP Mean": reference.mean,
            "RCP Stdev": reference.deviation,
            "Max Speedup": reference.mean / smallest if smallest else math.inf,
            "Min Epochs": smallest,
        }


def make_checker(
    usage: str, ruleset: str, benchmark: str, verbose: bool = False, bert_train_samples: bool = False
) -> RCP_Checker:
    """The reference points of a benchmark."""
    return RCP_Checker(usage, ruleset, benchmark, verbose)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command: 0 the folder passes, 1 it does not."""
    return run_drop_in(get_parser(), _check, arguments)


def _check(options: argparse.Namespace) -> bool:
    passed, message, _ = check_directory(
        options.dir,
        options.rcp_usage,
        options.rcp_version,
        options.verbose,
        options.bert_train_samples,
        rcp_file=options.custom_rcps,
        rcp_pass=options.rcp_pass,
        set_scaling=options.set_scaling,
    )
    verdict = "RCP test PASSED" if passed else f"RCP test FAILED, {_SUGGESTION}"
    LOG.log(logging.INFO if passed else logging.ERROR, "%s, %s", message, verdict)
    return passed


def _read_runs(
    paths: Sequence[str], ruleset: str, usage: str | None, use_train_samples: bool
) -> list[ScoredRun]:
    """The runs of logs as those of the closed division, which is tested."""
    selection = RuleSelection(usage=usage, ruleset=ruleset)
    runs = [score_run(judge_run(path, selection))._replace(division="closed") for path in paths]
    return [count_train_samples(run) for run in runs] if use_train_samples else runs


def _count(run: ScoredRun) -> float:
    table = open_reference_points()(f"{run.usage}/{run.ruleset}", run.benchmark or "")
    unit = table.unit if table is not None else "samples"
    return read_converged(run.converged_at, unit, run.batch_size or 0, run.trained_samples)
