"""Checking a submission, under the public package's names."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable, Iterator, Sequence

from mlperf_logging.cli.drop_in import (
    DIVIDER,
    LOG,
    add_rules,
    add_warnings,
    count_train_samples,
    log_findings,
    make_parser,
    run_drop_in,
)
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.errors import MLPerfLoggingError
from mlperf_logging.package_checker.power_checker import PowerChecker
from mlperf_logging.package_checker.seed_checker import SeedChecker
from mlperf_logging.submission.checking import check_package, list_checked_files
from mlperf_logging.submission.judging import JudgedResult
from mlperf_logging.submission.layout import Tree
from mlperf_logging.submission.parameters import RCP_BYPASS, SEED_BYPASS
from mlperf_logging.submission.repository import check_repository

__all__ = ["PowerChecker", "SeedChecker", "check_training_package", "get_parser", "main"]

_WORDS = (
    "PACKAGE CHECKER FOUND NO ERRORS, SUCCESS !",
    "PACKAGE CHECKER FOUND ERRORS, LOOK INTO ERROR LOG LINES AND FIX THEM.",
)


def get_parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = make_parser("package_checker", "Check a submission.")
    parser.add_argument("folder", help="the submission")
    add_rules(parser)
    add_warnings(parser)
    parser.add_argument(
        "--rcp-bypass", action="store_true", help="convergence that is not accepted is a warning"
    )
    samples = "samples of the benchmark are those of train_samples"
    parser.add_argument("--rcp-bert-train-samples", action="store_true", help=samples)
    parser.add_argument(
        "--seed-checker-bypass", action="store_true", help="what is wrong with seeds is a warning"
    )
    return parser


def check_training_package(
    folder: str,
    usage: str,
    ruleset: str,
    quiet: bool = False,
    werror: bool = False,
    rcp_bypass: bool = False,
    rcp_bert_train_samples: bool = False,
    seed_checker_bypass: bool = False,
    log_output: str = "",
) -> bool:
    """Whether a submission is acceptable; why not is logged. Names, sizes and links are `repo_checker`'s.

    Raises:
        MLPerfLoggingError: there is no submission, or no such round.
    """
    asked = {RCP_BYPASS: rcp_bypass, SEED_BYPASS: seed_checker_bypass}

    def tell(logs: Iterable[JudgedResult], _count: int) -> Iterator[JudgedResult]:
        for log in logs:
            LOG.info("Running compliance on file: %s", log.verdict.path)
            yield log._replace(run=count_train_samples(log.run)) if rcp_bert_train_samples else log

    check = check_package(
        folder,
        RuleSelection(usage=usage, ruleset=ruleset),
        accepted=[name for name, is_asked in asked.items() if is_asked],
        watch=tell,
    )
    elsewhere = set(check_repository(Tree(folder)))
    kept = tuple([found for found in check.findings if found not in elsewhere])
    found = [
        (file.verdict.path, finding)
        for file in list_checked_files(check._replace(findings=kept))
        for finding in file.verdict.findings
    ]
    errors = log_findings(found, quiet=quiet, werror=werror)
    return _conclude(not errors)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command: 0 the submission is acceptable, 1 it is not."""
    last = "** Detailed log output is also at {log_output}"
    return run_drop_in(get_parser(), _check, arguments, last=last)


def _check(options: argparse.Namespace) -> bool:
    try:
        return check_training_package(**vars(options))
    except MLPerfLoggingError as error:
        LOG.log(logging.ERROR, "%s", error)
        return _conclude(False)


def _conclude(is_well: bool) -> bool:
    for line in (DIVIDER, _WORDS[not is_well], DIVIDER):
        LOG.info("%s", line)
    return is_well
