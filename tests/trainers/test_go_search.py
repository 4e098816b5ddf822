"""The tree search: forced wins, virtual losses, noise, kept trees, choice of moves."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="the rules of Go are compiled by numba (extra 'reference')")

from reference_impls.reinforcement_learning import trees
from reference_impls.reinforcement_learning.game import Game
from reference_impls.reinforcement_learning.gtp import parse_move
from reference_impls.reinforcement_learning.rules import BLACK, WHITE
from reference_impls.reinforcement_learning.search import Evaluate, Search, SearchSettings, should_resign
from tests.trainers.go_problems import PROBLEMS, Problem, find_winning_moves, value_by_area

SIMULATIONS = 4000
SETTINGS = SearchSettings(simulations=SIMULATIONS, exploration=1.25, history=1)


def start_search(
    game: Game, settings: SearchSettings = SETTINGS, evaluate: Evaluate | None = None, seed: int = 1
) -> Search:
    """A search of one game."""
    return Search([game], settings, evaluate or value_by_area(game.komi), np.random.default_rng(seed))


def solve(problem: Problem, settings: SearchSettings = SETTINGS, evaluate: Evaluate | None = None) -> bool:
    """Whether a search finds the winning move."""
    search = start_search(problem.start(), settings, evaluate)
    search.run()
    return search.choose_move(0) == parse_move(problem.answer, 5)


def test_forced_wins_are_found() -> None:
    """With 4,000 simulations, uniform priors and counted area, the search solves all problems."""
    assert len(PROBLEMS) >= 20
    assert [problem for problem in PROBLEMS if not solve(problem)] == []


def test_forced_wins_take_more_than_one_simulation() -> None:
    """One simulation, which sees no move's consequence, solves no problem."""
    one = SearchSettings(simulations=1, history=1)
    assert not any(solve(problem, one) for problem in PROBLEMS)


