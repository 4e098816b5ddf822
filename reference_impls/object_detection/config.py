"""Settings of the object detection task."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from reference_impls.harness.configs import (
    Count,
    Fraction,
    LogKey,
    LogKeyBy,
    NotNegative,
    OneOf,
    Positive,
    Range,
)
from reference_impls.harness.data.files import DataFile
from reference_impls.harness.errors import SettingError
from reference_impls.harness.run.pretrained import PretrainedConfig

Share = Annotated[float, Range(0, 1.000001)]
"""A number from 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class ObjectDetectionConfig(PretrainedConfig):
    """What a run of Mask R-CNN needs to know; the defaults are those of ResNet-50 FPN on COCO.

    Attributes:
        target: average precision of boxes (COCO's, over overlaps from 0.5 to 0.95) at which the run succeeds.
        mask_target: the same of masks; both must be reached in one evaluation.
        pretrained_weights: file of the weights that the backbone starts from; empty: it starts at random.
        pretrained_checksum: its MD5 in hexadecimal, which is what is published with it.
        min_image_size: the shorter side to which an image is scaled, in pixels.
        max_image_size: the longer side that it may not exceed then.
        canvas_size: height and width to which images are padded.
        keeps_in_memory: whether all images are decoded once, when they are loaded, and kept.
        classes: number of classes without the background.
        max_objects: objects of an image that are trained on; further ones are left out.
        width: filters of the backbone's first stage.
        blocks: bottleneck blocks of each stage of the backbone.
        frozen_stages: parts of the backbone, from the first convolution on, that keep their weights.
        batch_norm: ``frozen`` (scales, offsets and statistics stay as they were loaded) or ``trained``.
        batch_norm_momentum: share of the running mean and variance that each step keeps (trained).
        channels: of the feature pyramid, and of the convolutions on it.
        box_units: units of the box head's two hidden layers.
        mask_convolutions: 3×3 convolutions of the mask head.
        anchor_scale: side of an anchor, in strides of its level.
        anchor_ratios: heights over widths of the anchors.
        anchor_samples: anchors of an image that the first stage is trained on.
        candidates: best anchors of each level that compete for proposals in training.
        proposals: proposals of an image in training.
        eval_candidates: as `candidates`, in evaluation.
        eval_proposals: as `proposals`, in evaluation.
        proposal_overlap: intersection over union above which a proposal suppresses another one of its level.
        region_samples: regions of an image that the second stage is trained on.
        positive_share: greatest share of objects among them.
        canonical_size: side of the regions that are pooled from the third level, in pixels.
        box_pooling: rows and columns of the box head's regions.
        mask_pooling: rows and columns of the mask head's regions; its masks have twice as many.
        pooling_samples: samples of a bin in each direction (RoIAlign).
        truth_size: rows and columns in which the mask of an object is kept within its box.
        score_threshold: least score of a detection.
        detection_candidates: best-scored boxes of an image, over all classes, that compete for detections.
        detections: greatest number of detections of an image.
        detection_overlap: intersection over union above which a detection suppresses another one of its class.
        optimizer: ``sgd`` (with momentum) or ``adamw`` (open division).
        learning_rate: after the warm-up.
        warmup_steps: steps in which the learning rate rises linearly.
        warmup_factor: what it starts with, as a share of `learning_rate`.
        decay_steps: steps after which it falls.
        decay_factor: factor by which it falls there.
        momentum: of SGD.
        weight_decay: factor of half the sum of squares of the weights; biases and batch norm are left out.
    """

    pretrained_weights: str = ""
    pretrained_checksum: Annotated[str, LogKey("pretrained_weights_checksum")] = ""
    mask_target: Annotated[NotNegative, LogKey("eval_mask_target")]
    min_image_size: Count = 800
    max_image_size: Count = 1333
    canvas_size: Annotated[Count, LogKey("data_canvas_size")] = 1344
    keeps_in_memory: Annotated[bool, LogKey("data_in_memory")] = False
    classes: Annotated[Count, LogKey("data_classes")] = 80
    max_objects: Annotated[Count, LogKey("data_max_objects")] = 100
    width: Annotated[Count, LogKey("model_width")] = 64
    blocks: Annotated[tuple[int, ...], Range(1), LogKey("model_blocks")] = (3, 4, 6, 3)
    frozen_stages: Annotated[int, Range(0), LogKey("model_frozen_stages")] = 2
    batch_norm: Annotated[str, OneOf("frozen", "trained"), LogKey("model_batch_norm")] = "frozen"
    batch_norm_momentum: Annotated[Fraction, LogKeyBy("batch_norm", trained="model_batch_norm_momentum")] = (
        0.9
    )
    channels: Annotated[Count, LogKey("model_channels")] = 256
    box_units: Annotated[Count, LogKey("model_box_units")] = 1024
    mask_convolutions: Annotated[Count, LogKey("model_mask_convolutions")] = 4
    anchor_scale: Annotated[Positive, LogKey("model_anchor_scale")] = 8.0
    anchor_ratios: Annotated[tuple[float, ...], Range(0, is_open=True), LogKey("model_anchor_ratios")] = (
        0.5,
        1.0,
        2.0,
    )
    anchor_samples: Annotated[Count, LogKey("train_anchor_samples")] = 256
    candidates: Annotated[Count, LogKey("train_level_candidates")] = 2000
    proposals: Annotated[Count, LogKey("num_image_candidates")] = 2000
    eval_candidates: Annotated[Count, LogKey("eval_level_candidates")] = 1000
    eval_proposals: Count = 1000
    proposal_overlap: Annotated[Share, LogKey("model_proposal_overlap")] = 0.7
    region_samples: Annotated[Count, LogKey("train_region_samples")] = 512
    positive_share: Annotated[Share, LogKey("train_positive_share")] = 0.25
    canonical_size: Annotated[Positive, LogKey("model_canonical_size")] = 224.0
    box_pooling: Annotated[Count, LogKey("model_box_pooling")] = 7
    mask_pooling: Annotated[Count, LogKey("model_mask_pooling")] = 14
    pooling_samples: Annotated[Count, LogKey("model_pooling_samples")] = 2
    truth_size: Annotated[Count, LogKey("data_mask_size")] = 112
    score_threshold: Annotated[Share, LogKey("eval_score_threshold")] = 0.05
    detection_candidates: Annotated[Count, LogKey("eval_candidates")] = 1000
    detections: Annotated[Count, LogKey("eval_detections")] = 100
    detection_overlap: Annotated[Share, LogKey("eval_overlap")] = 0.5
    optimizer: Annotated[str, OneOf("sgd", "adamw"), LogKey("opt_name")] = "sgd"
    learning_rate: Annotated[Positive, LogKey("opt_base_learning_rate")] = 0.02
    warmup_steps: Annotated[int, Range(0), LogKey("opt_learning_rate_warmup_steps")] = 500
    warmup_factor: Annotated[Share, LogKey("opt_learning_rate_warmup_factor")] = 1.0 / 3
    decay_steps: Annotated[tuple[int, ...], Range(1), LogKey("opt_learning_rate_decay_steps")] = (
        60_000,
        80_000,
    )
    decay_factor: Annotated[Positive, LogKey("opt_learning_rate_decay_factor")] = 0.1
    momentum: Annotated[Fraction, LogKeyBy("optimizer", sgd="sgd_opt_momentum")] = 0.9
    weight_decay: Annotated[
        NotNegative, LogKeyBy("optimizer", sgd="sgd_opt_weight_decay", adamw="opt_adamw_weight_decay")
    ] = 1e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.canvas_size < self.max_image_size:
            raise SettingError(
                f"canvas_size={self.canvas_size} is too small for images of max_image_size={self.max_image_size}"
            )
        if self.canvas_size % self.strides[-1]:
            raise SettingError(
                f"canvas_size={self.canvas_size} is no multiple of {self.strides[-1]}, the pyramid's last stride"
            )

    @property
    def strides(self) -> tuple[int, ...]:
        """Pixels per cell of each level of the pyramid, the last of which only proposes regions."""
        return tuple(4 * 2**level for level in range(len(self.blocks) + 1))

    def list_pretrained(self) -> list[DataFile]:
        """The file that the backbone starts from, with the checksum that is published."""
        return [DataFile(self.pretrained_weights, md5=self.pretrained_checksum)]


