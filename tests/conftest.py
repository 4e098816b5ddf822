"""Fixtures that every test may use."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import PROJECT
from hypothesis import settings

from mlperf_logging.mllog import settings as mllog_settings
from mlperf_logging.mllog.constants import DEFAULT_LOGGER_NAME
from mlperf_logging.mllog.ranks import RANK_VARIABLES
from mlperf_logging.mllog.sinks import PRINTS

# No test fails because the machine is slow. "thorough" is for a run at night (--hypothesis-profile=thorough).
settings.register_profile("project", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=10_000)
settings.load_profile("project")

# A shell ignores the first in background jobs, and nohup the other; processes that tests signal would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def project() -> Path:
    """Root of the checkout."""
    return PROJECT


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that an installation of the package would fill, with compiled rules in place of the rule files."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("mlperf_logging", "compliance_rules", "reference_impls"):
        shutil.copytree(PROJECT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    command = [sys.executable, "setup.py", "-q", "build_py", "-d", str(target)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return target


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


@pytest.fixture
def shared_logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A new shared logger, as in a process that has just imported the API; put away afterwards."""
    for name in list(os.environ):
        if name.startswith("MLLOG_") or name in (*RANK_VARIABLES, "TF_CONFIG"):
            monkeypatch.delenv(name)
    default = logging.getLogger(DEFAULT_LOGGER_NAME)
    monkeypatch.setattr(default, "handlers", [])
    monkeypatch.delattr(default, PRINTS, raising=False)
    monkeypatch.setattr(mllog_settings, "_shared", [])
    yield
    for handler in default.handlers:
        handler.close()
