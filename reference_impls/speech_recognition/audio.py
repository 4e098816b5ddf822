"""From audio to spectrograms, within the graph."""

from __future__ import annotations

import tensorflow as tf

_FULL_SCALE = 32_768.0
_LEAST_DEVIATION = 1e-5


def count_samples(milliseconds: float, sample_rate: int) -> int:
    """Samples of a length of time."""
    return round(milliseconds * sample_rate / 1000)


def count_frequencies(window: int) -> int:
    """Frequencies of the spectrum of a window of so many samples."""
    return window // 2 + 1


def compute_spectrogram(
    audio: tf.Tensor, samples: tf.Tensor, window: int, hop: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Logarithmic spectrograms, each with mean 0 and standard deviation 1.

    A value is ``log(1 + magnitude)`` of the spectrum of a window, weighted by Hamming's symmetric window. There is no padding:
    the first window begins with the first sample, and the last one ends with the last sample at the latest.

    Args:
        audio: int16 [rows, width], padded with zeros.
        samples: int32 [rows]: length of each row, in samples.
        window: samples of a window.
        hop: samples from the start of one window to the start of the next.

    Returns:
        float32 [rows, time, frequencies], 0 after the end of a row, and int32 [rows]: length of each row, in windows.
    """
    waves = tf.cast(audio, tf.float32) / _FULL_SCALE
    frames = tf.signal.frame(waves, window, hop)
    spectrum = tf.abs(tf.signal.rfft(frames * tf.signal.hamming_window(window, periodic=False), [window]))
    values = tf.math.log1p(spectrum)
    lengths = tf.maximum((samples - window) // hop + 1, 0)
    mask = tf.sequence_mask(lengths, tf.shape(values)[1], tf.float32)[..., tf.newaxis]
    mean, variance = tf.nn.weighted_moments(values, [1, 2], mask, keepdims=True)
    # An empty row has neither.
    mean, variance = (tf.where(tf.math.is_finite(each), each, 0.0) for each in (mean, variance))
    scaled = (values - mean) / tf.maximum(tf.sqrt(variance), _LEAST_DEVIATION)
    return scaled * mask, lengths
