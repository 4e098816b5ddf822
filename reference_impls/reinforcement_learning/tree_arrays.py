"""The arrays that hold the search trees of many games, and what bounds a search."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Trees(NamedTuple):
    """The trees of all games; the first axis of each array is the game, the second the node (0: the root).

    Attributes:
        nodes: int64 [games], number of nodes of each tree.
        stones: int8 [games, capacity, area].
        keys: uint64 [games, capacity], Zobrist keys.
        to_play: int64 [games, capacity].
        passes: int8 [games, capacity], how many of the latest moves in a row were passes.
        state: int8 [games, capacity], `trees.NEW`, `WAITING` for evaluation, `EXPANDED`, or `ENDED`.
        value: float32 [games, capacity], of the player to play: the evaluation, or the result of an ended game.
        parent: int64 [games, capacity], and the move that leads here from there.
        parent_move: int64 [games, capacity].
        depth: int64 [games, capacity], moves since the game's start.
        child: int64 [games, capacity, moves], -1: none yet.
        prior: float32 [games, capacity, moves], `trees.ILLEGAL` for illegal moves.
        visits: int32 [games, capacity, moves].
        total: float64 [games, capacity, moves], sum of the values.
        pending: int32 [games, capacity, moves], leaves that await their evaluation: virtual losses.
        before: int8 [games, history - 1, area], the positions before the root, newest first.
        seen: uint64 [games, positions], keys of the positions of the game up to the root.
        seen_count: int32 [games].
    """

    nodes: np.ndarray
    stones: np.ndarray
    keys: np.ndarray
    to_play: np.ndarray
    passes: np.ndarray
    state: np.ndarray
    value: np.ndarray
    parent: np.ndarray
    parent_move: np.ndarray
    depth: np.ndarray
    child: np.ndarray
    prior: np.ndarray
    visits: np.ndarray
    total: np.ndarray
    pending: np.ndarray
    before: np.ndarray
    seen: np.ndarray
    seen_count: np.ndarray


class Limits(NamedTuple):
    """What ends a game, and how a search weighs.

    Attributes:
        komi: points for white.
        longest: the most moves of a game.
        lead_scale: how much the lead counts in the value of a finished game; see `rules.value_lead`.
        keeps_eyes: whether moves that fill an eye of one's own are left out.
        first_pass: moves of a game before which a pass is left out unless there is no other move.
        exploration: weight of the prior against the value (c_puct).
        virtual_loss: how many losses a leaf counts as while it awaits its evaluation.
    """

    komi: float
    longest: int
    lead_scale: float
    keeps_eyes: bool
    first_pass: int
    exploration: float
    virtual_loss: float


def make_trees(games: int, capacity: int, area: int, history: int, longest: int) -> Trees:
    """Empty trees.

    Args:
        games: how many.
        capacity: nodes of each.
        area: points of the board.
        history: positions that a network sees.
        longest: the most moves of a game.
    """
    node, edge = (games, capacity), (games, capacity, area + 1)
    return Trees(
        nodes=np.zeros(games, np.int64),
        stones=np.zeros((*node, area), np.int8),
        keys=np.zeros(node, np.uint64),
        to_play=np.zeros(node, np.int64),
        passes=np.zeros(node, np.int8),
        state=np.zeros(node, np.int8),
        value=np.zeros(node, np.float32),
        parent=np.zeros(node, np.int64),
        parent_move=np.zeros(node, np.int64),
        depth=np.zeros(node, np.int64),
        child=np.zeros(edge, np.int64),
        prior=np.zeros(edge, np.float32),
        visits=np.zeros(edge, np.int32),
        total=np.zeros(edge, np.float64),
        pending=np.zeros(edge, np.int32),
        before=np.zeros((games, history - 1, area), np.int8),
        seen=np.zeros((games, longest + 1), np.uint64),
        seen_count=np.zeros(games, np.int32),
    )
