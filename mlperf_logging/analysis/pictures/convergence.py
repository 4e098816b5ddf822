"""Convergence curves, before they are drawn: with the targets, and where each run first meets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from mlperf_logging.analysis.grouping import require_columns
from mlperf_logging.analysis.pictures.curves import ConvergenceStyle, Curves, prepare_curves

if TYPE_CHECKING:
    import pandas as pd

    from mlperf_logging.analysis.references import ReferenceRange

QUALITY = "quality"


class TargetLine(NamedTuple):
    """A value that a target requires.

    Attributes:
        value: the value.
        direction: "at least" or "at most".
    """

    value: float
    direction: str

    @property
    def text(self) -> str:
        """What people read beside the line."""
        return f"target: {self.direction} {self.value:g}"


@dataclass(frozen=True)
class Convergence:
    """Convergence curves of one metric.

    Attributes:
        curves: the curves.
        met: for each run that meets the target, the row of its first evaluation that does, by path.
        targets: what the metric must reach.
    """

    curves: Curves
    met: pd.DataFrame
    targets: tuple[TargetLine, ...]


def prepare_convergence(evaluations: pd.DataFrame, style: ConvergenceStyle | None = None) -> Convergence:
    """The convergence curves of one benchmark.

    Args:
        evaluations: the table of evaluations.
        style: what is drawn; None for the defaults of `ConvergenceStyle`.

    Raises:
        UsageError: a column is missing, nothing is left to draw, or the runs count in different units.
    """
    chosen = style or ConvergenceStyle()
    require_columns(evaluations, ["meets_target", "target_value", "target_direction"])
    of_metric = evaluations if chosen.metric is None else evaluations[evaluations["metric"] == chosen.metric]
    pairs = of_metric.dropna(subset=[QUALITY])[["target_value", "target_direction"]].dropna()
    targets = tuple(
        TargetLine(float(value), str(direction))
        for value, direction in pairs.drop_duplicates().itertuples(index=False)
    )
    curves = prepare_curves(evaluations, chosen, QUALITY, [target.value for target in targets])
    met = curves.rows[curves.rows["meets_target"].fillna(value=False).astype(bool)]
    firsts = met.sort_values([chosen.x, "evaluation"]).drop_duplicates("path").set_index("path")
    return Convergence(curves, firsts, targets)


def describe_reference(reference: ReferenceRange) -> str:
    """What the band of the reference is of."""
    return f"reference at batch {reference.batch_size:,.0f}"
