"""The runs of a suite as a table: what each benchmark's result is, and how each run compares with the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.scoring.suite_results import ScoredSuite

if TYPE_CHECKING:
    import pandas as pd

SUITE_COLUMNS = (
    "system",
    "division",
    "benchmark",
    "path",
    "seed",
    "quality_minutes",
    "counts",
    "result_minutes",
    "reference_minutes",
    "normalized",
    "run_normalized",
)


def tabulate_suite(scored: ScoredSuite) -> pd.DataFrame:
    """The runs of a suite's results, one row per run, in their order.

    Args:
        scored: the results within a suite.

    Returns:
        The columns `SUITE_COLUMNS`: whose run it is; "quality_minutes", its time to quality; "counts", whether it counts;
        "result_minutes" and "reference_minutes", the benchmark's; "normalized", reference over result;
        "run_normalized", reference over the time of the run. What is not known is missing.
    """
    import pandas as pd

    records = []
    for result in scored.results:
        reference = scored.suite.benchmarks[result.score.benchmark or ""].reference_minutes
        for run in result.score.runs:
            minutes = run.quality_minutes if run.counts else None
            records.append(
                {
                    "system": result.system,
                    "division": result.score.division,
                    "benchmark": result.score.benchmark,
                    "path": run.path,
                    "seed": ", ".join(map(str, run.seeds)),
                    "quality_minutes": minutes,
                    "counts": run.counts,
                    "result_minutes": result.score.score_minutes,
                    "reference_minutes": reference,
                    "normalized": result.normalized,
                    "run_normalized": reference / minutes if reference and minutes else None,
                }
            )
    numbers = [name for name in SUITE_COLUMNS if name.endswith(("_minutes", "normalized"))]
    table = pd.DataFrame(records, columns=list(SUITE_COLUMNS))
    return table.astype(dict.fromkeys(numbers, "float64"))
