"""Settings of the translation task."""

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


@dataclass(frozen=True, kw_only=True)
class TranslationConfig(AdamConfig):
    """What a run of the Transformer needs to know; the defaults are those of "big" on WMT17.

    The batch size counts subwords: a batch is as many pairs of similar length as have ``global_batch_size`` subwords,
    padding included; of each pair the longer sentence counts.

    Attributes:
        vocabulary: number of subwords, shared by both languages.
        vocabulary_checksum: `Subwords.checksum` that the prepared data must have; empty: any. The log has that of the data.
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
        bleu_tokenizer: how sacrebleu splits texts into tokens: ``13a`` or ``intl``, the unicode-aware one.
        extra_length: how many subwords longer than its source a translation may be.
    """

    vocabulary: Annotated[Count, LogKey("vocabulary_size")] = 33_000
    vocabulary_checksum: str = ""
    width: Annotated[Count, LogKey("model_hidden_size")] = 1024
    filter_width: Annotated[Count, LogKey("model_filter_size")] = 4096
    heads: Annotated[Count, LogKey("model_heads")] = 16
    encoder_layers: Annotated[Count, LogKey("model_encoder_layers")] = 6
    decoder_layers: Annotated[Count, LogKey("model_decoder_layers")] = 6
    dropout: Fraction = 0.1
    inner_dropout: Fraction = 0.1
    label_smoothing: Fraction = 0.1
    max_length: Annotated[Count, LogKey("max_sequence_length")] = 256
    learning_rate: Annotated[Positive, LogKey("opt_base_learning_rate")] = 2.0
    warmup_steps: Annotated[Count, LogKey("opt_learning_rate_warmup_steps")] = 16_000
    schedule: Annotated[str, OneOf("inverse_sqrt", "cosine"), LogKey("opt_learning_rate_decay_schedule")] = (
        "inverse_sqrt"
    )
    decay_steps: Annotated[Count, LogKeyBy("schedule", cosine="opt_learning_rate_decay_steps")] = 300_000
    beta_2: Annotated[Fraction, LogKeyBy("optimizer", adam="opt_adam_beta_2", adamw="opt_adamw_beta_2")] = (
        0.997
    )
    epsilon: Annotated[
        Positive, LogKeyBy("optimizer", adam="opt_adam_epsilon", adamw="opt_adamw_epsilon")
    ] = 1e-9
    beam: Annotated[Count, LogKey("eval_beam_size")] = 4
    alpha: Annotated[NotNegative, LogKey("eval_length_penalty")] = 0.6
    bleu_tokenizer: Annotated[str, OneOf("13a", "intl"), LogKey("eval_bleu_tokenizer")] = "intl"
    extra_length: Annotated[int, Range(0), LogKey("eval_extra_length")] = 50


MINI = TranslationConfig(
    global_batch_size=1_024,
    eval_batch_size=8_192,
    target=52.1,
    max_epochs=3,
    train_samples=20_987,
    eval_samples=2_125,
    vocabulary=100,
    vocabulary_checksum="6224ab9674730a824353a826efc32f22ea4f008d3fcde195c7250027e71eb9f6",
    width=64,
    filter_width=256,
    heads=2,
    encoder_layers=2,
    decoder_layers=1,
    dropout=0.0,
    inner_dropout=0.0,
    max_length=24,
    learning_rate=0.6,
    warmup_steps=150,
    extra_length=8,
)
"""A small Transformer that translates words from their letters to their phonemes."""

MINI_OPEN = replace(MINI, optimizer="adamw", weight_decay=0.01, schedule="cosine", decay_steps=640)
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
