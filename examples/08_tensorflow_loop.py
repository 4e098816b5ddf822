"""A TensorFlow loop with the plain logger: python examples/08_tensorflow_loop.py [LOG]; mlperf-check LOG."""

import sys

import tensorflow as tf

from mlperf_logging import mllog

mllog.config(filename=sys.argv[1] if len(sys.argv) > 1 else "tensorflow_loop.log")
logger = mllog.get_mllogger()
constants = mllog.constants

logger.event(constants.CACHE_CLEAR, True)
with mllog.interval("init"):
    mllog.submission(
        benchmark=constants.RESNET, org="Example", division="open", platform="laptop", status="research"
    )
    mllog.seed(7)
    mllog.hyperparameters({constants.GLOBAL_BATCH_SIZE: 64, constants.TRAIN_SAMPLES: 512})
    mllog.hyperparameters({constants.EVAL_SAMPLES: 128, constants.OPT_NAME: constants.SGD})
    tf.random.set_seed(7)
    x = tf.random.normal((640, 8))
    y = tf.cast(tf.linalg.matvec(x, tf.random.normal((8,))) > 0, tf.float32)
    weights = tf.Variable(tf.zeros(8))


def evaluate() -> tf.Tensor:
    """Share of the held-out samples that are classified correctly."""
    right = (tf.linalg.matvec(x[512:], weights) > 0) == (y[512:] > 0)
    return tf.reduce_mean(tf.cast(right, tf.float32))


with mllog.run() as run:
    for epoch in range(1, 51):
        progress = {constants.EPOCH_NUM: epoch}
        with run.interval("epoch", metadata=progress):
            for first in range(0, 512, 64):
                with tf.GradientTape() as tape:
                    logits = tf.linalg.matvec(x[first : first + 64], weights)
                    losses = tf.nn.sigmoid_cross_entropy_with_logits(y[first : first + 64], logits)
                    loss = tf.reduce_mean(losses)
                weights.assign_sub(0.5 * tape.gradient(loss, weights))
        with run.interval("eval", metadata=progress):
            accuracy = evaluate()
            run.event(
                constants.EVAL_ACCURACY, accuracy, metadata=progress
            )  # a tensor is logged as its number
        if accuracy >= 0.95:
            break
    else:
        run.abort()
