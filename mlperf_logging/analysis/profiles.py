"""How tasks differ in what they spend their time on, after the Fathom workloads (Adolf et al., 2016)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def measure_distance(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """The cosine distance of two tasks: 0 where classes have the same shares, 1 where they share no class.

    Args:
        first: share of each class of operations in the time of a task.
        second: likewise of another; what is left out has no share.

    Raises:
        ValueError: a task has no share greater than 0.
    """
    sizes = [math.hypot(*shares.values()) for shares in (first, second)]
    if not all(sizes):
        raise ValueError("a task without shares is at no distance from others")
    product = sum(share * second.get(name, 0.0) for name, share in first.items())
    return min(1.0, max(0.0, 1.0 - product / math.prod(sizes)))


def join_tasks(shares: Sequence[Mapping[str, float]]) -> np.ndarray:
    """A tree of tasks: the two groups whose tasks are the least distant on average are joined, again and again.

    Args:
        shares: of each task, two or more, as for `measure_distance`.

    Returns:
        As `scipy.cluster.hierarchy.linkage` returns it: float64 [tasks - 1, 4].
    """
    from scipy.cluster.hierarchy import linkage

    distances = [
        measure_distance(first, second)
        for place, first in enumerate(shares)
        for second in shares[place + 1 :]
    ]
    tree: np.ndarray = linkage(distances, "average")
    return tree


def order_tasks(tree: np.ndarray) -> list[int]:
    """The numbers of the tasks in the order of the leaves of their tree, where branches do not cross.

    Args:
        tree: from `join_tasks`.
    """
    from scipy.cluster.hierarchy import leaves_list

    return [int(leaf) for leaf in leaves_list(tree)]
