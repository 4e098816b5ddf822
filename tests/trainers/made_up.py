"""A made-up task, small enough to train in a second: which side of a line a point lies on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reference_impls.harness import TaskConfig
from reference_impls.harness.data.arrays import batch_arrays, make_rng
from reference_impls.harness.workload import Batch, Collected, Evaluation, Share, Workload


@dataclass(frozen=True, kw_only=True)
class SidesConfig(TaskConfig):
    """Settings of the made-up task."""

    global_batch_size: int = 32
    eval_batch_size: int = 64
    target: float = 0.97
    max_epochs: int = 30
    train_samples: int = 256
    eval_samples: int = 100
    learning_rate: float = 0.1
    dropout: float = 0.1
    units: tuple[int, ...] = (8,)


class Sides(Workload[SidesConfig]):
    """Two classes of points in a plane, made from the seed."""

    metric = "accuracy"

    def build(self) -> None:
        layers: list[Any] = [keras.Input((2,))]
        layers += [keras.layers.Dense(units, activation="relu") for units in self.config.units]
        self.model = keras.Sequential(
            [*layers, keras.layers.Dropout(self.config.dropout), keras.layers.Dense(1)]
        )
        self.optimizer = keras.optimizers.Adam(self.config.learning_rate)
        self.optimizer.build(self.model.trainable_variables)

    def state(self) -> dict[str, Any]:
        return {"model": self.model, "optimizer": self.optimizer}

    def load(self, share: Share) -> None:
        points = make_rng(5, 0).normal(size=(self.train_samples + self.eval_samples, 2)).astype(np.float32)
        sides = (points[:, :1] > points[:, 1:]).astype(np.float32)
        self.train = {"points": points[: self.train_samples], "sides": sides[: self.train_samples]}
        self.held_out = {"points": points[self.train_samples :], "sides": sides[self.train_samples :]}

    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        order = make_rng(self.seed, epoch).permutation(self.train_samples)
        return batch_arrays(self.train, self.config.global_batch_size, share, order=order, whole_batches=True)

    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        def measure(part: Batch, _: object) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            logits = self.model(part["points"], training=True)
            losses = tf.nn.sigmoid_cross_entropy_with_logits(part["sides"], logits)
            loss = tf.reduce_sum(losses) / self.config.global_batch_size
            return loss, {"loss": loss}

        return self.update(measure, batch, self.optimizer, self.model.trainable_variables)

    def eval_data(self, share: Share) -> tf.data.Dataset:
        return batch_arrays(self.held_out, self.config.eval_batch_size, share, weight="weight")

    def eval_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        guesses = tf.cast(self.model(batch["points"], training=False) > 0, tf.float32)
        right = tf.cast(guesses == batch["sides"], tf.float32)[:, 0]
        return {"right": tf.reduce_sum(right * batch["weight"]), "count": tf.reduce_sum(batch["weight"])}

    def measure(self, collected: Collected) -> Evaluation:
        assert collected["count"] == self.eval_samples
        return Evaluation(float(collected["right"] / collected["count"]))


class Rows(Sides):
    """Evaluated by rows of any length: each point as often as its first coordinate says; counts those that are right."""

    collects = "rows"

    def eval_step(self, batch: Batch) -> Mapping[str, Any]:
        lengths = tf.cast(tf.round(10 * tf.abs(batch["points"][:, 0])), tf.int64)
        repeated = tf.repeat(batch["points"], lengths, axis=0)
        return {"points": batch["points"], "rows": tf.RaggedTensor.from_row_lengths(repeated, lengths)}

    def measure(self, collected: Collected) -> Evaluation:
        rows = collected["rows"].split()
        assert len(rows) == len(collected["points"])  # the padding of the last batch included
        expected = zip(rows, collected["points"], self.held_out["points"], strict=False)
        right = [
            len(row) == round(10 * abs(float(held[0]))) and (row == held).all() and (point == held).all()
            for row, point, held in expected
        ]
        return Evaluation(float(sum(right)))
