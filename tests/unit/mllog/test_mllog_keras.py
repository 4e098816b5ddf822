"""The callback for Keras 3, with the real Keras."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from mlperf_logging.events import Event
from mlperf_logging.mllog.testing import capture_events

pytestmark = pytest.mark.keras

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras", reason="Keras is not installed (extra: keras)")


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What the shared logger logs during the test."""
    with capture_events() as captured:
        yield captured


def make_callback(**options: Any) -> Any:
    """A callback; imported here, where Keras is known to be there."""
    from mlperf_logging.mllog.callbacks.keras import MLPerfCallback

    return MLPerfCallback(**options)


def fit(*callbacks: Any, **options: Any) -> None:
    """Train a separable problem of 128 samples with one layer."""
    import numpy

    rng = numpy.random.default_rng(0)
    x = rng.normal(size=(128, 4))
    y = (x.sum(axis=1) > 0).astype("int32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(0.1), loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=32, validation_data=(x, y), verbose=0, callbacks=list(callbacks), **options)


def brief(events: list[Event]) -> list[tuple[str, Any]]:
    """Key, and progress if there is one."""
    return [
        (event.key, event.metadata.get("epoch_num", event.metadata.get("samples_count"))) for event in events
    ]


def test_fit_until_the_target(events: list[Event]) -> None:
    """A fit is a run; validations close epochs; the target ends the training with success."""
    with make_callback(target=0.9, seed=0, hyperparameters={"global_batch_size": 32}) as callback:
        fit(callback, epochs=20)
    told = brief(events)
    epochs = told[-1][1]
    assert told[:6] == [
        (key, None)
        for key in ("cache_clear", "init_start", "seed", "global_batch_size", "init_stop", "run_start")
    ]
    assert told[6:-1] == [
        (key, epoch)
        for epoch in range(1, epochs + 1)
        for key in ("epoch_start", "epoch_stop", "eval_start", "eval_accuracy", "eval_stop")
    ]
    assert events[-1].metadata["status"] == "success"
    qualities = [event.value for event in events if event.key == "eval_accuracy"]
    assert [quality >= 0.9 for quality in qualities] == [False] * (epochs - 1) + [True]
    assert epochs < 20
    assert {event.metadata["file"] for event in events} == {__file__}  # not Keras's lines


def test_samples_and_rare_validations(events: list[Event]) -> None:
    """Progress in samples counts batches; epochs without a validation are blocks too."""
    with make_callback(unit="samples_count", samples_per_step=32) as callback:
        fit(callback, epochs=2, validation_freq=2)
    assert brief(events)[4:] == [
        ("block_start", 0),
        ("block_stop", 128),
        ("block_start", 128),
        ("block_stop", 256),
        ("eval_start", 256),
        ("eval_accuracy", 256),
        ("eval_stop", 256),
        ("run_stop", 256),
    ]


def test_a_crash_aborts_the_run(events: list[Event]) -> None:
    """An exception within fit closes the epoch and ends the run as aborted."""

    class Fail(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"), make_callback() as callback:
        fit(callback, Fail(), epochs=2)
    assert [event.key for event in events][-3:] == ["epoch_start", "epoch_stop", "run_stop"]
    assert events[-1].metadata["status"] == "aborted"
