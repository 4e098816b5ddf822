"""Progress for people: one line per evaluation and, on a terminal, the current step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TextIO

ERASE_LINE = "\r\x1b[2K"


class Display:
    """Shows the progress of a run on a stream.

    Args:
        stream: usually standard error; None: nothing is shown.
        name: prefix of each line: what is trained.
        metric: name of the quality.
        target: the target quality, or several by name.
        unit: what the workload counts; see `Workload.unit`.

    Attributes:
        unit: what an epoch is called.
    """

    def __init__(
        self,
        stream: TextIO | None,
        name: str,
        metric: str,
        target: float | Mapping[str, float],
        unit: str = "epoch",
    ) -> None:
        self._stream = stream
        self._is_terminal = stream is not None and stream.isatty()
        self._name = name
        self._metric = metric
        self._target = target
        self.unit = unit if unit == "generation" else "epoch"
        self._epoch = 0
        self._started = self._epoch_started = time.monotonic()

    def start_epoch(self, epoch: int) -> None:
        """Note that an epoch begins."""
        self._epoch = epoch
        self._epoch_started = time.monotonic()
        self._show_passing("training")

    def show_step(self, step: int, steps: int | None, losses: Mapping[str, float]) -> None:
        """Show the current step, the rate and the time left in the epoch, on a terminal only.

        Args:
            step: the latest step.
            steps: number of steps of the epoch, if known.
            losses: of the latest step whose losses have been read; empty if there is none.
        """
        rate = step / max(time.monotonic() - self._epoch_started, 1e-9)
        progress = f"step {step}, {rate:.3g} steps/s"
        if steps is not None:
            progress = f"step {step} of {steps}, {rate:.3g} steps/s, {(steps - step) / rate:.0f} s left"
        shown = "".join(f", {name} {value:.4g}" for name, value in losses.items())
        self._show_passing(progress + shown)

    def start_eval(self) -> None:
        """Note that an evaluation begins."""
        self._show_passing("evaluating")

    def show_quality(self, quality: float | Mapping[str, float], losses: Mapping[str, float]) -> None:
        """Show the result of an evaluation."""
        found = quality if isinstance(quality, Mapping) else {self._metric: quality}
        target = self._target if isinstance(self._target, Mapping) else {self._metric: self._target}
        parts = [
            f"{name} {value:.4f}" + (f" (target {target[name]:g})" if name in target else "")
            for name, value in found.items()
        ]
        parts += [f"{name} {value:.4f}" for name, value in losses.items()]
        seconds = time.monotonic() - self._started
        self.say(f"{self.unit} {self._epoch}: {', '.join(parts)}, {seconds:.1f} s")

    def say(self, sentence: str) -> None:
        """Print a line."""
        if self._stream is not None:
            erase = ERASE_LINE if self._is_terminal else ""
            self._stream.write(f"{erase}{self._name}: {sentence}\n")
            self._stream.flush()

    def _show_passing(self, text: str) -> None:
        if self._stream is not None and self._is_terminal:
            self._stream.write(f"{ERASE_LINE}{self._name}: {self.unit} {self._epoch}: {text}")
            self._stream.flush()
