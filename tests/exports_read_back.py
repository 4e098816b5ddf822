"""What the tools' own libraries read from an export."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple


class ReadPoint(NamedTuple):
    """A number as a tool gives it back, with its metric, step and time in milliseconds since the epoch."""

    name: str
    step: int
    time_ms: float
    value: float


def to_single(value: float) -> float:
    """A number in the single precision that TensorBoard has; infinite where it is too large for that."""
    try:
        single: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return single


def read_tensorboard(folder: Path) -> list[ReadPoint]:
    """All scalars of a run's folder, metric by metric."""
    events = load_tensorboard(folder)
    return [
        ReadPoint(tag, each.step, each.wall_time * 1000, each.value)
        for tag in events.Tags()["scalars"]
        for each in events.Scalars(tag)
    ]


def load_tensorboard(folder: Path) -> Any:
    """TensorBoard's view of a run's folder."""
    # TensorBoard would load all of TensorFlow where that is installed, and needs none of it.
    sys.modules.setdefault("tensorboard.compat.notf", ModuleType("notf"))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(os.fspath(folder), size_guidance={"scalars": 0})
    events.Reload()
    return events


def read_hparams(folder: Path) -> tuple[dict[str, Any], int | None]:
    """The hyperparameters of a run's folder, and the status of its session."""
    events = load_tensorboard(folder)
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    found = {
        tag.rpartition("/")[2]: HParamsPluginData.FromString(metadata.plugin_data.content)
        for tag, metadata in events.summary_metadata.items()
        if metadata.plugin_data.plugin_name == "hparams"
    }
    params = {
        name: getattr(value, value.WhichOneof("kind"))
        for name, value in found["session_start_info"].session_start_info.hparams.items()
    }
    ended = found.get("session_end_info")
    return params, None if ended is None else ended.session_end_info.status


def read_mlflow(client: Any, run: Any) -> list[ReadPoint]:
    """All metrics of an MLflow run, metric by metric."""
    return [
        ReadPoint(name, each.step, each.timestamp, each.value)
        for name in run.data.metrics
        for each in client.get_metric_history(run.info.run_id, name)
    ]


def read_wandb(folder: Path) -> Iterator[Any]:
    """The records of an offline run, from its log, which has the frames of a LevelDB log."""
    from wandb.proto.wandb_internal_pb2 import Record

    (path,) = folder.glob("run-*.wandb")
    data, place, whole = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        length, kind = struct.unpack_from("<HB", data, place + 4)
        if kind:
            whole += data[place + 7 : place + 7 + length]
        if kind in (1, 4):  # the only or the last part of a record
            yield Record.FromString(whole)
            whole = b""
        place += 7 + length
        if 32_768 - place % 32_768 < 7:
            place += 32_768 - place % 32_768
