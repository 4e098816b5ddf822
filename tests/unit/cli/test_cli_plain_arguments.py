"""The plain command line is read exactly as the parser would read it."""

from __future__ import annotations

import pytest

from mlperf_logging.cli.options import build_check_parser
from mlperf_logging.cli.plain_arguments import DEFAULTS, read_plain_arguments

PLAIN = (
    ["a.txt"],
    ["-"],
    ["a.txt", "b", "c*"],
    ["--ruleset", "R", "a.txt"],
    ["a.txt", "--ruleset", "R", "b.txt", "--usage", "U", "--benchmark", "B"],
    ["--strict", "--quiet", "--verbose", "a"],
    ["--format", "json", "a"],
)
OTHER = (
    [],
    ["--help"],
    ["--ruleset"],
    ["--ruleset", "--strict", "a"],
    ["--ruleset=R", "a"],
    ["a", "-q"],
    ["a", "--jobs", "2"],
    ["--", "-a"],
    ["--no-such-option", "a"],
    ["--version"],
)


@pytest.mark.parametrize("arguments", PLAIN)
def test_plain_command_line_is_read_as_by_the_parser(arguments: list[str]) -> None:
    """A plain command line gives the same options with and without the parser."""
    plain = read_plain_arguments(arguments)
    assert plain is not None
    assert vars(plain) == vars(build_check_parser("mlperf-check").parse(arguments))


@pytest.mark.parametrize("arguments", OTHER)
def test_other_command_line_is_left_to_the_parser(arguments: list[str]) -> None:
    """Whatever is not plain is declined."""
    assert read_plain_arguments(arguments) is None


def test_defaults_are_those_of_the_parser() -> None:
    """Every option of the parser has its default in the plain reader."""
    assert vars(build_check_parser("mlperf-check").parse([])) == DEFAULTS
