"""Search trees of many games at once, compiled by numba: selecting leaves, adding their evaluations, moving the root.

A node is a position; its edges are the moves. An edge holds the move's prior, how often it was tried, the sum of the
values found below it, and how many leaves below it await their evaluation. Values are those of the player who makes
the move: 1 a win, -1 a loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from reference_impls.reinforcement_learning.rules import (
    Board,
    fills_own_eye,
    find_legal,
    place_stone,
    score_area,
    value_lead,
)
from reference_impls.reinforcement_learning.tree_arrays import Limits, Trees

NEW, WAITING, EXPANDED, ENDED = 0, 1, 2, 3
ILLEGAL = -1.0
ROOT, ONE = np.int64(0), np.int64(1)
"""Of numpy's type: numba compiles what gets a Python constant once more, for that constant."""


@njit(cache=True, nogil=True)
def _collect_seen(trees: Trees, game: int, node: int) -> Any:
    """Keys of all positions of the game up to a node."""
    count = trees.seen_count[game]
    root_depth = trees.depth[game, 0]
    length = trees.depth[game, node] - root_depth
    seen = np.empty(count + length, np.uint64)
    for each in range(count):
        seen[each] = trees.seen[game, each]
    while node != 0:
        length -= 1
        seen[count + length] = trees.keys[game, node]
        node = trees.parent[game, node]
    return seen


@njit(cache=True, nogil=True)
def open_node(trees: Trees, board: Board, limits: Limits, game: int, node: int) -> None:
    """Prepare a node whose position is set: find out whether the game has ended there, and what is legal."""
    area = trees.stones.shape[2]
    for move in range(area + 1):
        trees.child[game, node, move] = -1
        trees.visits[game, node, move] = 0
        trees.total[game, node, move] = 0.0
        trees.pending[game, node, move] = 0
    trees.value[game, node] = 0.0
    if trees.passes[game, node] >= 2 or trees.depth[game, node] >= limits.longest:
        lead = (score_area(board, trees.stones[game, node]) - limits.komi) * trees.to_play[game, node]
        trees.state[game, node] = ENDED
        trees.value[game, node] = value_lead(lead, limits.lead_scale)
        return
    legal = np.empty(area + 1, np.bool_)
    seen = _collect_seen(trees, game, node)
    color = trees.to_play[game, node]
    stones = trees.stones[game, node]
    find_legal(board, stones, trees.keys[game, node], color, seen, legal)
    tried = 0
    for point in range(area):
        if limits.keeps_eyes and legal[point] and fills_own_eye(board, stones, color, point):
            legal[point] = False
        tried += legal[point]
    legal[area] = tried == 0 or trees.depth[game, node] >= limits.first_pass
    for move in range(area + 1):
        trees.prior[game, node, move] = 0.0 if legal[move] else ILLEGAL
    trees.state[game, node] = NEW


@njit(cache=True, nogil=True)
def _add_child(trees: Trees, board: Board, limits: Limits, game: int, node: int, move: int) -> Any:
    """Add the node that a move leads to."""
    area = trees.stones.shape[2]
    child = trees.nodes[game]
    trees.nodes[game] = child + 1
    for point in range(area):
        trees.stones[game, child, point] = trees.stones[game, node, point]
    color = trees.to_play[game, node]
    key = trees.keys[game, node]
    if move == area:
        trees.passes[game, child] = trees.passes[game, node] + 1
    else:
        trees.passes[game, child] = 0
        _, key = place_stone(board, trees.stones[game, child], color, move, key)
    trees.keys[game, child] = key
    trees.to_play[game, child] = -color
    trees.parent[game, child] = node
    trees.parent_move[game, child] = move
    trees.depth[game, child] = trees.depth[game, node] + 1
    open_node(trees, board, limits, game, child)
    trees.child[game, node, move] = child
    return child


@njit(cache=True, nogil=True)
def _choose_edge(trees: Trees, limits: Limits, game: int, node: int) -> Any:
    """The move with the highest upper bound of its value (PUCT).

    Two things are as in Minigo: the value of the node itself counts as one visit of each move, so a move that was never
    tried is believed to be as good as the position; and a pass is answered by a pass once, to see who wins then.
    """
    moves = trees.prior.shape[2]
    last = moves - 1
    if (
        trees.passes[game, node] == 1
        and trees.visits[game, node, last] + trees.pending[game, node, last] == 0
    ):
        return last
    tried = 0
    for move in range(moves):
        tried += trees.visits[game, node, move] + trees.pending[game, node, move]
    scale = limits.exploration * np.sqrt(max(1, tried))
    best = -1
    best_bound = 0.0
    for move in range(moves):
        prior = trees.prior[game, node, move]
        if prior < 0:
            continue
        losses = limits.virtual_loss * trees.pending[game, node, move]
        count = 1 + trees.visits[game, node, move] + losses
        total = trees.value[game, node] + trees.total[game, node, move] - losses
        bound = total / count + scale * prior / count
        if best < 0 or bound > best_bound:
            best = move
            best_bound = bound
    return best


@njit(cache=True, nogil=True)
def back_up(trees: Trees, game: int, node: int, value: float) -> None:
    """Add a value to all edges from a node up to the root; it is the value of the player to play at the node."""
    while node != 0:
        value = -value
        parent = trees.parent[game, node]
        move = trees.parent_move[game, node]
        trees.visits[game, parent, move] += 1
        trees.total[game, parent, move] += value
        node = parent


@njit(cache=True, nogil=True)
def _add_pending(trees: Trees, game: int, node: int, change: int) -> None:
    while node != 0:
        parent = trees.parent[game, node]
        trees.pending[game, parent, trees.parent_move[game, node]] += change
        node = parent


