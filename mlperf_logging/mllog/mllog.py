"""The logger: one call, one line that starts with ``:::MLLOG``.

`MLLogger` keeps the names, defaults and line format of the public logging API, in which this module is called
``mllog.mllog`` too. It only joins the parts: `callsite` finds the caller, `formatter` writes the line, the
handlers in `sinks` and `files` take it. `Interval` and `Run` are stretches of time as ``with`` blocks.
"""

from __future__ import annotations

import logging
import os
import time

from mlperf_logging.mllog import constants, termination
from mlperf_logging.mllog.callsite import get_caller
from mlperf_logging.mllog.encoder import encode_value
from mlperf_logging.mllog.formatter import NOT_A_DICTIONARY, EventFormatter
from mlperf_logging.mllog.sinks import LineSink, get_default_logger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from typing_extensions import Self

    from mlperf_logging.mllog.barriers import Barrier
    from mlperf_logging.mllog.live import LiveCheck
    from mlperf_logging.mllog.ranks import RankFilter

WARNING_KEY = "mllog_warning"
INFO = logging.INFO
RUN_STOP = constants.RUN_STOP
START, STOP = "_start", "_stop"
PUBLIC_NAMES = ("LOG_TEMPLATE", "_NumpyJSONEncoder", "_current_time_ms", "_encode_log", "_now_as_str")
CALLER = 2  # of the function here that calls the logger: the script's line


