"""Image classification: ResNet v1.5 on ImageNet or, small, on Fashion-MNIST; top-1 accuracy."""

from reference_impls.harness import Task
from reference_impls.image_classification.config import FULL, FULL_OPEN, MINI, MINI_OPEN

TASK = Task(
    name="image_classification",
    benchmark="resnet",
    summary="ResNet-50 v1.5 on ImageNet (mini: a smaller one on Fashion-MNIST), top-1 accuracy",
    configs={
        ("mini", "closed"): MINI,
        ("mini", "open"): MINI_OPEN,
        ("full", "closed"): FULL,
        ("full", "open"): FULL_OPEN,
    },
    workload="reference_impls.image_classification.workload:ImageClassificationWorkload",
    scripts="reference_impls.image_classification.download",
    aliases=("resnet50",),
)

__all__ = ["TASK"]
