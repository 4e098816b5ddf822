"""Talking to another Go program, and the rules compared with GNU Go's."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="the rules of Go are compiled by numba (extra 'reference')")

from reference_impls.harness import DataError
from reference_impls.reinforcement_learning import gnugo, rules
from reference_impls.reinforcement_learning.game import Game
from reference_impls.reinforcement_learning.gtp import Engine, EngineError, RefusalError
from reference_impls.reinforcement_learning.opponent import ask_move, collect_moves, is_clear, play_engine
from reference_impls.reinforcement_learning.playing import PlaySettings, start_pairs
from reference_impls.reinforcement_learning.rules import WHITE
from reference_impls.reinforcement_learning.search import Evaluate, SearchSettings
from reference_impls.reinforcement_learning.serving import Server
from tests.trainers.go_agreement import measure_agreement
from tests.trainers.go_problems import value_by_area

FAKE = """
import sys, time
for line in sys.stdin:
    word = line.split()[0]
    if word == "sleep":
        time.sleep(60)
    if word == "die":
        sys.exit(3)
    print({"bad": "? unknown command", "rude": "hello", "many": "= a\\nb", "late": "\\n= c"}.get(word, "= " + word))
    print(flush=True)
"""
"""A program that answers as its commands say."""


@pytest.fixture
def fake() -> Engine:
    """A program that speaks the protocol."""
    return Engine([sys.executable, "-c", FAKE], timeout_s=20)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GNU Go, if it is here or can be downloaded."""
    try:
        return gnugo.get_gnugo(tmp_path_factory.mktemp("gnugo"))
    except DataError as error:
        pytest.skip(f"no GNU Go: {error}")


def test_answers_of_one_line_several_and_errors(fake: Engine) -> None:
    """Answers come without their sign; an error is raised with its text, and the program goes on."""
    with fake:
        assert fake.ask("name") == "name"
        assert fake.ask("many") == "a\nb"
        assert fake.ask("late") == "c"
        with pytest.raises(RefusalError, match="answers 'bad' with an error: unknown command"):
            fake.ask("bad")
        assert fake.ask("version") == "version"
    fake.close()  # a second time is no error


@pytest.mark.parametrize(
    ("command", "says"),
    [("sleep", r"has not answered 'sleep' within 0\.5 s"), ("die", "ended without"), ("rude", "not GTP")],
)
def test_a_program_that_fails_is_ended(command: str, says: str, fake: Engine) -> None:
    """One that is silent, has died or speaks something else is ended and says so from then on."""
    fake.ask("name")
    if command == "sleep":
        fake.timeout_s = 0.5
    with pytest.raises(EngineError, match=says):
        fake.ask(command)
    assert not is_alive(fake.pid)
    with pytest.raises(EngineError, match="has ended; it did not get 'name'"):
        fake.ask("name")


def test_a_program_that_is_missing() -> None:
    """What cannot be started is named."""
    with pytest.raises(EngineError, match="no-such-program cannot be started: No such file"):
        Engine(["no-such-program"])


def is_alive(pid: int) -> bool:
    """Whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_program_ends_with_the_process_that_started_it() -> None:
    """Killed without a chance to clean up, a process leaves no engine behind."""
    code = (
        "import sys, time\n"
        "from reference_impls.reinforcement_learning.gtp import Engine\n"
        f"engine = Engine([sys.executable, '-c', {FAKE!r}])\n"
        "engine.ask('name')\n"
        "print(engine.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.send_signal(signal.SIGKILL)
    end = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(pid)


def test_gnugo_agrees(program: Path) -> None:
    """GNU Go finds the same moves legal, the same stones captured, and the same scores."""
    with gnugo.start_gnugo(program, level=1) as engine:
        found = gnugo.compare_games(engine, 5, np.random.default_rng(2), positions=60, scores=10)
    assert found.disagreements == []
    assert found.positions >= 60
    assert found.scores >= 10
    assert found.captures > 10
    assert found.superko > 0


@pytest.mark.parametrize("broken", ["legal", "captures", "scores"])
def test_disagreements_with_gnugo_are_found(
    broken: str, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison finds rules that are wrong: all empty points legal, captures miscounted, komi forgotten."""
    scores = 2 if broken == "scores" else 0
    if broken == "legal":
        find = Game.find_legal
        monkeypatch.setattr(gnugo.Game, "find_legal", lambda game, _=None: np.append(game.stones == 0, True))
        monkeypatch.setattr(
            gnugo, "_choose_move", lambda game, _, rng: int(rng.choice(find(game).nonzero()[0]))
        )
    elif broken == "captures":
        monkeypatch.setattr(
            gnugo.Game, "captured", property(lambda _: {1: 0, -1: 0}, lambda *_: None), raising=False
        )
    else:
        monkeypatch.setattr(gnugo.Game, "score", lambda game: float(game.stones.sum()))
    with gnugo.start_gnugo(program, level=1) as engine:
        found = gnugo.compare_games(engine, 5, np.random.default_rng(2), positions=60, scores=scores)
    assert any(line.startswith(broken[:5]) for line in found.disagreements)


def test_settled_positions() -> None:
    """A position is settled if only moves into own eyes are left, also with superko set aside."""
    assert gnugo.is_settled(Game.from_rows([".X.", "XXX", "XX."], WHITE, komi=0))
    assert not gnugo.is_settled(Game.from_rows(["..X", "XXX", "XX."], WHITE, komi=0))


SERVED = PlaySettings(size=5, komi=0.5, search=SearchSettings(simulations=60, exploration=1.25, history=1))


