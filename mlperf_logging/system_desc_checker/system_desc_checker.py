"""Checking a system description, under the public package's names."""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Sequence

from mlperf_logging.cli.drop_in import LOG, add_rules, add_warnings, log_findings, make_parser, run_drop_in
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.rules.rounds import find_round
from mlperf_logging.submission.descriptions import check_system_description, read_description
from mlperf_logging.submission.summary import locate_submission

_SHOWN = (
    *("submitter", "system_name", "host_processor_model_name", "host_processor_core_count"),
    *("accelerator_model_name", "accelerators_per_node", "framework"),
)


def get_parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = make_parser("system_desc_checker", "Check a system description.")
    parser.add_argument("filename", help="the system description")
    add_rules(parser)
    add_warnings(parser)
    return parser


def check_system_desc(
    json_file: str, usage: str, ruleset: str, quiet: bool = False, werror: bool = False
) -> tuple[bool, str, str, str]:
    """Check a system description.

    Returns:
        Whether it is as the round wants it (why not is logged); the name of the system; what it is, and where the round
        publishes description and code, each separated by commas.

    Raises:
        UsageError: there is no such round.
    """
    name = find_round(open_rules().index(), ruleset, usage).name
    found = check_system_description(json_file, name)
    errors = log_findings(found, quiet=quiet, werror=werror)
    description, _ = read_description(json_file)
    texts = {field: description.text(field) if description is not None else "" for field in _SHOWN}
    system = texts["system_name"] or os.path.basename(json_file)
    urls = locate_submission(name, texts["submitter"], os.path.splitext(os.path.basename(json_file))[0])
    if errors:
        messages = [finding.message for _, finding in errors]
        LOG.log(logging.ERROR, "FAILED")
        LOG.log(logging.ERROR, "  System description checker failed for %s : %s", system, messages)
    else:
        LOG.info("SUCCESS")
        LOG.info("  System description checker passed for %s", system)
    return not errors, system, f"{','.join(texts.values())},", f",{','.join(urls)},"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command: 0 the description is as the round wants it, 1 it is not."""
    return run_drop_in(get_parser(), _check, arguments)


def _check(options: argparse.Namespace) -> bool:
    given = options.filename, options.usage, options.ruleset, options.quiet, options.werror
    return check_system_desc(*given)[0]
