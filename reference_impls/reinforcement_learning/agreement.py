"""How many of a player's moves a network predicts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference_impls.reinforcement_learning.search import Evaluate

_BATCH = 256


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


def measure_agreement(evaluate: Evaluate, positions: Positions) -> float:
    """The share of the moves that a network's policy ranks first among the legal moves; a tie does not count.

    Args:
        evaluate: the network, better without random symmetries.
        positions: with the player's moves.
    """
    hits = 0
    for start in range(0, len(positions.moves), _BATCH):
        planes, legal, moves = (part[start : start + _BATCH] for part in positions)
        policy = np.where(legal, evaluate(planes)[0], -1.0)
        own = np.take_along_axis(policy, moves[:, None], axis=1)
        hits += int(((policy >= own).sum(axis=1) == 1).sum())
    return hits / len(positions.moves)
