"""Where the reference converges, for runs of one benchmark and batch size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.rules.repository import open_rules
from mlperf_logging.runs.progress import EPOCHS, SAMPLES, TOKENS
from mlperf_logging.scoring.rcp.files import load_reference_points
from mlperf_logging.scoring.rcp.test import find_acceptance
from mlperf_logging.scoring.requirements import read_requirement

if TYPE_CHECKING:
    import pandas as pd


class ReferenceRange(NamedTuple):
    """Where the reference of one batch size converges.

    Attributes:
        smallest: smallest mean of a submission that the test of reference convergence accepts, in the unit.
        mean: olympic mean of the reference runs.
        unit: "epochs", "samples" or "tokens".
        batch_size: the batch size that it is for.
        match: "exact", "interpolated" or "below", see `match_batch_size`.
    """

    smallest: float
    mean: float
    unit: str
    batch_size: float
    match: str


def find_reference_range(runs: pd.DataFrame, x: str, *, rules: str | None = None) -> ReferenceRange | None:
    """Where the reference converges, in the unit of an axis ("progress", "epochs", "samples" or "minutes").

    None where the runs, of one benchmark, have several batch sizes or rounds, the round has no reference points for them,
    or these count in another unit than the axis.
    """
    known = runs.dropna(subset=["benchmark", "ruleset"])
    sizes, rounds, names = (known[name].dropna().unique() for name in ("batch_size", "ruleset", "benchmark"))
    if not len(sizes) == len(rounds) == len(names) == 1:
        return None
    book = open_rules(rules)
    benchmark, batch_size = str(names[0]), float(sizes[0])
    ruleset = book.load(str(rounds[0]))
    table = load_reference_points(book, ruleset.name).get(benchmark)
    facts = ruleset.facts(benchmark)
    requirement = read_requirement(facts.get("runs"))
    if table is None or requirement is None:
        return None
    units = known["progress_unit"].dropna().unique()
    unit = str(units[0]) if x == "progress" and len(units) == 1 else x
    if table.unit != {TOKENS: SAMPLES}.get(unit, unit):
        return None
    wanted = find_acceptance(table, batch_size, requirement)
    reference = wanted.match.reference
    if reference is None or wanted.mean is None:
        return None
    # Points count as logs do; the column of epochs counts from nothing on.
    before = facts.get("progress", {}).get("begins", 0) if x == EPOCHS else 0
    return ReferenceRange(wanted.mean - before, reference.mean - before, unit, batch_size, wanted.match.kind)
