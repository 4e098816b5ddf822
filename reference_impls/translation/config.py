"""Settings of translation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reference_impls.harness.configs import AdamConfig


@dataclass(frozen=True, kw_only=True)
class TranslationConfig(AdamConfig):
    """Settings of translation; the defaults are those of Transformer "big" on WMT17.

    A batch is counted in subwords: as many sentences of about one length as have ``global_batch_size`` of them,
    the longer one of a pair counted, with what fills the sentences up.

    Attributes:
        vocabulary: number of subwords, shared by both languages.
        width: size of the vectors at each position.
        filter_width: size of the feed-forward layers' inside.
        heads: number of attention heads.
        encoder_layers: layers that read the sentence.
        decoder_layers: layers that write the translation.
        dropout: share of values that are dropped in training, of embeddings and of what each sub-layer gives.
        inner_dropout: the same within sub-layers, of attention and feed-forward layers.
        label_smoothing: share of the probability that is spread over all subwords.
        max_length: subwords of a training sentence; longer pairs are left out.
        learning_rate: factor of the schedule.
        warmup_steps: steps in which the learning rate rises evenly.
        schedule: ``inverse_sqrt``, or ``cosine`` (open division).
        decay_steps: step at which the cosine has come to 0.
        beam: translations that are followed at once; 1: greedy.
        alpha: strength of the length penalty; see `decoding.penalize_length`.
        extra_length: subwords that a translation may have more than its sentence.
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


FULL = TranslationConfig(
    global_batch_size=32_768,
    eval_batch_size=8_192,
    target=25.0,
    max_epochs=20,
    train_samples=0,
    eval_samples=3_003,
)
"""Transformer "big" on WMT17 English to German, newstest2014."""

MINI = TranslationConfig(
    global_batch_size=2_048,
    eval_batch_size=4_096,
    target=12.0,
    max_epochs=20,
    first_eval_epoch=1,
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

CONFIGS = {
    ("full", "closed"): FULL,
    ("full", "open"): replace(FULL, optimizer="adamw", weight_decay=0.01, schedule="cosine"),
    ("mini", "closed"): MINI,
    ("mini", "open"): replace(
        MINI, optimizer="adamw", weight_decay=0.01, schedule="cosine", decay_steps=2_500
    ),
}
