"""Self-play, matches, the window of recent games, and a generation of learning, on tiny boards."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("numba", reason="the rules of Go are compiled by numba (extra 'reference')")
pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from reference_impls.reinforcement_learning import learning
from reference_impls.reinforcement_learning.config import NetworkSettings
from reference_impls.reinforcement_learning.game import Game
from reference_impls.reinforcement_learning.learning import Learner, LearningSettings
from reference_impls.reinforcement_learning.playing import (
    Examples,
    MatchResult,
    PlaySettings,
    Record,
    Window,
    play_against_itself,
    play_match,
)
from reference_impls.reinforcement_learning.search import SearchSettings
from tests.trainers.go_problems import value_by_area

KOMI = 0.5
SELF_PLAY = PlaySettings(
    size=3,
    komi=KOMI,
    search=SearchSettings(simulations=16, leaves=4, noise_weight=0.25, history=2),
    drawn_moves=4,
    at_once=4,
)
MATCH = dataclasses.replace(SELF_PLAY, search=dataclasses.replace(SELF_PLAY.search, noise_weight=0.0))


def guess(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Knows nothing: every move is equally likely, every position even."""
    return np.ones((len(planes), planes.shape[1] ** 2 + 1)), np.zeros(len(planes))


def test_games_of_self_play_are_examples() -> None:
    """Each position of each game is an example: its planes, the shares of visits, and who won."""
    records = play_against_itself(SELF_PLAY, value_by_area(KOMI), 6, np.random.default_rng(1))
    assert len(records) == 6
    assert len({tuple(record.moves) for record in records}) > 1
    for record in records:
        game = Game(3, KOMI, 18)
        planes, policy, value = record.examples
        assert len(planes) == len(policy) == len(value) == len(record.values) == len(record.moves)
        for each, move in enumerate(record.moves):
            assert (planes[each] == game.encode(2)).all()
            assert policy[each].sum() == pytest.approx(1)
            assert not policy[each][~game.find_legal()].any()
            assert policy[each][move] > 0
            assert value[each] == record.winner * game.to_play
            game.play(move)
        assert record.resigned or game.is_over
        if not record.resigned:
            assert record.winner == np.sign(game.score())


def test_self_play_follows_from_its_seed() -> None:
    """Equal seeds play equal games, other seeds others."""
    played = [
        [record.moves for record in play_against_itself(SELF_PLAY, guess, 5, np.random.default_rng(seed))]
        for seed in (1, 1, 2)
    ]
    assert played[0] == played[1] != played[2]


