"""One generation of learning: self-play of the best network, training on recent games, and a match for its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from reference_impls.reinforcement_learning.config import NetworkSettings
from reference_impls.reinforcement_learning.model import NetworkEvaluation, build_network, compute_losses
from reference_impls.reinforcement_learning.playing import (
    MatchResult,
    PlaySettings,
    Window,
    play_against_itself,
    play_match,
)


@dataclass(frozen=True)
class LearningSettings:
    """What one generation does.

    Attributes:
        network: shape of the network.
        self_play: how games to learn from are played.
        match: how the candidate plays against the best network.
        games: games of self-play of each generation.
        window_games: games to learn from.
        steps: training steps of each generation.
        batch_size: positions of a step.
        learning_rate: of SGD.
        momentum: of SGD.
        l2: weight of the penalty on the weights.
        match_games: games of the match, an even number.
        gate: share of the match's points with which the candidate becomes the best network.
    """

    network: NetworkSettings
    self_play: PlaySettings
    match: PlaySettings
    games: int
    window_games: int
    steps: int
    batch_size: int
    learning_rate: float = 0.01
    momentum: float = 0.9
    l2: float = 1e-4
    match_games: int = 20
    gate: float = 0.55


class Generation(NamedTuple):
    """What happened in a generation.

    Attributes:
        positions: examples that its games gave.
        losses: mean of each part of the loss over the steps.
        match: the candidate against the best network before.
        promoted: whether the candidate is now the best network.
    """

    positions: int
    losses: dict[str, float]
    match: MatchResult
    promoted: bool


class Learner:
    """Learns a game by playing against itself.

    Args:
        settings: what each generation does.
        seed: of weights, noise and all that is drawn.

    Attributes:
        best: the network that plays against itself.
        candidate: the network that learns; training continues from it, whether it is promoted or not.
        window: recent games.
    """

    def __init__(self, settings: LearningSettings, seed: int) -> None:
        self.settings = settings
        self.best, self.candidate = (build_network(settings.network, seed) for _ in range(2))
        self.window = Window(settings.window_games)
        self.optimizer = keras.optimizers.SGD(settings.learning_rate, settings.momentum)
        self.optimizer.build(self.candidate.trainable_variables)
        self._rng = np.random.default_rng([seed, 2])
        self._step = tf.function(self._train_step, reduce_retracing=True)

    def run_generation(self) -> Generation:
        """Play, train, and let the candidate play for the place of the best network."""
        settings = self.settings
        records = play_against_itself(
            settings.self_play, NetworkEvaluation(self.best, self._rng), settings.games, self._rng
        )
        self.window.add(records)
        losses = self.train()
        match = play_match(
            settings.match,
            NetworkEvaluation(self.candidate, self._rng),
            NetworkEvaluation(self.best, self._rng),
            settings.match_games,
            self._rng,
        )
        promoted = match.passes_gate(settings.gate)
        if promoted:
            self.best.set_weights(self.candidate.get_weights())
        return Generation(sum(len(record.moves) for record in records), losses, match, promoted)

    def train(self) -> dict[str, float]:
        """Train the candidate on the window; returns the mean of each part of the loss."""
        seen = [
            self._step(*self.window.sample(self.settings.batch_size, self._rng))
            for _ in range(self.settings.steps)
        ]
        return {name: float(np.mean([float(losses[name]) for losses in seen])) for name in seen[0]}

    def _train_step(self, planes: tf.Tensor, policy: tf.Tensor, value: tf.Tensor) -> dict[str, tf.Tensor]:
        variables = self.candidate.trainable_variables
        with tf.GradientTape() as tape:
            losses = compute_losses(self.candidate, planes, policy, value, l2=self.settings.l2)
        self.optimizer.apply_gradients(zip(tape.gradient(losses["loss"], variables), variables, strict=True))
        return losses