def test_forced_wins_take_values_backed_up_for_the_right_player(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a value counts the same for both players, most problems stay unsolved."""

    def back_up_unchanged(each: trees.Trees, game: int, node: int, value: float) -> None:
        while node != 0:
            parent, move = each.parent[game, node], each.parent_move[game, node]
            each.visits[game, parent, move] += 1
            each.total[game, parent, move] += value
            node = parent

    some = PROBLEMS[::4]
    for name in (
        "select_leaves",
        "add_evaluations",
    ):  # not compiled, they call what is put in its place below
        monkeypatch.setattr(trees, name, getattr(trees, name).py_func)
    monkeypatch.setattr(trees, "back_up", trees.back_up.py_func)
    assert solve(some[0])
    monkeypatch.setattr(trees, "back_up", back_up_unchanged)
    assert sum(solve(problem) for problem in some) < len(some) / 2


class Recorder:
    """An evaluation function that remembers what it was asked.

    Attributes:
        batches: the planes of each call.
    """

    def __init__(self, value: float = 0.0, favorite: int | None = None) -> None:
        self.batches: list[np.ndarray] = []
        self.value, self.favorite = value, favorite

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.batches.append(planes.copy())
        policy = np.ones((len(planes), planes.shape[1] ** 2 + 1))
        if self.favorite is not None:
            policy[:, self.favorite] = 100
        return policy, np.full(len(planes), self.value)


def play_some(game: Game, moves: int, seed: int = 1) -> Game:
    """A game after random moves other than passes."""
    rng = np.random.default_rng(seed)
    for _ in range(moves):
        game.play(int(rng.choice(np.flatnonzero(game.find_legal()[:-1]))))
    return game


@pytest.mark.parametrize("history", [1, 3, 8])
def test_the_evaluation_sees_what_games_encode(history: int) -> None:
    """The planes of the root and of each leaf are those of the game after the moves to it."""
    game = play_some(Game(4, komi=0.5, longest=40), 5)
    seen = Recorder()
    search = start_search(game, SearchSettings(simulations=60, leaves=4, history=history), seen)
    search.run()
    planes = np.concatenate(seen.batches)
    assert (planes[0] == game.encode(history)).all()

    def list_positions(moves: list[int], depth: int) -> set[bytes]:
        again = Game(4, komi=0.5, longest=40)
        for move in moves:
            again.play(move)
        found = {again.encode(history).tobytes()}
        if depth and not again.is_over:
            for move in np.flatnonzero(again.find_legal()).tolist():
                found |= list_positions([*moves, move], depth - 1)
        return found

    near = list_positions(game.moves, 2)
    shown = [each.tobytes() in near for each in planes]
    assert sum(shown) > 20
    assert all(shown[:10])


def test_leaves_of_a_batch_differ() -> None:
    """Virtual losses lead to different leaves; without them, a tree yields one leaf at a time."""
    sizes = {}
    for virtual_loss in (0.0, 1.0):
        for favorite in (None, 12):
            seen = Recorder(favorite=favorite)
            settings = SearchSettings(simulations=33, leaves=8, virtual_loss=virtual_loss, history=1)
            start_search(Game(5, komi=0.5, longest=50), settings, seen).run()
            assert all(len(np.unique(each, axis=0)) == len(each) for each in seen.batches)
            sizes[virtual_loss, favorite] = [len(each) for each in seen.batches]
    assert sizes[0.0, None] == sizes[0.0, 12] == [1] * 33
    assert sizes[1.0, None] == [1, 8, 8, 8, 8]
    assert len(sizes[1.0, 12]) < 20  # where the priors are sharp, several ways down meet


def test_games_are_searched_together_as_they_are_alone() -> None:
    """A game's visits and value do not depend on the other games of the batch."""
    games = [play_some(Game(5, komi=0.5, longest=50), moves, seed=moves) for moves in (0, 7, 12)]
    settings = SearchSettings(simulations=90, history=2)
    together = Search(games, settings, value_by_area(0.5), np.random.default_rng(1))
    together.run([0, 2])
    assert not together.visits(1).any()
    together.run()
    for index, game in enumerate(games):
        alone = start_search(game, settings)
        alone.run()
        assert together.visits(index).tolist() == alone.visits(0).tolist()
        assert together.value(index) == pytest.approx(alone.value(0))
        assert alone.visits(0).sum() == settings.simulations - 1  # the first one is the root's own


def test_what_is_below_the_move_played_is_kept() -> None:
    """After a move, its subtree is the tree: its visits count, and only the rest is evaluated."""
    game = Game(5, komi=0.5, longest=50)
    evaluate = value_by_area(0.5)
    asked: list[int] = []

    def count(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        asked.append(len(planes))
        return evaluate(planes)

    search = start_search(game, SearchSettings(simulations=200, exploration=1.0, history=3), count)
    search.run()
    for _ in range(6):
        move = search.choose_move(0)
        kept = int(search.visits(0)[move])
        game.play(move)
        asked.clear()
        search.run()
        assert sum(asked) <= 200 - kept
        assert search.visits(0).sum() >= 199
        illegal = ~game.find_legal()
        assert not search.visits(0)[illegal].any()
        assert search.prior(0).sum() == pytest.approx(1, abs=1e-5)
    search.games[0] = Game(5, komi=0.5, longest=50)  # another game in its place
    search.run()
    assert search.visits(0).sum() == 199


def test_moves_of_one_player_in_a_row_start_a_new_tree() -> None:
    """A tree follows what was played: after two moves of black, white's next move is searched in the right position."""
    game = Game(3, komi=0.5, longest=20)
    search = start_search(game, SearchSettings(simulations=50, history=1))
    search.run()
    game.play(4, BLACK)
    game.play(0, BLACK)
    seen = Recorder()
    search.evaluate = seen
    search.run()
    assert (seen.batches[0][0] == game.encode(1)).all()


def test_superko_holds_below_the_root() -> None:
    """A move that brings back a position of the game, or of the way down the tree, is never tried."""
    game = Game.from_rows([".XO..", "X.XO.", ".XO..", ".....", "....."], WHITE, komi=0, longest=20)
    game.play(parse_move("B4", 5))
    retaken = parse_move("C4", 5)
    search = start_search(game, SearchSettings(simulations=300, history=1))
    search.run()
    assert search.visits(0)[retaken] == 0
    game.play(parse_move("E1", 5))
    search.run()
    game.play(parse_move("A1", 5))
    search.run()
    assert search.visits(0)[retaken] > 0


def test_noise_is_mixed_into_the_priors_of_the_root() -> None:
    """The root's priors are a mean of policy and noise, over legal moves only, drawn once for each position."""
    game = play_some(Game(5, komi=0.5, longest=50), 6)
    settings = SearchSettings(simulations=20, noise_weight=0.25, history=1)
    search = start_search(game, settings, Recorder())
    search.run()
    prior, legal = search.prior(0), game.find_legal()
    assert prior.sum() == pytest.approx(1, abs=1e-5)
    assert not prior[~legal].any()
    assert prior[legal].min() >= 0.75 / legal.sum() - 1e-6
    assert prior[legal].max() > 1.2 / legal.sum()
    search.run()
    assert (search.prior(0) == prior).all()
    other = start_search(game, settings, Recorder(), seed=2)
    other.run()
    assert not np.allclose(other.prior(0), prior)


def test_moves_are_chosen_by_visits() -> None:
    """Without temperature the most visited move; with it, in proportion to the visits, but no pass."""
    search = start_search(
        Game(3, komi=0.5, longest=20), SearchSettings(simulations=120, history=1), Recorder(favorite=4)
    )
    search.run()
    visits = search.visits(0)
    assert search.choose_move(0) == 4 == visits.argmax()
    drawn = np.bincount([search.choose_move(0, 1.0) for _ in range(2000)], minlength=10)
    assert visits[-1] > 0
    visits[-1] = 0
    assert not drawn[visits == 0].any()
    assert np.allclose(drawn / 2000, visits / visits.sum(), atol=0.04)
    cold = [search.choose_move(0, 0.1) for _ in range(50)]
    assert cold.count(4) >= 48


def test_a_hopeless_position_is_resigned() -> None:
    """A player resigns when the mean of the simulations is below the threshold."""
    lost = Game.from_rows(
        ["OOO", "OO.", "O.O"], BLACK, komi=0.5, longest=2
    )  # white fills no eye, black has no move
    for evaluated, threshold, resigns in ((-1.0, -0.9, True), (0.0, -0.9, True), (-1.0, -1.0, False)):
        search = start_search(lost, SearchSettings(simulations=100, history=1), Recorder(evaluated))
        search.run()
        assert search.value(0) < -0.9
        assert should_resign(search, 0, threshold) is resigns
    search = start_search(Game(5, komi=0.5, longest=50), SearchSettings(simulations=2, history=1), Recorder())
    search.run()
    assert not should_resign(search, 0, -0.9)


def test_the_end_of_a_game_has_its_true_value() -> None:
    """A pass is answered by a pass if that wins, whatever the evaluation says; a game that is over is not searched."""
    game = Game.from_rows(["XX.", "XXX", ".X."], WHITE, komi=0.5, longest=20)
    game.play(game.pass_move)
    search = start_search(game, SearchSettings(simulations=30, history=1), Recorder())
    search.run()
    assert search.choose_move(0) == game.pass_move
    assert search.value(0) > 0.5
    game.play(game.pass_move)
    seen = Recorder()
    search.evaluate = seen
    search.run()
    assert seen.batches == []
    with pytest.raises(ValueError, match="same size, komi and greatest length"):
        Search([Game(5, 0.5, 9), Game(5, 1.5, 9)], SETTINGS, seen, np.random.default_rng(1))


@pytest.mark.parametrize("problem", PROBLEMS)
def test_each_problem_has_one_answer(problem: Problem) -> None:
    """An exhaustive search finds that the answer, and no other move, wins."""
    assert find_winning_moves(problem.start()) == [parse_move(problem.answer, 5)]


def test_improved_priors_follow_the_values_found() -> None:
    """Priors without noise rise with the value of their move; a move that was not visited has that of the position."""
    prior = np.array([0.4, 0.3, 0.2, 0.05, 0.05])

    def evaluate(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        is_lost = planes[:, 0, 0, 1] == 1  # the opponent has taken the first point
        return np.tile(prior, (len(planes), 1)), np.where(is_lost, -0.8, 0.2)

    settings = SearchSettings(simulations=4, leaves=1, noise_weight=0.5, history=1)
    search = start_search(Game(2, 0.5, 8), settings, evaluate)
    search.run()
    visits, total = search._trees.visits[0, 0], search._trees.total[0, 0]
    visited = visits > 0
    assert visits.sum() == 3
    assert 0 < visited.sum() < 5
    values = np.where(visited, total / np.maximum(visits, 1), 0)
    mean = (prior * values)[visited].sum() / prior[visited].sum()
    values[~visited] = (0.2 + 3 * mean) / 4
    expected = prior * np.exp(3 * values)
    assert search.improve_prior(0, 3.0) == pytest.approx(expected / expected.sum(), rel=1e-5)
    assert search.improve_prior(0, 0.0) == pytest.approx(prior, rel=1e-5)  # without noise
    assert search.prior(0) != pytest.approx(prior, rel=1e-5)


def test_a_search_can_keep_eyes_and_leave_out_early_passes() -> None:
    """Moves that fill one's own eyes, and passes before a number of moves, are tried only where the settings let them."""
    rows = ("XX.X.", "X.XX.", "XXX..", ".....", ".....")
    for keeps_eyes, first_pass, without in ((False, 0, set()), (True, 0, {2, 6}), (True, 1, {2, 6, 25})):
        settings = SearchSettings(simulations=200, history=1, keeps_eyes=keeps_eyes, first_pass=first_pass)
        search = start_search(Game.from_rows(rows, BLACK, 0.5, 50), settings)
        search.run()
        assert (
            set(np.flatnonzero(search.prior(0) == 0)) - set(np.flatnonzero([c != "." for c in "".join(rows)]))
            == without
        )
    game = Game.from_rows(("X.X", "XXX", "X.X"), BLACK, 0.5, 50)  # nothing but eyes
    search = start_search(game, SearchSettings(simulations=20, history=1, keeps_eyes=True, first_pass=20))
    search.run()
    assert search.choose_move(0) == game.pass_move
