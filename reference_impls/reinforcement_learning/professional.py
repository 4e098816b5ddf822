"""Moves of professional players, from game records in SGF, for a network to predict.

The original suite's quality is the share of the moves of six professional 9×9 games that the network predicts; it does
not publish them here, so their folder is given.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sgfmill import sgf

from reference_impls.harness import DataError
from reference_impls.reinforcement_learning.game import Game, IllegalMoveError
from reference_impls.reinforcement_learning.positions import Positions
from reference_impls.reinforcement_learning.rules import BLACK, WHITE

_COLORS = {"b": BLACK, "w": WHITE}


def read_games(folder: Path, size: int) -> dict[Path, Game]:
    """Read the game records of a folder and of those in it.

    Of a record with variations, the main line counts.

    Args:
        folder: where files that end with ``.sgf`` are.
        size: of the board.

    Returns:
        The games as they stand at their end, by file, in order of the files' names.

    Raises:
        DataError: there is none, or one cannot be read, is for another board, or has an illegal move.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".sgf" and path.is_file())
    if not paths:
        raise DataError(
            f"{folder} holds no game records (.sgf); put professional games of {size}×{size} there"
        )
    return {path: _read_game(path, size) for path in paths}


def _read_game(path: Path, size: int) -> Game:
    try:
        record = sgf.Sgf_game.from_bytes(path.read_bytes())
        found, komi = record.get_size(), record.get_komi()
        nodes = record.get_main_sequence()
        black, white, _ = nodes[0].get_setup_stones()
        played = [node.get_move() for node in nodes]
    except (ValueError, LookupError, OSError) as error:
        raise DataError(
            f"{path} is not a game record: {str(error) or 'it names a point off the board'}"
        ) from None
    if found != size:
        raise DataError(f"{path} is a game on {found}×{found}, not {size}×{size}; remove it from the folder")
    game = Game(size, komi)

    def find_point(place: tuple[int, int]) -> int:  # rows are counted from the bottom there
        return (size - 1 - place[0]) * size + place[1]

    if black or white:
        stones = np.zeros(size * size, np.int8)
        stones[[find_point(place) for place in black]] = BLACK
        stones[[find_point(place) for place in white]] = WHITE
        game.set_position(stones, WHITE if black else BLACK)
    for color, place in played:
        if color is None:  # a node without a move, such as the first one
            continue
        try:
            game.play(game.pass_move if place is None else find_point(place), _COLORS[color])
        except IllegalMoveError as error:
            raise DataError(f"{path}: {error}; remove the file from the folder") from None
    return game


def list_positions(games: dict[Path, Game], history: int) -> Positions:
    """All positions of games in which a stone was played.

    Args:
        games: from `read_games`.
        history: positions that a network sees.

    Raises:
        DataError: there is none.
    """
    planes, legal, moves = [], [], []
    for game in games.values():
        again = Game(game.board.size, game.komi)
        first = game.past[0] if game.past else game.stones
        again.set_position(first, game.colors[0] if game.colors else BLACK)
        for move, color in zip(game.moves, game.colors, strict=True):
            again.to_play = color
            if move != game.pass_move:
                planes.append(again.encode(history))
                legal.append(again.find_legal())
                moves.append(move)
            again.play(move)
    if not moves:
        raise DataError(f"in the {len(games)} games read, nobody plays a stone")
    return Positions(np.stack(planes), np.stack(legal), np.array(moves))
