"""How many of a player's moves a policy predicts, plainly: what the trainer's graph is compared with."""

from __future__ import annotations

import numpy as np

from reference_impls.reinforcement_learning.positions import Positions


def measure_agreement(policy: np.ndarray, positions: Positions) -> float:
    """The share of the moves that a policy ranks first among the legal moves; a tie does not count.

    Args:
        policy: [positions, area + 1].
        positions: with the player's moves.
    """
    policy = np.where(positions.legal, policy, -1.0)
    own = policy[np.arange(len(policy)), positions.moves]
    return float(((policy >= own[:, None]).sum(axis=1) == 1).mean())