MINI = ObjectDetectionConfig(
    global_batch_size=2,
    eval_batch_size=20,
    train_samples=1600,
    eval_samples=400,
    target=0.342,
    mask_target=0.283,
    max_epochs=5,
    min_image_size=128,
    max_image_size=128,
    canvas_size=128,
    keeps_in_memory=True,
    classes=10,
    max_objects=8,
    width=16,
    blocks=(2, 2, 2),
    frozen_stages=0,
    batch_norm="trained",
    channels=32,
    box_units=128,
    mask_convolutions=2,
    anchor_scale=6.0,
    anchor_samples=64,
    candidates=100,
    proposals=100,
    eval_candidates=100,
    eval_proposals=50,
    region_samples=24,
    positive_share=0.5,
    canonical_size=112.0,
    mask_pooling=7,
    pooling_samples=1,
    truth_size=56,
    detection_candidates=200,
    detections=15,
    learning_rate=0.012,
    warmup_steps=200,
    warmup_factor=0.1,
    decay_steps=(3000, 3700),
)
"""A small Mask R-CNN on scenes of Fashion-MNIST, trained from scratch."""

MINI_OPEN = replace(MINI, optimizer="adamw", learning_rate=0.0005, weight_decay=0.01)
"""The open-division variant: AdamW."""

FULL = ObjectDetectionConfig(
    global_batch_size=16,
    eval_batch_size=8,
    train_samples=117_266,
    eval_samples=5000,
    target=0.377,
    mask_target=0.339,
    max_epochs=13,
    pretrained_weights="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
    pretrained_checksum="4d473c1dd8becc155b73f8504c6f6626",
)
"""Mask R-CNN with ResNet-50 FPN on COCO 2017, the original suite's task."""

FULL_OPEN = replace(FULL, optimizer="adamw", learning_rate=0.0001, weight_decay=0.05)
"""The open-division variant: AdamW."""
