"""Two systems, submitters or rounds of a store, side by side on the benchmarks that both have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlperf_logging.analysis.analyses import AnalysisParameters, find_side, select_runs
from mlperf_logging.analysis.comparison import compare_systems
from mlperf_logging.errors import UsageError
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.rules.rounds import find_round
from mlperf_logging.store.asking import Store

if TYPE_CHECKING:
    import pandas as pd

_RUNS = """\
SELECT DISTINCT ON (log_id, run, ruleset, submitter, system) * FROM submitted_runs
WHERE ? IS NULL OR benchmark = ? ORDER BY log_id, run, ruleset, submitter, system, path"""
"""A log that is in two places is one run."""


def compare_stored(
    store: Store,
    side_a: str,
    side_b: str,
    *,
    benchmark: str | None = None,
    parameters: AnalysisParameters | None = None,
    rules: str | None = None,
) -> pd.DataFrame:
    """Compare two sides, see `compare_systems`.

    Args:
        store: the store.
        side_a: a round of the store, a system, a submitter, or a pattern of "submitter/system".
        side_b: the same.
        benchmark: one benchmark; None for all.
        parameters: how; runs are compared whose columns `AnalysisParameters.by` agree.
        rules: folder of other rule files, for names of rounds; None for those of the package.

    Raises:
        UsageError: a name means no run, both mean the same, or the two share nothing to be compared.
        StoreError: the store cannot be read.
    """
    chosen = parameters or AnalysisParameters(by=("benchmark", "accelerators"))
    runs = select_runs(
        store.query(_RUNS, (benchmark, benchmark)).reset_index(drop=True),
        only_converged=chosen.only_converged,
    )
    runs = runs.dropna(subset=list(chosen.by))  # what is not known of both is not the same
    first, second = (_find_side(runs, name, rules) for name in (side_a, side_b))
    if set(first.index) & set(second.index):
        raise UsageError(f"{side_a!r} and {side_b!r} refer to the same runs; name two systems or rounds")
    return compare_systems(first, second, chosen.value, by=chosen.by, parameters=chosen)


def _find_side(runs: pd.DataFrame, name: str, rules: str | None) -> pd.DataFrame:
    """The runs that a round judged, or those of a system or submitter."""
    try:
        ruleset = find_round(open_rules(rules).index(), name).name
    except UsageError:
        return find_side(runs, name)
    found = runs[runs["ruleset"] == ruleset]
    if found.empty:
        raise UsageError(f"the store holds no converged run of {ruleset}")
    return found
