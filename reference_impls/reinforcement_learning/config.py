"""Settings of the reinforcement-learning task, and the shapes of its networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from reference_impls.harness.configs import (
    Count,
    Fraction,
    LogKey,
    LogKeyBy,
    NotNegative,
    Number,
    OneOf,
    Positive,
    Range,
    TaskConfig,
)
from reference_impls.harness.errors import SettingError


@dataclass(frozen=True)
class NetworkSettings:
    """The shape of a policy and value network.

    Attributes:
        size: rows and columns of the board.
        history: positions that it sees; see `game.encode_stones`.
        width: filters of each convolution of the trunk.
        blocks: residual blocks.
        value_width: units of the value head's hidden layer.
        batch_norm_momentum: share of the running mean and variance that each step keeps.
        policy_filters: filters of the policy head's convolution.
        value_filters: filters of the value head's convolution.
        predicts_owners: whether a third head predicts whose each point is in the end.
    """

    size: int
    history: int
    width: int
    blocks: int
    value_width: int
    batch_norm_momentum: float = 0.997
    policy_filters: int = 2
    value_filters: int = 1
    predicts_owners: bool = False


FULL_NETWORK = NetworkSettings(size=9, history=8, width=32, blocks=9, value_width=64)
"""That of Minigo for 9×9 as of 2018: filters a power of two near a third of the area, as many blocks as rows."""

GNUGO_SETTINGS = ("eval_level", "eval_random_moves")
"""Settings of the games of GNU Go that held-out positions come from."""

Share = Annotated[float, Range(0, 1.000001)]
"""A number from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class ReinforcementConfig(TaskConfig):
    """What a run of Minigo needs to know; an epoch is a generation. The defaults are Minigo's of 2018 where it has some.

    Attributes:
        target: the share of the held-out positions' moves that the network must rank first.
        win_target: the share of the points that it must win in games against GNU Go; 0: no games are played, and the
            agreement alone is the quality.
        board_size: rows and columns of the board.
        komi: points for white.
        history: positions that the network sees.
        width: filters of the trunk's convolutions.
        blocks: residual blocks.
        value_width: units of the value head's hidden layer.
        batch_norm_momentum: share of the running mean and variance that each step keeps.
        policy_filters: filters of the policy head's convolution.
        value_filters: filters of the value head's convolution.
        games: games of self-play of each generation, a multiple of `games_at_once`.
        games_at_once: games that are played at the same time, over all processes; the data of a generation is saved
            each time that they are done.
        threads: of each process that play games, each an equal part of them with random numbers of its own.
        window_generations: the latest generations whose games are learned from.
        steps: training steps of each generation.
        simulations: of the search for each move of self-play and of matches.
        leaves: positions of one game that are evaluated together.
        exploration: weight of the prior against the value in the search (c_puct).
        keeps_eyes: whether the search leaves out moves that fill an eye of the player's own.
        first_pass: moves of a game before which the search leaves out a pass, unless there is no other move.
        noise_weight: share of Dirichlet noise in the priors of the root, in self-play.
        noise_alpha: concentration of that noise; 0: by the size of the board.
        lead_scale: if not 0, a finished game is worth tanh(lead / lead_scale), so that a player wants to win by more;
            0: 1, 0 or -1, by who wins, as in Minigo.
        value_scale: scale of the values in the policy that is learned: the priors, improved by the values that the search
            found, see `Search.improve_prior`; 0: the share of visits is learned, as in Minigo.
        random_moves: moves at the start of a game of self-play that are played at random, at most.
        drawn_moves: moves at the start of a game of self-play that are drawn in proportion to the visits.
        resign_threshold: value below which a player resigns in self-play; below -1: never.
        played_out: share of the games of self-play in which nobody resigns.
        warm_generations: the first generations, whose candidates become the best network without a match.
        match_games: games of the match for the best network's place, an even number.
        match_simulations: of the search for each move of those games.
        gate: share of the points with which the candidate takes that place.
        eval_games: games against GNU Go in each evaluation, an even number for each thread.
        eval_simulations: of the search for each move of those games.
        eval_level: GNU Go's level, 1 to 10, in games and for the held-out moves.
        eval_drawn_moves: moves at the start of games of matches and evaluations that are drawn, so that games differ.
        eval_random_moves: moves at the start of those games that are random, at most; each such start is played twice,
            so that both players have both sides of it.
        optimizer: ``sgd`` (with momentum) or ``adam`` (open division).
        learning_rates: the learning rate before, between and after the boundaries.
        boundary_steps: steps, counted from the start of the run, after which the learning rate changes.
        owners_weight: weight of the squared error of whose each point is in the end, which a third head predicts; 0: there
            is none, as in Minigo.
        momentum: of SGD.
        l2: weight of half the squared weights of convolutions and dense layers.
    """

    win_target: Annotated[Share, LogKey("eval_win_target")] = 0.0
    board_size: Annotated[Count, Range(2, 26)] = 9
    komi: Number = 7.5
    history: Annotated[Count, LogKey("model_history")] = 8
    width: Annotated[Count, LogKey("model_width")] = 32
    blocks: Annotated[Count, LogKey("model_blocks")] = 9
    value_width: Annotated[Count, LogKey("model_value_width")] = 64
    batch_norm_momentum: Annotated[Fraction, LogKey("model_batch_norm_momentum")] = 0.997
    policy_filters: Annotated[Count, LogKey("model_policy_filters")] = 2
    value_filters: Annotated[Count, LogKey("model_value_filters")] = 1
    games: Annotated[Count, LogKey("selfplay_games_per_generation")]
    games_at_once: Annotated[Count, LogKey("selfplay_games_at_once")] = 64
    threads: Annotated[Count, LogKey("selfplay_threads")] = 1
    window_generations: Annotated[Count, LogKey("train_window_generations")] = 5
    steps: Annotated[Count, LogKey("train_steps_per_generation")]
    simulations: Annotated[Count, LogKey("search_simulations")] = 200
    leaves: Annotated[Count, LogKey("search_leaves")] = 8
    exploration: Annotated[Positive, LogKey("search_exploration")] = 2.5
    keeps_eyes: Annotated[bool, LogKey("search_keeps_eyes")] = False
    first_pass: Annotated[int, Range(0), LogKey("search_first_pass")] = 0
    noise_weight: Annotated[Share, LogKey("selfplay_noise_weight")] = 0.25
    noise_alpha: Annotated[NotNegative, LogKey("selfplay_noise_alpha")] = 0.0
    lead_scale: Annotated[NotNegative, LogKey("selfplay_lead_scale")] = 0.0
    value_scale: Annotated[NotNegative, LogKey("train_value_scale")] = 0.0
    random_moves: Annotated[int, Range(0), LogKey("selfplay_random_moves")] = 0
    drawn_moves: Annotated[int, Range(0), LogKey("selfplay_drawn_moves")] = 6
    resign_threshold: Annotated[Number, LogKey("selfplay_resign_threshold")] = -0.9
    played_out: Annotated[Share, LogKey("selfplay_played_out")] = 0.1
    warm_generations: Annotated[int, Range(0), LogKey("match_warm_generations")] = 0
    match_games: Count = 20
    match_simulations: Count = 200
    gate: Annotated[Share, LogKey("match_gate")] = 0.55
    eval_games: Count = 20
    eval_simulations: Count = 200
    eval_level: Annotated[Count, Range(1, 11)] = 1
    eval_drawn_moves: Annotated[int, Range(0)] = 2
    eval_random_moves: Annotated[int, Range(0)] = 0
    optimizer: Annotated[str, OneOf("sgd", "adam"), LogKey("opt_name")] = "sgd"
    learning_rates: Annotated[tuple[float, ...], Range(0, is_open=True), LogKey("lr_rates")]
    boundary_steps: Annotated[tuple[int, ...], Range(1), LogKey("lr_boundaries")]
    owners_weight: Annotated[NotNegative, LogKey("train_owners_weight")] = 0.0
    momentum: Annotated[Fraction, LogKeyBy("optimizer", sgd="sgd_opt_momentum")] = 0.9
    l2: Annotated[NotNegative, LogKey("opt_l2_regularization")] = 1e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        for is_wrong, sentence in (
            (
                self.games % self.games_at_once,
                f"games={self.games} is no multiple of games_at_once={self.games_at_once}",
            ),
            (
                self.match_games % 2,
                f"match_games={self.match_games} is odd, so that one would have black more often",
            ),
            (
                self.eval_games % (2 * self.threads),
                f"eval_games={self.eval_games} is no even number for each of {self.threads} threads, so that one player "
                "would have black more often",
            ),
            (
                (self.lead_scale or self.owners_weight) and self.resign_threshold >= -1,
                "a player must not resign (resign_threshold below -1) where the lead or owners of points count "
                "(lead_scale, owners_weight): they would be unknown",
            ),
            (
                len(self.learning_rates) != len(self.boundary_steps) + 1,
                f"{len(self.boundary_steps)} boundary_steps need {len(self.boundary_steps) + 1} learning_rates, not "
                f"{len(self.learning_rates)}",
            ),
        ):
            if is_wrong:
                raise SettingError(sentence)

    @property
    def network(self) -> NetworkSettings:
        """The shape of the network."""
        return NetworkSettings(
            size=self.board_size,
            history=self.history,
            width=self.width,
            blocks=self.blocks,
            value_width=self.value_width,
            batch_norm_momentum=self.batch_norm_momentum,
            policy_filters=self.policy_filters,
            value_filters=self.value_filters,
            predicts_owners=self.owners_weight > 0,
        )


