"""Reinforcement learning as a workload: self-play makes the data, training follows, and a match decides who plays next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reference_impls.harness import DataError, SettingError
from reference_impls.harness.data.arrays import batch_arrays, make_rng
from reference_impls.harness.data.prepared import check_prepared, read_checksum, read_facts, read_prepared
from reference_impls.harness.run.optimizers import scale_losses
from reference_impls.harness.workload import Batch, Collected, Evaluation, HostState, Quality, Share, Workload
from reference_impls.reinforcement_learning.config import GNUGO_SETTINGS, ReinforcementConfig
from reference_impls.reinforcement_learning.gnugo import find_gnugo, start_gnugo
from reference_impls.reinforcement_learning.model import NetworkEvaluation, build_network, compute_losses
from reference_impls.reinforcement_learning.opponent import play_engine
from reference_impls.reinforcement_learning.playing import (
    Examples,
    PlaySettings,
    Record,
    Window,
    play_against_itself,
    play_match,
    start_pairs,
)
from reference_impls.reinforcement_learning.search import SearchSettings

_SELF_PLAY, _TRAINING, _MATCH, _GAMES = range(4)
"""What random numbers are for: each use has a generator of its own, which follows from seed, generation and use."""

AGREEMENT, WIN_RATE = "agreement", "win_rate"


class ReinforcementWorkload(Workload[ReinforcementConfig]):
    """Learns Go by playing against itself; an epoch of the harness is a generation.

    Attributes:
        model: the network that learns, the candidate; training goes on from it whether it is promoted or not.
        best: the network that plays against itself, a copy of some candidate on this process alone.
        window: the games to learn from.
    """

    metric = AGREEMENT
    unit = "generation"
    self_play = True

    def __init__(self, config: ReinforcementConfig, folder: Path, seed: int, data_command: str = "") -> None:
        super().__init__(config, folder, seed, data_command)
        self.window = Window(config.window_generations * config.games)
        self._rounds: list[dict[str, np.ndarray]] = []  # of a generation's self-play, so far
        self._generation = 0  # the latest whose games are in the window
        self._promotions = 0
        self._match_share: float | None = None

    @property
    def target(self) -> Quality:
        """Agreement, and points won against GNU Go where games are played."""
        config = self.config
        return {AGREEMENT: config.target, WIN_RATE: config.win_target} if config.win_target else config.target

    @property
    def train_samples(self) -> int:
        """Positions that a generation trains on; one may be drawn more than once."""
        return self.config.steps * self.config.global_batch_size

    @property
    def eval_samples(self) -> int:
        """Held-out positions; at full scale as many as the professional games have."""
        return self.config.eval_samples or int(read_facts(self.folder, self.data_command)["positions"])

    def check_data(self) -> None:
        """Check that the held-out positions are there, and GNU Go if games against it are played."""
        check_prepared(self.folder, self.data_command)
        if self.config.win_target:
            find_gnugo(self.folder, self.data_command)

    def data_checksum(self) -> str:
        """That of the held-out positions."""
        return read_checksum(self.folder, self.data_command)

    def hyperparameters(self, share: Share) -> dict[str, object]:
        """Those of the configuration, and the number of positions that batch norm sees at a time."""
        return {**super().hyperparameters(share), **self.batch_norm_span(share)}

    def build(self) -> None:
        """Make the network that learns and its optimizer."""
        config = self.config
        self.model = build_network(config.network, self.seed)
        rate = keras.optimizers.schedules.PiecewiseConstantDecay(
            list(config.boundary_steps), list(config.learning_rates)
        )
        optimizer = (
            keras.optimizers.SGD(rate, config.momentum)
            if config.optimizer == "sgd"
            else keras.optimizers.Adam(rate)
        )
        self.optimizer = scale_losses(optimizer, config)
        self.optimizer.build(self.model.trainable_variables)
        self._best: list[np.ndarray] = [each.numpy() for each in self.model.weights]

    def state(self) -> dict[str, Any]:
        """The network that learns and its optimizer."""
        return {"model": self.model, "optimizer": self.optimizer}

    def host_state(self) -> HostState:
        """The window of games, the best network, and the finished rounds of self-play of a generation."""
        arrays = {f"best.{number:05}": each for number, each in enumerate(self._best)}
        if self.window.examples is not None:
            arrays |= {f"window.{name}": each for name, each in self.window.examples._asdict().items()}
        arrays["window.lengths"] = np.array(self.window.lengths, np.int64)
        for number, each in enumerate(self._rounds):
            arrays |= {f"round.{number}.{name}": array for name, array in each.items()}
        facts = {
            "generation": self._generation,
            "rounds": len(self._rounds),
            "promotions": self._promotions,
            "match_share": self._match_share,
        }
        return HostState(arrays, facts)

    def restore_host_state(self, state: HostState) -> None:
        """Go on with those."""
        arrays = state.arrays
        self._best = [arrays[f"best.{number:05}"] for number in range(len(self._best))]
        self.window.lengths = arrays["window.lengths"].tolist()
        if self.window.lengths:
            self.window.examples = Examples(*(arrays[f"window.{name}"] for name in Examples._fields))
        names = (*Examples._fields, "lengths")
        self._rounds = [
            {name: arrays[f"round.{number}.{name}"] for name in names}
            for number in range(state.facts["rounds"])
        ]
        self._generation, self._promotions = state.facts["generation"], state.facts["promotions"]
        self._match_share = state.facts["match_share"]

    def load(self, share: Share) -> None:
        """Read the held-out positions, and make the networks that play."""
        config = self.config
        arrays, facts = read_prepared(self.folder, self.data_command)
        names = ("board_size", "history", *(("komi", *GNUGO_SETTINGS) if config.win_target else ()))
        found = {name: facts.get(name) for name in names}
        wanted = {name: getattr(config, name) for name in names}
        if found != wanted or (config.eval_samples and len(arrays["moves"]) != config.eval_samples):
            raise DataError(
                f"{self.folder} holds {len(arrays['moves'])} positions of {found} where the configuration says "
                f"{config.eval_samples} of {wanted}; get the right data with: {self.data_command}"
            )
        if config.games_at_once % (share.processes * config.threads):
            raise SettingError(
                f"games_at_once={config.games_at_once} cannot be divided among {share.processes} processes of "
                f"{config.threads} threads"
            )
        self.held_out = arrays
        search = SearchSettings(
            simulations=config.simulations,
            leaves=config.leaves,
            exploration=config.exploration,
            history=config.history,
            lead_scale=config.lead_scale,
            keeps_eyes=config.keeps_eyes,
            first_pass=config.first_pass,
        )
        self._match = PlaySettings(
            config.board_size,
            config.komi,
            random_moves=config.eval_random_moves,
            search=replace(search, simulations=config.match_simulations),
            drawn_moves=config.eval_drawn_moves,
            resign_threshold=config.resign_threshold,
        )
        self._self_play = replace(
            self._match,
            random_moves=config.random_moves,
            search=replace(search, noise_weight=config.noise_weight, noise_alpha=config.noise_alpha),
            drawn_moves=config.drawn_moves,
            value_scale=config.value_scale,
            played_out=config.played_out,
            at_once=config.games_at_once // (share.processes * config.threads),
        )
        # Copies that play: unlike the variables of the devices, one process can use them without the others.
        with tf.device("CPU"):
            players = [build_network(config.network, self.seed) for _ in range(2)]
        self.best, self._candidate = players
        self.best.set_weights(self._best)
        self._evaluate_best, self._evaluate_candidate = map(NetworkEvaluation, players)

    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        """Play a generation of games of the best network, then draw positions of the latest games."""
        config = self.config
        if epoch > self._generation:  # else the run was resumed after the generation's games
            for number in range(len(self._rounds), config.games // config.games_at_once):
                self._rounds.append(self._play_round(epoch, number, share))
                self.runtime.save()
            for each in self._rounds:
                examples = Examples(*(each[name] for name in Examples._fields))
                self.window.add_examples(examples, each["lengths"].tolist())
            self._rounds, self._generation = [], epoch
        size = share.replica_batch(config.global_batch_size)

        def draw() -> Iterator[dict[str, np.ndarray]]:
            for step in range(config.steps):
                batch = self.window.sample(
                    config.global_batch_size, make_rng(self.seed, epoch, _TRAINING, step)
                )
                for replica in range(share.index * share.replicas, (share.index + 1) * share.replicas):
                    part = slice(replica * size, (replica + 1) * size)
                    yield {name: array[part] for name, array in batch._asdict().items()}

        board = config.board_size
        signature = {
            "planes": tf.TensorSpec((size, board, board, 2 * config.history + 1), tf.int8),
            "policy": tf.TensorSpec((size, board * board + 1), tf.float32),
            "value": tf.TensorSpec((size,), tf.float32),
            "owners": tf.TensorSpec((size, board, board, 1), tf.int8),
        }
        data = tf.data.Dataset.from_generator(draw, output_signature=signature)
        options = tf.data.Options()
        options.autotune.enabled = False
        return data.apply(
            tf.data.experimental.assert_cardinality(config.steps * share.replicas)
        ).with_options(options)

    def _play_round(self, epoch: int, number: int, share: Share) -> dict[str, np.ndarray]:
        """Games that are played at the same time: this process's part, then those of all processes."""
        threads = self.config.threads

        def play(thread: int) -> list[Record]:
            rng = make_rng(self.seed, epoch, _SELF_PLAY, number, share.index * threads + thread)
            evaluate = self._evaluate_best.draw_from(rng)
            return play_against_itself(self._self_play, evaluate, self._self_play.at_once, rng)

        with ThreadPoolExecutor(threads) as pool:
            records = [record for part in pool.map(play, range(threads)) for record in part]
        examples = [record.examples._asdict() for record in records]
        arrays = {name: np.concatenate([each[name] for each in examples]) for name in Examples._fields}
        lengths = np.array([len(each["value"]) for each in examples])
        return self.runtime.gather({**arrays, "lengths": lengths})

    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Cross entropy of the search's visits, squared error of the result, and the penalty on the weights."""
        config = self.config

        def measure(part: Batch, _: object) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            parts = self.count_parts()
            losses = compute_losses(
                self.model,
                *(part[name] for name in Examples._fields),
                owners_weight=config.owners_weight,
                l2=config.l2,
            )
            losses = {
                name: loss / parts for name, loss in losses.items()
            }  # each part's means have equal weight
            return losses["loss"], losses

        return self.update(measure, batch, self.optimizer, self.model.trainable_variables)

    def measure_work(self, epoch: int, share_of_epoch: float) -> Mapping[str, float]:
        """Positions trained on; games and positions of self-play."""
        work = super().measure_work(epoch, share_of_epoch)
        games = self.config.games
        return {**work, "games": games, "positions": sum(self.window.lengths[-games:])}

    def _copy_candidate(self) -> list[np.ndarray]:
        """Give the candidate that plays the weights of the one that learns; every process must call this."""
        weights = [tf.convert_to_tensor(each).numpy() for each in self.model.weights]
        self._candidate.set_weights(weights)
        return weights

    @contextmanager
    def around_evaluation(self, epoch: int) -> Iterator[None]:
        """Before the candidate is evaluated, it plays for the place of the best network, or gets it in the first generations."""
        config = self.config
        candidate = self._copy_candidate()

        def play() -> float:
            rng = make_rng(self.seed, epoch, _MATCH)
            first, second = self._evaluate_candidate.draw_from(rng), self._evaluate_best.draw_from(rng)
            return play_match(self._match, first, second, config.match_games, rng).share

        is_warm = epoch <= config.warm_generations
        self._match_share = None if is_warm else self.runtime.find_on_first(play)
        if self._match_share is None or self._match_share >= config.gate:
            self._promotions += 1
            self._best = candidate
            self.best.set_weights(candidate)
        yield

    def eval_data(self, share: Share) -> tf.data.Dataset:
        """The held-out positions, with what is legal and what was played."""
        return batch_arrays(self.held_out, self.config.eval_batch_size, share, weight="weight")

    def eval_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """How many moves the policy ranks first among the legal ones; a tie does not count."""
        logits, *_ = self.model(tf.cast(batch["planes"], tf.float32), training=False)
        policy = tf.where(batch["legal"], tf.nn.softmax(logits), -1.0)
        own = tf.gather(policy, batch["moves"], axis=1, batch_dims=1)[:, None]
        is_first = tf.reduce_sum(tf.cast(policy >= own, tf.int32), axis=1) == 1
        hits = tf.cast(is_first, tf.float32) * batch["weight"]
        return {"hits": tf.reduce_sum(hits), "positions": tf.reduce_sum(batch["weight"])}

    def measure(self, collected: Collected) -> Evaluation:
        """The share of the moves that are ranked first."""
        return Evaluation(float(collected["hits"]) / float(collected["positions"]))

    def evaluate(self) -> Evaluation:
        """Agreement, the share won against GNU Go, the latest match's share, and how often a candidate was promoted."""
        found = super().evaluate()
        metrics: dict[str, float] = {"promotions": self._promotions}
        if self._match_share is not None:
            metrics["match_share"] = self._match_share
        if not self.config.win_target:
            return Evaluation(found.quality, metrics)
        self._copy_candidate()
        won = self.runtime.find_on_first(self._play_gnugo)
        return Evaluation({AGREEMENT: found.quality, WIN_RATE: won}, metrics)  # type: ignore[dict-item]

    def _play_gnugo(self) -> float:
        """The share of the points that the candidate wins against GNU Go, in games that are the same for each seed."""
        config = self.config
        settings = replace(
            self._match,
            search=replace(self._match.search, simulations=config.eval_simulations),
            resign_threshold=-1.1,
        )
        program = find_gnugo(self.folder, self.data_command)
        games = start_pairs(settings, config.eval_games, make_rng(0, _GAMES))
        count = config.eval_games // config.threads

        def play(thread: int) -> float:
            own = games[thread * count : (thread + 1) * count]
            with start_gnugo(program, level=config.eval_level, clean_up=True) as engine:
                rng = make_rng(0, _GAMES, thread)
                return play_engine(settings, self._evaluate_candidate, engine, own, rng).share

        with ThreadPoolExecutor(config.threads) as pool:
            return float(np.mean(list(pool.map(play, range(config.threads)))))
