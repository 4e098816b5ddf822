"""A game of Go: its moves so far, what is legal, who has won, and what a network sees of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reference_impls.reinforcement_learning import rules
from reference_impls.reinforcement_learning.gtp import COLORS, name_move
from reference_impls.reinforcement_learning.rules import BLACK, EMPTY, WHITE

SYMBOLS = {"X": BLACK, "O": WHITE, ".": EMPTY}


class IllegalMoveError(ValueError):
    """A move that the rules do not allow; the message says which."""


class Game:
    """A game in progress. It ends by two passes in a row, or when it has `longest` moves.

    Args:
        size: rows and columns of the board.
        komi: points for white because black moves first.
        longest: the most moves; None: no limit.

    Attributes:
        board: the size of the board, as the rules need it.
        stones: int8 [area], the position: 1 black, -1 white, 0 empty.
        to_play: 1 if black moves next, -1 if white does.
        moves: points, or the board's area for a pass.
        colors: who played each move.
        captured: number of stones that black and white have captured.
        past: the positions before this one, oldest first.
    """

    def __init__(self, size: int, komi: float, longest: int | None = None) -> None:
        self.board = rules.make_board(size)
        self.komi = komi
        self.longest = longest
        self.set_position(np.zeros(size * size, np.int8), BLACK)

    def set_position(self, stones: np.ndarray, to_play: int) -> None:
        """Start from a position; what was before it counts for nothing, not for superko either."""
        self.stones = np.array(stones, np.int8)
        self.to_play = to_play
        self.moves: list[int] = []
        self.colors: list[int] = []
        self.captured = {BLACK: 0, WHITE: 0}
        self.past: list[np.ndarray] = []
        self.keys: list[int] = [int(rules.position_key(self.board, self.stones))]

    @classmethod
    def from_rows(cls, rows: Sequence[str], to_play: int, komi: float, longest: int | None = None) -> Game:
        """A game that starts from a drawn position.

        Args:
            rows: from top to bottom; ``X`` black, ``O`` white, ``.`` empty.
            to_play: who is to play.
            komi: points for white.
            longest: the most moves from here on.
        """
        game = cls(len(rows), komi, longest)
        game.set_position(np.array([SYMBOLS[symbol] for row in rows for symbol in row], np.int8), to_play)
        return game

    @property
    def pass_move(self) -> int:
        """The number that stands for a pass."""
        return self.stones.size

    @property
    def is_over(self) -> bool:
        """Whether both players have passed one after the other, or the game has the most moves."""
        passed = self.moves[-2:] == [self.pass_move] * 2
        return passed or (self.longest is not None and len(self.moves) >= self.longest)

    def find_legal(self, color: int | None = None) -> np.ndarray:
        """Which moves are legal for a player, by default the one to play: bool [area + 1], the last one a pass."""
        legal = np.empty(self.stones.size + 1, np.bool_)
        seen = np.array(self.keys, np.uint64)
        rules.find_legal(self.board, self.stones, seen[-1], color or self.to_play, seen, legal)
        return legal

    def play(self, move: int, color: int | None = None) -> int:
        """Play a move.

        Args:
            move: a point, or `pass_move`.
            color: whose move, if not of the player to play (GTP and SGF allow several moves of one player in a row).

        Returns:
            How many stones it captures.

        Raises:
            IllegalMoveError: the rules do not allow it.
        """
        color = color or self.to_play
        if not (0 <= move <= self.pass_move and self.find_legal(color)[move]):
            name = name_move(move, self.board.size) if 0 <= move <= self.pass_move else str(move)
            raise IllegalMoveError(f"{name} of {COLORS[color]} is illegal after {len(self.moves)} moves")
        self.past.append(self.stones.copy())
        captured, key = 0, np.uint64(self.keys[-1])
        if move != self.pass_move:
            captured, key = rules.place_stone(self.board, self.stones, color, move, key)
        self.keys.append(int(key))
        self.moves.append(move)
        self.colors.append(color)
        self.captured[color] += int(captured)
        self.to_play = -color
        return int(captured)

    def score(self) -> float:
        """Points of black minus points of white, by area with all stones alive, komi subtracted."""
        return float(rules.score_area(self.board, self.stones)) - self.komi

    def draw(self) -> list[str]:
        """The rows of the board, as `from_rows` takes them."""
        names = {value: symbol for symbol, value in SYMBOLS.items()}
        size = self.board.size
        return ["".join(names[int(stone)] for stone in row) for row in self.stones.reshape(size, size)]

    def encode(self, history: int) -> np.ndarray:
        """What a network sees: see `encode_stones`."""
        before = self.past[-(history - 1) :] if history > 1 else []
        planes: np.ndarray = encode_stones(
            np.stack([self.stones, *reversed(before)])[None], np.array([self.to_play]), history
        )[0]
        return planes


def encode_stones(positions: np.ndarray, to_play: np.ndarray, history: int) -> np.ndarray:
    """The planes of a network's input, as AlphaGo Zero describes them (Silver et al., 2017).

    For each of the latest positions, newest first, one plane of the player's own stones and one of the opponent's;
    then one plane that is 1 if black is to play.

    Args:
        positions: int8 [batch, positions, area], newest first; those before the start of the game may be missing.
        to_play: 1 or -1 [batch].
        history: number of positions to encode.

    Returns:
        int8 [batch, size, size, 2 * history + 1].
    """
    batch, given, area = positions.shape
    size = round(area**0.5)
    own = positions * to_play[:, None, None]
    planes = np.zeros((batch, area, 2 * history + 1), np.int8)
    planes[:, :, 0 : 2 * given : 2] = (own == 1).transpose(0, 2, 1)
    planes[:, :, 1 : 2 * given : 2] = (own == -1).transpose(0, 2, 1)
    planes[:, :, -1] = (to_play == BLACK)[:, None]
    return planes.reshape(batch, size, size, -1)
