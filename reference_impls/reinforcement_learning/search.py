"""Monte Carlo tree search with an evaluation function, for many games at once (AlphaGo Zero, Silver et al., 2017).

The evaluation function sees a batch of positions, several leaves of every game, so that a network is used well. The
leaves of one tree are collected one after the other with virtual losses, which lead each away from those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reference_impls.reinforcement_learning import trees
from reference_impls.reinforcement_learning.game import Game
from reference_impls.reinforcement_learning.tree_arrays import Limits, make_trees

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From planes, int8 [batch, size, size, channels] (`game.encode_stones`), to the probabilities of the moves
[batch, area + 1] and the value for the player to play [batch], from -1 to 1."""

NOISE_ON_FULL_BOARD = 0.03 * 361


@dataclass(frozen=True)
class SearchSettings:
    """How a search works; the defaults are those of Minigo on small boards.

    Attributes:
        simulations: visits of the root, those kept from the search before the latest move included.
        leaves: positions of one game that are evaluated together.
        exploration: weight of the prior against the value (c_puct).
        virtual_loss: how many losses a leaf counts as while it awaits its evaluation.
        noise_weight: share of Dirichlet noise in the priors of the root; 0 where strength counts.
        noise_alpha: concentration of the noise; 0: 0.03 · 361 / area, which is that of a full board scaled to its size.
        history: positions that the evaluation function sees.
        lead_scale: how much the lead counts in the value of a finished game; see `rules.value_lead`.
        keeps_eyes: whether moves that fill an eye of one's own are left out.
        first_pass: moves of a game before which a pass is left out unless there is no other move.
    """

    simulations: int = 200
    leaves: int = 8
    exploration: float = 2.5
    virtual_loss: float = 1.0
    noise_weight: float = 0.0
    noise_alpha: float = 0.0
    history: int = 8
    lead_scale: float = 0.0
    keeps_eyes: bool = False
    first_pass: int = 0


