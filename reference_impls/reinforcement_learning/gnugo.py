"""GNU Go as an opponent and as a judge of the rules: getting it, starting it, comparing with it.

GNU Go differs from the rules here in three ways. Its default is simple ko, which forbids only taking back at once;
`start_gnugo` passes ``--positional-superko``. Its default rules are the Japanese ones, which count territory and
prisoners; `start_gnugo` passes ``--chinese-rules``, which count area. And it scores as if the game were played to its
end by good players, so that dead stones are removed and open borders closed, while here all stones on the board are
alive. Scores are therefore compared in settled positions only, in which this makes no difference.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from reference_impls.harness import DataError
from reference_impls.harness.data.debian import fetch_package
from reference_impls.reinforcement_learning.game import Game
from reference_impls.reinforcement_learning.gtp import COLORS, Engine, name_move
from reference_impls.reinforcement_learning.rules import BLACK, WHITE, fills_own_eye

PACKAGE = "gnugo"
_UNPACKED = Path("usr") / "games" / "gnugo"
_MOST_MOVES = 4  # of a random game, as a multiple of the points


def get_gnugo(folder: Path) -> Path:
    """The program: one that is installed, or else the one unpacked in a folder, downloaded first if necessary.

    Args:
        folder: where Debian's package is, or will be, unpacked; nothing is installed.

    Raises:
        DataError: it cannot be downloaded, or does not run here.
    """
    program = _locate(folder)
    if not program.is_file():
        fetch_package(PACKAGE, folder)
    try:
        done = subprocess.run(  # noqa: S603 - no shell
            [program, "--version"], capture_output=True, text=True, timeout=60, check=False
        )
        problem = (done.stderr or done.stdout).strip() if done.returncode else None
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem is not None:
        raise DataError(
            f"{program} does not run here: {problem}. Install GNU Go (Debian, Ubuntu: apt-get install gnugo)"
        )
    return program


def find_gnugo(folder: Path, command: str) -> Path:
    """The program, if it is installed or unpacked in a folder.

    Args:
        folder: as for `get_gnugo`.
        command: the command that gets it; messages name it.

    Raises:
        DataError: it is not here.
    """
    program = _locate(folder)
    if not program.is_file():
        raise DataError(f"GNU Go is not here; get it with: {command}")
    return program


def _locate(folder: Path) -> Path:
    installed = shutil.which("gnugo") or shutil.which("gnugo", path="/usr/games")
    return Path(installed) if installed else folder / _UNPACKED


def start_gnugo(
    program: Path, *, level: int = 10, seed: int = 1, clean_up: bool = False, timeout_s: float = 60.0
) -> Engine:
    """Start GNU Go with the rules of this package.

    Args:
        program: from `get_gnugo`.
        level: its strength, 1 to 10.
        seed: of its random choices; 0 would take the time of day.
        clean_up: whether it captures dead stones before it passes, which scoring with all stones alive requires.
        timeout_s: how long an answer may take.
    """
    rules = ["--chinese-rules", "--positional-superko", "--forbid-suicide"]
    if clean_up:
        rules.append("--capture-all-dead")
    strength = ["--level", str(level), "--seed", str(seed)]
    return Engine([str(program), "--mode", "gtp", *rules, *strength], timeout_s)


def start_game(engine: Engine, size: int, komi: float) -> None:
    """Clear the engine's board."""
    engine.ask(f"boardsize {size}")
    engine.ask("clear_board")
    engine.ask(f"komi {komi:g}")


def ask_score(engine: Engine) -> float:
    """What the engine counts at the end of a game: points of black minus points of white, komi subtracted."""
    answer = engine.ask("final_score")
    if answer == "0":
        return 0.0
    sign = {"B+": 1, "W+": -1}[answer[:2]]
    return sign * float(answer[2:])


