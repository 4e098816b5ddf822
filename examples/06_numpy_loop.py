"""A training loop in numpy, instrumented: python examples/06_numpy_loop.py [LOG]; mlperf-check LOG."""

import sys

import numpy as np

from mlperf_logging import mllog
from mlperf_logging.mllog.callbacks.loop import TrainingRun

mllog.config(filename=sys.argv[1] if len(sys.argv) > 1 else "numpy_loop.log")
submission = {"benchmark": "resnet", "org": "Example", "division": "open", "platform": "laptop"}


def accuracy() -> float:
    """Share of the held-out samples that are classified correctly."""
    return float(np.mean((x[512:] @ weights > 0) == y[512:]))


with TrainingRun(
    submission={**submission, "status": "research"},
    seed=7,
    hyperparameters={"global_batch_size": 64, "opt_name": "sgd", "opt_base_learning_rate": 0.1},
    train_samples=512,
    eval_samples=128,
    target=0.95,
) as run:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(640, 8))
    y = (x @ rng.normal(size=8) > 0).astype(float)
    weights = rng.normal(size=8)
    for _epoch in run.epochs(200):
        for first in range(0, 512, 64):
            xb, yb = x[first : first + 64], y[first : first + 64]
            weights -= 0.1 * xb.T @ (1 / (1 + np.exp(-xb @ weights)) - yb) / 64
        run.evaluate(accuracy)
