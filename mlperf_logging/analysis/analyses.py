"""All analyses of a set of runs at once, by one set of parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from mlperf_logging.analysis.columns import RUN_COLUMNS
from mlperf_logging.analysis.comparison import compare_systems
from mlperf_logging.analysis.grouping import GROUP, split_groups
from mlperf_logging.analysis.hyperparameters import tabulate_hyperparameters
from mlperf_logging.analysis.scaling import describe_scaling
from mlperf_logging.analysis.seeds import describe_seed_effect
from mlperf_logging.analysis.tables import Tables
from mlperf_logging.analysis.variance import VarianceParameters, describe_variance
from mlperf_logging.errors import UsageError
from mlperf_logging.runs.summary import SUCCESS
from mlperf_logging.scoring.seeds import describe_seeds_by_folder
from mlperf_logging.tables import NUMBER

if TYPE_CHECKING:
    import pandas as pd

RUNS, EVALUATIONS, VARIANCE, SEEDS, SCALING, HYPERPARAMETERS, COMPARISON, SERIES = (
    "runs",
    "evaluations",
    "variance",
    "seeds",
    "scaling",
    "hyperparameters",
    "comparison",
    "series",
)
ANALYSES = {
    RUNS: "one row per log: time, time to quality, throughput, where the time went",
    EVALUATIONS: "one row per metric of each evaluation",
    VARIANCE: "how much the runs of each system and benchmark differ",
    SEEDS: "how much of that comes from the seed, how much from the machine",
    SCALING: "what more accelerators gain",
    HYPERPARAMETERS: "what the submissions set differently, and what the rules let differ",
}
"""Names of the tables and what they hold. A comparison needs two sides, and series must be asked for when logs are read."""

_MOST_NAMES = 4


@dataclass(frozen=True, kw_only=True)
class AnalysisParameters(VarianceParameters):
    """How runs are analyzed.

    Attributes:
        value: the column that variance, seeds, scaling and comparison are about.
        by: columns that make a group.
        only_converged: leave runs out of statistics that did not reach their target: the time to an abort is not a
            time to quality.
    """

    value: str = "run_minutes"
    by: Sequence[str] = GROUP
    only_converged: bool = True

    def __post_init__(self) -> None:
        """Check the parameters."""
        super().__post_init__()
        numbers = [name for name, column in RUN_COLUMNS.items() if column.kind == NUMBER]
        if self.value not in numbers:
            raise UsageError(f"unknown numeric column {self.value!r}; choose from {', '.join(numbers)}")
        for name in self.by:
            if name not in RUN_COLUMNS:
                raise UsageError(f"unknown grouping column {name!r}; choose from {', '.join(RUN_COLUMNS)}")


def analyze_runs(
    tables: Tables,
    names: Iterable[str] = tuple(ANALYSES),
    parameters: AnalysisParameters | None = None,
    *,
    rules: str | None = None,
) -> dict[str, pd.DataFrame]:
    """Make the tables that are requested.

    Args:
        tables: the runs, see `read_tables`.
        names: which of `ANALYSES`, or "series" (those that were read, see `ReadingParameters`).
        parameters: how the runs are analyzed; None for the defaults of `AnalysisParameters`.
        rules: folder of other rule files; None for those of the package.

    Returns:
        Name to table, in the order requested.

    Raises:
        UsageError: there is no such table, or the runs lack what it needs.
    """
    chosen = parameters or AnalysisParameters()
    counted = select_runs(tables.runs, only_converged=chosen.only_converged)
    value, by = chosen.value, list(chosen.by)
    makers: dict[str, Callable[[], pd.DataFrame]] = {
        RUNS: lambda: tables.runs,
        EVALUATIONS: lambda: tables.evaluations,
        VARIANCE: lambda: describe_variance(counted, value, by=by, parameters=chosen),
        SEEDS: lambda: describe_seed_effect(counted, value, by=by),
        SCALING: lambda: describe_scaling(counted, value, parameters=chosen),
        HYPERPARAMETERS: lambda: tabulate_hyperparameters(tables.rows, rules=rules),
        SERIES: lambda: tables.series,
    }
    made = {}
    for name in names:
        if name not in makers:
            raise UsageError(f"unknown table {name!r}; choose from {', '.join(makers)}")
        made[name] = makers[name]()
    return made


def select_runs(runs: pd.DataFrame, *, only_converged: bool = True) -> pd.DataFrame:
    """The runs that statistics are made of: those of a known benchmark and, mostly, those that converged.

    A run converged when its run_stop says success or, where it says nothing, when an evaluation meets the target.

    Args:
        runs: one row per run.
        only_converged: leave out those that did not.
    """
    known = runs[runs["benchmark"].notna()]
    if not only_converged:
        return known
    reached = known["quality_reached"].fillna(value=False).astype(bool)
    converged = (known["status"] == SUCCESS).fillna(value=False) | (known["status"].isna() & reached)
    return known[converged.astype(bool)]


def compare_sides(
    runs: pd.DataFrame, side_a: str, side_b: str, parameters: AnalysisParameters | None = None
) -> pd.DataFrame:
    """Compare two systems or submitters among the runs, see `compare_systems`.

    Args:
        runs: one row per run.
        side_a: name of a system, of a submitter, or a pattern of "submitter/system".
        side_b: the same.
        parameters: how the runs are analyzed; None for the defaults of `AnalysisParameters`.

    Raises:
        UsageError: a name matches no run, both for the same, or the two share no benchmark.
    """
    chosen = parameters or AnalysisParameters()
    counted = select_runs(runs, only_converged=chosen.only_converged)
    first, second = (find_side(counted, name) for name in (side_a, side_b))
    if set(first.index) & set(second.index):
        raise UsageError(f"{side_a!r} and {side_b!r} refer to the same runs; name two systems")
    return compare_systems(first, second, chosen.value, parameters=chosen)


def find_side(runs: pd.DataFrame, name: str) -> pd.DataFrame:
    """The runs of a system, of a submitter, or of a pattern of "submitter/system" such as "Example*/*8x*"."""
    wanted = name.casefold()
    submitters = runs["submitter"].fillna("").str.casefold()
    systems = runs["system"].fillna("").str.casefold()
    both = submitters + "/" + systems
    for found in (
        runs[systems == wanted],
        runs[submitters == wanted],
        runs[[fnmatchcase(text, wanted) for text in both]],
    ):
        if len(found):
            return found
    names = runs[["submitter", "system"]].drop_duplicates().astype(object)
    known = sorted({"/".join(pair.dropna()) for _, pair in names.iterrows()} - {""})
    shown = ", ".join(known[:12]) + (f" and {len(known) - 12} more" if len(known) > 12 else "")
    there = f"there are {shown}" if shown else "no log names its submitter or system"
    raise UsageError(
        f"no run belongs to a system or submitter called {name!r}; {there if len(runs) else 'there are no runs at all'}"
    )


def list_doubts(tables: Tables, parameters: AnalysisParameters | None = None) -> list[str]:
    """Sentences on what makes the statistics doubtful: runs left out, single runs, mixed batch sizes, equal seeds."""
    import pandas as pd

    chosen = parameters or AnalysisParameters()
    found = []
    counted = select_runs(tables.runs, only_converged=chosen.only_converged)
    left_out = len(tables.runs) - len(counted)
    if left_out:
        what = "run" if left_out == 1 else "runs"
        found.append(f"{left_out:,} {what} left out of the statistics: not converged, or not readable")
    single = []
    for group, rows in split_groups(counted, list(chosen.by)):
        name = " ".join(str(value) for value in group.values() if not pd.isna(value))
        if len(rows) == 1:
            single.append(name)
        sizes = sorted(rows["batch_size"].dropna().unique())
        if "batch_size" not in chosen.by and len(sizes) > 1:
            shown = ", ".join(f"{size:,.0f}" for size in sizes)
            found.append(f"{name}: mixed batch sizes ({shown}), so the runs do not repeat one another")
    if single:
        more = f", and {len(single) - _MOST_NAMES:,} more" if len(single) > _MOST_NAMES else ""
        shown = f"{', '.join(single[:_MOST_NAMES])}{more}"
        found.append(f"a single run, which says nothing about the spread: {shown}")
    return [*found, *describe_seeds_by_folder([each.seeds for each in tables.rows])]