def test_games_are_resigned_unless_played_out() -> None:
    """A player in despair gives up, and the other has won; in the share that is played out, nobody does."""

    def despair(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        policy, _ = guess(planes)
        return policy, np.where(planes[:, 0, 0, -1] == 1, 1.0, -1.0)  # black is sure to win

    rng = np.random.default_rng(1)
    settings = dataclasses.replace(SELF_PLAY, played_out=0.0)
    for record in play_against_itself(settings, despair, 3, rng):
        assert record.resigned
        assert record.winner == 1
        assert len(record.moves) == 1  # white's first turn
    settings = dataclasses.replace(SELF_PLAY, played_out=1.0)
    assert not any(record.resigned for record in play_against_itself(settings, despair, 3, rng))


def test_the_better_player_wins_a_match() -> None:
    """Counting area beats guessing with both colors, whoever is named first; equals are near half."""
    rng = np.random.default_rng(3)
    knowing = value_by_area(KOMI)
    settings = dataclasses.replace(MATCH, size=4, search=dataclasses.replace(MATCH.search, simulations=40))
    won = play_match(settings, knowing, guess, 12, rng)
    lost = play_match(settings, guess, knowing, 12, rng)
    assert won.games == lost.games == 12
    assert won.share >= 0.75
    assert lost.share <= 0.25
    assert won.passes_gate()
    assert not lost.passes_gate()
    with pytest.raises(ValueError, match="3 games cannot give"):
        play_match(settings, knowing, guess, 3, rng)


@pytest.mark.parametrize(
    ("result", "passes"),
    [((11, 0, 20), True), ((10, 1, 20), False), ((10, 2, 20), True), ((10, 0, 20), False)],
)
def test_a_candidate_needs_55_percent(result: tuple[int, int, int], passes: bool) -> None:
    """Eleven of twenty points are enough, and less is not."""
    assert MatchResult(*result).passes_gate() is passes


def make_record(number: int, length: int) -> Record:
    """A made-up game on 2×2 whose examples hold its number."""
    examples = Examples(
        np.full((length, 2, 2, 3), number, np.int8),
        np.full((length, 5), number, np.float32),
        np.full(length, number, np.float32),
    )
    return Record([0] * length, 1, False, np.zeros(length, np.float32), examples)


def test_the_window_holds_the_latest_games() -> None:
    """The oldest games are dropped whole; examples are drawn from the others, evenly by position."""
    window = Window(3)
    with pytest.raises(ValueError, match="no games"):
        window.sample(1, np.random.default_rng(1))
    window.add([make_record(1, 5), make_record(2, 1)])
    window.add([make_record(3, 4), make_record(4, 3)])
    assert window.lengths == [1, 4, 3]
    assert window.examples is not None
    assert window.examples.value.tolist() == [2, 3, 3, 3, 3, 4, 4, 4]
    planes, policy, value = window.sample(4000, np.random.default_rng(1))
    assert (planes == value[:, None, None, None]).all()
    assert (policy == value[:, None]).all()
    assert np.allclose(np.bincount(value.astype(int)) / 4000, [0, 0, 1 / 8, 4 / 8, 3 / 8], atol=0.03)


def test_sampled_positions_are_turned_with_their_policy() -> None:
    """A position and its policy are turned by the same symmetry, and all eight occur."""
    examples = Examples(
        np.arange(9, dtype=np.int8).reshape(1, 3, 3, 1),
        np.arange(10, dtype=np.float32)[None],
        np.ones(1, np.float32),
    )
    window = Window(1)
    window.add([Record([0], 1, False, np.zeros(1, np.float32), examples)])
    planes, policy, _ = window.sample(200, np.random.default_rng(1))
    assert (planes.reshape(200, 9) == policy[:, :9]).all()
    assert (policy[:, 9] == 9).all()
    assert len(np.unique(policy, axis=0)) == 8


def make_learner(**changes: object) -> Learner:
    """A learner of 3×3 that needs a second for a generation."""
    settings = LearningSettings(
        network=NetworkSettings(size=3, history=2, width=8, blocks=1, value_width=8),
        self_play=dataclasses.replace(
            SELF_PLAY, search=dataclasses.replace(SELF_PLAY.search, simulations=8), at_once=8
        ),
        match=dataclasses.replace(MATCH, search=dataclasses.replace(MATCH.search, simulations=8)),
        games=8,
        window_games=12,
        steps=6,
        batch_size=32,
        match_games=4,
    )
    return Learner(dataclasses.replace(settings, **changes), 1)  # type: ignore[arg-type]


def test_generations_play_train_and_promote() -> None:
    """A generation fills the window, trains the candidate, and makes it the best only if it passes the gate."""
    learner = make_learner()
    for gate, promoted, games in ((0.0, True, 8), (1.1, False, 12)):  # of the window, 12 at most
        learner.settings = dataclasses.replace(learner.settings, gate=gate)
        start = [each.copy() for each in learner.best.get_weights()]
        generation = learner.run_generation()
        assert len(learner.window.lengths) == games
        assert generation.positions > 8
        assert generation.promoted is promoted
        assert set(generation.losses) == {"loss", "policy_loss", "value_loss", "l2_loss"}
        best, candidate = learner.best.get_weights(), learner.candidate.get_weights()
        assert all((a == b).all() for a, b in zip(best, candidate, strict=True)) is promoted
        assert all((a == b).all() for a, b in zip(best, start, strict=True)) is not promoted


def test_a_generation_follows_from_its_seed() -> None:
    """Equal seeds learn the same."""
    first, second = (make_learner().run_generation() for _ in range(2))
    assert first == second


def test_training_lowers_the_loss() -> None:
    """On a window that stays as it is, the candidate's loss falls."""
    learner = make_learner(steps=40, learning_rate=0.05)
    records = learning.play_against_itself(
        learner.settings.self_play, value_by_area(KOMI), 8, np.random.default_rng(1)
    )
    learner.window.add(records)
    losses = [learner.train()["loss"] for _ in range(3)]
    assert losses[2] < losses[1] < losses[0]
