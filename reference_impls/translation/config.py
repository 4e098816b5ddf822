"""Settings of the translation task."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reference_impls.harness.configs import AdamConfig


@dataclass(frozen=True, kw_only=True)
class TranslationConfig(AdamConfig):
    """What a run of the Transformer needs to know; the defaults are those of "big" on WMT17.

    The batch size counts subwords: a batch is as many pairs of similar length as have ``global_batch_size`` subwords,
    padding included; of each pair the longer sentence counts.

    Attributes:
        vocabulary: number of subwords, shared by both languages.
        width: size of the vector at each position.
        filter_width: size of the feed-forward layers' hidden layer.
        heads: number of attention heads.
        encoder_layers: layers that read the source sentence.
        decoder_layers: layers that write the translation.
        dropout: dropout rate of the embeddings and of each sub-layer's output.
        inner_dropout: dropout rate within sub-layers: of attention weights and of feed-forward activations.
        label_smoothing: share of the probability spread over all subwords.
        max_length: longest training sentence, in subwords; longer pairs are left out.
        learning_rate: factor of the schedule.
        warmup_steps: steps over which the learning rate rises linearly.
        schedule: ``inverse_sqrt``, or ``cosine`` (open division).
        decay_steps: step at which the cosine reaches 0.
        beam: beam size; 1: greedy decoding.
        alpha: strength of the length penalty; see `decoding.penalize_length`.
        extra_length: how many subwords longer than its source a translation may be.
    """

    vocabulary: int = 33_000
    width: int = 1024
    filter_width: int = 4096
    heads: int = 16
    encoder_layers: int = 6
    decoder_layers: int = 6
    dropout: float = 0.1
    inner_dropout: float = 0.1
    label_smoothing: float = 0.1
    max_length: int = 256
    learning_rate: float = 2.0
    warmup_steps: int = 8000
    schedule: str = "inverse_sqrt"
    decay_steps: int = 300_000
    beta_2: float = 0.997
    epsilon: float = 1e-9
    beam: int = 4
    alpha: float = 0.6
    extra_length: int = 50


MINI = TranslationConfig(
    global_batch_size=2_048,
    eval_batch_size=4_096,
    target=12.0,
    max_epochs=20,
    train_samples=17_312,
    eval_samples=780,
    vocabulary=2_000,
    width=128,
    filter_width=512,
    heads=4,
    encoder_layers=2,
    decoder_layers=2,
    inner_dropout=0.0,
    max_length=96,
    learning_rate=1.0,
    warmup_steps=400,
    beam=1,
    alpha=0.0,
    extra_length=20,
)
"""A small Transformer on the texts of LibreOffice, decoded greedily."""

MINI_OPEN = replace(MINI, optimizer="adamw", weight_decay=0.01, schedule="cosine", decay_steps=2_500)
"""The open-division variant: decoupled weight decay and a cosine schedule."""

FULL = TranslationConfig(
    global_batch_size=32_768,
    eval_batch_size=8_192,
    target=25.0,
    max_epochs=20,
    train_samples=0,
    eval_samples=3_003,
)
"""Transformer "big" on WMT17 English to German, newstest2014."""

FULL_OPEN = replace(FULL, optimizer="adamw", weight_decay=0.01, schedule="cosine")
"""The open-division variant: decoupled weight decay and a cosine schedule."""
