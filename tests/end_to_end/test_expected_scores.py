"""Scores and tests of convergence on real result folders, against the expected figures."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging import check_results, score_results

pytestmark = pytest.mark.corpus


def read_rows(shared: Path, name: str) -> list[dict[str, str]]:
    """The rows of a table of expectations."""
    with (shared / "corpus" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def place(shared: Path, row: dict[str, str]) -> tuple[Path, dict[str, Any]]:
    """A row's folder, and the options that name its round."""
    usage = "hpc" if row["round"].startswith("hpc") else "training"
    ruleset = f"{row['round'].removeprefix('hpc-')}.0"
    return shared / "corpus" / "logs" / row["round"] / row["folder"], {"usage": usage, "ruleset": ruleset}


def number(text: str) -> float | None:
    """A number of the table, None where the cell is empty."""
    return float(text) if text else None


def about(expected: float | None) -> Any:
    """What equals a number to one in a million, or None if there is none."""
    return None if expected is None else pytest.approx(expected, rel=1e-6)


def test_scores_are_the_expected_ones(shared: Path) -> None:
    """Score, energy, runs, and runs that do not count, of every folder."""
    rows = read_rows(shared, "expected_scores.csv")
    for row in rows:
        folder, options = place(shared, row)
        (score,) = score_results(folder, **options)
        assert score.score_minutes == about(number(row["score_minutes"])), folder
        assert score.energy_kj == about(number(row["energy_kj"])), folder
        assert (len(score.runs), score.non_compliant) == (int(row["runs"]), int(row["non_compliant"])), folder
    assert len(rows) == 111


def test_convergence_is_the_expected_one(shared: Path) -> None:
    """Outcome, batch size, scaling and the figures behind them, of every folder that was tested."""
    rows = read_rows(shared, "expected_rcp.csv")
    for row in rows:
        folder, options = place(shared, row)
        (outcome,) = check_results(folder, **options)
        check = outcome.check
        assert check is not None, folder
        assert outcome.passed is (row["passed"] == "True"), folder
        for name in ("batch_size", "normalisation", "submission_mean", "reference_mean", "reference_stdev"):
            assert getattr(check, name) == pytest.approx(float(row[name]), rel=1e-6), (folder, name)
        # The public check searches for the smallest mean in steps; here it is computed.
        assert check.reference_min == pytest.approx(float(row["reference_min"]), rel=1e-4), folder
    assert len(rows) == 76
