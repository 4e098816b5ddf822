"""The build: what setup.cfg says, with the compiled rules and the reference trainers inside the package.

Both are folders beside the package in the repository. In a wheel they would claim names that belong to everybody.

The README is the page of the package index, too. Its links lead to files of the repository, so they are made absolute as soon as
setup.cfg names the repository (``Source`` among ``project_urls``).
"""

from __future__ import annotations

import re
import shutil
import sys
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithBundle(build_py):
    """Copies the packages and fills the bundle; an editable installation reads what is beside the package."""

    def run(self) -> None:
        """Build into ``build_lib``."""
        if self.editable_mode:
            super().run()
            return
        sys.path.insert(0, str(ROOT))
        from mlperf_logging.bundled import BUNDLE  # noqa: PLC0415 - of this source, not of an installed package

        bundle = Path(self.build_lib, "mlperf_logging", BUNDLE)
        shutil.rmtree(bundle, ignore_errors=True)  # what an earlier build left behind
        super().run()
        bundle_rules(bundle / "compliance_rules")
        for path in (ROOT / "reference_impls").rglob("*.py"):
            copy(path, bundle / path.relative_to(ROOT))


def bundle_rules(target: Path) -> None:
    """Write the compiled rules into a folder, and what is read as it is: the schema and the suites."""
    from mlperf_logging.rules.compiling import compile_rules  # noqa: PLC0415
    from mlperf_logging.rules.files import RuleFiles  # noqa: PLC0415
    from mlperf_logging.rules.resolving import Resolver  # noqa: PLC0415
    from mlperf_logging.scoring.rcp.files import POINTS  # noqa: PLC0415
    from mlperf_logging.submission.description_fields import DESCRIPTIONS  # noqa: PLC0415

    rules = ROOT / "compliance_rules"
    for path in (rules / "schema.json", *rules.glob("suites/*.yaml")):
        copy(path, target / path.relative_to(rules))
    compile_rules(Resolver(RuleFiles(rules)), target, (POINTS, DESCRIPTIONS))


def describe_project(readme: str, source: str | None, version: str) -> str:
    """The README with links that work elsewhere: of what was tagged as this version, in the repository at `source`."""
    if not source:
        return readme

    def lead(match: re.Match[str]) -> str:
        folder = "raw" if match[1] else "blob"
        return f"{match[1]}[{match[2]}]({source.rstrip('/')}/{folder}/v{version}/{match[3]})"

    return re.sub(r"(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)", lead, readme)


def find_source() -> str | None:
    """The address of the repository, where setup.cfg names it."""
    settings = ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg", "utf-8")
    addresses = re.findall(r"^(.*?) *= *(.*)$", settings.get("metadata", "project_urls"), re.MULTILINE)
    return dict(addresses).get("Source")


def find_version() -> str:
    """The version, without importing the package, which may not be importable yet."""
    text = (ROOT / "mlperf_logging" / "__init__.py").read_text("utf-8")
    return re.findall(r'^__version__ = "(.*)"$', text, re.MULTILINE)[0]


def copy(source: Path, target: Path) -> None:
    """Copy a file, with the folders that it needs."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


if __name__ == "__main__":
    setup(
        cmdclass={"build_py": BuildWithBundle},
        long_description=describe_project(
            (ROOT / "README.md").read_text("utf-8"), find_source(), find_version()
        ),
    )