@njit(cache=True, nogil=True)
def select_leaves(
    trees: Trees,
    board: Board,
    limits: Limits,
    budget: np.ndarray,
    most: int,
    games: np.ndarray,
    nodes: np.ndarray,
) -> int:
    """Go down from the roots and collect positions to evaluate.

    Ends of games are counted at once. Where the way down leads to a leaf that awaits its evaluation already, that leaf
    counts as lost once more while others are looked for, as often as leaves are asked for; a tree in which this is not
    enough yields fewer.

    Args:
        trees: the trees.
        board: size of the board.
        limits: of the search.
        budget: int [games], how many more simulations each tree may do; what is done is subtracted.
        most: leaves to collect from one tree.
        games: int64 [games * most], overwritten by the leaves' games.
        nodes: the same, by the leaves' nodes.

    Returns:
        Number of leaves.
    """
    count = 0
    again = np.empty(most, np.int64)
    for game in range(trees.nodes.size):
        collected = 0
        repeats = 0
        while collected < most and budget[game] > 0:
            node = ROOT
            while trees.state[game, node] == EXPANDED:
                move = _choose_edge(trees, limits, game, node)
                child = trees.child[game, node, move]
                node = child if child >= 0 else _add_child(trees, board, limits, game, node, move)
            if trees.state[game, node] == WAITING:
                if repeats == most:
                    break
                _add_pending(trees, game, node, ONE)
                again[repeats] = node
                repeats += 1
                continue
            budget[game] -= 1
            if trees.state[game, node] == ENDED:
                back_up(trees, game, node, float(trees.value[game, node]))
                if node == 0:
                    budget[game] = 0
                continue
            trees.state[game, node] = WAITING
            _add_pending(trees, game, node, ONE)
            games[count] = game
            nodes[count] = node
            count += 1
            collected += 1
        for each in range(repeats):
            _add_pending(trees, game, again[each], -ONE)
    return count


@njit(cache=True, nogil=True)
def encode_leaves(trees: Trees, games: np.ndarray, nodes: np.ndarray, planes: np.ndarray) -> None:
    """Write what a network sees of each leaf; see `game.encode_stones`.

    Args:
        trees: the trees.
        games: of the leaves.
        nodes: of the leaves.
        planes: int8 [leaves, area, 2 * history + 1], overwritten.
    """
    area = trees.stones.shape[2]
    history = trees.before.shape[1] + 1
    for leaf in range(games.size):
        game = games[leaf]
        node = nodes[leaf]
        color = trees.to_play[game, node]
        outside = 0
        for each in range(history):
            if outside:
                stones = trees.before[game, outside - 1]
            else:
                stones = trees.stones[game, node]
            for point in range(area):
                planes[leaf, point, 2 * each] = stones[point] == color
                planes[leaf, point, 2 * each + 1] = stones[point] == -color
                planes[leaf, point, 2 * history] = color > 0
            if outside or node == 0:
                outside += 1
            else:
                node = trees.parent[game, node]


@njit(cache=True, nogil=True)
def add_evaluations(
    trees: Trees, games: np.ndarray, nodes: np.ndarray, policy: np.ndarray, value: np.ndarray
) -> None:
    """Expand the leaves and back up their values.

    Args:
        trees: the trees.
        games: of the leaves.
        nodes: of the leaves.
        policy: float [leaves, moves], not negative; illegal moves are left out and the rest scaled to a sum of 1, or
            uniform if nothing is left.
        value: float [leaves], of the player to play.
    """
    moves = trees.prior.shape[2]
    for leaf in range(games.size):
        game = games[leaf]
        node = nodes[leaf]
        prior = trees.prior[game, node]
        legal = 0
        mass = 0.0
        for move in range(moves):
            if prior[move] >= 0:
                legal += 1
                mass += policy[leaf, move]
        for move in range(moves):
            if prior[move] >= 0:
                prior[move] = policy[leaf, move] / mass if mass > 0 else 1.0 / legal
        trees.state[game, node] = EXPANDED
        trees.value[game, node] = value[leaf]
        _add_pending(trees, game, node, -ONE)
        back_up(trees, game, node, float(value[leaf]))


@njit(cache=True, nogil=True)
def keep_subtree(trees: Trees, game: int, new_root: int) -> None:
    """Make a node the root and drop all that is not below it; no leaf may await its evaluation.

    Nodes stand behind their parents, so that they can move forward in place.
    """
    count = trees.nodes[game]
    places = np.full(count, -1, np.int32)
    places[new_root] = 0
    kept = 1
    for node in range(new_root + 1, count):
        if places[trees.parent[game, node]] >= 0:
            places[node] = kept
            kept += 1
    for node in range(new_root, count):
        place = places[node]
        if place < 0:
            continue
        for point in range(trees.stones.shape[2]):
            trees.stones[game, place, point] = trees.stones[game, node, point]
        trees.keys[game, place] = trees.keys[game, node]
        trees.to_play[game, place] = trees.to_play[game, node]
        trees.passes[game, place] = trees.passes[game, node]
        trees.state[game, place] = trees.state[game, node]
        trees.value[game, place] = trees.value[game, node]
        trees.depth[game, place] = trees.depth[game, node]
        trees.parent[game, place] = places[trees.parent[game, node]] if place else 0
        trees.parent_move[game, place] = trees.parent_move[game, node]
        for move in range(trees.child.shape[2]):
            trees.prior[game, place, move] = trees.prior[game, node, move]
            trees.visits[game, place, move] = trees.visits[game, node, move]
            trees.total[game, place, move] = trees.total[game, node, move]
            trees.pending[game, place, move] = 0
            child = trees.child[game, node, move]
            trees.child[game, place, move] = places[child] if child >= 0 else -1
    trees.nodes[game] = kept
