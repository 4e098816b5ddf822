"""Self-play, matches and the window of recent games, on tiny boards."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("numba", reason="the rules of Go are compiled by numba (extra 'reference')")

from reference_impls.reinforcement_learning import rules
from reference_impls.reinforcement_learning.game import Game
from reference_impls.reinforcement_learning.playing import (
    Examples,
    MatchResult,
    PlaySettings,
    Record,
    Window,
    play_against_itself,
    play_match,
    start_pairs,
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
        planes, policy, value, owners = record.examples
        assert len(planes) == len(policy) == len(value) == len(record.values) == len(record.moves)
        end = Game(3, KOMI, 18)
        for move in record.moves:
            end.play(move)
        for each, move in enumerate(record.moves):
            assert (planes[each] == game.encode(2)).all()
            assert policy[each].sum() == pytest.approx(1)
            assert not policy[each][~game.find_legal()].any()
            assert policy[each][move] > 0
            assert value[each] == record.winner * game.to_play
            if record.resigned:
                assert not owners.any()
            else:
                assert owners[each].sum() * game.to_play == end.score() + KOMI
            game.play(move)
        assert record.resigned or game.is_over
        if not record.resigned:
            assert record.winner == np.sign(game.score())


def test_the_lead_can_be_part_of_the_value() -> None:
    """With a scale, a game that is won by more is worth more."""
    settings = dataclasses.replace(
        SELF_PLAY, search=dataclasses.replace(SELF_PLAY.search, lead_scale=3.0), resign_threshold=-1.1
    )
    for record in play_against_itself(settings, guess, 4, np.random.default_rng(1)):
        game = Game(3, KOMI, 18)
        for move, value in zip(record.moves, record.examples.value, strict=True):
            assert value * game.to_play == pytest.approx(record.examples.value[0])  # black's, throughout
            game.play(move)
        assert record.examples.value[0] == pytest.approx(np.tanh(game.score() / 3), rel=1e-6)
    assert [rules.value_lead(lead, 0.0) for lead in (7.5, 0.0, -0.5)] == [1, 0, -1]


def test_games_may_begin_with_random_moves() -> None:
    """What is played at random is no example; each start of a match is given to both players."""
    settings = dataclasses.replace(SELF_PLAY, random_moves=3)
    records = play_against_itself(settings, guess, 24, np.random.default_rng(1))
    before = [len(record.moves) - len(record.examples.value) for record in records]
    assert set(before) == {0, 1, 2, 3}
    for count, record in zip(before, records, strict=True):
        game = Game(3, KOMI, 18)
        for move in record.moves[:count]:
            game.play(move)
        assert (record.examples.planes[0] == game.encode(2)).all()
    starts = [game.moves for game in start_pairs(settings, 40, np.random.default_rng(1))]
    assert starts[::2] == starts[1::2]
    assert {len(moves) for moves in starts} == {0, 1, 2, 3}
    positions = [game.stones.tobytes() for game in start_pairs(settings, 40, np.random.default_rng(1))]
    assert len(set(positions)) == 20  # each but its own twin is another
    few = dataclasses.replace(settings, random_moves=0)
    assert [game.moves for game in start_pairs(few, 4, np.random.default_rng(1))] == [[]] * 4
    with pytest.raises(ValueError, match="3 games cannot"):
        start_pairs(settings, 3, np.random.default_rng(1))


def test_improved_priors_can_be_learned() -> None:
    """With a scale of the values, examples hold improved priors instead of shares of visits."""
    settings = dataclasses.replace(SELF_PLAY, value_scale=4.0)
    visits, improved = (
        play_against_itself(each, value_by_area(KOMI), 2, np.random.default_rng(1))
        for each in (SELF_PLAY, settings)
    )
    for one, other in zip(visits, improved, strict=True):
        assert one.moves == other.moves
        assert (one.examples.policy != other.examples.policy).any()
        assert other.examples.policy.sum(axis=1) == pytest.approx(1)


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
        np.full((length, 2, 2, 1), number, np.int8),
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
    planes, policy, value, owners = window.sample(4000, np.random.default_rng(1))
    assert (planes == value[:, None, None, None]).all()
    assert (policy == value[:, None]).all()
    assert (owners == planes[..., :1]).all()
    assert np.allclose(np.bincount(value.astype(int)) / 4000, [0, 0, 1 / 8, 4 / 8, 3 / 8], atol=0.03)


def test_sampled_positions_are_turned_with_their_policy() -> None:
    """A position and its policy are turned by the same symmetry, and all eight occur."""
    examples = Examples(
        np.arange(9, dtype=np.int8).reshape(1, 3, 3, 1),
        np.arange(10, dtype=np.float32)[None],
        np.ones(1, np.float32),
        np.arange(9, dtype=np.int8).reshape(1, 3, 3, 1),
    )
    window = Window(1)
    window.add([Record([0], 1, False, np.zeros(1, np.float32), examples)])
    planes, policy, _, owners = window.sample(200, np.random.default_rng(1))
    assert (owners == planes).all()
    assert (planes.reshape(200, 9) == policy[:, :9]).all()
    assert (policy[:, 9] == 9).all()
    assert len(np.unique(policy, axis=0)) == 8
