"""Deep Speech 2 (Amodei et al., 2015), in the shape of the original suite's reference.

Spectrogram → two convolutions → bidirectional GRUs, each but the first after a sequence-wise batch norm → batch norm → a linear
layer of characters, trained by connectionist temporal classification (CTC).
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from reference_impls.speech_recognition.alphabet import CLASSES
from reference_impls.speech_recognition.audio import compute_spectrogram, count_frequencies, count_samples
from reference_impls.speech_recognition.config import SpeechConfig
from reference_impls.speech_recognition.layers import BidirectionalGRU, NormedConvolution, SequenceNorm


class DeepSpeech2(keras.Model):
    """From audio to the logits of characters.

    Args:
        config: the configuration, which holds the shape.
        seed: seed of the initial weights.
    """

    def __init__(self, config: SpeechConfig, seed: int) -> None:
        super().__init__(name="deep_speech_2")
        momentum = config.batch_norm_momentum
        seeds = iter(np.random.default_rng([seed, 1]).integers(2**30, size=config.gru_layers + 3).tolist())
        self.window = count_samples(config.window_ms, config.sample_rate)
        self.hop = count_samples(config.hop_ms, config.sample_rate)
        self.convolutions = [
            NormedConvolution(config.channels, kernel, stride, momentum, next(seeds), name=f"conv{number}")
            for number, kernel, stride in (
                (1, config.kernel_1, config.stride_1),
                (2, config.kernel_2, config.stride_2),
            )
        ]
        self.norms = [SequenceNorm(momentum, name=f"norm{number}") for number in range(config.gru_layers)]
        self.layers_of_gru = [
            BidirectionalGRU(config.gru_width, next(seeds), name=f"gru{number + 1}")
            for number in range(config.gru_layers)
        ]
        bound = config.gru_width**-0.5
        self.classifier = keras.layers.Dense(
            CLASSES,
            use_bias=False,
            kernel_initializer=keras.initializers.RandomUniform(-bound, bound, next(seeds)),
            dtype="float32",
            name="characters",
        )
        self._build_layers(config)

    def _build_layers(self, config: SpeechConfig) -> None:
        frequencies, channels = count_frequencies(self.window), 1
        for convolution in self.convolutions:
            convolution.build((None, None, frequencies, channels))
            frequencies, channels = int(convolution.count_outputs(frequencies, 0)), config.channels
        features = frequencies * channels
        for gru, norm in zip(self.layers_of_gru, self.norms, strict=True):
            gru.build((None, None, features))
            features = config.gru_width
            norm.build((None, None, features))
        self.classifier.build((None, None, features))
        self.built = True

    def call(
        self, audio: tf.Tensor, samples: tf.Tensor, training: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Hear.

        Args:
            audio: int16 [rows, width], padded.
            samples: int32 [rows]: length of each row, in samples.
            training: whether batch norms use the batch's own statistics.

        Returns:
            Logits, float32 [rows, time, classes], and int32 [rows]: length of each row in steps of these.
        """
        values, lengths = compute_spectrogram(audio, samples, self.window, self.hop)
        values = tf.cast(values, self.compute_dtype)[..., tf.newaxis]
        for convolution in self.convolutions:
            values, lengths = convolution(values, lengths, training=training)
        shape = tf.shape(values)
        values = tf.reshape(values, (shape[0], shape[1], values.shape[2] * values.shape[3]))
        for gru, norm in zip(self.layers_of_gru, self.norms, strict=True):
            values = norm(gru(values, lengths), lengths=lengths, training=training)
        return self.classifier(tf.cast(values, tf.float32)), lengths


def measure_losses(logits: tf.Tensor, lengths: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """The CTC loss of each row: minus the logarithm of the probability of its labels, over all alignments.

    Args:
        logits: float32 [rows, time, classes]; the last class is the blank.
        lengths: int32 [rows]: steps of each row.
        labels: int32 [rows, longest], padded with -1.

    Returns:
        float32 [rows]; 0 for a row whose labels do not fit into its steps.
    """
    is_label = labels >= 0
    # A blank must come between two equal labels.
    is_repeated = tf.logical_and(labels[:, 1:] == labels[:, :-1], is_label[:, 1:])
    needed = tf.math.count_nonzero(is_label, 1, dtype=tf.int32) + tf.math.count_nonzero(
        is_repeated, 1, dtype=tf.int32
    )
    fits = needed <= lengths
    # TensorFlow's loss wants a label and a step in each row: of a row that does not fit, the first label stays.
    is_first = tf.range(tf.shape(labels)[1]) == 0
    places = tf.where(tf.logical_and(is_label, tf.logical_or(fits[:, tf.newaxis], is_first)))
    sparse = tf.SparseTensor(places, tf.gather_nd(labels, places), tf.shape(labels, tf.int64))
    steps = tf.maximum(lengths, 1)
    losses = tf.nn.ctc_loss(sparse, logits, None, steps, logits_time_major=False, blank_index=-1)
    return tf.where(fits, losses, 0.0)
