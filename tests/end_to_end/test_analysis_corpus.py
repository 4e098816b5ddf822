"""Every real result log gives a row or a sentence, and figures that are there make sense."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mlperf_logging.analysis.columns import EVALUATION_COLUMNS, RUN_COLUMNS, make_table
from mlperf_logging.analysis.reading import ReadingParameters, read_rows
from mlperf_logging.compliance.ruleset_selection import RuleSelection

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def tables(shared: Path, corpus_logs: list[Path]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs and evaluations of the whole corpus, each log read by its own round."""
    logs = shared / "corpus" / "logs"
    runs, evaluations = [], []
    for path in corpus_logs:
        folder = path.relative_to(logs).parts[0]
        usage, _, version = folder.rpartition("-")
        parameters = ReadingParameters(RuleSelection(usage=usage or "training", ruleset=f"{version}.0"))
        rows = read_rows(str(path), parameters)
        runs.append(rows.run)
        evaluations += rows.evaluations
    return make_table(runs, RUN_COLUMNS), make_table(evaluations, EVALUATION_COLUMNS)


def test_each_log_is_a_row_or_a_sentence(
    tables: tuple[pd.DataFrame, pd.DataFrame], corpus_logs: list[Path]
) -> None:
    """No log is lost; one without a time or a time to quality says why in its note."""
    runs, _ = tables
    silent = runs[(runs["run_minutes"].isna() | runs["time_to_quality_seconds"].isna()) & runs["note"].isna()]

    assert runs["path"].tolist() == [str(path) for path in corpus_logs]
    assert silent["path"].tolist() == []


def test_times_are_consistent(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Parts of a run add up to it, and quality is reached between its start and a second after its stop."""
    runs, _ = tables
    parts = runs[["train_minutes", "eval_minutes", "idle_minutes"]]
    whole = runs[parts.notna().all(axis=1)]
    difference = (whole[parts.columns].sum(axis=1) - whole["run_minutes"]).abs()

    assert len(whole) > 1_000
    assert difference.max() < 1e-6
    assert (parts.min() >= 0).all()
    assert (runs["time_to_quality_seconds"].dropna() >= 0).all()
    assert (runs["stop_after_quality_seconds"].dropna() >= -1).all()


def test_minutes_are_those_expected(shared: Path, tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """The claimed times are those of the corpus's expectations.

    But for the second round, where these have taken seconds for milliseconds.
    """
    runs, _ = tables
    logs = shared / "corpus" / "logs"
    expected = pd.read_csv(shared / "corpus" / "expected_verdicts.csv")
    paths = {
        str(logs / path): minutes for path, minutes in zip(expected["path"], expected["minutes"], strict=True)
    }
    wanted = runs["path"].map(paths)
    in_seconds = runs["ruleset"] == "training/0.6.0"
    wanted = wanted.where(~in_seconds, wanted * 1000)
    both = wanted.notna() & runs["run_minutes"].notna()

    assert both.sum() > 1_400
    tolerance = in_seconds.map({True: 1e-3, False: 1e-6}).astype(float)
    assert ((wanted - runs["run_minutes"]).abs() < tolerance)[both].all()


def test_converged_runs_reach_their_target(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Nearly every run that claims success has an evaluation that meets the target of its round."""
    runs, _ = tables
    claimed = runs[(runs["status"] == "success") & runs["quality_reached"].notna()]

    assert len(claimed) > 1_400
    assert (~claimed["quality_reached"]).sum() <= 1


def test_throughput_agrees_with_what_logs_state(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Where logs state samples a second themselves, ours are mostly within 5 % of it."""
    runs, _ = tables
    both = runs.dropna(subset=["logged_throughput", "train_samples_per_second"])
    ratio = both["train_samples_per_second"] / both["logged_throughput"]

    assert len(both) > 500
    assert ratio.between(0.95, 1.05).mean() > 0.5


def test_evaluations_know_when_and_where(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Evaluations have a value and a progress with its unit; those that meet a target meet its number."""
    _, evaluations = tables
    known = evaluations[evaluations["meets_target"].fillna(value=False) & evaluations["target_value"].notna()]
    above = known["target_direction"] == "at least"
    good = (known["quality"] >= known["target_value"]).where(above, known["quality"] <= known["target_value"])
    # A metric may be logged again in one evaluation; then one of its values counts.
    by_evaluation = good.groupby([known["path"], known["evaluation"], known["metric"].fillna("")]).any()

    assert len(evaluations) > 30_000
    assert evaluations["progress_unit"].notna().mean() > 0.99
    assert by_evaluation.all()
