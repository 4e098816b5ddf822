"""The policy and value network, and the symmetries of the board."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("numba", reason="the rules of Go are compiled by numba (extra 'reference')")
pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

import keras
import tensorflow as tf

from reference_impls.reinforcement_learning import symmetries
from reference_impls.reinforcement_learning.config import FULL_NETWORK, NetworkSettings
from reference_impls.reinforcement_learning.game import Game
from reference_impls.reinforcement_learning.model import NetworkEvaluation, build_network, compute_losses

TINY = NetworkSettings(size=3, history=2, width=4, blocks=1, value_width=5)


@pytest.fixture(scope="module")
def tiny() -> keras.Model:
    """A network for 3×3 with some policy and value."""
    model = build_network(TINY, 1)
    rng = np.random.default_rng(5)
    for name in ("logits", "value"):
        kernel = model.get_layer(name).kernel
        kernel.assign(rng.normal(0.0, 0.5, kernel.shape))
    return model


def random_planes(batch: int, settings: NetworkSettings = TINY, seed: int = 1) -> np.ndarray:
    """Made-up planes."""
    shape = (batch, settings.size, settings.size, 2 * settings.history + 1)
    return np.random.default_rng(seed).integers(0, 2, shape, np.int8)


def test_the_full_network_has_its_parts() -> None:
    """Minigo's network for 9×9: a stem, nine residual blocks of 32 filters and two heads, weight by weight."""
    model = build_network(FULL_NETWORK, 1)
    stem = 3 * 3 * 17 * 32 + 2 * 32  # a convolution; scale and offset
    block = 2 * (3 * 3 * 32 * 32 + 2 * 32)
    policy = 32 * 2 + (2 * 81 + 1) * 82
    value = 32 * 1 + (81 + 1) * 64 + (64 + 1)
    trained = sum(int(np.prod(each.shape)) for each in model.trainable_variables)
    assert trained == stem + 9 * block + policy + value == 190_775
    running = 2 * (32 + 9 * 2 * 32 + 2 + 1)  # mean and variance of each batch norm
    assert model.count_params() == trained + running


def test_outputs_are_logits_and_a_value(tiny: keras.Model) -> None:
    """One logit for each point and the pass; values within -1 and 1; equal seeds start with equal weights, and evenly."""
    planes = random_planes(7).astype(np.float32)
    logits, value = (each.numpy() for each in tiny(planes))
    assert logits.shape == (7, 10)
    assert value.shape == (7,)
    assert (np.abs(value) <= 1).all()
    first, again, other = (build_network(TINY, seed) for seed in (1, 1, 2))
    same, others = (
        [(one == two).all() for one, two in zip(first.get_weights(), each.get_weights(), strict=True)]
        for each in (again, other)
    )
    assert all(same)
    assert not all(others)
    assert not any(each.numpy().any() for each in first(planes))


def test_losses_are_cross_entropy_squared_error_and_weights(tiny: keras.Model) -> None:
    """Each part of the loss is its formula, computed by numpy."""
    planes = random_planes(6)
    rng = np.random.default_rng(2)
    policy = rng.dirichlet(np.ones(10), 6).astype(np.float32)
    value = rng.choice([-1, 1], 6).astype(np.float32)
    found = compute_losses(tiny, planes, policy, value, l2=0.01, training=False)

    logits, predicted = (each.numpy().astype(np.float64) for each in tiny(planes.astype(np.float32)))
    log_shares = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    weights = [each.numpy() for each in tiny.trainable_variables if each.ndim > 1]
    expected = {
        "policy_loss": -(policy * log_shares).sum(axis=1).mean(),
        "value_loss": ((predicted - value) ** 2).mean(),
        "l2_loss": 0.01 * sum((each.astype(np.float64) ** 2).sum() for each in weights) / 2,
    }
    for name, number in expected.items():
        assert float(found[name]) == pytest.approx(number, rel=1e-5)
    assert float(found["loss"]) == pytest.approx(sum(expected.values()), rel=1e-5)


