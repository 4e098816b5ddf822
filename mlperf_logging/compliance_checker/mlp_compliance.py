"""Judging a log, under the public package's names."""

from __future__ import annotations

import argparse

from mlperf_logging.cli.drop_in import USAGES, LogCheck, add_rules, add_warnings, list_rounds, make_parser
from mlperf_logging.compliance.ruleset_selection import RuleSelection


class ComplianceChecker(LogCheck):
    """Judges logs by one round; made by `make_checker`."""

    def check_file(self, filename: str, config_file: str | None = None) -> bool:
        """Whether a log is compliant; why not is logged."""
        return self.read_config(config_file).judge(filename)[0]


def usage_choices() -> set[str]:
    """The usages."""
    return set(USAGES)


def rule_choices() -> set[str]:
    """The numbers of the rounds."""
    return set(list_rounds())


def get_parser() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = make_parser("compliance_checker", "Judge a log by the rules of a round.")
    parser.add_argument("filename", help="the log")
    add_rules(parser, dashed=True, required=False)
    parser.add_argument(
        "--config", help="a round in place of --usage and --ruleset, as USAGE_ROUND/common.yaml"
    )
    add_warnings(parser)
    return parser


def make_checker(usage: str, ruleset: str, quiet: bool = False, werror: bool = False) -> ComplianceChecker:
    """A checker by the rules of one round."""
    return ComplianceChecker(RuleSelection(usage=usage, ruleset=ruleset), quiet, werror)


def main(
    filename: str, config_file: str | None, checker: LogCheck
) -> tuple[bool, str | None, str | None, float | None]:
    """Judge a log: whether it is compliant, and its system, benchmark and minutes, as far as it says them."""
    is_valid, judged = checker.read_config(config_file).judge(filename)
    return is_valid, judged.run.platform, judged.benchmark, judged.verdict.run.minutes


def check_file(options: argparse.Namespace) -> bool:
    """What the command does."""
    checker = make_checker(options.usage, options.ruleset, options.quiet, options.werror)
    return main(options.filename, options.config, checker)[0]
