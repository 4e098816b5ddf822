"""Object detection: Mask R-CNN on COCO or, small, on scenes of Fashion-MNIST; average precision of boxes and masks."""

from reference_impls.harness import Task
from reference_impls.object_detection.config import FULL, FULL_OPEN, MINI, MINI_OPEN

TASK = Task(
    name="object_detection",
    benchmark="maskrcnn",
    summary="Mask R-CNN on COCO, AP of boxes and masks (mini: a small one on made-up scenes)",
    configs={
        ("mini", "closed"): MINI,
        ("mini", "open"): MINI_OPEN,
        ("full", "closed"): FULL,
        ("full", "open"): FULL_OPEN,
    },
    workload="reference_impls.object_detection.workload:ObjectDetectionWorkload",
    scripts="reference_impls.object_detection.download",
    aliases=("mask_rcnn", "detection"),
)

__all__ = ["TASK"]
