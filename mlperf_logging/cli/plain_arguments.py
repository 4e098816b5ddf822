"""The plain command line: logs, and the options that say by which rules. It is read without argparse.

Loading argparse and building the parser costs as much as judging a log. Most calls name logs and perhaps a
round; whatever else stands on the command line is left to the parser, which alone knows the whole syntax. A
test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

DEFAULTS: dict[str, Any] = {
    "paths": [],
    "usage": None,
    "ruleset": "auto",
    "division": None,
    "benchmark": None,
    "strict": False,
    "level": None,
    "rules": None,
    "select": [],
    "ignore": [],
    "waivers": None,
    "format": None,
    "output": None,
    "group_by": None,
    "statistics": False,
    "quiet": False,
    "verbose": False,
    "color": "auto",
    "jobs": 1,
    "follow": False,
    "explain": None,
    "list_rules": False,
    "version": False,
}
"""What the parser gives for an empty command line."""

_WITH_VALUE = ("usage", "ruleset", "benchmark", "format")
_FLAGS = ("strict", "quiet", "verbose")


def read_plain_arguments(arguments: Sequence[str]) -> SimpleNamespace | None:
    """The options of a plain command line, as the parser would give them; None for any other command line.

    Args:
        arguments: what follows the program's name.
    """
    options = SimpleNamespace(**{**DEFAULTS, "paths": []})
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-") or argument == "-":
            options.paths.append(argument)
            continue
        name = argument[2:]
        if not argument.startswith("--"):
            return None
        if name in _FLAGS:
            setattr(options, name, True)
        elif name in _WITH_VALUE:
            value = next(rest, "-")
            if value.startswith("-"):
                return None
            setattr(options, name, value)
        else:
            return None
    return options if options.paths else None
