"""A Keras model, instrumented by a callback: python examples/07_keras_model.py [LOG]; mlperf-check LOG."""

import sys

import keras
import numpy as np

from mlperf_logging import mllog
from mlperf_logging.mllog.callbacks.keras import MLPerfCallback

mllog.config(filename=sys.argv[1] if len(sys.argv) > 1 else "keras_model.log")

with MLPerfCallback(
    monitor="val_accuracy",
    target=0.95,
    submission={
        "benchmark": "resnet",
        "org": "Example",
        "division": "open",
        "platform": "laptop",
        "status": "research",
    },
    seed=7,
    hyperparameters={"global_batch_size": 64, "opt_name": "adam", "opt_base_learning_rate": 0.05},
    train_samples=512,
    eval_samples=128,
) as mlperf:
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(7)
    x = rng.normal(size=(640, 8)).astype("float32")
    y = (x @ rng.normal(size=8) > 0).astype("float32")
    model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(0.05), loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(
        x[:512],
        y[:512],
        batch_size=64,
        epochs=50,
        validation_data=(x[512:], y[512:]),
        callbacks=[mlperf],
        verbose=0,
    )
