"""Game records of professionals: reading a folder of SGF, and the share of moves predicted."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the rules of Go are compiled by numba (extra 'reference')")
pytest.importorskip("sgfmill", reason="game records are read by sgfmill (extra 'reference')")
tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from reference_impls.harness import DataError  # noqa: E402
from reference_impls.reinforcement_learning.game import Game  # noqa: E402
from reference_impls.reinforcement_learning.gtp import name_move  # noqa: E402
from reference_impls.reinforcement_learning.professional import list_positions, read_games  # noqa: E402
from reference_impls.reinforcement_learning.rules import WHITE  # noqa: E402
from reference_impls.reinforcement_learning.workload import ReinforcementWorkload  # noqa: E402
from tests.trainers.go_agreement import measure_agreement  # noqa: E402

MAIN = (
    "(;GM[1]FF[4]SZ[9]KM[6.5]RE[B+R]PB[An \\] odd name];B[ee]C[a comment];W[ec](;B[gd];W[tt];B[aa])(;B[ii]))"
)
HANDICAP = "(;GM[1]SZ[9]KM[0.5]AB[cc][gg]PL[W];W[ee];B[ic];W[];B[ce])"


def write_games(folder: Path, **texts: str) -> Path:
    """A folder with game records."""
    for name, text in texts.items():
        (folder / f"{name}.sgf").write_text(text)
    return folder


def test_games_are_read_along_their_main_line(tmp_path: Path) -> None:
    """Moves, passes, komi and stones set up are those of the main line; other files are left alone."""
    (tmp_path / "notes.txt").write_text("no game")
    (tmp_path / "more").mkdir()
    write_games(tmp_path / "more", second=HANDICAP)
    games = read_games(write_games(tmp_path, first=MAIN), 9)
    assert [path.name for path in games] == ["first.sgf", "second.sgf"]
    first, second = games.values()
    assert [name_move(move, 9) for move in first.moves] == ["E5", "E7", "G6", "pass", "A9"]
    assert (first.komi, first.colors) == (6.5, [1, -1, 1, -1, 1])
    assert [name_move(move, 9) for move in second.moves] == ["E5", "J7", "pass", "C5"]
    assert second.colors[0] == WHITE
    assert np.flatnonzero(second.past[0]).tolist() == [2 * 9 + 2, 6 * 9 + 6]


def test_positions_are_those_before_each_stone(tmp_path: Path) -> None:
    """Each stone played is one position, with planes and legal moves from before it; passes are not asked for."""
    games = read_games(write_games(tmp_path, first=MAIN, second=HANDICAP), 9)
    positions = list_positions(games, 2)
    assert [name_move(move, 9) for move in positions.moves] == ["E5", "E7", "G6", "A9", "E5", "J7", "C5"]
    assert positions.planes.shape == (7, 9, 9, 5)
    game = Game(9, 6.5)
    for each, move in enumerate(next(iter(games.values())).moves[:3]):
        assert (positions.planes[each] == game.encode(2)).all()
        assert (positions.legal[each] == game.find_legal()).all()
        game.play(move)
    assert positions.planes[4, :, :, 1].sum() == 2  # white to play sees two stones of the opponent


def test_agreement_counts_first_choices(tmp_path: Path) -> None:
    """Predicted is what ranks alone at the top of the legal moves."""
    positions = list_positions(read_games(write_games(tmp_path, first=MAIN), 9), 1)

    batch = {**positions._asdict(), "weight": np.ones(4, np.float32)}

    def rank(best: np.ndarray) -> float:
        logits = tf.constant(np.log(best + 1e-6), tf.float32)
        trainer: Any = SimpleNamespace(model=lambda *_, **__: (logits,))
        counted = ReinforcementWorkload.eval_step(trainer, batch)
        share = float(counted["hits"]) / float(counted["positions"])
        assert share == measure_agreement(best, positions)
        return share

    right = np.eye(82)[positions.moves]
    assert rank(right) == 1
    assert rank(np.ones((4, 82))) == 0
    half = right.copy()
    half[:2] = np.eye(82)[[80, 80]]
    assert rank(half) == 0.5
    occupied = right * 0.5
    occupied[1:, 40] = 1.0  # where the first stone stands
    assert rank(occupied) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("chess", "game.sgf is not a game record: no SGF data found"),
        ("(;GM[1]SZ[9]", "game.sgf is not a game record: unexpected end"),
        ("(;GM[1]SZ[9];B[zz])", "game.sgf is not a game record: it names a point off the board"),
        ("(;GM[1]SZ[19];B[qd])", "game.sgf is a game on 19×19, not 9×9"),
        ("(;GM[1]SZ[9];B[ee];W[ee])", "E5 of white is illegal after 1 moves; remove the file"),
        ("(;GM[1]SZ[9]C[nothing];B[])", "in the 1 games read, nobody plays a stone"),
        (None, r"holds no game records \(.sgf\)"),
    ],
)
def test_records_that_cannot_be_used_are_named(text: str | None, says: str, tmp_path: Path) -> None:
    """A damaged record, one of another board, and one with an illegal move are rejected, and so is an empty folder."""
    if text is not None:
        write_games(tmp_path, game=text)
    with pytest.raises(DataError, match=says):
        list_positions(read_games(tmp_path, 9), 1)
