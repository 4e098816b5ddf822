"""A suite as a table, and the rows of its picture."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from mlperf_logging.analysis.pictures.suite import prepare_suite
from mlperf_logging.analysis.plots import draw_suite
from mlperf_logging.analysis.suite_table import SUITE_COLUMNS, tabulate_suite
from mlperf_logging.errors import UsageError
from mlperf_logging.runs.folders import ResultFolder
from mlperf_logging.scoring.folders import score_folder
from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.scoring.suite_results import ScoredSuite, score_suite_results
from mlperf_logging.scoring.suites import MEDIAN, Suite, SuiteBenchmark
from tests.scores import make_scored_run

SUITE = Suite(
    "craft",
    "Craft",
    "",
    MEDIAN,
    Requirement(3, 0, 0),
    (),
    {"weaving": SuiteBenchmark(6.0), "knitting": SuiteBenchmark(3.0)},
)


def score(*systems: str, suite: Suite = SUITE, **more: Any) -> ScoredSuite:
    """Both benchmarks, knitting first, on each system: runs of 2, 3 and 4 minutes."""
    scores = []
    for system in systems:
        for benchmark in ("knitting", "weaving"):
            runs = [
                make_scored_run(minutes, benchmark=benchmark, quality_minutes=minutes, **more)
                for minutes in (2.0, 3.0, 4.0)
            ]
            folder = ResultFolder(f"{system}/{benchmark}", tuple(run.path for run in runs), benchmark)
            scores.append((system, score_folder(folder, runs, requirement=SUITE.requirement)))
    return score_suite_results(suite, scores)


def test_table_has_a_row_per_run_in_the_order_of_the_suite() -> None:
    """Each run with its own normalized time, beside its benchmark's result and reference."""
    table = tabulate_suite(score("box"))

    assert tuple(table.columns) == SUITE_COLUMNS
    assert table["benchmark"].to_list() == ["weaving"] * 3 + ["knitting"] * 3
    assert table["run_normalized"].to_list() == [3.0, 2.0, 1.5, 1.5, 1.0, 0.75]
    assert table["normalized"].to_list() == [2.0] * 3 + [1.0] * 3
    assert table["reference_minutes"].to_list() == [6.0] * 3 + [3.0] * 3


def test_runs_that_do_not_count_have_no_time() -> None:
    """A run that is not compliant is in the table, without a time, and there is nothing to draw."""
    scored = score("box", verdict="fail")
    table = tabulate_suite(scored)

    assert table["counts"].to_list() == [False] * 6
    assert table[["quality_minutes", "run_normalized", "normalized"]].isna().all(axis=None)
    with pytest.raises(UsageError, match="no result can be normalized"):
        prepare_suite(table, scored.scores)


def test_bars_are_the_results_and_below_them_the_mean() -> None:
    """One system: bars by benchmark; the geometric mean of 2 and 1 has no runs."""
    scored = score("box")
    bars = prepare_suite(tabulate_suite(scored), scored.scores)

    assert [bar.name for bar in bars] == ["weaving", "knitting", "geometric mean"]
    assert [bar.value for bar in bars] == pytest.approx([2.0, 1.0, 2**0.5])
    assert [None if bar.runs is None else len(bar.runs) for bar in bars] == [3, 3, None]


def test_bars_of_several_systems_say_whose_they_are() -> None:
    """The name of the system stands where there are several."""
    scored = score("box", "cube")
    names = [bar.name for bar in prepare_suite(tabulate_suite(scored), scored.scores)]

    assert names == [
        "weaving box",
        "knitting box",
        "weaving cube",
        "knitting cube",
        "geometric mean box",
        "geometric mean cube",
    ]


def test_suite_without_all_references_has_no_mean() -> None:
    """What has a reference is drawn, and no mean is."""
    some = SUITE._replace(benchmarks={**SUITE.benchmarks, "knitting": SuiteBenchmark(None)})
    scored = score("box", suite=some)

    (bar,) = prepare_suite(tabulate_suite(scored), scored.scores)
    assert (bar.name, bar.value) == ("weaving box closed", 2.0)


def test_picture_has_each_bar_and_run() -> None:
    """A bar per result and mean, a point per run, and a line where the reference is."""
    scored = score("box")
    axes = draw_suite(Figure().add_subplot(), tabulate_suite(scored), scored.scores)

    assert [bar.get_width() for bar in axes.patches] == pytest.approx([2.0, 1.0, 2**0.5])
    assert sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "o") == 6
    assert [text.get_text() for text in axes.texts] == ["2", "1", "1.41"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["weaving", "knitting", "geometric mean"]


def test_chart_has_each_bar_and_run() -> None:
    """The interactive chart holds the same values, and says them in words."""
    pytest.importorskip("altair", reason="needs altair")
    from mlperf_logging.analysis.charts import chart_suite

    scored = score("box")
    spec = chart_suite(tabulate_suite(scored), scored.scores).to_dict()
    marks = {layer["mark"]["type"]: spec["datasets"][layer["data"]["name"]] for layer in spec["layer"]}

    assert [row["value"] for row in marks["bar"]] == pytest.approx([2, 1, 2**0.5], rel=1e-6)
    assert [row["value"] for row in marks["point"]] == [3, 2, 1.5, 1.5, 1, 0.75]
    assert "weaving 2, knitting 1, geometric mean 1.41" in spec["description"]


def test_table_without_a_column_is_refused() -> None:
    """The sentence names the column."""
    with pytest.raises(UsageError, match="no column 'system'"):
        prepare_suite(pd.DataFrame({"benchmark": ["weaving"]}), [])