def __getattr__(name: str) -> Any:
    """One of `PUBLIC_NAMES`, which public code takes from the public package's module of this name."""
    if name in PUBLIC_NAMES:
        from mlperf_logging.mllog import public_names

        return getattr(public_names, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _copy_method(method: Any, kind: str, name: str, summary: str) -> Any:
    """Copy `MLLogger.event` for another kind of event; calling it instead would cost a call per event."""
    copy = type(method)(method.__code__, method.__globals__, name, method.__defaults__)
    copy.__kwdefaults__, copy.__annotations__ = {"_kind": kind}, method.__annotations__
    copy.__qualname__, copy.__doc__ = f"MLLogger.{name}", summary
    return copy


class MLLogger:
    """Writes events of a training run as log lines.

    Args:
        logger: where the lines go; by default a logger of its own name that prints to standard output, shared
            by all such instances (so that no event is printed twice).
        default_namespace: namespace of events that do not name one.
        default_stack_offset: which caller is the call site of an event: 1 is the line that calls the logger,
            2 the line that calls the function which calls the logger, and so on.
        default_clear_line: whether an empty line goes before each event, to end text already on the line.
        root_dir: folder whose path is left out of call sites.
        clock: gives the time in seconds since the epoch; default: `time.time`.
        caller: finds call sites; default: `get_caller`.

    Attributes:
        logger: the `logging.Logger`; its handlers, level, filters and propagation are respected.
        check: the live check that judges events as they are logged, or None.
        ranks: which ranks log, or None for all.
        barrier: waits for the other processes before a run starts and stops, or None.
    """

    def __init__(
        self,
        logger: logging.Logger | None = None,
        default_namespace: str = constants.DEFAULT_NAMESPACE,
        default_stack_offset: int = 1,
        default_clear_line: bool = False,
        root_dir: str | None = None,
        *,
        clock: Callable[[], float] | None = None,
        caller: Callable[..., Mapping[str, object]] | None = None,
    ) -> None:
        if logger is None:
            logger = get_default_logger()
        elif not isinstance(logger, logging.Logger):
            raise ValueError("logger must be a logging.Logger")
        self.logger = logger
        self.default_namespace = default_namespace
        self.default_stack_offset = default_stack_offset
        self.default_clear_line = default_clear_line
        self.root_dir = root_dir
        self.check: LiveCheck | None = None
        self.ranks: RankFilter | None = None
        self.barrier: Barrier | None = None
        self._clock = clock or time.time
        self._caller = caller or get_caller
        self._formatter = EventFormatter()
        self._bound: dict[str, Any] = {}
        self._told: set[str] = set()

    def event(
        self,
        key: str,
        value: object = None,
        metadata: Mapping[str, Any] | None = None,
        namespace: str | None = None,
        time_ms: float | None = None,
        stack_offset: int | None = None,
        clear_line: bool | None = None,
        sync: bool | None = None,
        unique: bool | None = None,
        unique_log_rank: int = 0,
        sync_group: Any = None,
        *,
        _kind: str = constants.POINT_IN_TIME,
    ) -> None:
        """Log something that happens at a moment; `start` and `end` begin and end a stretch of time.

        Args:
            key: what is logged; see `constants` for the names in use.
            value: the value; what JSON does not know is turned into what it knows, see `encoder`.
            metadata: more about the event; a field ``file`` or ``lineno`` replaces the call site's.
            namespace: overrides the default namespace.
            time_ms: when it happened, in milliseconds since the epoch; default: now.
            stack_offset: overrides the default stack offset.
            clear_line: overrides the default line clearing.
            sync: whether to wait for the other processes first, all of which must make the call; default: only
                before a run starts or stops, and if a barrier is configured.
            unique: True: only one process logs; False: every one does; default: those of `ranks`.
            unique_log_rank: rank of that one process.
            sync_group: the processes to wait for, as their framework names them; default: all.
        """
        if sync is not None or unique is not None or self.barrier is not None:
            if not self._meet_others(key, sync, unique, unique_log_rank, sync_group):
                return
        elif self.ranks is not None and not self.ranks.passes():
            return
        try:
            depth = 1 + (self.default_stack_offset if stack_offset is None else stack_offset)
        except TypeError:  # a stack offset that is not a number costs the place, not the run
            depth = 2
        if self._bound:
            metadata = self._join_bound(metadata)
        line, remarks = self._formatter.format_event(
            self.default_namespace if namespace is None else namespace,
            int(self._clock() * 1e3) if time_ms is None else time_ms,
            _kind,
            key,
            value,
            self._caller(depth, self.root_dir),
            metadata,
        )
        if remarks is not None:
            for text in remarks.texts:
                self._warn_once(text)
        self._do_log(INFO, line, self.default_clear_line if clear_line is None else clear_line)
        if remarks is not None and remarks.foreign_type is not None:
            self._log_foreign_type(key, remarks.foreign_type, namespace, depth)
        if self.check is not None:
            self.check.judge_line(line)
        if type(key) is str and key == RUN_STOP:
            for handler in self.logger.handlers:
                handler.flush()

    start = end = event  # for type checkers
    if not TYPE_CHECKING:
        start = _copy_method(event, constants.INTERVAL_START, "start", "Log that a stretch of time begins.")
        end = _copy_method(event, constants.INTERVAL_END, "end", "Log that a stretch of time ends.")

    def bind(self, namespace: str | None = None, **metadata: Any) -> MLLogger:
        """Make a logger whose every event carries some values.

        Args:
            namespace: namespace of its events; default: this logger's.
            **metadata: metadata fields; an event that names the same field itself wins.

        Returns:
            A new logger with the settings that this one has now; this one stays as it is.
        """
        bound = object.__new__(MLLogger)
        bound.__dict__.update(self.__dict__)
        bound._bound = {**self._bound, **metadata}
        if namespace is not None:
            bound.default_namespace = namespace
        return bound

    def interval(
        self,
        key: str,
        value: object = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        stop: str | None = None,
        namespace: str | None = None,
    ) -> Interval:
        """Log beginning and end of a ``with`` block; see `Interval`."""
        return Interval(self, key, value, metadata, stop=stop, namespace=namespace)

    def run(self, **metadata: Any) -> Run:
        """Log ``run_start`` and ``run_stop`` around a ``with`` block; see `Run`."""
        return Run(self, metadata)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy in another process needs: not the check and the barrier, which are this process's own."""
        return {**self.__dict__, "check": None, "barrier": None}

    def _meet_others(
        self, key: object, sync: bool | None, unique: bool | None, unique_log_rank: int, sync_group: Any
    ) -> bool:
        """Wait for the other processes, if that is wanted before this event; whether this process logs it."""
        from mlperf_logging.mllog.barriers import SYNCHRONIZED_KEYS, Barrier

        if sync or (sync is None and self.barrier is not None and key in SYNCHRONIZED_KEYS):
            (self.barrier or Barrier()).wait(key, sync_group)
        if unique is None:
            return self.ranks is None or self.ranks.passes()
        from mlperf_logging.mllog.ranks import find_rank

        return not unique or (find_rank() or 0) == unique_log_rank

    def _do_log(self, level: int, message: str, clear_line: bool = False) -> None:
        """Hand a line to the handlers; those that take whole lines are spared `logging`'s records."""
        if clear_line:
            message = "\n" + message
        logger = self.logger
        if logger.propagate or logger.filters or not logger.handlers:
            logger.log(level, message)
        elif logger.isEnabledFor(level):
            for handler in logger.handlers:
                if level < handler.level:
                    continue
                if isinstance(handler, LineSink) and handler.formatter is None and not handler.filters:
                    handler.write_line(message)
                else:
                    handler.handle(logger.makeRecord(logger.name, level, __file__, 0, message, (), None))

    def _join_bound(self, metadata: Mapping[str, Any] | None) -> Mapping[str, Any]:
        try:
            return {**self._bound, **metadata} if metadata else self._bound
        except Exception:  # noqa: BLE001 - a foreign object's method may raise anything
            self._warn_once(NOT_A_DICTIONARY)
            return self._bound

    def _warn_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._do_log(logging.WARNING, f"mllog: {text}", clear_line=True)

    def _log_foreign_type(self, key: object, name: str, namespace: Any, depth: int) -> None:
        key_text = key if type(key) is str else encode_value(key)[0]
        text = f"a value of type {name} in {key_text!r} has no JSON form; its repr is logged"
        if text not in self._told:
            self._told.add(text)
            fields = {"key": key_text, "type": name}
            MLLogger.event(self, WARNING_KEY, text, fields, namespace, stack_offset=depth + 1)


class Interval:
    """Logs the beginning and the end of a ``with`` block.

    The end is logged however the block is left; where that is by an exception, its metadata say
    ``"status": "aborted"``. A process that was forked inside the block logs no end.

    Args:
        logger: the logger to use.
        key: key of the beginning (``"epoch_start"``) or the common part of both keys (``"epoch"``).
        value: value of the beginning.
        metadata: metadata of both events.
        stop: key of the end, where it is not that of the beginning with ``stop`` for ``start``.
        namespace: overrides the default namespace.

    Attributes:
        value: value of the end; the block may set it.
        metadata: metadata of the end; the block may add to it.
    """

    def __init__(
        self,
        logger: MLLogger,
        key: str,
        value: object = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        stop: str | None = None,
        namespace: str | None = None,
    ) -> None:
        stem = key.removesuffix(START)
        self._logger = logger
        self._start_key = stem + START
        self._stop_key = stop or stem + STOP
        self._start_value = value
        self._namespace = namespace
        self.value: object = None
        self.metadata: dict[str, Any] = dict(metadata or {})

    def __enter__(self) -> Self:
        self._owner = os.getpid()
        self._logger.start(self._start_key, self._start_value, self.metadata, self._namespace, None, CALLER)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if os.getpid() != self._owner:
            return
        if kind is not None:
            self.metadata.setdefault(constants.STATUS, constants.ABORTED)
        self._logger.end(self._stop_key, self.value, self.metadata, self._namespace, None, CALLER)


class Run:
    """Logs ``run_start`` at the beginning of a ``with`` block and ``run_stop`` at its end.

    The status of ``run_stop`` is ``"success"``, or ``"aborted"`` when the block is left by an exception, when
    `abort` was called, or when the process is told to stop or exits before the block ends. A process that was
    forked inside the block logs no ``run_stop``.

    Args:
        parent: the logger whose settings it takes over.
        metadata: fields that every event of the run carries.

    Attributes:
        logger: the logger of the run; its methods for events are the run's own too.
        status: how the run ended; set it to say so before the block ends.
    """

    def __init__(self, parent: MLLogger, metadata: Mapping[str, Any]) -> None:
        self.logger = parent.bind(**metadata)
        self.event, self.start, self.end = self.logger.event, self.logger.start, self.logger.end
        self.interval, self.bind = self.logger.interval, self.logger.bind
        self.status: str | None = None
        self._watch: termination.EndWatch | None = None

    def __enter__(self) -> Self:
        self.start(constants.RUN_START, stack_offset=CALLER)
        self._watch = termination.EndWatch(self._stop_early)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.abort()
        self._stop(CALLER + 1, None if kind is None else False)

    def abort(self) -> None:
        """Let the run end as ``"aborted"``, for example because it did not reach its target."""
        self.status = constants.ABORTED

    def _stop_early(self) -> None:
        self.abort()
        self._stop(CALLER, False)

    def _stop(self, stack_offset: int, sync: bool | None) -> None:
        with termination.held_back:
            watch, self._watch = self._watch, None
            if watch is not None and watch.is_own:
                watch.cancel()
                metadata = {constants.STATUS: self.status or constants.SUCCESS}
                self.end(constants.RUN_STOP, metadata=metadata, stack_offset=stack_offset, sync=sync)
