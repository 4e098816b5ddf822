"""Randomness that a caller can repeat: a seed or a generator in, generators of our own out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

Seed: TypeAlias = "int | np.random.Generator"
"""A number, which always gives the same results, or a generator, which is drawn from."""


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


def start_generator(number: int) -> np.random.Generator:
    """A fresh generator from a number; each group of runs gets its own, so that its figures do not depend on others."""
    import numpy as np

    return np.random.default_rng(number)
