"""How statistics are made of runs: parameters that several analyses share."""

from __future__ import annotations

from dataclasses import dataclass

from mlperf_logging.analysis.intervals import check_confidence
from mlperf_logging.analysis.randomness import Seed
from mlperf_logging.errors import UsageError


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
        """Check the parameters."""
        check_confidence(self.confidence)
        if self.resamples < 1:
            raise UsageError(f"{self.resamples} resamples give no interval; ask for some thousand")
