"""Suites and speedups as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from mlperf_logging.cli.tables import align_columns
from mlperf_logging.scoring.speedups import SpeedupTable
from mlperf_logging.scoring.suites import SuiteScore


def render_suite(scores: Sequence[SuiteScore], benchmarks: Sequence[str]) -> str:
    """Scores of a suite, a line for each system, as text.

    Args:
        scores: the suite's score of each system.
        benchmarks: the suite's benchmarks, in order.
    """
    rows = [
        [
            score.system,
            *[_show(score.normalised.get(name)) for name in benchmarks],
            _show(score.score),
            f"no result of {', '.join(score.missing)}" if score.missing else "",
        ]
        for score in scores
    ]
    titles = ["system", *benchmarks, "suite", ""]
    caption = (
        f"{scores[0].suite}: reference time over result, bigger is better; suite: weighted geometric mean\n"
    )
    return caption + align_columns(titles, rows, right={*benchmarks, "suite"})


def render_speedups(table: SpeedupTable) -> str:
    """A comparison, a line for each benchmark, as text.

    Args:
        table: the speedups.
    """
    titles = ["benchmark", *table.columns]
    rows = []
    for benchmark, found in table.speedups.items():
        cells = []
        for column in table.columns:
            minutes, factor = table.minutes[benchmark].get(column), found.get(column)
            cells.append(
                "" if minutes is None else f"{minutes:,.3f} min" + (f" {factor:.3f}×" if factor else "")
            )
        rows.append([benchmark, *cells])
    means = [table.means.get(column) for column in table.columns]
    rows.append(
        ["geometric mean", *["" if mean is None else f"{mean[0]:.3f}× of {mean[1]}" for mean in means]]
    )
    return f"speedup over {table.baseline}\n" + align_columns(titles, rows, right=set(table.columns))


def _show(number: float | None) -> str:
    return "" if number is None else f"{number:,.3f}"
