"""The eight symmetries of a board: four rotations, each with and without reflection."""

from __future__ import annotations

from functools import cache

import numpy as np

COUNT = 8


@cache
def list_symmetries(size: int) -> np.ndarray:
    """For each symmetry, the point that comes to stand at each point: int64 [8, area]; the first changes nothing."""
    points = np.arange(size * size).reshape(size, size)
    turned = [np.rot90(each, turns) for each in (points, points.T) for turns in range(4)]
    return np.stack(turned).reshape(COUNT, size * size)


def turn_planes(planes: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Boards after symmetries.

    Args:
        planes: [batch, size, size, channels].
        which: the symmetry of each board, 0 to 7 [batch].
    """
    batch, size, _, channels = planes.shape
    sources = list_symmetries(size)[which]
    points = planes.reshape(batch, size * size, channels)
    turned: np.ndarray = np.take_along_axis(points, sources[:, :, None], axis=1).reshape(planes.shape)
    return turned


def turn_policy(policy: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Values of moves after symmetries; a pass stays a pass.

    Args:
        policy: [batch, area + 1].
        which: the symmetry of each board, 0 to 7 [batch].
    """
    turned: np.ndarray = policy.copy()
    turned[:, :-1] = np.take_along_axis(policy, _sources(policy, which), axis=1)
    return turned


def turn_policy_back(policy: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Undo `turn_policy`."""
    restored: np.ndarray = policy.copy()
    np.put_along_axis(restored, _sources(policy, which), policy[:, :-1], axis=1)
    return restored


def _sources(policy: np.ndarray, which: np.ndarray) -> np.ndarray:
    sources: np.ndarray = list_symmetries(round((policy.shape[1] - 1) ** 0.5))[which]
    return sources
