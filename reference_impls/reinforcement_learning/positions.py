"""Positions in which a player's moves are known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Positions(NamedTuple):
    """Positions, and what was played in them.

    Attributes:
        planes: int8 [positions, size, size, channels]; see `game.encode_stones`.
        legal: bool [positions, area + 1].
        moves: int64 [positions]; no passes.
    """

    planes: np.ndarray
    legal: np.ndarray
    moves: np.ndarray
