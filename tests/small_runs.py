"""Logs of small runs, as a training script would write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.logs import mllog

START_MS = 1_700_000_000_000
MINUTE_MS = 60_000

Quality = Mapping[float, Any]
WriteRun = Callable[..., Path]


def make_run_log(
    qualities: Quality | None = None,
    *,
    benchmark: str = "resnet",
    division: str = "closed",
    unit: str = "epoch_num",
    status: str | None = "success",
    key: str = "eval_accuracy",
    block_minutes: float = 4.0,
    eval_minutes: float = 1.0,
    settings: Mapping[str, Any] | None = None,
    after: bytes = b"",
) -> bytes:
    """A run that evaluates after each block: one minute of initialization, then blocks and evaluations in turn."""
    qualities = {1: 0.5, 2: 0.7, 3: 0.76} if qualities is None else qualities
    hyperparameters = {"seed": 7, "global_batch_size": 256, "train_samples": 1_281_167, **(settings or {})}
    lines = [
        mllog("submission_benchmark", benchmark, START_MS - 90_000),
        mllog("submission_division", division, START_MS - 90_000),
        mllog("submission_org", "Org", START_MS - 90_000),
        mllog("submission_platform", "box", START_MS - 90_000),
        mllog("init_start", None, START_MS - MINUTE_MS),
        *[mllog(name, value, START_MS - 30_000) for name, value in hyperparameters.items()],
        mllog("init_stop", None, START_MS),
        mllog("run_start", None, START_MS),
    ]
    time_ms: float = START_MS
    for progress, quality in qualities.items():
        place = {unit: progress}
        lines.append(mllog("block_start", None, time_ms, **place))
        time_ms += block_minutes * MINUTE_MS
        lines.append(mllog("block_stop", None, time_ms, **place))
        lines.append(mllog("eval_start", None, time_ms, **place))
        time_ms += eval_minutes * MINUTE_MS
        parts = (
            quality.items() if isinstance(quality, dict) and unit == "samples_count" else [(None, quality)]
        )
        for metric, value in parts:
            lines.append(mllog(key, value, time_ms, **place, **({"metric": metric} if metric else {})))
        lines.append(mllog("eval_stop", None, time_ms, **place))
    if status is not None:
        lines.append(mllog("run_stop", None, time_ms + 500, status=status))
    return b"".join(lines) + after
