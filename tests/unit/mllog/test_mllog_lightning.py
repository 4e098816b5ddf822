"""The callback for PyTorch Lightning, with the real Lightning on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlperf_logging.events import Event
from mlperf_logging.mllog.testing import capture_events

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]

torch = pytest.importorskip("torch", reason="torch is not installed (separate CI target)")
lightning = pytest.importorskip("lightning", reason="lightning is not installed (separate CI target)")


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What the shared logger logs during the test."""
    with capture_events() as captured:
        yield captured


def fit(callback: Any, fail_at: int | None = None, **options: Any) -> None:
    """Train a separable problem of 128 samples, 32 a step, with one layer."""
    torch.manual_seed(0)
    x = torch.randn(128, 4)
    y = (x.sum(1) > 0).float()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 32)

    class Model(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 1)

        def training_step(self, batch: Any, number: int) -> Any:
            if self.global_step == fail_at:
                raise RuntimeError("out of memory")
            return torch.nn.functional.binary_cross_entropy_with_logits(self.layer(batch[0])[:, 0], batch[1])

        def validation_step(self, batch: Any, number: int) -> None:
            right = (self.layer(batch[0])[:, 0] > 0) == (batch[1] > 0)
            self.log("val_accuracy", right.float().mean())

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=0.1)

    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = lightning.Trainer(
        accelerator="cpu", callbacks=[callback], enable_model_summary=False, **quiet, **options
    )
    trainer.fit(Model(), loader, loader)


def make_callback(**options: Any) -> Any:
    """A callback; imported here, where Lightning is known to be there."""
    from mlperf_logging.mllog.callbacks.lightning import MLPerfCallback

    return MLPerfCallback(**options)


def brief(events: list[Event]) -> list[tuple[str, Any]]:
    """Key, and progress if there is one."""
    return [
        (event.key, event.metadata.get("epoch_num", event.metadata.get("samples_count"))) for event in events
    ]


def test_fit_until_the_target(events: list[Event]) -> None:
    """A fit is a run; the sanity check before it is none of it; the target ends the training."""
    fit(make_callback(target=0.9, seed=0), max_epochs=30)
    told = brief(events)
    epochs = told[-1][1]
    assert [key for key, _ in told[:5]] == ["cache_clear", "init_start", "seed", "init_stop", "run_start"]
    assert told[5:-1] == [
        (key, epoch)
        for epoch in range(1, epochs + 1)
        for key in ("epoch_start", "epoch_stop", "eval_start", "eval_accuracy", "eval_stop")
    ]
    assert (events[-1].metadata["status"], epochs < 30) == ("success", True)
    assert {event.metadata["file"] for event in events} == {__file__}  # not Lightning's lines


def test_validations_within_an_epoch(events: list[Event]) -> None:
    """In epochs they leave the epoch open and give its part; in samples they close the block."""
    fit(make_callback(), max_epochs=1, val_check_interval=2)
    assert brief(events)[4:] == [
        ("epoch_start", 1),
        ("eval_start", 0.5),
        ("eval_accuracy", 0.5),
        ("eval_stop", 0.5),
        ("epoch_stop", 1),
        ("eval_start", 1),
        ("eval_accuracy", 1),
        ("eval_stop", 1),
        ("run_stop", 1),
    ]
    events.clear()
    fit(make_callback(unit="samples_count", samples_per_step=32), max_epochs=1, val_check_interval=2)
    assert brief(events)[4:] == [
        ("block_start", 0),
        ("block_stop", 64),
        ("eval_start", 64),
        ("eval_accuracy", 64),
        ("eval_stop", 64),
        ("block_start", 64),
        ("block_stop", 128),
        ("eval_start", 128),
        ("eval_accuracy", 128),
        ("eval_stop", 128),
        ("run_stop", 128),
    ]


def test_a_crash_aborts_the_run(events: list[Event]) -> None:
    """An exception within fit closes the epoch and ends the run as aborted."""
    with pytest.raises(RuntimeError, match="out of memory"):
        fit(make_callback(), fail_at=2, max_epochs=2)
    assert [event.key for event in events][-3:] == ["epoch_start", "epoch_stop", "run_stop"]
    assert events[-1].metadata["status"] == "aborted"