class Search:
    """Search trees of games. The caller plays the moves in the games; the trees follow when `run` is next called.

    Args:
        games: of equal size, komi and greatest length. An entry may be replaced by another such game at any time.
        settings: how to search.
        evaluate: values positions.
        rng: source of the noise.

    Raises:
        ValueError: the games differ, or have no greatest length.
    """

    def __init__(
        self, games: Sequence[Game], settings: SearchSettings, evaluate: Evaluate, rng: np.random.Generator
    ) -> None:
        kinds = {(game.board.size, game.komi, game.longest) for game in games}
        size, komi, longest = next(iter(kinds))
        if len(kinds) > 1 or longest is None:
            raise ValueError("the games of a search have the same size, komi and greatest length")
        self.games = list(games)
        self.settings = settings
        self.evaluate = evaluate
        self._rng = rng
        self._board = games[0].board
        # numba compiles anew for other types: an integer here would cost seconds.
        self._limits = Limits(
            float(komi),
            longest,
            float(settings.lead_scale),
            bool(settings.keeps_eyes),
            int(settings.first_pass),
            float(settings.exploration),
            float(settings.virtual_loss),
        )
        area = size * size
        capacity = settings.simulations + 1
        self._trees = make_trees(len(games), capacity, area, settings.history, longest)
        self._followed: list[tuple[Game, list[int]] | None] = [None] * len(games)
        self._noisy = [False] * len(games)
        self._without_noise = np.zeros((len(games), area + 1), np.float32)

    def run(self, active: Sequence[int] | None = None) -> None:
        """Search until each root has its visits.

        Args:
            active: indices of the games to search; default: all. Games that are over are skipped.
        """
        chosen = range(len(self.games)) if active is None else active
        for index in chosen:
            self._follow(index)
        live = [index for index in chosen if not self.games[index].is_over]
        budget = np.zeros(len(self.games), np.int64)
        budget[[index for index in live if self._trees.state[index, 0] == trees.NEW]] = 1
        self._simulate(budget)
        for index in live:
            self._add_noise(index)
            budget[index] = self.settings.simulations - 1 - self._trees.visits[index, 0].sum()
        self._simulate(budget)

    def _simulate(self, budget: np.ndarray) -> None:
        most = self.settings.leaves
        space = np.empty((2, len(self.games) * most), np.int64)
        size, channels = self._board.size, 2 * self.settings.history + 1
        while (budget > 0).any():
            count = trees.select_leaves(
                self._trees, self._board, self._limits, budget, most, space[0], space[1]
            )
            if not count:
                continue
            games, nodes = space[0, :count], space[1, :count]
            planes = np.empty((count, size * size, channels), np.int8)
            trees.encode_leaves(self._trees, games, nodes, planes)
            policy, value = self.evaluate(planes.reshape(count, size, size, channels))
            trees.add_evaluations(
                self._trees, games, nodes, np.asarray(policy, np.float32), np.asarray(value, np.float32)
            )

    def _follow(self, index: int) -> None:
        """Bring a tree to the position of its game: keep what is known below it, or start anew."""
        game, followed = self.games[index], self._followed[index]
        self._followed[index] = (game, list(game.moves))
        if followed is not None and followed[0] is game and game.moves[: len(followed[1])] == followed[1]:
            new = game.moves[len(followed[1]) :]
            if not new:
                return
            node = 0
            for move in new:
                node = int(self._trees.child[index, node, move]) if node >= 0 else -1
            if node > 0 and self._is_position(index, node, game):
                trees.keep_subtree(self._trees, index, node)
                self._set_past(index)
                self._noisy[index] = False
                return
        self._noisy[index] = False
        each = self._trees
        each.nodes[index] = 1
        each.stones[index, 0] = game.stones
        each.keys[index, 0] = game.keys[-1]
        each.to_play[index, 0] = game.to_play
        each.passes[index, 0] = next(
            (count for count, move in enumerate(reversed(game.moves)) if move != game.pass_move),
            len(game.moves),
        )
        each.depth[index, 0] = len(game.moves)
        self._set_past(index)
        trees.open_node(each, self._board, self._limits, index, 0)

    def _is_position(self, index: int, node: int, game: Game) -> bool:
        """Whether a node is a game's position; it is not if a player has moved twice in a row."""
        each = self._trees
        return bool(each.keys[index, node] == game.keys[-1] and each.to_play[index, node] == game.to_play)

    def _set_past(self, index: int) -> None:
        """What the tree needs to know of the game before its root."""
        game, each = self.games[index], self._trees
        each.seen[index, : len(game.keys)] = game.keys
        each.seen_count[index] = len(game.keys)
        each.before[index] = 0
        for ago, stones in zip(range(self.settings.history - 1), reversed(game.past), strict=False):
            each.before[index, ago] = stones

    def _add_noise(self, index: int) -> None:
        weight = self.settings.noise_weight
        if self._noisy[index]:
            return
        self._noisy[index] = True
        prior = self._trees.prior[index, 0]
        self._without_noise[index] = np.maximum(prior, 0)
        if not weight:
            return
        legal = prior >= 0
        alpha = self.settings.noise_alpha or NOISE_ON_FULL_BOARD / self._board.size**2
        noise = self._rng.dirichlet(np.full(int(legal.sum()), alpha))
        prior[legal] = (1 - weight) * prior[legal] + weight * noise

    def visits(self, index: int) -> np.ndarray:
        """How often each move was tried at the root of a game: int32 [area + 1]."""
        visits: np.ndarray = self._trees.visits[index, 0].copy()
        return visits

    def prior(self, index: int) -> np.ndarray:
        """The priors of the moves at the root of a game, with noise if there is some: float32 [area + 1]; illegal: 0."""
        prior: np.ndarray = np.maximum(self._trees.prior[index, 0], 0)
        return prior

    def improve_prior(self, index: int, scale: float) -> np.ndarray:
        """The priors without noise, improved by what the search has found: float32 [area + 1].

        The improved policy of Danihelka et al., "Policy improvement by planning with Gumbel", 2022: the softmax of the
        logarithm of the priors plus the scaled values of the moves. A move that was not visited has the value of the
        position: the mean of the network's own, and of those of the visited moves, weighted by their priors. Few simulations
        say more in this way than by their visits.

        Args:
            index: of the game, which was searched.
            scale: of values, from -1 to 1, against logarithms of priors.
        """
        each, prior = self._trees, self._without_noise[index].astype(np.float64)
        visits, total = each.visits[index, 0], each.total[index, 0]
        visited, count = visits > 0, visits.sum()
        values = total / np.maximum(visits, 1)
        own = float(each.value[index, 0])
        mass = prior[visited].sum()
        if mass > 0:
            mean = (prior * values)[visited].sum() / mass
            own = (own + count * mean) / (1 + count)
        values[~visited] = own
        logits = np.where(
            prior > 0, np.log(np.maximum(prior, np.finfo(np.float32).tiny)) + scale * values, -np.inf
        )
        weights = np.exp(logits - logits.max())
        policy: np.ndarray = (weights / weights.sum()).astype(np.float32)
        return policy

    def value(self, index: int) -> float:
        """The value of a game's position for the player to play: the mean of all simulations, from -1 to 1."""
        own, total = self._trees.value[index, 0], self._trees.total[index, 0].sum()
        return float((own + total) / (1 + self._trees.visits[index, 0].sum()))

    def choose_move(self, index: int, temperature: float = 0.0) -> int:
        """A move for a game.

        Args:
            index: of the game, which was searched.
            temperature: 0: the move visited most (of those, the one with the highest prior); otherwise a move is
                drawn, its weight the number of visits to the power of 1 / temperature. As in Minigo, a pass is drawn
                only if no other move was visited.
        """
        visits, prior = self.visits(index), self.prior(index)
        if temperature and visits.any():
            if visits[:-1].any():
                visits[-1] = 0
            weights = (visits / visits.max()) ** (1 / temperature)
            return int(self._rng.choice(len(weights), p=weights / weights.sum()))
        return int(np.argmax(visits + prior / 2))


def should_resign(search: Search, index: int, threshold: float) -> bool:
    """Whether the player to play should give a game up: its value is below a threshold, -0.9 in Minigo."""
    return search.value(index) < threshold
