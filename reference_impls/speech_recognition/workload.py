"""Speech recognition as a workload: the data, the training step, and how quality is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from reference_impls.harness import DataError
from reference_impls.harness.data.arrays import make_rng, order_by_length
from reference_impls.harness.data.prepared import check_prepared, read_checksum
from reference_impls.harness.workload import Batch, Collected, Evaluation, Share, Workload
from reference_impls.speech_recognition.alphabet import decode_text
from reference_impls.speech_recognition.batches import plan_evaluation, serve_batches
from reference_impls.speech_recognition.config import SpeechConfig
from reference_impls.speech_recognition.decoding import transcribe
from reference_impls.speech_recognition.librispeech import read_utterances
from reference_impls.speech_recognition.model import DeepSpeech2, measure_losses
from reference_impls.speech_recognition.reader import AudioReader
from reference_impls.speech_recognition.schedule import make_optimizer
from reference_impls.speech_recognition.scoring import score_transcripts


class SpeechWorkload(Workload[SpeechConfig]):
    """Deep Speech 2, trained on utterances and their transcripts; quality is the word error rate."""

    metric = "word error rate"
    mode: ClassVar[str] = "min"
    collects: ClassVar[str] = "rows"
    compiles: ClassVar[bool] = False  # TensorFlow's CTC loss and decoders are kernels of their own

    def check_data(self) -> None:
        """Check that the prepared list of utterances is there."""
        check_prepared(self.folder, self.data_command)

    def data_checksum(self) -> str:
        """That of the prepared list, which holds the checksum of each utterance's audio."""
        return read_checksum(self.folder, self.data_command)

    def hyperparameters(self, share: Share) -> dict[str, object]:
        """Those of the configuration, and the number of utterances that batch norm sees at a time."""
        return {**super().hyperparameters(share), **self.batch_norm_span(share)}

    def build(self) -> None:
        """Make the model and its optimizer."""
        self.model = DeepSpeech2(self.config, self.seed)
        self.optimizer = make_optimizer(self.config)
        self.optimizer.build(self.model.trainable_variables)

    def state(self) -> dict[str, Any]:
        """Model and optimizer."""
        return {"model": self.model, "optimizer": self.optimizer}

    def load(self, share: Share) -> None:
        """Read the list of utterances, and their audio where it is small."""
        del share
        train, test, sample_rate = read_utterances(self.folder, self.data_command)
        found = len(train.paths), len(test.paths), sample_rate
        config = self.config
        if found != (config.train_samples, config.eval_samples, config.sample_rate):
            raise DataError(
                f"{self.folder} holds {found[0]:,} utterances to train on and {found[1]:,} to evaluate on at {sample_rate} Hz "
                f"where the configuration says {config.train_samples:,}, {config.eval_samples:,} and "
                f"{config.sample_rate} Hz; get the right data with: {self.data_command}"
            )
        self.train_audio = AudioReader(train, self.folder, self.data_command)
        self.test_audio = AudioReader(test, self.folder, self.data_command)
        self.references = [decode_text(test.find_labels(row)) for row in range(len(test.paths))]

    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        """Whole batches of utterances of similar length; in the first epochs the shortest come first (SortaGrad)."""
        samples = self.train_audio.utterances.samples
        size = self.config.global_batch_size
        if epoch <= self.config.sorted_epochs:
            order = np.argsort(samples, kind="stable")
        else:
            order = order_by_length(samples, size, make_rng(self.seed, epoch))
        plan = order[: len(order) // size * size].reshape(-1, size)
        return serve_batches(plan, share, self.train_audio, self.config.sample_rate)

    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """The CTC loss, per utterance."""

        def measure(part: Batch, number: tf.Tensor | int) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            del number
            logits, lengths = self.model(part["audio"], part["samples"], training=True)
            losses = measure_losses(logits, lengths, part["labels"])
            loss = tf.reduce_sum(losses) / self.config.global_batch_size
            return loss, {"loss": loss}

        return self.update(
            measure, batch, self.optimizer, self.model.trainable_variables, clip_norm=self.config.clip_norm
        )

    def eval_data(self, share: Share) -> tf.data.Dataset:
        """All held-out utterances, sorted by length."""
        plan = plan_evaluation(self.test_audio.utterances.samples, self.config.eval_batch_size)
        return serve_batches(plan, share, self.test_audio, self.config.sample_rate)

    def eval_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """Transcribe."""
        logits, lengths = self.model(batch["audio"], batch["samples"])
        return {"written": transcribe(logits, lengths, self.config.beam), "rows": batch["rows"]}

    def measure(self, collected: Collected) -> Evaluation:
        """The word error rate of all transcripts together."""
        texts = [""] * len(self.references)
        for row, written in zip(collected["rows"].tolist(), collected["written"].split(), strict=True):
            if row >= 0:
                texts[row] = decode_text(written.tolist())
        return Evaluation(score_transcripts(self.references, texts))
