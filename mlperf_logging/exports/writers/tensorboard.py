"""TensorBoard: one folder per run with one event file: scalars, and the session of its hyperparameters."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlperf_logging.errors import UsageError
from mlperf_logging.exports.points import Point
from mlperf_logging.exports.run_export import LOG_TAG, RunEnd, RunHead, Stamp
from mlperf_logging.exports.writers import BaseSession, BaseWriter, Kept, require_library
from mlperf_logging.runs.summary import SUCCESS

if TYPE_CHECKING:
    from tensorboardX.proto.event_pb2 import Event

FILE_VERSION = "brain.Event:2"
"""With this version, readers keep points whose steps go back."""

_FILE = re.compile(r"events\.out\.tfevents\.\d+\.mlperf-([0-9a-f]{16})-([0-9a-f]{8})-([0-9a-f]{8})")
_DRAFT = ".part"


class Writer(BaseWriter):
    """A folder to be shown by ``tensorboard --logdir``. The name of an event file has the stamp of its log."""

    title = "TensorBoard"
    about = "event files with scalars and hyperparameters, for tensorboard --logdir DIR"
    hint = "to look at it: tensorboard --logdir {place}"

    def __init__(self, place: str) -> None:
        require_library(
            "tensorboard", self.title, "tensorboardX.proto.plugin_hparams_pb2", "tensorboardX.record_writer"
        )
        super().__init__(os.path.abspath(os.path.expanduser(place)))
        try:
            os.makedirs(self.place, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make the folder {place!r}: {error.strerror}") from None

    def list_kept(self) -> Mapping[str, Kept]:
        """The event files of logs, by path; drafts that a killed process has left count as not completed."""
        found: dict[str, Kept] = {}
        for folder, _, names in os.walk(self.place):
            for name in names:
                whole = _FILE.fullmatch(name.removesuffix(_DRAFT).removeprefix("."))
                if whole is not None:
                    log, source, content = whole.groups()
                    stamp = Stamp(log, source, "" if name.endswith(_DRAFT) else content)
                    found[os.path.join(folder, name)] = Kept(os.path.relpath(folder, self.place), stamp)
        return found

    def remove(self, handle: str) -> None:
        """Remove an event file, and its folders as far as they are empty then."""
        os.unlink(handle)
        folder = os.path.dirname(handle)
        while folder != self.place and not os.listdir(folder):
            os.rmdir(folder)
            folder = os.path.dirname(folder)

    def open(self, head: RunHead, stamp: Stamp | None = None) -> BaseSession:
        """Begin an event file in a folder of its own; that of a log appears when it is complete."""
        run, number = head.name, 1
        while _holds_files(folder := os.path.join(self.place, run)):
            number += 1
            run = f"{head.name}-{number}"
        if os.path.commonpath([os.path.realpath(folder), os.path.realpath(self.place)]) != os.path.realpath(
            self.place
        ):
            raise UsageError(f"{folder} leads out of {self.place} by a link; nothing is written there")
        os.makedirs(folder, exist_ok=True)
        file = f"events.out.tfevents.{max(0, round(head.start_ms / 1000))}.mlperf-"
        file += "-".join(stamp) if stamp is not None else f"live-{os.getpid()}"
        return Session(run, os.path.join(folder, file), head, is_live=stamp is None)


class Session(BaseSession):
    """One event file."""

    def __init__(self, name: str, path: str, head: RunHead, *, is_live: bool) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.plugin_hparams_pb2 import SessionStartInfo
        from tensorboardX.record_writer import RecordWriter

        super().__init__(name)
        folder, file = os.path.split(path)
        self._path = path
        self._draft = path if is_live else os.path.join(folder, f".{file}{_DRAFT}")
        self._file = RecordWriter(self._draft)
        start_s = head.start_ms / 1000
        self._write(Event(wall_time=start_s, file_version=FILE_VERSION))
        started = SessionStartInfo(start_time_secs=start_s)
        for key, value in {**head.params, **head.tags}.items():
            if key == LOG_TAG:
                continue
            if isinstance(value, bool):
                started.hparams[key].bool_value = value
            elif isinstance(value, (int, float)):
                started.hparams[key].number_value = value
            else:
                started.hparams[key].string_value = value
        self._write_hparams(start_s, session_start_info=started)

    def log(self, points: Sequence[Point]) -> None:
        """Write a scalar for each point, with the single precision that TensorBoard has.

        TensorBoard's data server shows no tensors of double precision.
        """
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        for name, step, time_ms, number in points:
            value = Summary.Value(tag=name, simple_value=number)
            self._write(Event(wall_time=time_ms / 1000, step=step, summary=Summary(value=[value])))

    def flush(self) -> None:
        """Write what the file holds back to the disk."""
        self._file.flush()

    def finish(self, end: RunEnd) -> None:
        """End the session of hyperparameters and complete the file."""
        from tensorboardX.proto import api_pb2
        from tensorboardX.proto.plugin_hparams_pb2 import SessionEndInfo

        status = "UNKNOWN" if end.status is None else "SUCCESS" if end.status == SUCCESS else "FAILURE"
        stop_s = end.stop_ms / 1000
        ended = SessionEndInfo(status=api_pb2.Status.Value(f"STATUS_{status}"), end_time_secs=stop_s)
        self._write_hparams(stop_s, session_end_info=ended)
        self._file.close()
        if self._draft != self._path:
            os.replace(self._draft, self._path)

    def abandon(self) -> None:
        """Close the file; one that is not complete is removed."""
        self._file.close()
        if self._draft != self._path:
            os.unlink(self._draft)

    def _write(self, event: Event) -> None:
        self._file.write(event.SerializeToString())

    def _write_hparams(self, time_s: float, **info: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData
        from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata

        content = HParamsPluginData(version=0, **info).SerializeToString(deterministic=True)
        plugin = SummaryMetadata.PluginData(plugin_name="hparams", content=content)
        (tag,) = info
        value = Summary.Value(tag=f"_hparams_/{tag}", metadata=SummaryMetadata(plugin_data=plugin))
        self._write(Event(wall_time=time_s, summary=Summary(value=[value])))


def _holds_files(folder: str) -> bool:
    """Whether a folder holds anything but folders, or is none."""
    try:
        return any(not entry.is_dir() for entry in os.scandir(folder))
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True
