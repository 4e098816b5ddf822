"""Translation as a workload: the data, the training step, and how quality is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from reference_impls.harness import DataError
from reference_impls.harness.data.arrays import make_rng
from reference_impls.harness.data.prepared import check_prepared, read_facts
from reference_impls.harness.run.optimizers import describe_adam, make_adam
from reference_impls.harness.workload import Batch, Collected, Evaluation, Share, Workload
from reference_impls.translation.batches import plan_batches, serve_batches
from reference_impls.translation.config import TranslationConfig
from reference_impls.translation.corpus import PAD, round_width
from reference_impls.translation.decoding import translate_by_beam, translate_greedily
from reference_impls.translation.layers import Dropout
from reference_impls.translation.model import Transformer, measure_loss
from reference_impls.translation.prepared import PreparedTexts, read_texts
from reference_impls.translation.schedule import WarmupSchedule
from reference_impls.translation.scoring import score_translations


class TranslationWorkload(Workload[TranslationConfig]):
    """The Transformer, trained by Adam on sentences and their translations; quality is BLEU, in percent."""

    metric = "BLEU"
    collects: ClassVar[str] = "rows"

    @property
    def train_samples(self) -> int:
        """Pairs of the training data; at full scale as many as were prepared."""
        return self.config.train_samples or int(read_facts(self.folder, self.data_command)["train_pairs"])

    def check_data(self) -> None:
        """Check that the prepared sentences are there."""
        check_prepared(self.folder, self.data_command)

    def hyperparameters(self) -> dict[str, object]:
        """What the log says of optimizer, schedule, model and decoding."""
        config = self.config
        values: dict[str, object] = {
            "global_batch_size": config.global_batch_size,
            "vocabulary_size": config.vocabulary,
            "model_hidden_size": config.width,
            "model_filter_size": config.filter_width,
            "model_heads": config.heads,
            "model_encoder_layers": config.encoder_layers,
            "model_decoder_layers": config.decoder_layers,
            "dropout": config.dropout,
            "label_smoothing": config.label_smoothing,
            "max_sequence_length": config.max_length,
            "eval_beam_size": config.beam,
            "eval_length_penalty": config.alpha,
            **describe_adam(config),
            "opt_learning_rate_warmup_steps": config.warmup_steps,
            "opt_learning_rate_decay_schedule": config.schedule,
        }
        if config.schedule == "cosine":
            values["opt_learning_rate_decay_steps"] = config.decay_steps
        return values

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
        found = len(self.texts.subwords), len(self.texts.references)
        if found != (self.config.vocabulary, self.eval_samples):
            raise DataError(
                f"{self.folder} holds {found[0]:,} subwords and {found[1]:,} sentences to evaluate on where the "
                f"configuration says {self.config.vocabulary:,} and {self.eval_samples:,}; get the right data "
                f"with: {self.data_command}"
            )
        self.widest_test = round_width(int(self.texts.test.lengths.max()))
        longer = np.maximum(self.texts.source.lengths, self.texts.target.lengths)
        self.kept = np.flatnonzero(longer <= self.config.max_length)
        self.lengths = longer[self.kept]

    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        """All pairs that are not too long, in batches of similar length."""
        rng = make_rng(self.seed, epoch)
        plans = plan_batches(self.lengths, self.config.global_batch_size, share.all_replicas, rng)
        plans = [plan._replace(rows=np.where(plan.rows < 0, -1, self.kept[plan.rows])) for plan in plans]
        return serve_batches(plans, share, self.texts.source, self.texts.target)

    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Cross entropy with smoothed labels, per subword of the translations."""
        with tf.GradientTape() as tape:
            logits = self.model(batch["source"], batch["target"], dropout=self._draw_dropout())
            losses, _ = measure_loss(logits, batch["target"], self.config.label_smoothing)
            loss = losses / batch["tokens"]
        self.update(tape, loss, self.optimizer, self.model.trainable_variables)
        return {"loss": loss}

    def _draw_dropout(self) -> Dropout:
        """The dropout of this step; follows from the seed, the step and the replica."""
        context = tf.distribute.get_replica_context()
        step = tf.cast(tf.convert_to_tensor(self.optimizer.iterations), tf.int32)
        replica = tf.cast(context.replica_id_in_sync_group, tf.int32)
        first = tf.constant(int(make_rng(self.seed, 0).integers(2**30)), tf.int32) + replica
        return Dropout(self.config, tf.stack([first, step * 1024]))

    def eval_data(self, share: Share) -> tf.data.Dataset:
        """All held-out sentences, sorted by length."""
        plans = plan_batches(self.texts.test.lengths, self.config.eval_batch_size, share.all_replicas)
        return serve_batches(plans, share, self.texts.test)

    def eval_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Translate; rows are as wide as the longest translation may be."""
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
        return Evaluation(score_translations(translations, self.texts.references))
