"""Image classification: ResNet v1.5 by momentum SGD, on ImageNet or, small, on Fashion-MNIST."""

from reference_impls.harness import Task
from reference_impls.image_classification.config import CONFIGS

TASK = Task(
    name="image_classification",
    benchmark="resnet",
    summary="ResNet-50 v1.5 on ImageNet (mini: a smaller one on Fashion-MNIST), top-1 accuracy",
    configs=CONFIGS,
    workload="reference_impls.image_classification.workload:ImageClassification",
    scripts="reference_impls.image_classification.download",
    aliases=("resnet50",),
)

__all__ = ["TASK"]
