"""The recipes for training frameworks log compliant runs; each runs where its framework is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from checkout import PROJECT

from mlperf_logging.events import Event
from mlperf_logging.mllog.testing import capture_events

pytestmark = [pytest.mark.usefixtures("shared_logger"), pytest.mark.filterwarnings("ignore")]

PAGE = PROJECT / "docs/mllog_recipes.md"
BLOCKS = dict(
    re.findall(r"^## (.*?)\n.*?^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
)
WITH_FRAMEWORK = {
    "Lightning and NeMo": "lightning",
    "Transformers": "transformers",
    "Composer": "composer",
    "MaxText and Flax": "flax",
}
LIFE = re.compile(
    r"cache_clear init_start (submission_\w+ ){5}(seed )?(global_batch_size )?(train_samples eval_samples )?"
    r"init_stop run_start ((epoch|block)_start (epoch|block)_stop eval_start eval_accuracy eval_stop )+run_stop"
)
"""The keys of a run in their order."""


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch, shared_logger: None) -> Iterator[list[Event]]:
    """What the shared logger logs during the test, with the submission's facts in the environment."""
    for name in ("ORG", "DIVISION", "PLATFORM", "STATUS"):
        monkeypatch.setenv(f"MLLOG_SUBMISSION_{name}", "x")
    with capture_events() as captured:
        yield captured


def run_block(name: str) -> dict[str, Any]:
    """Run the code of a recipe."""
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(BLOCKS[name], str(PAGE), "exec"), names)  # noqa: S102 - the page is this project's own
    return names


def assert_is_successful_run(events: list[Event]) -> None:
    """One whole life, whose evaluations are at growing progress and whose last reached the target."""
    assert LIFE.fullmatch(" ".join(event.key for event in events)), [event.key for event in events]
    progress = [
        event.metadata.get("samples_count", event.metadata.get("epoch_num"))
        for event in events
        if event.key == "eval_accuracy"
    ]
    assert progress == sorted(set(progress))
    assert events[-1].metadata["status"] == "success"


def test_every_framework_has_a_test() -> None:
    """No recipe on the page is left out here."""
    assert set(BLOCKS) == {*WITH_FRAMEWORK, "torchtitan", "Megatron-style functions"}


@pytest.mark.torch
@pytest.mark.parametrize("name", WITH_FRAMEWORK)
def test_recipes_with_their_frameworks(
    name: str, events: list[Event], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code on the page trains to its target; its events have the page's lines as call sites."""
    pytest.importorskip(WITH_FRAMEWORK[name], reason=f"{WITH_FRAMEWORK[name]} is not installed")
    monkeypatch.chdir(tmp_path)
    run_block(name)
    assert_is_successful_run(events)
    assert {event.metadata["file"] for event in events} == {str(PAGE)}


def test_the_recipe_for_torchtitan(events: list[Event]) -> None:
    """With a trainer that calls its methods in the order of torchtitan's, the class logs a run."""
    losses = iter([5.0, 4.0, 3.0, 2.0])

    class Trainer:
        step = 0
        model_parts = ()
        config = SimpleNamespace(training=SimpleNamespace(global_batch_size=8))

        def __init__(self) -> None:
            self.reported: list[float] = []
            self.metrics_processor = SimpleNamespace(
                log_validation=lambda loss, step: self.reported.append(loss)
            )
            self.validator = SimpleNamespace(
                validate=lambda parts, step: self.metrics_processor.log_validation(
                    loss=next(losses), step=step
                )
            )

        def train(self) -> None:
            while self.should_continue_training():
                self.step += 1
                if self.step % 2 == 0:
                    self.validator.validate(self.model_parts, self.step)

        def should_continue_training(self) -> bool:
            return self.step < 100

    logs_run = run_block("torchtitan")["LogsRun"]
    trainer = type("MLPerfTrainer", (logs_run, Trainer), {})()
    trainer.train()
    assert_is_successful_run(events)
    assert (trainer.step, trainer.reported) == (6, [5.0, 4.0, 3.0])
    assert events[-1].metadata["samples_count"] == 48


def test_the_recipe_for_megatron(events: list[Event]) -> None:
    """With functions that call each other as Megatron's do, the wrapped ones log a run; the last evaluation is none of it."""
    args = SimpleNamespace(consumed_train_samples=0)
    losses = iter([3.0, 2.0, 1.0])

    def evaluate() -> tuple[dict[str, float], None, bool]:
        return {"lm loss": next(losses)}, None, False

    def train(iterations: int) -> int:
        for _ in range(iterations):
            args.consumed_train_samples += 16
            training.evaluate()
        return iterations

    training = SimpleNamespace(train=train, evaluate=evaluate)
    log_run = run_block("Megatron-style functions")["log_run"]
    log_run(training, lambda: args, target=2.5, submission={"benchmark": "gpt3"})
    assert training.train(2) == 2
    training.evaluate()
    keys = [event.key for event in events]
    assert (keys.count("eval_accuracy"), keys.count("run_stop"), keys[-1]) == (2, 1, "run_stop")
    assert keys[-2:] == ["eval_stop", "run_stop"]
    assert events[-1].metadata["status"] == "success"