MINI = ReinforcementConfig(
    board_size=5,
    komi=1.5,
    history=1,
    width=16,
    blocks=3,
    value_width=32,
    batch_norm_momentum=0.97,
    policy_filters=8,
    value_filters=4,
    games=384,
    games_at_once=128,
    threads=2,
    window_generations=5,
    steps=180,
    simulations=32,
    leaves=4,
    exploration=2.0,
    keeps_eyes=True,
    first_pass=12,
    lead_scale=6.0,
    value_scale=8.0,
    owners_weight=2.0,
    random_moves=4,
    drawn_moves=6,
    resign_threshold=-1.1,
    warm_generations=2,
    match_games=128,
    match_simulations=8,
    global_batch_size=256,
    eval_batch_size=400,
    eval_samples=400,
    eval_games=32,
    eval_simulations=32,
    eval_drawn_moves=0,
    eval_random_moves=4,
    learning_rates=(0.05, 0.02, 0.005),
    boundary_steps=(900, 1620),
    target=0.273,
    win_target=0.287,
    max_epochs=12,
)
"""5×5, from zero, by self-play only; held-out moves and games are GNU Go's."""

MINI_OPEN = replace(MINI, optimizer="adam", learning_rates=(0.002, 0.001, 0.0003))
"""The open-division variant: Adam."""

FULL = ReinforcementConfig(
    board_size=9,
    history=FULL_NETWORK.history,
    width=FULL_NETWORK.width,
    blocks=FULL_NETWORK.blocks,
    value_width=FULL_NETWORK.value_width,
    games=2048,
    games_at_once=256,
    steps=1000,
    match_games=100,
    global_batch_size=256,
    eval_batch_size=256,
    learning_rates=(0.01, 0.001, 0.0001),
    boundary_steps=(400_000, 600_000),
    target=0.4,
    max_epochs=1000,
)
"""9×9, from zero; quality is the share of professional moves from a folder of game records, the original suite's task."""

FULL_OPEN = replace(FULL, optimizer="adam", learning_rates=(0.001, 0.0001, 0.00001))
"""The open-division variant: Adam."""
