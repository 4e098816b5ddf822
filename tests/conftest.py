"""Fixtures that every test may use."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

PROJECT = Path(__file__).resolve().parent.parent

_CACHE = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


# No test fails because the machine is slow. "thorough" is for a run at night (--hypothesis-profile=thorough).
settings.register_profile("project", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=10_000)
settings.load_profile("project")


def pytest_configure(config: pytest.Config) -> None:
    """Keep resolved rules in a folder of the test run, never in the user's own cache.

    Tests are collected from the rule files, so a fixture would come too late. Workers share the folder of
    the process that started them.
    """
    if not hasattr(config, "workerinput"):
        config.stash[_CACHE] = folder = tempfile.TemporaryDirectory(prefix="mlperf-cache-")
        os.environ["MLPERF_CACHE_DIR"] = folder.name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder of resolved rules."""
    if _CACHE in config.stash:
        config.stash[_CACHE].cleanup()


@pytest.fixture(scope="session")
def project() -> Path:
    """Root of the checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared folder with facts and the corpus of real logs; the test is skipped where it is absent."""
    folder = Path(os.environ.get("MLPERF_SHARED", PROJECT.parent / "shared"))
    if not (folder / "corpus" / "logs").is_dir():
        pytest.skip(f"the shared corpus is not at {folder} (set MLPERF_SHARED to its place)")
    return folder


@pytest.fixture(scope="session")
def corpus_logs(shared: Path) -> list[Path]:
    """All real result logs of the shared corpus, sorted by path."""
    logs = shared / "corpus" / "logs"
    return sorted(path for path in logs.rglob("*.txt") if path.name.startswith("result_"))