@dataclass
class Comparison:
    """What was compared with GNU Go.

    Attributes:
        positions: whose legal moves, and captured stones so far, were compared.
        captures: moves that captured.
        superko: positions in which superko alone forbids a move.
        scores: settled positions whose scores were compared.
        unsettled: finished games whose scores were not compared.
        disagreements: one line each; there should be none.
    """

    positions: int = 0
    captures: int = 0
    superko: int = 0
    scores: int = 0
    unsettled: int = 0
    disagreements: list[str] = field(default_factory=list)


def compare_games(
    engine: Engine, size: int, rng: np.random.Generator, *, positions: int = 0, scores: int = 0
) -> Comparison:
    """Play random games on both sides and compare what is legal, what is captured and who wins.

    Args:
        engine: GNU Go.
        size: of the board.
        rng: source of the moves.
        positions: compare at least this many positions.
        scores: compare at least this many scores; the games beyond those that `positions` needs are not
            compared move by move.
    """
    found = Comparison()
    while found.positions < positions or found.scores < scores:
        game = Game(size, komi=0.5, longest=_MOST_MOVES * size * size)
        start_game(engine, size, game.komi)
        if found.positions < positions:
            _compare_moves(engine, game, rng, found)
        else:
            _play_silently(engine, game, rng)
        _compare_score(engine, game, found)
    return found


def _choose_move(game: Game, legal: np.ndarray, rng: np.random.Generator) -> int:
    """A random legal move that fills no eye of one's own, or a pass."""
    points = [
        point
        for point in np.flatnonzero(legal[:-1]).tolist()
        if not fills_own_eye(game.board, game.stones, game.to_play, point)
    ]
    return int(rng.choice(points)) if points else game.pass_move


def _compare_moves(engine: Engine, game: Game, rng: np.random.Generator, found: Comparison) -> None:
    size = game.board.size
    while not game.is_over:
        color = COLORS[game.to_play]
        legal = game.find_legal()
        ours = {name_move(int(point), size) for point in np.flatnonzero(legal[:-1])}
        theirs = set(engine.ask(f"all_legal {color}").split())
        if ours != theirs:
            found.disagreements.append(f"legal for {color} at {game.draw()}: {sorted(ours ^ theirs)}")
        alone = Game.from_rows(game.draw(), game.to_play, game.komi).find_legal()
        found.positions += 1
        found.superko += bool((alone != legal).any())
        move = _choose_move(game, legal, rng)
        engine.ask(f"play {color} {name_move(move, size)}")
        found.captures += game.play(move) > 0
        captured = {each: int(engine.ask(f"captures {name}")) for each, name in COLORS.items()}
        if captured != game.captured:
            found.disagreements.append(f"captured at {game.draw()}: {game.captured} here, {captured} there")


def _play_silently(engine: Engine, game: Game, rng: np.random.Generator) -> None:
    """Play to the end here, and show the engine only the last position.

    Its stones have liberties now, and have no fewer while other stones are missing; so nothing is captured on the way.
    """
    while not game.is_over:
        game.play(_choose_move(game, game.find_legal(), rng))
    for point in np.flatnonzero(game.stones):
        engine.ask(f"play {COLORS[int(game.stones[point])]} {name_move(int(point), game.board.size)}")


def is_settled(game: Game) -> bool:
    """Whether nobody can move except into their own eyes, even if no move were forbidden by superko."""
    return all(
        fills_own_eye(game.board, game.stones, color, int(point))
        for color in (BLACK, WHITE)
        for point in np.flatnonzero(Game.from_rows(game.draw(), color, game.komi).find_legal()[:-1])
    )


def _compare_score(engine: Engine, game: Game, found: Comparison) -> None:
    if not is_settled(game):
        found.unsettled += 1
        return
    ours, theirs = game.score(), ask_score(engine)
    found.scores += 1
    if ours != theirs:
        found.disagreements.append(f"score of {game.draw()}: {ours} here, {theirs} there")
