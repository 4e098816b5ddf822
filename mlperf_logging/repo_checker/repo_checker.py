"""Checking what a repository can hold, under the public package's names."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

from mlperf_logging.cli.drop_in import LOG, add_rules, log_findings, make_parser, run_drop_in
from mlperf_logging.submission.layout import Tree
from mlperf_logging.submission.repository import check_repository


def get_parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = make_parser("repo_checker", "Check the names, sizes and links in a folder.")
    parser.add_argument("folder", help="the submission")
    add_rules(parser)
    return parser


def run_checks(submission_dir: str) -> bool:
    """Whether a repository can hold a folder; why not is logged. `UsageError` where there is no such folder."""
    LOG.info("Running repository checks.")
    return not log_findings(check_repository(Tree(submission_dir)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command: 0 all checks passed, 1 one did not."""
    words = ("ALL CHECKS PASSED.", "CHECKS FAILED.")
    return run_drop_in(get_parser(), _check, arguments, words=words, failed_level=logging.INFO, last="")


def _check(options: argparse.Namespace) -> bool:
    return run_checks(options.folder)
