"""The rules of Go on boards of any size, compiled by numba.

Points are numbered row by row from the top left corner; the number after the last point is a pass. Stones are an int8
array [area]: 1 black, -1 white, 0 empty. The rules are the Tromp-Taylor rules with two differences that are common in
practice: suicide is illegal, and so is a move that repeats a position, whoever is to play (positional superko). Passing
is always legal.

Positions are compared by Zobrist's 64-bit keys instead of stone by stone. A pair of different positions has the same
key with a probability of 2^-64, so a game of 500 moves has a wrong superko with a probability below 10^-12.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

BLACK, WHITE, EMPTY = 1, -1, 0
_KEYS_SEED = 20180702


class Board(NamedTuple):
    """What the rules need to know about a size of board; no stones.

    Attributes:
        size: rows and columns.
        neighbors: int16 [area, 4], the points next to each point, then -1 at edges and corners.
        keys: uint64 [2, area], the key of a white and a black stone on each point. The key of a position is the
            exclusive or of the keys of its stones.
    """

    size: int
    neighbors: np.ndarray
    keys: np.ndarray


@cache
def make_board(size: int) -> Board:
    """The board of a size.

    Args:
        size: rows and columns, 2 to 25 (what GTP and SGF can name).

    Raises:
        ValueError: another size.
    """
    if not 2 <= size <= 25:
        raise ValueError(f"a board has 2 to 25 rows, not {size}")
    neighbors = np.full((size * size, 4), -1, np.int16)
    for point in range(size * size):
        row, column = divmod(point, size)
        near = [(row - 1, column), (row, column - 1), (row, column + 1), (row + 1, column)]
        inside = [r * size + c for r, c in near if 0 <= r < size and 0 <= c < size]
        neighbors[point, : len(inside)] = inside
    rng = np.random.default_rng([_KEYS_SEED, size])
    keys = rng.integers(1, 2**64, (2, size * size), np.uint64)
    return Board(size, neighbors, keys)


@njit(cache=True, nogil=True)
def stone_key(board: Board, color: int, point: int) -> Any:
    """The key of one stone."""
    return board.keys[1 if color > 0 else 0, point]


@njit(cache=True, nogil=True)
def position_key(board: Board, stones: np.ndarray) -> Any:
    """The key of a position, computed from all its stones."""
    key = np.uint64(0)
    for point in range(stones.size):
        if stones[point] != EMPTY:
            key ^= stone_key(board, stones[point], point)
    return key


@njit(cache=True, nogil=True)
def find_groups(board: Board, stones: np.ndarray) -> Any:
    """The groups of connected stones.

    Returns:
        The group of each point (-1: empty) [area], then for each group the number of its liberties, counted up to 2
        [area], and the key of its stones [area].
    """
    area = stones.size
    groups = np.full(area, -1, np.int16)
    liberties = np.zeros(area, np.int16)
    keys = np.zeros(area, np.uint64)
    last_liberty = np.full(area, -1, np.int16)
    stack = np.empty(area, np.int16)
    count = 0
    for start in range(area):
        if stones[start] == EMPTY or groups[start] >= 0:
            continue
        color = stones[start]
        groups[start] = count
        stack[0] = start
        height = 1
        while height > 0:
            height -= 1
            point = stack[height]
            keys[count] ^= stone_key(board, color, point)
            for near in board.neighbors[point]:
                if near < 0:
                    break
                if stones[near] == EMPTY:
                    if liberties[count] == 0 or (liberties[count] == 1 and last_liberty[count] != near):
                        liberties[count] += 1
                        last_liberty[count] = near
                elif stones[near] == color and groups[near] < 0:
                    groups[near] = count
                    stack[height] = near
                    height += 1
        count += 1
    return groups, liberties, keys


@njit(cache=True, nogil=True)
def find_legal(
    board: Board, stones: np.ndarray, key: int, color: int, seen: np.ndarray, legal: np.ndarray
) -> None:
    """Find the legal moves.

    Args:
        board: its size.
        stones: the position.
        key: of the position.
        color: who is to play.
        seen: uint64, keys of all positions of the game so far, this one included.
        legal: bool [area + 1], which is overwritten.
    """
    groups, liberties, keys = find_groups(board, stones)
    taken = np.empty(4, np.int16)
    for point in range(stones.size):
        legal[point] = False
        if stones[point] != EMPTY:
            continue
        breathes = False
        after = key ^ stone_key(board, color, point)
        captures = 0
        for near in board.neighbors[point]:
            if near < 0:
                break
            group = groups[near]
            if group < 0:
                breathes = True
            elif stones[near] == color:
                breathes |= liberties[group] > 1
            elif liberties[group] == 1:
                breathes = True
                known = False
                for each in range(captures):
                    known |= taken[each] == group
                if not known:
                    taken[captures] = group
                    captures += 1
                    after ^= keys[group]
        if breathes:
            repeats = False
            for before in seen:
                if before == after:
                    repeats = True
                    break
            legal[point] = not repeats
    legal[stones.size] = True


@njit(cache=True, nogil=True)
def remove_if_dead(board: Board, stones: np.ndarray, start: int, key: int) -> Any:
    """Remove the group at a point if it has no liberty.

    Returns:
        How many stones were removed, and the position's key.
    """
    color = stones[start]
    reached = np.zeros(stones.size, np.bool_)
    stack = np.empty(stones.size, np.int16)
    stack[0] = start
    reached[start] = True
    count = 1
    done = 0
    while done < count:
        for near in board.neighbors[stack[done]]:
            if near < 0:
                break
            if stones[near] == EMPTY:
                return 0, key
            if stones[near] == color and not reached[near]:
                reached[near] = True
                stack[count] = near
                count += 1
        done += 1
    for point in stack[:count]:
        stones[point] = EMPTY
        key ^= stone_key(board, color, point)
    return count, key


@njit(cache=True, nogil=True)
def place_stone(board: Board, stones: np.ndarray, color: int, point: int, key: int) -> Any:
    """Play a legal move other than a pass: change the stones.

    Returns:
        How many stones were captured, and the new position's key.
    """
    stones[point] = color
    key ^= stone_key(board, color, point)
    captured = 0
    for near in board.neighbors[point]:
        if near < 0:
            break
        if stones[near] == -color:
            count, key = remove_if_dead(board, stones, near, key)
            captured += count
    return captured, key


@njit(cache=True, nogil=True)
def find_owners(board: Board, stones: np.ndarray) -> Any:
    """Whose each point is: its stone's, or the color's that alone is reached from it.

    All stones on the board count as alive, as the Tromp-Taylor rules say.

    Returns:
        int8 [area]: 1 black, -1 white, 0 nobody's.
    """
    owners = stones.copy()
    reached = np.zeros(stones.size, np.bool_)
    region = np.empty(stones.size, np.int16)
    for start in range(stones.size):
        if stones[start] != EMPTY or reached[start]:
            continue
        reached[start] = True
        region[0] = start
        points = 1
        looked = 0
        black = False
        white = False
        while looked < points:
            for near in board.neighbors[region[looked]]:
                if near < 0:
                    break
                if stones[near] == EMPTY:
                    if not reached[near]:
                        reached[near] = True
                        region[points] = near
                        points += 1
                elif stones[near] == BLACK:
                    black = True
                else:
                    white = True
            looked += 1
        if black != white:
            for each in range(points):
                owners[region[each]] = BLACK if black else WHITE
    return owners


@njit(cache=True, nogil=True)
def score_area(board: Board, stones: np.ndarray) -> int:
    """Points of black minus points of white, before komi; see `find_owners`."""
    score = 0
    for owner in find_owners(board, stones):
        score += owner
    return score


@njit(cache=True, nogil=True)
def value_lead(lead: float, scale: float) -> float:
    """The value of a finished game for a player, from -1 to 1.

    Args:
        lead: points by which the player is ahead, komi included.
        scale: 0: the value is the result alone: 1, 0 or -1; otherwise it is tanh(lead / scale).
    """
    value: float = np.tanh(lead / scale) if scale > 0 else np.sign(lead)
    return value


@njit(cache=True, nogil=True)
def fills_own_eye(board: Board, stones: np.ndarray, color: int, point: int) -> bool:
    """Whether all neighbors of an empty point are the player's own stones."""
    for near in board.neighbors[point]:
        if near < 0:
            break
        if stones[near] != color:
            return False
    return True


@njit(cache=True, nogil=True)
def play_randomly(
    board: Board, stones: np.ndarray, color: int, rng: np.random.Generator, longest: int
) -> int:
    """Play random legal moves that fill no eye of one's own, until both players pass or a number of moves.

    Args:
        board: its size.
        stones: the position, which becomes the last one.
        color: who is to play.
        rng: source of randomness.
        longest: the most moves to play.

    Returns:
        Number of moves played, passes included.
    """
    seen = np.empty(longest + 1, np.uint64)
    legal = np.empty(stones.size + 1, np.bool_)
    choices = np.empty(stones.size, np.int16)
    key = position_key(board, stones)
    seen[0] = key
    passes = 0
    moves = 0
    while moves < longest and passes < 2:
        find_legal(board, stones, key, color, seen[: moves + 1], legal)
        count = 0
        for point in range(stones.size):
            if legal[point] and not fills_own_eye(board, stones, color, point):
                choices[count] = point
                count += 1
        if count:
            _, key = place_stone(board, stones, color, choices[rng.integers(0, count)], key)
            passes = 0
        else:
            passes += 1
        color = -color
        moves += 1
        seen[moves] = key
    return moves
