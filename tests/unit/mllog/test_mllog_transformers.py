"""The callback for the Hugging Face Trainer, with the real Trainer on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging.events import Event
from mlperf_logging.mllog.testing import capture_events

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

torch = pytest.importorskip("torch", reason="torch is not installed (separate CI target)")
transformers = pytest.importorskip(
    "transformers", reason="transformers is not installed (separate CI target)"
)
pytest.importorskip("accelerate", reason="accelerate is not installed (separate CI target)")


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What the shared logger logs during the test."""
    with capture_events() as captured:
        yield captured


def train(folder: Path, callback: Any, fail_at: int | None = None, **options: Any) -> None:
    """Train a separable problem of 128 samples, 32 a step, with one layer."""

    class Model(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 2)
            self.steps = 0

        def forward(self, x: Any, labels: Any) -> dict[str, Any]:
            self.steps += 1
            if self.steps == fail_at:
                raise RuntimeError("out of memory")
            logits = self.layer(x)
            return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

    torch.manual_seed(0)
    data = [{"x": x, "labels": int(x.sum() > 0)} for x in torch.randn(128, 4)]
    arguments = transformers.TrainingArguments(
        str(folder),
        per_device_train_batch_size=32,
        learning_rate=0.1,
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        save_strategy="no",
        logging_strategy="no",
        **options,
    )
    transformers.Trainer(
        Model(),
        arguments,
        train_dataset=data,
        eval_dataset=data,
        compute_metrics=lambda found: {"accuracy": (found.predictions.argmax(-1) == found.label_ids).mean()},
        callbacks=[callback],
    ).train()


def make_callback(**options: Any) -> Any:
    """A callback; imported here, where the Trainer is known to be there."""
    from mlperf_logging.mllog.callbacks.transformers import MLPerfCallback

    return MLPerfCallback(**options)


def brief(events: list[Event]) -> list[tuple[str, Any]]:
    """Key, and progress if there is one."""
    return [
        (event.key, event.metadata.get("epoch_num", event.metadata.get("samples_count"))) for event in events
    ]


def test_training_until_the_target(tmp_path: Path, events: list[Event]) -> None:
    """A training is a run; evaluations close epochs; the target ends it with success."""
    with make_callback(target=0.9, seed=0) as callback:
        train(tmp_path, callback, eval_strategy="epoch", num_train_epochs=30)
    told = brief(events)
    epochs = told[-1][1]
    assert [key for key, _ in told[:5]] == ["cache_clear", "init_start", "seed", "init_stop", "run_start"]
    assert told[5:-1] == [
        (key, epoch)
        for epoch in range(1, epochs + 1)
        for key in ("epoch_start", "epoch_stop", "eval_start", "eval_accuracy", "eval_stop")
    ]
    assert (events[-1].metadata["status"], epochs < 30) == ("success", True)
    assert {event.metadata["file"] for event in events} == {__file__}  # not the Trainer's lines


def test_evaluations_by_steps(tmp_path: Path, events: list[Event]) -> None:
    """In samples they close blocks; within an epoch they leave it open and give its part."""
    options: dict[str, Any] = {"eval_strategy": "steps", "eval_steps": 3, "num_train_epochs": 1}
    with make_callback(unit="samples_count") as callback:
        train(tmp_path, callback, **options)
    assert brief(events)[4:] == [
        ("block_start", 0),
        ("block_stop", 96),
        ("eval_start", 96),
        ("eval_accuracy", 96),
        ("eval_stop", 96),
        ("block_start", 96),
        ("block_stop", 128),
        ("eval_start", 128),
        ("eval_accuracy", 128),
        ("eval_stop", 128),
        ("run_stop", 128),
    ]
    events.clear()
    with make_callback() as callback:
        train(tmp_path, callback, **options)
    assert brief(events)[4:] == [
        ("epoch_start", 1),
        ("eval_start", 0.75),
        ("eval_accuracy", 0.75),
        ("eval_stop", 0.75),
        ("epoch_stop", 1),
        ("eval_start", 1),
        ("eval_accuracy", 1),
        ("eval_stop", 1),
        ("run_stop", 1),
    ]


def test_a_crash_aborts_the_run(tmp_path: Path, events: list[Event]) -> None:
    """An exception within train closes the epoch and ends the run as aborted."""
    with pytest.raises(RuntimeError, match="out of memory"), make_callback() as callback:
        train(tmp_path, callback, fail_at=2, num_train_epochs=1)
    assert [event.key for event in events][-3:] == ["epoch_start", "epoch_stop", "run_stop"]
    assert events[-1].metadata["status"] == "aborted"
