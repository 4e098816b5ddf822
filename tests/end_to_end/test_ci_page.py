"""The page on continuous integration: its files are valid, and its commands take the options that they are given."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from checkout import PROJECT

from mlperf_logging.cli.check import build_parser as build_check_parser
from mlperf_logging.cli.package import build_parser as build_package_parser
from mlperf_logging.rules.repository import load_ruleset

PAGE = (PROJECT / "docs" / "continuous_integration.md").read_text("utf-8")
COMMANDS = re.findall(r"(mlperf-check|mlperf package) (--[^\n\">&`]*)", PAGE)


@pytest.mark.parametrize(("program", "options"), COMMANDS, ids=lambda each: str(each)[:20])
def test_commands_of_the_page_are_valid(program: str, options: str) -> None:
    """Each command of the page is one that its parser takes, with a round that exists."""
    build = build_check_parser if program == "mlperf-check" else build_package_parser
    given = build(program).parse([*shlex.split(options), "--no-config"])

    assert load_ruleset(f"training/{given.ruleset}").name == "training/6.1.0"


def test_page_has_commands() -> None:
    """The search finds the commands of each service."""
    assert len(COMMANDS) >= 5


def test_files_of_the_page_are_valid() -> None:
    """The YAML on the page can be read; the action has the inputs that it is given, the hook the id."""
    files = [
        yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    ]
    action = yaml.safe_load((PROJECT / "action.yml").read_text("utf-8"))
    hooks = yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    workflow, gitlab, pre_commit = files

    (job,) = workflow["jobs"].values()

    assert {*job["steps"][-1]["with"]} <= {*action["inputs"]}
    assert {Path(path).suffix for path in gitlab["check-logs"]["artifacts"]["reports"].values()} == {
        ".json",
        ".xml",
    }
    assert [hook["id"] for hook in pre_commit["repos"][0]["hooks"]] == [hook["id"] for hook in hooks]