def ask_server(commands: str) -> list[str]:
    """A server's answers to commands, without the empty lines after them."""
    server = Server(SERVED, value_by_area(0.5), np.random.default_rng(1))
    answers = list(server.serve(commands.splitlines()))
    assert all(answer.endswith("\n\n") for answer in answers)
    return [answer[:-2] for answer in answers]


def test_a_search_is_served_in_the_protocol() -> None:
    """Numbers are repeated, comments and empty lines are skipped, errors have the words that the protocol prescribes."""
    answers = ask_server(
        "1 protocol_version\n\n# nothing\n2 boardsize 5 # the only one\nboardsize 19\nkomi 6.5\nkomi much\n"
        "play b C3\nplay white c3\nplay black K9\nplay red A1\nplay black\nsing\n"
        "known_command genmove\nknown_command sing\nfinal_score\n7 quit\nname"
    )
    assert answers == [
        "=1 2",
        "=2",
        "? unacceptable size",
        "=",
        "? syntax error",
        "=",
        "? illegal move",
        "? illegal move",
        "? syntax error",
        "? syntax error",
        "? unknown command",
        "= true",
        "= false",
        "= B+18.5",
        "=7",
    ]


def test_a_served_search_plays_and_resigns() -> None:
    """It captures what can be captured, passes after two passes, and gives up what is lost."""
    _, _, captured, board = ask_server("play w a1\nplay b b1\ngenmove b\nshowboard")
    assert captured == "= A2"
    assert board.splitlines()[-3:] == ["X....", ".X...", "white to play"]
    assert ask_server("play b c3\nplay w pass\nplay b pass\ngenmove w")[-1] == "= pass"
    lost = "\n".join(f"play w {column}{row}" for column in "ABCDE" for row in (2, 4))
    assert ask_server(f"komi 60\n{lost}\ngenmove b")[-1] == "= resign"


def test_a_served_search_plays_against_gnugo(program: Path) -> None:
    """A whole game against GNU Go: each accepts the other's moves as legal."""
    server = Server(SERVED, value_by_area(0.5), np.random.default_rng(1))

    def ask(command: str) -> str:
        answer = "".join(server.serve([command]))
        assert answer.startswith("=")
        return answer[1:].strip()

    with gnugo.start_gnugo(program, level=1) as engine:
        gnugo.start_game(engine, 5, 0.5)
        while not server.game.is_over:
            move = ask("genmove black")
            if move == "resign":
                break
            engine.ask(f"play black {move}")
            move = engine.ask("genmove white")
            if move == "resign":
                break
            ask(f"play white {move}")
    assert len(server.game.moves) >= 4


def value_by_playouts(komi: float, playouts: int, rng: np.random.Generator) -> Evaluate:
    """Every move is equally likely, and a position is worth the mean result of random games from there."""

    def evaluate(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        board = rules.make_board(planes.shape[1])
        value = np.zeros(len(planes))
        for each, plane in enumerate(planes):
            color = 1 if plane[0, 0, -1] else -1
            for _ in range(playouts):
                stones = (plane[:, :, 0] - plane[:, :, 1]).reshape(-1) * np.int8(color)
                rules.play_randomly(board, stones, color, rng, 60)
                value[each] += np.sign(rules.score_area(board, stones) - komi) * color / playouts
        return np.ones((len(planes), board.size**2 + 1)), value

    return evaluate


def test_games_against_gnugo(program: Path) -> None:
    """Who always passes loses all games to GNU Go; a search with random playouts wins some."""
    rng = np.random.default_rng(1)
    settings = dataclasses.replace(
        SERVED, search=SearchSettings(simulations=100, exploration=1.25, history=1), drawn_moves=0
    )

    def give_in(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.eye(26)[[25] * len(planes)], np.zeros(len(planes))

    with gnugo.start_gnugo(program, level=1, clean_up=True) as engine:
        assert play_engine(settings, give_in, engine, start_pairs(settings, 4, rng), rng).share == 0
        games = start_pairs(settings, 6, rng)
        assert play_engine(settings, value_by_playouts(0.5, 4, rng), engine, games, rng).wins > 0


def test_moves_of_gnugo_are_collected(program: Path) -> None:
    """Different positions with legal moves, the same again from an equal seed; GNU Go itself predicts them all."""
    with gnugo.start_gnugo(program, level=1) as engine:
        first, again = (
            collect_moves(engine, 5, 0.5, 12, 2, np.random.default_rng(7), random_moves=4) for _ in range(2)
        )
    assert first.planes.shape == (12, 5, 5, 5)
    assert len(np.unique(first.planes[:, :, :, [0, 1, 4]].reshape(12, -1), axis=0)) == 12
    assert first.legal[np.arange(12), first.moves].all()
    assert all((one == other).all() for one, other in zip(first, again, strict=True))
    assert measure_agreement(np.eye(26)[first.moves], first) == 1


def test_a_clear_move_is_the_same_on_turned_boards(program: Path) -> None:
    """On the empty board GNU Go takes the center; its answer to that is one of several that are alike."""
    game = Game(5, 0.5, 50)
    with gnugo.start_gnugo(program, level=1) as engine:
        assert ask_move(engine, game) == 12
        assert is_clear(engine, game, 12)
        game.play(12)
        answer = ask_move(engine, game)
        assert answer is not None
        assert not is_clear(engine, game, answer)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "positions", "scores"), [(5, 10_000, 10_000), (9, 2_000, 300)])
def test_gnugo_agrees_in_many_positions(size: int, positions: int, scores: int, program: Path) -> None:
    """No disagreement on legality, captures and scores over 10,000 positions."""
    with gnugo.start_gnugo(program, level=1) as engine:
        found = gnugo.compare_games(
            engine, size, np.random.default_rng(1), positions=positions, scores=scores
        )
    assert found.disagreements == []
