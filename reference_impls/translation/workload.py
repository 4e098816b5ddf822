"""Translation as a workload: the data, the training step, and how quality is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from reference_impls.harness import DataError
from reference_impls.harness.data.arrays import make_rng
from reference_impls.harness.data.prepared import check_prepared, read_checksum, read_facts
from reference_impls.harness.run.optimizers import make_adam
from reference_impls.harness.workload import Batch, Collected, Evaluation, Share, Workload
from reference_impls.translation.batches import plan_batches, serve_batches
from reference_impls.translation.config import TranslationConfig
from reference_impls.translation.corpus import PAD, round_width
from reference_impls.translation.decoding import translate_by_beam, translate_greedily
from reference_impls.translation.layers import Dropout
from reference_impls.translation.model import Transformer, measure_loss
from reference_impls.translation.prepared import VOCABULARY_SHA256, PreparedTexts, longer_lengths, read_texts
from reference_impls.translation.schedule import WarmupSchedule
from reference_impls.translation.scoring import TranslationScorer


class TranslationWorkload(Workload[TranslationConfig]):
    """The Transformer, trained by Adam on sentences and their translations; quality is BLEU, in percent."""

    metric = "BLEU"
    collects: ClassVar[str] = "rows"

    @property
    def train_samples(self) -> int:
        """Pairs that are trained on: those of the prepared data that are not too long."""
        if self.config.train_samples:
            return self.config.train_samples
        counts = read_facts(self.folder, self.data_command)["pair_lengths"]
        return int(sum(counts[: self.config.max_length + 1]))

    def check_data(self) -> None:
        """Check that the prepared sentences are there, split into the right subwords."""
        check_prepared(self.folder, self.data_command)
        required = self.config.vocabulary_checksum
        if required not in ("", found := self.vocabulary_checksum()):
            raise DataError(
                f"{self.folder} is split into other subwords (checksum {found[:12]}…) than the benchmark's "
                f"({required[:12]}…); get the right data with: {self.data_command}"
            )

    def hyperparameters(self, share: Share) -> dict[str, object]:
        """Those of the configuration, and the checksum of the vocabulary that the data is split into."""
        return {**super().hyperparameters(share), "vocabulary_checksum": self.vocabulary_checksum()}

    def vocabulary_checksum(self) -> str:
        """That of the subwords that the data is split into, known without reading it."""
        return str(read_facts(self.folder, self.data_command).get(VOCABULARY_SHA256, ""))

    def data_checksum(self) -> str:
        """That of the prepared data."""
        return read_checksum(self.folder, self.data_command)

    def build(self) -> None:
        """Make the model and its optimizer."""
        config = self.config
        self.model = Transformer(config, self.seed)
        schedule = WarmupSchedule(
            factor=config.learning_rate,
            width=config.width,
            warmup_steps=config.warmup_steps,
            kind=config.schedule,
            decay_steps=config.decay_steps,
        )
        self.optimizer = make_adam(config, schedule)
        self.optimizer.build(self.model.trainable_variables)

    def state(self) -> dict[str, Any]:
        """Model and optimizer."""
        return {"model": self.model, "optimizer": self.optimizer}

    def load(self, share: Share) -> None:
        """Read the prepared sentences."""
        del share
        self.texts: PreparedTexts = read_texts(self.folder, self.data_command)
        self.scorer: TranslationScorer | None = None
        found = len(self.texts.subwords), len(self.texts.references)
        if found != (self.config.vocabulary, self.eval_samples):
            raise DataError(
                f"{self.folder} holds {found[0]:,} subwords and {found[1]:,} sentences to evaluate on where the "
                f"configuration says {self.config.vocabulary:,} and {self.eval_samples:,}; get the right data "
                f"with: {self.data_command}"
            )
        self.widest_test = round_width(int(self.texts.test.lengths.max()))
        longer = longer_lengths(self.texts.source, self.texts.target)
        self.kept = np.flatnonzero(longer <= self.config.max_length)
        self.lengths = longer[self.kept]
        if len(self.kept) != self.train_samples:
            raise DataError(
                f"{self.folder} holds {len(self.kept):,} pairs of at most {self.config.max_length} subwords, not "
                f"{self.train_samples:,}; get the right data with: {self.data_command}"
            )

    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        """All pairs that are not too long, in batches of similar length."""
        rng = make_rng(self.seed, epoch)
        multiple = share.all_replicas * self.config.gradient_accumulation_steps
        plans = plan_batches(self.lengths, self.config.global_batch_size, multiple, rng)
        plans = [plan._replace(rows=np.where(plan.rows < 0, -1, self.kept[plan.rows])) for plan in plans]
        return serve_batches(plans, share, self.texts.source, self.texts.target)

    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Cross entropy with smoothed labels, per subword of the translations."""

        def measure(part: Batch, number: tf.Tensor | int) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            logits = self.model(part["source"], part["target"], dropout=self._draw_dropout(number))
            losses, _ = measure_loss(logits, part["target"], self.config.label_smoothing)
            loss = losses / part["tokens"]
            return loss, {"loss": loss}

        return self.update(measure, batch, self.optimizer, self.model.trainable_variables)

    def _draw_dropout(self, part: tf.Tensor | int) -> Dropout:
        """The dropout of this step; follows from the seed, the step, the replica and the part of its batch."""
        context = tf.distribute.get_replica_context()
        step = tf.cast(tf.convert_to_tensor(self.optimizer.iterations), tf.int32)
        replica = tf.cast(context.replica_id_in_sync_group, tf.int32)
        number = replica * self.config.gradient_accumulation_steps + part
        first = tf.constant(int(make_rng(self.seed, 0).integers(2**30)), tf.int32) + number
        return Dropout(self.config, tf.stack([first, step * 1024]))

    def eval_data(self, share: Share) -> tf.data.Dataset:
        """All held-out sentences, sorted by length."""
        plans = plan_batches(self.texts.test.lengths, self.config.eval_batch_size, share.all_replicas)
        return serve_batches(plans, share, self.texts.test)

    def eval_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Translate; rows are as wide as the longest translation of all batches may be."""
        config = self.config
        if config.beam > 1:
            written = translate_by_beam(
                self.model, batch["source"], config.extra_length, config.beam, config.alpha
            )
        else:
            written = translate_greedily(self.model, batch["source"], config.extra_length)
        widest = self.widest_test + config.extra_length
        missing = widest - tf.shape(written)[1]
        written = tf.pad(written, ((0, 0), (0, missing)), constant_values=PAD)
        written.set_shape((None, widest))
        return {"written": written, "rows": batch["rows"]}

    def measure(self, collected: Collected) -> Evaluation:
        """BLEU of all translations together."""
        rows, written = collected["rows"], collected["written"]
        ordered = np.zeros((self.eval_samples, written.shape[1]), written.dtype)
        ordered[rows[rows >= 0]] = written[rows >= 0]
        translations = self.texts.subwords.decode(ordered)
        if self.scorer is None:
            self.scorer = TranslationScorer(self.texts.references, self.config.bleu_tokenizer)
        return Evaluation(self.scorer.score(translations))
