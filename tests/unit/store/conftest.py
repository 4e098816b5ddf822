"""A submission to ingest, and a place for a store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from checkout import PROJECT

SUBMISSION = PROJECT / "examples" / "submission" / "Example_Lab"


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    """A copy of one system of the example submission, that the test may change."""
    copy = tmp_path / "Example_Lab"
    shutil.copytree(SUBMISSION / "systems", copy / "systems")
    shutil.copytree(SUBMISSION / "results" / "example_16x", copy / "results" / "example_16x")
    return copy


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where a store is to be."""
    return tmp_path / "results.duckdb"
