"""How statistics are made of runs: parameters that several analyses share, with randomness that can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

Seed: TypeAlias = "int | np.random.Generator"
"""A number, which always gives the same results, or a generator, which is drawn from."""


@dataclass(frozen=True, kw_only=True)
class BootstrapParameters:
    """How intervals are computed.

    Attributes:
        confidence: level of all intervals.
        resamples: how often the bootstrap draws.
        seed: for the bootstrap; equal seeds give equal intervals.
    """

    confidence: float = 0.95
    resamples: int = 9_999
    seed: Seed = 0

    def __post_init__(self) -> None:
        """Refuse values that give no interval, by a `UsageError`."""
        check_confidence(self.confidence)
        if self.resamples < 1:
            raise UsageError(f"{self.resamples} resamples give no interval; ask for some thousand")


def check_confidence(confidence: float) -> None:
    """Refuse a confidence level that is not between 0 and 1, by a `UsageError`."""
    if not 0 < confidence < 1:
        raise UsageError(f"the confidence {confidence} is not between 0 and 1; give, for example, 0.95")


def read_seed(seed: Seed) -> int:
    """The number that a whole analysis starts from: the seed itself, or one drawn from a generator.

    Numpy's global generator is neither read nor changed.
    """
    if isinstance(seed, int) and not isinstance(seed, bool):
        if seed < 0:
            raise UsageError(f"the seed {seed} is negative; give 0 or more")
        return seed
    draw = getattr(seed, "integers", None)
    if draw is None:
        raise UsageError(f"{seed!r} is not a seed; give a whole number or a numpy Generator")
    return int(draw(2**63))
