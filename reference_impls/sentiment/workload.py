"""Sentiment analysis as a workload: the data, the training step, and how quality is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from reference_impls.harness import DataError
from reference_impls.harness.data.arrays import batch_arrays, make_rng, order_by_length
from reference_impls.harness.data.prepared import check_prepared, read_checksum, read_prepared
from reference_impls.harness.run.optimizers import make_adam
from reference_impls.harness.workload import Batch, Collected, Evaluation, Ragged, Share, Workload
from reference_impls.sentiment.config import SentimentConfig
from reference_impls.sentiment.model import SentimentNet


class Part(NamedTuple):
    """Encoded texts: words in order, the set of n-grams, and whether each text is positive."""

    words: Ragged
    ngrams: Ragged
    labels: np.ndarray


def _take_part(arrays: Mapping[str, np.ndarray], name: str) -> Part:
    return Part(
        Ragged(arrays[f"{name}_words"], arrays[f"{name}_word_counts"]),
        Ragged(arrays[f"{name}_ngrams"], arrays[f"{name}_ngram_counts"]),
        arrays[f"{name}_labels"],
    )


class SentimentWorkload(Workload[SentimentConfig]):
    """Classifies texts as positive or negative."""

    metric = "accuracy"

    def check_data(self) -> None:
        """Check that the prepared texts are there."""
        check_prepared(self.folder, self.data_command)

    def data_checksum(self) -> str:
        """That of the prepared data."""
        return read_checksum(self.folder, self.data_command)

    def build(self) -> None:
        """Make the model and its optimizer."""
        self.model = SentimentNet(self.config)
        nothing = tf.zeros((1, 1), tf.int32)
        self.model(nothing, nothing)  # the first call creates the variables
        self.optimizer = make_adam(self.config)
        self.optimizer.build(self.model.trainable_variables)

    def state(self) -> dict[str, Any]:
        """Model and optimizer."""
        return {"model": self.model, "optimizer": self.optimizer}

    def load(self, share: Share) -> None:
        """Read the texts."""
        config = self.config
        arrays, facts = read_prepared(self.folder, self.data_command)
        found = (len(arrays["train_labels"]), len(arrays["eval_labels"]), facts["words"], facts["ngrams"])
        wanted = (config.train_samples, config.eval_samples, config.words, config.ngrams)
        if found != wanted:
            raise DataError(
                f"{self.folder} holds {found[0]:,} and {found[1]:,} texts with {found[2]:,} words and {found[3]:,} "
                f"n-grams, where the configuration says {wanted[0]:,}, {wanted[1]:,}, {wanted[2]:,} "
                f"and {wanted[3]:,}; get the right data with: {self.data_command}"
            )
        self.train, self.held_out = (_take_part(arrays, part) for part in ("train", "eval"))

    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        """All texts in random order, each batch of similar length."""
        size = self.config.global_batch_size
        order = order_by_length(self.train.words.lengths, size, make_rng(self.seed, epoch))
        return batch_arrays(self.train._asdict(), size, share, order=order, whole_batches=True)

    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Cross entropy, plus the L2 penalty on the last layer's weights."""
        config = self.config

        def measure(part: Batch, _: object) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            logits = self.model(part["words"], part["ngrams"], training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(part["labels"], logits)
            entropy = tf.reduce_sum(losses) / config.global_batch_size
            total = entropy + config.l2 * tf.nn.l2_loss(self.model.top.kernel) / self.count_parts()
            return total, {"loss": total, "cross_entropy": entropy}

        return self.update(measure, batch, self.optimizer, self.model.trainable_variables)

    def eval_data(self, share: Share) -> tf.data.Dataset:
        """Each held-out text once, short ones first."""
        order = np.argsort(self.held_out.words.lengths, kind="stable")
        arrays = self.held_out._asdict()
        return batch_arrays(arrays, self.config.eval_batch_size, share, order=order, weight="weight")

    def eval_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Count texts, and those classified correctly."""
        logits = self.model(batch["words"], batch["ngrams"])
        guesses = tf.argmax(logits, axis=-1, output_type=tf.int32)
        correct = tf.cast(guesses == batch["labels"], tf.float32) * batch["weight"]
        return {"correct": tf.reduce_sum(correct), "texts": tf.reduce_sum(batch["weight"])}

    def measure(self, collected: Collected) -> Evaluation:
        """Share of texts classified correctly."""
        return Evaluation(float(collected["correct"]) / float(collected["texts"]))
