"""A submission to ingest, and a place for a store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from checkout import PROJECT


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    """A copy of the example submission that the test may change."""
    source = PROJECT / "examples" / "submission" / "Example_Lab"
    return Path(shutil.copytree(source, tmp_path / "Example_Lab"))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where a store is to be."""
    return tmp_path / "results.duckdb"
