"""Object detection as a workload: the data, the training step of both stages, and how quality is measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reference_impls.harness import DataError, check_files
from reference_impls.harness.run.optimizers import scale_losses
from reference_impls.harness.workload import Batch, Collected, Evaluation, Quality, Share, Workload
from reference_impls.image_classification.imagenet import ImageNet
from reference_impls.object_detection.boxes import make_anchors
from reference_impls.object_detection.coco_files import check_coco
from reference_impls.object_detection.config import ObjectDetectionConfig
from reference_impls.object_detection.detecting import Detections, detect_objects, propose_regions
from reference_impls.object_detection.losses import measure_boxes, measure_masks, measure_proposals
from reference_impls.object_detection.model import MaskRCNN
from reference_impls.object_detection.pooling import align_regions, choose_levels, crop_masks
from reference_impls.object_detection.pretrained import load_backbone
from reference_impls.object_detection.schedule import WarmupThenSteps
from reference_impls.object_detection.scoring import BOXES, MASKS, encode_detections, measure_precision
from reference_impls.object_detection.sources import CocoImages, read_scenes_checksum
from reference_impls.object_detection.targets import draw_numbers, match_anchors, sample_regions

_ANCHORS, _REGIONS = range(2)
"""What random numbers are for."""
_LEVELS = 255.0
"""Probabilities of masks are kept as bytes from when they are computed until they are measured."""


class ObjectDetectionWorkload(Workload[ObjectDetectionConfig]):
    """Mask R-CNN, trained in both stages at once, evaluated on all validation images by COCO's average precision."""

    metric = BOXES
    collects = "rows"

    @property
    def target(self) -> Quality:
        """Average precision of boxes and of masks."""
        return {BOXES: self.config.target, MASKS: self.config.mask_target}

    def check_data(self) -> None:
        """Check that annotations, images and the backbone's weights are there."""
        check_coco(self.folder, self.data_command)
        if self.config.keeps_in_memory:
            read_scenes_checksum(self.folder, self.data_command)
        if self.config.pretrained_weights:
            check_files(self.folder, self.config.list_pretrained(), self.data_command, checksums=False)

    def data_checksum(self) -> str:
        """Of scenes that of pixels and annotations; of COCO that of the names and sizes of its annotations."""
        if self.config.keeps_in_memory:
            return read_scenes_checksum(self.folder, self.data_command)
        parts = [f"{path.name} {path.stat().st_size}" for path in check_coco(self.folder, self.data_command)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def hyperparameters(self, share: Share) -> dict[str, object]:
        """Those of the configuration, and the number of images that batch norm sees at a time, if it is trained."""
        span = self.batch_norm_span(share) if self.config.batch_norm == "trained" else {}
        return {**super().hyperparameters(share), **span}

    def build(self) -> None:
        """Make the model, its anchors and its optimizer, and load the backbone's weights."""
        config = self.config
        self.model = MaskRCNN(config, self.seed)
        if config.pretrained_weights:
            load_backbone(self.model.backbone, config, self.folder, self.data_command)
        sides = [config.canvas_size // stride for stride in config.strides]
        self.anchors = make_anchors(
            [(side, side) for side in sides], config.strides, config.anchor_scale, config.anchor_ratios
        )
        self.variables = self.model.trained_variables
        self.decayed = [each for each in self.variables if each.name == "kernel"]
        self.optimizer = self._make_optimizer()
        self.optimizer.build(self.variables)

    def _make_optimizer(self) -> keras.optimizers.Optimizer:
        config = self.config
        schedule = WarmupThenSteps(
            base=config.learning_rate,
            warmup_steps=config.warmup_steps,
            warmup_factor=config.warmup_factor,
            decay_steps=config.decay_steps,
            decay_factor=config.decay_factor,
        )
        if config.optimizer == "sgd":
            return scale_losses(keras.optimizers.SGD(schedule, momentum=config.momentum), config)
        optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        return scale_losses(optimizer, config)

    def state(self) -> dict[str, Any]:
        """Model and optimizer."""
        return {"model": self.model, "optimizer": self.optimizer}

    def load(self, share: Share) -> None:
        """Read the annotations, and the images if they are kept in memory."""
        del share
        self.source = CocoImages(self.folder, self.config, self.seed, self.data_command)

    def train_data(self, epoch: int, share: Share) -> tf.data.Dataset:
        """The batches of one epoch."""
        return self.source.train_batches(epoch, share)

    def train_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """The five losses of Mask R-CNN, plus for SGD the L2 penalty on the decayed weights."""
        config = self.config

        def measure(part: Batch, _: object) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            losses = self.measure_losses(part)
            loss = tf.add_n(list(losses.values()))
            total = loss
            if config.optimizer == "sgd":
                squares = [tf.nn.l2_loss(tf.cast(each, tf.float32)) for each in self.decayed]
                total += config.weight_decay / self.count_parts() * tf.add_n(squares)
            return total, {"loss": loss, **losses}

        return self.update(measure, batch, self.optimizer, self.variables)

    def measure_losses(self, part: Batch) -> dict[str, tf.Tensor]:
        """The losses of both stages on some images, divided by the images of the global batch."""
        config, images = self.config, self.config.global_batch_size
        maps, logits, codes = self._propose(part["image"], training=True)
        draws = draw_numbers(part["seeds"], sum(len(each) for each in self.anchors), _ANCHORS)
        targets = match_anchors(
            tf.constant(np.concatenate(self.anchors)),
            part["boxes"],
            part["classes"],
            draws,
            samples=config.anchor_samples,
        )
        objectness, anchor_boxes = measure_proposals(
            tf.concat(logits, axis=1), tf.concat(codes, axis=1), targets, config.anchor_samples, images
        )
        proposals, scores = propose_regions(
            logits,
            codes,
            [tf.constant(each) for each in self.anchors],
            part["shape"],
            candidates=config.candidates,
            count=config.proposals,
            overlap=config.proposal_overlap,
        )
        regions = sample_regions(
            proposals,
            scores,
            part["boxes"],
            part["classes"],
            draw_numbers(part["seeds"], config.proposals, _REGIONS),
            samples=config.region_samples,
            positive_share=config.positive_share,
        )
        classes, boxes = measure_boxes(
            *self.model.classify(self._pool(maps, regions.boxes, config.box_pooling)), regions, images
        )
        # Objects come first, so masks are drawn of no more regions than may show some.
        most = round(config.region_samples * config.positive_share)
        shown, labels = regions.boxes[:, :most], regions.classes[:, :most]
        matches = regions.matches[:, :most]
        truth = crop_masks(
            tf.gather(tf.cast(part["masks"], tf.float32), matches, axis=1, batch_dims=1),
            tf.gather(part["boxes"], matches, axis=1, batch_dims=1),
            shown,
            2 * config.mask_pooling,
        )
        masks = measure_masks(
            self.model.draw_masks(self._pool(maps, shown, config.mask_pooling)),
            tf.cast(truth >= 0.5, tf.float32),
            labels,
            images,
        )
        return {
            "proposal_loss": objectness,
            "proposal_box_loss": anchor_boxes,
            "class_loss": classes,
            "box_loss": boxes,
            "mask_loss": masks,
        }

    def _propose(
        self, images: tf.Tensor, *, training: bool
    ) -> tuple[list[tf.Tensor], list[tf.Tensor], list[tf.Tensor]]:
        """Maps of the pyramid, and what the first stage says of each level's anchors."""
        pixels = (tf.cast(images, tf.float32) - ImageNet.pixel_mean) / ImageNet.pixel_deviation
        maps = self.model.extract_features(pixels, training=training)
        return maps, *self.model.propose(maps)

    def _pool(self, maps: list[tf.Tensor], boxes: tf.Tensor, size: int) -> tf.Tensor:
        """Features of regions, from all levels but the last one."""
        levels = choose_levels(boxes, self.config.canonical_size, len(maps) - 1)
        strides = self.config.strides[:-1]
        return align_regions(maps[:-1], strides, boxes, levels, size, self.config.pooling_samples)

    def eval_data(self, share: Share) -> tf.data.Dataset:
        """All validation images."""
        return self.source.eval_batches(share)

    def detect(self, images: tf.Tensor, shapes: tf.Tensor) -> tuple[Detections, tf.Tensor]:
        """The detections in some images, and the probabilities of their masks: [batch, n, size, size]."""
        config = self.config
        maps, logits, codes = self._propose(images, training=False)
        regions, scores = propose_regions(
            logits,
            codes,
            [tf.constant(each) for each in self.anchors],
            shapes,
            candidates=config.eval_candidates,
            count=config.eval_proposals,
            overlap=config.proposal_overlap,
        )
        found = detect_objects(
            *self.model.classify(self._pool(maps, regions, config.box_pooling)),
            regions,
            scores,
            shapes,
            threshold=config.score_threshold,
            candidates=config.detection_candidates,
            count=config.detections,
            overlap=config.detection_overlap,
        )
        drawn = self.model.draw_masks(self._pool(maps, found.boxes, config.mask_pooling))
        own = tf.gather(tf.transpose(drawn, (0, 1, 4, 2, 3)), found.classes, axis=2, batch_dims=2)
        return found, tf.sigmoid(own)

    def eval_step(self, batch: Batch) -> Mapping[str, tf.Tensor]:
        """The detections of each image, with masks of bytes, four of them in an integer."""
        found, masks = self.detect(batch["image"], batch["shape"])
        levels = tf.cast(tf.round(masks * _LEVELS), tf.uint8)
        words = tf.reshape(levels, (-1, levels.shape[1], levels.shape[2] * levels.shape[3] // 4, 4))
        return {
            "numbers": batch["numbers"],
            "weights": batch["weights"],
            "shapes": batch["shape"],
            **found._asdict(),
            "masks": tf.bitcast(words, tf.int32),
        }

    def measure(self, collected: Collected) -> Evaluation:
        """COCO's average precision of boxes and masks, over overlaps from 0.5 to 0.95."""
        split = self.source.test
        is_real = collected["weights"] > 0
        if sorted(collected["numbers"][is_real].tolist()) != list(range(len(split.images))):
            raise DataError(f"not every image in {self.folder} was evaluated once")
        side = 2 * self.config.mask_pooling
        found: list[Mapping[str, Any]] = []
        for row in np.flatnonzero(is_real):
            entry = split.images[int(collected["numbers"][row])]
            masks = np.ascontiguousarray(collected["masks"][row]).view(np.uint8) / np.float32(_LEVELS)
            scale = np.tile(np.divide((entry["height"], entry["width"]), collected["shapes"][row]), 2)
            found += encode_detections(
                entry,
                collected["boxes"][row] * scale,
                collected["scores"][row],
                collected["classes"][row],
                masks.reshape(-1, side, side),
                split.class_ids,
            )
        precision = measure_precision(split.truth, found)
        metrics = {
            f"{name}_{level}": values[level]
            for name, values in precision.items()
            for level in ("AP50", "AP75")
        }
        return Evaluation({name: values["AP"] for name, values in precision.items()}, metrics)
