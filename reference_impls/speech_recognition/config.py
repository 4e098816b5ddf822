"""Settings of the speech recognition task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from reference_impls.harness.configs import (
    AdamConfig,
    Count,
    Fraction,
    LogKey,
    LogKeyBy,
    NotNegative,
    OneOf,
    Positive,
    Range,
)

Sizes = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class SpeechConfig(AdamConfig):
    """What a run of Deep Speech 2 needs to know; the defaults are those of the original suite's reference.

    Kernels and strides are pairs: of frequencies and of time.

    Attributes:
        sample_rate: samples of the audio per second.
        window_ms: length of the spectrogram's windows, in milliseconds.
        hop_ms: from the start of one window to the start of the next, in milliseconds.
        channels: channels of both convolutions.
        kernel_1: size of the first convolution's kernel.
        stride_1: stride of the first convolution.
        kernel_2: size of the second convolution's kernel.
        stride_2: stride of the second convolution.
        gru_layers: bidirectional GRU layers.
        gru_width: units of each direction of a GRU layer.
        batch_norm_momentum: share of the running mean and variance that each step keeps.
        optimizer: ``sgd`` with Nesterov's momentum, ``adam`` or ``adamw``.
        momentum: of ``sgd``.
        annealing: the learning rate is divided by it after each epoch.
        warmup_steps: steps over which the learning rate rises linearly.
        clip_norm: norm that larger gradients are scaled down to.
        sorted_epochs: first epochs that go from the shortest utterances to the longest (SortaGrad).
        beam: beam size of the prefix-beam search; 1: greedy decoding.
    """

    sample_rate: Annotated[Count, LogKey("data_sample_rate")] = 16_000
    window_ms: Annotated[Positive, LogKey("spectrogram_window_ms")] = 20.0
    hop_ms: Annotated[Positive, LogKey("spectrogram_hop_ms")] = 10.0
    channels: Annotated[Count, LogKey("model_conv_channels")] = 32
    kernel_1: Annotated[Sizes, Range(1), LogKey("model_conv1_kernel")] = (41, 11)
    stride_1: Annotated[Sizes, Range(1), LogKey("model_conv1_stride")] = (2, 2)
    kernel_2: Annotated[Sizes, Range(1), LogKey("model_conv2_kernel")] = (21, 11)
    stride_2: Annotated[Sizes, Range(1), LogKey("model_conv2_stride")] = (2, 1)
    gru_layers: Annotated[Count, LogKey("model_gru_layers")] = 5
    gru_width: Annotated[Count, LogKey("model_gru_width")] = 800
    batch_norm_momentum: Annotated[Fraction, LogKey("model_batch_norm_momentum")] = 0.9
    optimizer: Annotated[str, OneOf("sgd", "adam", "adamw"), LogKey("opt_name")] = "sgd"
    learning_rate: Annotated[
        Positive,
        LogKeyBy(
            "optimizer",
            sgd="sgd_opt_base_learning_rate",
            adam="opt_base_learning_rate",
            adamw="opt_base_learning_rate",
        ),
    ] = 1e-4
    momentum: Annotated[Fraction, LogKeyBy("optimizer", sgd="sgd_opt_momentum")] = 0.9
    annealing: Annotated[Positive, LogKey("opt_learning_rate_annealing")] = 1.1
    warmup_steps: Annotated[int, Range(0), LogKey("opt_learning_rate_warmup_steps")] = 0
    clip_norm: Annotated[NotNegative, LogKey("opt_gradient_clip_norm")] = 400.0
    sorted_epochs: Annotated[int, Range(0), LogKey("train_sorted_epochs")] = 1
    beam: Annotated[Count, LogKey("eval_beam_size")] = 1

    def count_epoch_steps(self) -> int:
        """Steps of an epoch: whole batches only."""
        return self.train_samples // self.global_batch_size


MINI = SpeechConfig(
    global_batch_size=32,
    eval_batch_size=128,
    target=0.093,
    max_epochs=6,
    train_samples=6_400,
    eval_samples=600,
    sample_rate=8_000,
    channels=16,
    kernel_1=(21, 11),
    stride_1=(4, 2),
    kernel_2=(9, 5),
    stride_2=(2, 1),
    gru_layers=2,
    gru_width=96,
    optimizer="adam",
    learning_rate=0.003,
    warmup_steps=50,
    annealing=1.3,
)
"""A small Deep Speech 2 on synthetic utterances of digits and commands."""

MINI_OPEN = replace(MINI, optimizer="adamw", weight_decay=0.01, beam=8)
"""The open-division variant: decoupled weight decay and prefix-beam search."""

FULL = SpeechConfig(
    global_batch_size=8,
    eval_batch_size=32,
    target=0.23,
    max_epochs=30,
    train_samples=281_241,
    eval_samples=5_567,
)
"""Deep Speech 2 on LibriSpeech: all 960 hours, evaluated on dev-clean and dev-other."""

FULL_OPEN = replace(FULL, optimizer="adamw", learning_rate=3e-4, weight_decay=0.01, beam=16)
"""The open-division variant: AdamW and prefix-beam search."""