def test_owners_of_points_can_be_predicted() -> None:
    """A third head gives a number for each point; its weighted squared error is part of the loss."""
    model = build_network(dataclasses.replace(TINY, predicts_owners=True), 1)
    model.get_layer("owners_conv").kernel.assign(np.full((1, 1, 4, 1), 0.3))
    planes = random_planes(6)
    rng = np.random.default_rng(2)
    policy, value = rng.dirichlet(np.ones(10), 6).astype(np.float32), np.ones(6, np.float32)
    owners = rng.integers(-1, 2, (6, 3, 3, 1), np.int8)
    logits, _, predicted = model(planes.astype(np.float32))
    found = compute_losses(model, planes, policy, value, owners, owners_weight=2.0, l2=0.0, training=False)
    assert float(found["owners_loss"]) == pytest.approx(
        2 * ((predicted - owners) ** 2).numpy().mean(), rel=1e-5
    )
    parts = (found[name] for name in ("policy_loss", "value_loss", "owners_loss"))
    assert float(found["loss"]) == pytest.approx(float(sum(parts)), rel=1e-5)
    assert np.allclose(NetworkEvaluation(model)(planes)[0], tf.nn.softmax(logits), atol=1e-6)


def test_a_network_learns_moves_and_results() -> None:
    """Some steps on a few positions lower both parts of the loss."""
    model = build_network(TINY, 3)
    planes = random_planes(16)
    rng = np.random.default_rng(3)
    policy = np.eye(10, dtype=np.float32)[rng.integers(10, size=16)]
    value = rng.choice([-1, 1], 16).astype(np.float32)
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)

    @tf.function
    def step() -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            losses = compute_losses(model, planes, policy, value, l2=1e-4)
        optimizer.apply_gradients(
            zip(
                tape.gradient(losses["loss"], model.trainable_variables),
                model.trainable_variables,
                strict=True,
            )
        )
        return losses

    seen = [{name: float(loss) for name, loss in step().items()} for _ in range(120)]
    for name in ("policy_loss", "value_loss"):
        assert seen[-1][name] < seen[0][name] / 2


@pytest.mark.parametrize("size", [2, 3, 5])
def test_symmetries_are_the_eight_of_a_square(size: int) -> None:
    """They are all different, keep neighbors next to each other, and turning back restores every policy."""
    turns = symmetries.list_symmetries(size)
    assert turns[0].tolist() == list(range(size * size))
    assert len(np.unique(turns, axis=0)) == symmetries.COUNT
    for turn in turns:
        assert sorted(turn) == list(range(size * size))
        rows, columns = np.divmod(turn.reshape(size, size), size)
        for axis in (0, 1):
            steps = np.abs(np.diff(rows, axis=axis)) + np.abs(np.diff(columns, axis=axis))
            assert (steps == 1).all()
    which = np.arange(8)
    policy = np.random.default_rng(1).random((8, size * size + 1))
    turned = symmetries.turn_policy(policy, which)
    assert (turned[:, -1] == policy[:, -1]).all()
    assert (symmetries.turn_policy_back(turned, which) == policy).all()
    assert (turned[1:] != policy[1:]).any(axis=1).all()


def test_board_and_policy_turn_together() -> None:
    """What is legal on a turned board is what was legal, turned."""
    game = Game(5, komi=0.5)
    rng = np.random.default_rng(4)
    for _ in range(18):
        game.play(int(rng.choice(np.flatnonzero(game.find_legal()[:-1]))))
    which = np.arange(8)
    planes = symmetries.turn_planes(np.repeat(game.encode(1)[None], 8, axis=0), which)
    legal = symmetries.turn_policy(np.repeat(game.find_legal()[None], 8, axis=0), which)
    for turned, expected in zip(planes, legal, strict=True):
        other = Game(5, komi=0.5)
        stones = (turned[:, :, 0] - turned[:, :, 1]).reshape(-1) * game.to_play
        other.set_position(stones, game.to_play)
        assert (other.find_legal() == expected).all()


def test_an_evaluation_is_the_networks_in_some_symmetry(tiny: keras.Model) -> None:
    """Without a generator, policy and value are the network's; with one, those of a turned board, turned back."""
    planes = random_planes(40)
    policy, value = NetworkEvaluation(tiny)(planes)
    logits, direct = tiny(planes.astype(np.float32))
    assert np.allclose(policy, tf.nn.softmax(logits), atol=1e-6)
    assert np.allclose(value, direct, atol=1e-6)

    found, _ = NetworkEvaluation(tiny, np.random.default_rng(1))(planes)
    fitting = []
    for each in range(symmetries.COUNT):
        which = np.full(len(planes), each)
        turned, _ = NetworkEvaluation(tiny)(symmetries.turn_planes(planes, which))
        fitting.append(np.isclose(found, symmetries.turn_policy_back(turned, which), atol=1e-5).all(axis=1))
    assert np.any(fitting, axis=0).all()
    assert (np.sum(fitting, axis=1) > 0).all()  # each symmetry was drawn
