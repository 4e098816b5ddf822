"""Recommendation as a workload: the data, the training step, and how quality is measured."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

from reference_impls.harness import DataError
from reference_impls.harness.data.arrays import batch_arrays, make_rng
from reference_impls.harness.data.prepared import check_prepared, read_checksum, read_prepared
from reference_impls.harness.run.optimizers import make_adam
from reference_impls.harness.workload import Batch, Collected, Evaluation, Share, Workload
from reference_impls.recommendation.config import RecommendationConfig
from reference_impls.recommendation.data import Interactions, SeenItems, sample_negatives, split_latest
from reference_impls.recommendation.model import NeuMF


class RecommendationWorkload(Workload[RecommendationConfig]):
    """Learns from interactions and sampled non-interactions; ranks each user's latest item among others."""

    metric = "HR@10"

    def check_data(self) -> None:
        """Check that the prepared interactions are there."""
        check_prepared(self.folder, self.data_command)

    def data_checksum(self) -> str:
        """That of the prepared data."""
        return read_checksum(self.folder, self.data_command)

    def build(self) -> None:
        """Make the model and its optimizer."""
        self.model = NeuMF(self.config)
        nobody = tf.zeros((1,), tf.int32)
        self.model(nobody, nobody)  # the first call creates the variables
        self.optimizer = make_adam(self.config)
        self.optimizer.build(self.model.trainable_variables)
        self._sampler = ThreadPoolExecutor(1)
        self._ahead: dict[int, Future[tf.data.Dataset]] = {}

    def state(self) -> dict[str, Any]:
        """Model and optimizer."""
        return {"model": self.model, "optimizer": self.optimizer}

    def load(self, share: Share) -> None:
        """Read the interactions, hold each user's latest out, sample the items that it competes with."""
        config = self.config
        arrays, _ = read_prepared(self.folder, self.data_command)
        interactions = Interactions(arrays["users"], arrays["items"])
        found = (int(arrays["users"].max()) + 1, int(arrays["items"].max()) + 1)
        if found != (config.users, config.items):
            raise DataError(
                f"{self.folder} holds {found[0]:,} users and {found[1]:,} items where the configuration says "
                f"{config.users:,} and {config.items:,}; get the right data with: {self.data_command}"
            )
        split = split_latest(interactions)
        self.train = split.train
        self.seen = SeenItems(split.train, config.users, config.items)
        negatives = [
            sample_negatives(interactions, config.users, config.items, config.eval_negatives, seed)
            for seed in range(config.eval_seed, config.eval_seed + config.eval_draws)
        ]
        self.candidates = {
            "users": np.arange(config.users, dtype=np.int32),
            "items": np.concatenate([split.held_out[:, None], *negatives], axis=1),
        }

    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        """All interactions, and for each some items that its user has not seen, in random order.

        A thread prepares the next epoch meanwhile; what it samples follows from seed and epoch alone.
        """
        ahead = self._ahead.pop(epoch, None)
        data = ahead.result() if ahead else self._sample_epoch(epoch, share)
        self._ahead.clear()
        if epoch < self.config.max_epochs:
            self._ahead[epoch + 1] = self._sampler.submit(self._sample_epoch, epoch + 1, share)
        return data

    def _sample_epoch(self, epoch: int, share: Share) -> tf.data.Dataset:
        rng = make_rng(self.seed, epoch)
        negatives = self.config.train_negatives
        users = np.tile(self.train.users, 1 + negatives)
        unseen = self.seen.sample_unseen(users[len(self.train.users) :], rng)
        arrays = {
            "users": users,
            "items": np.concatenate([self.train.items, unseen]),
            "labels": np.zeros(len(users), np.float32),
        }
        arrays["labels"][: len(self.train.users)] = 1
        order = rng.permutation(len(users))
        return batch_arrays(arrays, self.config.global_batch_size, share, order=order, whole_batches=True)

    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Binary cross entropy, plus the L2 penalty on the embeddings."""
        config = self.config

        def measure(part: Batch, _: object) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            embedded = self.model.embed(part["users"], part["items"])
            logits = self.model.score_embedded(embedded, training=True)
            losses = tf.nn.sigmoid_cross_entropy_with_logits(part["labels"], logits)
            entropy = tf.reduce_sum(losses) / config.global_batch_size
            total = entropy
            if config.l2:
                squares = tf.add_n([tf.reduce_sum(tf.cast(each, tf.float32) ** 2) for each in embedded])
                total += config.l2 * squares / config.global_batch_size
            return total, {"loss": total, "cross_entropy": entropy}

        return self.update(measure, batch, self.optimizer, self.model.trainable_variables)

    def eval_data(self, share: Share) -> tf.data.Dataset:
        """Each user with the held-out item (first) and the items that it competes with, draw by draw."""
        return batch_arrays(self.candidates, self.config.eval_batch_size, share, weight="weight")

    def eval_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Hits and discounted gains, averaged over the draws; a tie counts against the held-out item."""
        items = batch["items"]
        users = tf.broadcast_to(batch["users"][:, None], tf.shape(items))
        scores = self.model(users, items)
        own = scores[:, :1]
        others = tf.reshape(scores[:, 1:], (-1, self.config.eval_draws, self.config.eval_negatives))
        # A score that is not a number never counts in the model's favor.
        beaten_by = (others >= own[:, :, None]) | tf.math.is_nan(others)
        rank = tf.reduce_sum(tf.cast(beaten_by, tf.float32), axis=2)  # of each draw, from 0
        is_hit = (rank < self.config.top) & ~tf.math.is_nan(own)
        hit = tf.cast(is_hit, tf.float32)
        gain = hit * tf.math.log(2.0) / tf.math.log(rank + 2.0)
        return {
            "hits": tf.reduce_sum(tf.reduce_mean(hit, axis=1) * batch["weight"]),
            "gain": tf.reduce_sum(tf.reduce_mean(gain, axis=1) * batch["weight"]),
            "users": tf.reduce_sum(batch["weight"]),
        }

    def measure(self, collected: Collected) -> Evaluation:
        """Share of users whose held-out item ranks among the top, and the mean discounted gain (NDCG)."""
        users = float(collected["users"])
        return Evaluation(float(collected["hits"]) / users, {"ndcg": float(collected["gain"]) / users})
