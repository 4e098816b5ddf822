"""Runs and folders for tests of scores."""

from __future__ import annotations

import pytest

from mlperf_logging.runs.folders import ResultFolder
from tests.scores import MakeRun, make_scored_run


@pytest.fixture
def make_run() -> MakeRun:
    """Makes a run that counts, unless its arguments say otherwise."""
    return make_scored_run


@pytest.fixture
def folder() -> ResultFolder:
    """A result folder with nothing next to its logs."""
    return ResultFolder("results/box/knitting", (), "knitting", "box", "Org")
