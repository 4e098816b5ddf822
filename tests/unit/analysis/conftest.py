"""Small runs on disk, for tests that read them into tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.small_runs import WriteRun, make_run_log


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """Writes a run's log below the test's folder; options are those of `make_run_log`."""

    def write(name: str = "result_0.txt", *args: Any, **options: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make_run_log(*args, **options))
        return path

    return write


@pytest.fixture
def write_system(tmp_path: Path) -> Callable[..., None]:
    """Writes a system description."""

    def write(submitter: str, system: str, **fields: Any) -> None:
        path = tmp_path / submitter / "systems" / f"{system}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(fields), "utf-8")

    return write
