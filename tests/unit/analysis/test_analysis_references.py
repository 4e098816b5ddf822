"""Where the reference converges, in the unit of an axis."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlperf_logging.analysis.reading import ReadingParameters
from mlperf_logging.analysis.references import find_reference_range
from mlperf_logging.analysis.tables import tabulate_runs
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.scoring.rcp.files import load_reference_points
from mlperf_logging.scoring.rcp.references import summarize_points
from mlperf_logging.scoring.rcp.test import find_smallest_mean
from tests.small_runs import WriteRun

ROUND = ReadingParameters(RuleSelection(usage="training", ruleset="5.1.0"))


def write_runs(write_run: WriteRun, *sizes: int) -> None:
    """Runs of a language model that counts samples."""
    for index, size in enumerate(sizes):
        write_run(
            f"llama31_8b/result_{index}.txt",
            {172_032: 3.2},
            benchmark="llama31_8b",
            unit="samples_count",
            settings={"global_batch_size": size},
        )


def test_range_is_that_of_the_test(write_run: WriteRun, tmp_path: Path) -> None:
    """The range reaches from the smallest mean that the test accepts to the reference's mean."""
    write_runs(write_run, 32, 32)
    found = find_reference_range(tabulate_runs(tmp_path, ROUND), "samples")
    table = load_reference_points(open_rules(), "training/5.1.0")["llama31_8b"]
    (reference,) = [each for each in summarize_points(table.points, 1) if each.batch_size == 32]

    assert found is not None
    assert (found.mean, found.smallest) == (reference.mean, find_smallest_mean(reference, 8))
    assert (found.unit, found.batch_size, found.match) == ("samples", 32, "exact")
    assert found == find_reference_range(tabulate_runs(tmp_path, ROUND), "progress")


@pytest.mark.parametrize("x", ["minutes", "epochs"])
def test_no_range_in_another_unit(write_run: WriteRun, tmp_path: Path, x: str) -> None:
    """Reference points count samples here, so no other axis can show them."""
    write_runs(write_run, 32)

    assert find_reference_range(tabulate_runs(tmp_path, ROUND), x) is None


@pytest.mark.parametrize("sizes", [(32, 64), (4096,)])
def test_no_range_for_mixed_or_too_large_batches(
    write_run: WriteRun, tmp_path: Path, sizes: tuple[int]
) -> None:
    """Two batch sizes have no range in common; beyond the largest point there is none."""
    write_runs(write_run, *sizes)

    assert find_reference_range(tabulate_runs(tmp_path, ROUND), "samples") is None


def test_epochs_are_counted_from_nothing_on(write_run: WriteRun, tmp_path: Path) -> None:
    """One benchmark logs 1 before any training; on the axis of epochs the range begins there as well."""
    write_run("dlrm/result_0.txt", {1.9: 0.803}, benchmark="dlrm", settings={"global_batch_size": 65536})
    runs = tabulate_runs(tmp_path, ReadingParameters(RuleSelection(usage="training", ruleset="2.0.0")))
    logged, counted = (find_reference_range(runs, x) for x in ("progress", "epochs"))

    assert logged is not None
    assert counted is not None
    assert counted.mean == pytest.approx(logged.mean - 1)
    assert runs["epochs_to_quality"].item() == pytest.approx(0.9)


def test_unknown_benchmark_has_no_range(write_run: WriteRun, tmp_path: Path) -> None:
    """No points, no range."""
    write_run("x/result_0.txt", benchmark="knitting")

    assert find_reference_range(tabulate_runs(tmp_path), "epochs") is None
