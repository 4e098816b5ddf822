"""Quality measured with GNU Go: games against it, and positions with its moves, to see how many a network predicts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reference_impls.reinforcement_learning.game import Game
from reference_impls.reinforcement_learning.gnugo import start_game
from reference_impls.reinforcement_learning.gtp import COLORS, Engine, name_move, parse_move
from reference_impls.reinforcement_learning.playing import MatchResult, PlaySettings, play_random_moves
from reference_impls.reinforcement_learning.positions import Positions
from reference_impls.reinforcement_learning.rules import BLACK
from reference_impls.reinforcement_learning.search import Evaluate, Search, should_resign
from reference_impls.reinforcement_learning.symmetries import list_symmetries

_RESIGN = "resign"


def show_game(engine: Engine, game: Game) -> None:
    """Replay a game on the engine's board."""
    start_game(engine, game.board.size, game.komi)
    for move, color in zip(game.moves, game.colors, strict=True):
        engine.ask(f"play {COLORS[color]} {name_move(move, game.board.size)}")


def ask_move(engine: Engine, game: Game) -> int | None:
    """The engine's move in a game, which it does not play; None if it resigns."""
    show_game(engine, game)
    answer = engine.ask(f"reg_genmove {COLORS[game.to_play]}")
    return None if answer.lower() == _RESIGN else parse_move(answer, game.board.size)


def play_engine(
    settings: PlaySettings,
    evaluate: Evaluate,
    engine: Engine,
    games: Sequence[Game],
    rng: np.random.Generator,
) -> MatchResult:
    """Let a search play against another program, with black in every second game.

    Games are scored by area with all stones alive, so GNU Go should be started with ``clean_up``: it then captures dead
    stones before it passes.

    Args:
        settings: how the search plays, better without noise.
        evaluate: the search's evaluation function.
        engine: the other program.
        games: of `start_pairs`; they are played to their ends at the same time, move by move.
        rng: source of the search's drawn moves.

    Returns:
        The result, seen from the search.
    """
    count = len(games)
    search = Search(games, settings.search, evaluate, rng)
    ours = np.where(np.arange(count) % 2, -BLACK, BLACK)
    points = np.zeros(count, np.int64)
    live = list(range(count))
    while live:
        mine = [index for index in live if games[index].to_play == ours[index]]
        search.run(mine)
        for index in list(live):
            game, move = games[index], None
            if game.to_play != ours[index]:
                move = ask_move(engine, game)
            elif not (game.moves and should_resign(search, index, settings.resign_threshold)):
                move = search.choose_move(index, settings.temperature(game))
            if move is None:
                points[index] = -game.to_play * ours[index]
                live.remove(index)
                continue
            game.play(move)
            if game.is_over:
                points[index] = np.sign(game.score()) * ours[index]
                live.remove(index)
    return MatchResult(int((points > 0).sum()), int((points == 0).sum()), count)


def is_clear(engine: Engine, game: Game, move: int) -> bool:
    """Whether an engine plays the same move however the board is turned or reflected.

    Args:
        engine: the program.
        game: not over.
        move: what it plays in it, no pass.
    """
    for sources in list_symmetries(game.board.size)[1:]:
        places = [*np.argsort(sources).tolist(), game.pass_move]  # where each point comes to stand
        turned = Game(game.board.size, game.komi, game.longest)
        for each in game.moves:
            turned.play(places[each])
        if ask_move(engine, turned) != places[move]:
            return False
    return True


def collect_moves(
    engine: Engine,
    size: int,
    komi: float,
    count: int,
    history: int,
    rng: np.random.Generator,
    *,
    random_moves: int,
) -> Positions:
    """Positions of games that the engine plays against itself, and what it plays in them.

    Args:
        engine: GNU Go.
        size: of the board.
        komi: points for white.
        count: how many different positions.
        history: positions that a network sees.
        rng: draws the first moves of each game, without which all games would be equal.
        random_moves: how many moves are drawn, at most; see `play_random_moves`. Their positions do not count.

    Returns:
        The positions. Passes are left out, and so are positions that occurred before, and those in which the engine's choice
        depends on how the board is turned: such a move is one of several that it likes as much, as in all symmetric positions
        but those in which the best move is on the axis.
    """
    planes: dict[bytes, tuple[np.ndarray, np.ndarray, int]] = {}
    while len(planes) < count:
        game = Game(size, komi, 2 * size * size)
        play_random_moves(game, random_moves, rng)
        while not game.is_over and len(planes) < count:
            move = ask_move(engine, game)
            if move is None:
                break
            key = game.stones.tobytes() + bytes([game.to_play == BLACK])
            if move != game.pass_move and key not in planes and is_clear(engine, game, move):
                planes[key] = game.encode(history), game.find_legal(), move
            game.play(move)
    seen, legal, moves = zip(*planes.values(), strict=True)
    return Positions(np.stack(seen), np.stack(legal), np.array(moves))
