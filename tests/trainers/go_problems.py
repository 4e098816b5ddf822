"""Problems for a search: 5×5 positions in which one move alone forces a win.

Made for these tests: positions of random games with a komi on which the result hinges. The game ends after five moves
or two passes, and the area is counted. An exhaustive search (`find_winning_moves`) finds that the move given, and no
other, wins against every defense; and it is not the move after which the area is best.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from reference_impls.reinforcement_learning import rules
from reference_impls.reinforcement_learning.game import Game
from reference_impls.reinforcement_learning.rules import BLACK, WHITE
from reference_impls.reinforcement_learning.search import Evaluate

MOVES_LEFT = 5


def value_by_area(komi: float) -> Evaluate:
    """Every move is equally likely, and a position is worth its area, counted as it stands."""

    def evaluate(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        own = (planes[..., 0] - planes[..., 1]).reshape(len(planes), -1).astype(np.int8)
        board = rules.make_board(planes.shape[1])
        komi_of_player = np.where(planes[:, 0, 0, -1] == 1, komi, -komi)
        lead = np.array([rules.score_area(board, stones) for stones in own]) - komi_of_player
        return np.ones((len(planes), own.shape[1] + 1)), np.clip(lead / 10, -1, 1)

    return evaluate


class Problem(NamedTuple):
    """A position and the only winning move.

    Attributes:
        rows: from the top; X black, O white.
        to_play: who is to play.
        komi: points for white.
        answer: the move that wins.
    """

    rows: str
    to_play: int
    komi: float
    answer: str

    def start(self) -> Game:
        """The game from here on."""
        return Game.from_rows(self.rows.split(), self.to_play, self.komi, MOVES_LEFT)


def find_winning_moves(game: Game) -> list[int]:
    """The moves after which every defense loses, by trying all that can happen."""
    key = np.uint64(game.keys[-1])
    return [
        move
        for move in np.flatnonzero(game.find_legal()).tolist()
        if not _wins(game, *_play(game, game.stones, key, game.to_play, move), -game.to_play, [key], move, 1)
    ]


def _play(
    game: Game, stones: np.ndarray, key: np.uint64, color: int, move: int
) -> tuple[np.ndarray, np.uint64]:
    after = stones.copy()
    if move != game.pass_move:
        _, key = rules.place_stone(game.board, after, color, move, np.uint64(key))
    return after, np.uint64(key)


def _wins(
    game: Game, stones: np.ndarray, key: np.uint64, color: int, seen: list[np.uint64], last: int, played: int
) -> bool:
    """Whether the player to play wins, who may end the game if the last move was a pass."""
    if played == game.longest:
        return bool((rules.score_area(game.board, stones) - game.komi) * color > 0)
    if last == game.pass_move and (rules.score_area(game.board, stones) - game.komi) * color > 0:
        return True
    legal = np.empty(game.pass_move + 1, np.bool_)
    seen = [*seen, key]
    rules.find_legal(game.board, stones, key, color, np.array(seen, np.uint64), legal)
    if last == game.pass_move:
        legal[-1] = False  # it would end the game, which loses
    return any(
        not _wins(game, *_play(game, stones, key, color, move), -color, seen, move, played + 1)
        for move in np.flatnonzero(legal).tolist()
    )


PROBLEMS = [
    Problem(".XO.X XXOO. ..XXO XO... .X.OO", WHITE, -0.5, "C1"),
    Problem("OOO.. .XOOO XXXOO .XXOX XXXX.", WHITE, -10.5, "A4"),
    Problem("...X. .XOO. X.XOX XOOXX X.OOO", WHITE, -6.5, "B3"),
    Problem(".O.XO .OXX. XOOX. .XO.X XXO.O", WHITE, -4.5, "D1"),
    Problem("XX.OO .XOXX X.X.O XOOOX OOXX.", BLACK, 6.5, "D3"),
    Problem(".XOX. XXO.X XOOX. OOX.X X.OX.", WHITE, -6.5, "D2"),
    Problem("XX.XX XXXOO .XXO. XO.OO OOO.X", WHITE, -10.5, "C2"),
    Problem("X.XOO ...O. ....X XX.OX O.OOX", BLACK, 2.5, "C4"),
    Problem("X.OOO OOXOX O.XOX XX..X .XOX.", WHITE, -2.5, "D2"),
    Problem(".XOO. XXOO. O.OO. OX.X. ..XXX", BLACK, 0.5, "B3"),
    Problem("O.O.X .O.OX .OXXX O..O. .OXOX", BLACK, -4.5, "C2"),
    Problem("XX.X. XX.O. OOXOO .X..O X.OXO", WHITE, 0.5, "C4"),
    Problem("X.O.O O.XOO .XOX. ..OXO OXXXX", BLACK, 4.5, "B4"),
    Problem("X.XO. XXXOO O.O.O OX.OO XX.XX", WHITE, -2.5, "B3"),
    Problem("XO.XX .X.XO OOX.. XXOO. ..O..", WHITE, 0.5, "A4"),
    Problem("...OO X.O.X X.XOX O.X.O .XOO.", BLACK, -0.5, "D2"),
    Problem("..OX. O..XX X.O.O .OXXO .OX.X", WHITE, -4.5, "D3"),
    Problem(".O.O. O..XX O.XXX .X... O.XO.", WHITE, -0.5, "D2"),
    Problem(".XXO. X.X.X ..OOX OXOXO .XO.O", BLACK, 10.5, "B3"),
    Problem("OOX.O X.XO. OXXO. .OX.X XOO.X", BLACK, 6.5, "D1"),
    Problem(".XXOO ..XO. .XO.. ..X.O XO.X.", WHITE, -0.5, "D3"),
    Problem(".XOO. X.X.O X..OX X.OOX O.OX.", BLACK, 0.5, "D4"),
    Problem("X.X.O ..X.. X..OO XX.OO O...X", WHITE, 0.5, "B4"),
    Problem("X.XX. .OX.. XX.XO O..OX .OOO.", WHITE, -0.5, "E4"),
]
