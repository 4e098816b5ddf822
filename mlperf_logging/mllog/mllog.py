"""The logger: one call, one line that starts with ``:::MLLOG``.

`MLLogger` keeps the names, defaults and line format of the public logging API, in which this module is called
``mllog.mllog`` too. The rest of this package is around it: `encoder` writes values, `sinks` write lines,
`ranks` decide who logs, `scopes` and `callbacks` call the logger at the right moments.
"""

from __future__ import annotations

import json
import logging
import time
from time import time_ns

from mlperf_logging.mllog import constants, encoder, sinks
from mlperf_logging.mllog.callsite import METADATA, CallSites, find_frame, get_caller, get_frame, site_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from mlperf_logging.mllog.live import LiveCheck
    from mlperf_logging.mllog.ranks import RankFilter
    from mlperf_logging.mllog.scopes import Interval, Run

MARKER = ":::MLLOG"
WARNING_KEY = "mllog_warning"
MAX_CACHED = 4096
"""Texts are kept for at most so many keys; then it begins anew."""
MAX_PLAIN_INT = 10**12
"""Larger integers take the slower way: Python refuses to write the decimal digits of huge ones."""
INFINITY, MINUS_INFINITY = float("inf"), float("-inf")
INFO = logging.INFO
RUN_STOP = constants.RUN_STOP

_encode_text = encoder.encode_text
_encode_value = encoder.encode_value
_own_get_caller = get_caller
_clock = time.time


class MLLogger:
    """Writes events of a training run as log lines.

    Args:
        logger: where the lines go; by default a logger of its own name that prints to standard output, shared
            by all such instances (so that no event is printed twice).
        default_namespace: namespace of events that do not name one.
        default_stack_offset: which caller is the call site of an event: 1 is the line that calls the logger,
            2 the line that calls the function which calls the logger, and so on.
        default_clear_line: whether an empty line goes before each event, to end text that stands on the line.
        root_dir: folder whose path is left out of call sites.

    Attributes:
        logger: the `logging.Logger`; its handlers, level, filters and propagation are respected.
    """

    def __init__(
        self,
        logger: logging.Logger | None = None,
        default_namespace: str = constants.DEFAULT_NAMESPACE,
        default_stack_offset: int = 1,
        default_clear_line: bool = False,
        root_dir: str | None = None,
    ) -> None:
        if logger is None:
            logger = self._get_default_logger()
        elif not isinstance(logger, logging.Logger):
            raise ValueError("logger must be a logging.Logger")
        self.logger = logger
        self.default_namespace = default_namespace
        self.default_stack_offset = default_stack_offset
        self.default_clear_line = default_clear_line
        self._call_sites = CallSites(root_dir)
        self._recent = self._call_sites.recent
        self._bound: dict[str, Any] = {}
        self._ranks: RankFilter | None = None
        self._check: LiveCheck | None = None
        self._warned: set[str] = set()
        self._sinks: list[Any] = []
        self._buffers: list[Any] = []
        # Texts that repeat, by kind and key, and by name of a metadata field.
        self._keys: dict[str, dict[str, str]] = {}
        self._names: dict[str, str] = {}
        # The latest millisecond: its first nanosecond, the first of the next, and its text.
        self._moment = (0, 0, "")
        self._is_special = False

    @property
    def default_namespace(self) -> str:
        """Namespace of events that do not name one."""
        return self._namespace

    @default_namespace.setter
    def default_namespace(self, namespace: str) -> None:
        self._namespace = namespace
        self._head = f'{MARKER} {{"namespace": {_encode_value(namespace)[0]}, "time_ms": '

    @property
    def check(self) -> LiveCheck | None:
        """The live check that judges events as they are logged, or None."""
        return self._check

    def set_check(self, check: LiveCheck | None) -> None:
        """Judge events from now on, or no longer."""
        self._check = check

    def set_ranks(self, ranks: frozenset[int] | None) -> None:
        """Let only some ranks log; None lets all."""
        self._ranks = None
        if ranks is not None:
            from mlperf_logging.mllog.ranks import RankFilter

            self._ranks = RankFilter(ranks)
        self._is_special = bool(self._ranks or self._bound)

    @property
    def root_dir(self) -> str | None:
        """Folder whose path is left out of call sites."""
        return self._call_sites.root_dir

    @root_dir.setter
    def root_dir(self, root_dir: str | None) -> None:
        self._call_sites = CallSites(root_dir)
        self._recent = self._call_sites.recent

    def event(  # noqa: PLR0915 - one function does it all, for each call of Python costs
        self,
        key: str,
        value: object = None,
        metadata: Mapping[str, Any] | None = None,
        namespace: str | None = None,
        time_ms: float | None = None,
        stack_offset: int | None = None,
        clear_line: bool | None = None,
        _kind: str = constants.POINT_IN_TIME,
    ) -> None:
        """Log something that happens at a moment.

        Args:
            key: what is logged; see `constants` for the names in use.
            value: the value; what JSON does not know is turned into what it knows, see `encoder`.
            metadata: more about the event; a field ``file`` or ``lineno`` replaces the call site's.
            namespace: overrides the default namespace.
            time_ms: when it happened, in milliseconds since the epoch; default: now.
            stack_offset: overrides the default stack offset.
            clear_line: overrides the default line clearing.
        """
        # Texts that repeat come from dictionaries; what is new or not plain takes a slower way to them.
        if self._is_special:
            if self._ranks is not None and not self._ranks.passes():
                return
            if self._bound:
                metadata = self._join_bound(metadata)
        offset = self.default_stack_offset if stack_offset is None else stack_offset
        try:
            frame = get_frame(offset)
        except ValueError:
            frame = find_frame(offset)  # the stack is not that deep
        try:
            code, site = self._recent[frame.f_lasti]
        except KeyError:
            code = None
        if code is not frame.f_code:
            site = self._call_sites.find_text(frame)
        if get_caller is not _own_get_caller:  # replaced by a test of a script
            site = site_text(get_caller(1 + offset, root_dir=self.root_dir))
            self._sinks = []
        if namespace is None:
            head = self._head
        else:
            head = f'{MARKER} {{"namespace": {_encode_value(namespace)[0]}, "time_ms": '
        try:
            key_text = self._keys[_kind][key]
        except (KeyError, TypeError):
            key_text = self._learn_key(_kind, key)

        # The nanosecond clock costs half as much as the other one, which tests of scripts replace.
        if time_ms is None and time.time is _clock:
            now = time_ns()
            begin, end, time_text = self._moment
            if not begin <= now < end:  # in a new millisecond; all events of one have its digits
                milliseconds = now // 1_000_000
                time_text = f"{milliseconds}"
                begin = milliseconds * 1_000_000
                self._moment = begin, begin + 1_000_000, time_text
                for sink in self._buffers:
                    sink.tend()
        else:
            time_text = self._find_time(time_ms)
        failed = None
        value_type = type(value)
        if value_type is float and MINUS_INFINITY < value < INFINITY:  # type: ignore[operator]
            value_text = f"{value!r}"
        elif value_type is int and -MAX_PLAIN_INT < value < MAX_PLAIN_INT:  # type: ignore[operator]
            value_text = f"{value}"
        elif value_type is str:
            value_text = _encode_text(value)  # type: ignore[arg-type]
        elif value is None:
            value_text = "null"
        else:
            value_text, failed = _encode_value(value)
        more = ""
        if metadata:
            try:
                for name in metadata:
                    item = metadata[name]
                    item_type = type(item)
                    if item_type is int:
                        more += f"{self._names[name]}{item}"
                    elif item_type is str:
                        more += self._names[name] + _encode_text(item)
                    elif item_type is float and MINUS_INFINITY < item < INFINITY:
                        more += f"{self._names[name]}{item!r}"
                    else:
                        item_text, item_failed = _encode_value(item)
                        failed = failed or item_failed
                        more += self._names[name] + item_text
            except (KeyError, TypeError, ValueError, AttributeError):
                site, failed = self._merge_metadata(site, metadata, failed)
                more = ""
        line = f"{head}{time_text}{key_text}{value_text}{site}{more}}}}}\n"

        if self.default_clear_line if clear_line is None else clear_line:
            line = "\n" + line
        logger = self.logger
        if (logger.handlers != self._sinks and not self._learn_sinks()) or logger.propagate or logger.filters:
            self._do_log(INFO, line.strip("\n"), line[0] == "\n")
        elif logger.isEnabledFor(INFO):
            for sink in self._sinks:
                if sink.level <= INFO and sink.formatter is None and not sink.filters:
                    sink.write_line(line)
                else:
                    sinks.pass_record(logger, sink, line[:-1])

        if failed is not None:
            self._warn_of_repr(key, failed, namespace, offset)
        if key == RUN_STOP:
            for handler in logger.handlers:
                handler.flush()
        if self._check is not None:
            self._check.judge_line(line)

    _emit = event  # start and end must not meet what a script puts in the place of event

    def start(
        self,
        key: str,
        value: object = None,
        metadata: Mapping[str, Any] | None = None,
        namespace: str | None = None,
        time_ms: float | None = None,
        stack_offset: int | None = None,
        clear_line: bool | None = None,
    ) -> None:
        """Log the begin of a stretch of time. The arguments are those of `event`."""
        offset = (self.default_stack_offset if stack_offset is None else stack_offset) + 1
        self._emit(key, value, metadata, namespace, time_ms, offset, clear_line, constants.INTERVAL_START)

    def end(
        self,
        key: str,
        value: object = None,
        metadata: Mapping[str, Any] | None = None,
        namespace: str | None = None,
        time_ms: float | None = None,
        stack_offset: int | None = None,
        clear_line: bool | None = None,
    ) -> None:
        """Log the end of a stretch of time. The arguments are those of `event`."""
        offset = (self.default_stack_offset if stack_offset is None else stack_offset) + 1
        self._emit(key, value, metadata, namespace, time_ms, offset, clear_line, constants.INTERVAL_END)

    def bind(self, namespace: str | None = None, **metadata: Any) -> MLLogger:
        """Make a logger whose every event carries some values.

        Args:
            namespace: namespace of its events; default: this logger's.
            **metadata: metadata fields; an event that names the same field itself wins.

        Returns:
            A new logger with the settings that this one has now; this one stays as it is.
        """
        bound = object.__new__(MLLogger)
        self._copy_to(bound, namespace, metadata)
        return bound

    def interval(
        self, key: str, value: object = None, metadata: Mapping[str, Any] | None = None, **options: Any
    ) -> Interval:
        """Log begin and end of a ``with`` block; see `scopes.Interval`."""
        from mlperf_logging.mllog.scopes import Interval

        return Interval(self, key, value, metadata, **options)

    def run(self, **metadata: Any) -> Run:
        """Log ``run_start`` and ``run_stop`` around a ``with`` block; see `scopes.Run`."""
        from mlperf_logging.mllog.scopes import Run

        return Run(self, metadata)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy in another process needs: all but the caches, the open files and the check."""
        sites = CallSites(self.root_dir)
        return {
            **self.__dict__,
            "_call_sites": sites,
            "_recent": sites.recent,
            "_sinks": [],
            "_buffers": [],
            "_check": None,
        }

    def _copy_to(self, other: MLLogger, namespace: str | None, metadata: Mapping[str, Any]) -> None:
        other.__dict__.update(self.__dict__)
        other._bound = {**self._bound, **metadata}
        other._is_special = bool(self._ranks or other._bound)
        if namespace is not None:
            other.default_namespace = namespace

    def _do_log(self, level: int, message: str, clear_line: bool = False) -> None:
        """Hand text to `logging`, after an empty line where asked."""
        self.logger.log(level, "\n" + message if clear_line else message)

    def _get_default_logger(self) -> logging.Logger:
        """The logger that prints to standard output: once, and not where that was switched off."""
        logger = logging.getLogger(constants.DEFAULT_LOGGER_NAME)
        logger.propagate = False
        logger.setLevel(logging.INFO)
        if getattr(logger, sinks.PRINTS, True):
            sinks.set_stdout(logger, True)
        return logger

    # -- what is met for the first time

    def _find_time(self, time_ms: float | None) -> str:
        """The text of a time that was given, or of a clock that a test of a script put in place."""
        for sink in self._buffers:
            sink.tend()
        if time_ms is None:
            return str(int(time.time() * 1000.0))
        return str(time_ms) if type(time_ms) is int else _encode_value(time_ms)[0]

    def _learn_key(self, kind: str, key: object) -> str:
        """Remember the text of a key that is plain text; to a dict 1 and True are one."""
        text = f', "event_type": "{kind}", "key": {_encode_value(key)[0]}, "value": '
        if type(key) is str:
            known = self._keys.setdefault(kind, {})
            if len(known) >= MAX_CACHED:
                known.clear()
            known[key] = text
        return text

    def _learn_sinks(self) -> bool:
        """Remember the handlers if all take whole lines and nobody put a `_do_log` of his own in place."""
        handlers = list(self.logger.handlers)
        if (
            get_caller is not _own_get_caller
            or getattr(self._do_log, "__func__", None) is not _own_do_log
            or not all(isinstance(handler, sinks.SINK_TYPES) for handler in handlers)
        ):
            return False
        self._sinks = handlers
        self._buffers = [sink for sink in handlers if getattr(sink, "buffer_seconds", 0)]
        return True

    # -- what is out of the ordinary

    def _join_bound(self, metadata: Mapping[str, Any] | None) -> Mapping[str, Any]:
        if not metadata:
            return self._bound
        if not hasattr(metadata, "keys"):
            self._warn_once("metadata is not a dictionary; it is left out")
            return self._bound
        return {**self._bound, **metadata}

    def _merge_metadata(
        self, site: str, metadata: Mapping[str, Any], failed: str | None
    ) -> tuple[str, str | None]:
        """Write call site and metadata together, and learn the fields' names for the next time.

        Returns:
            The text up to the closing brace, and the type of a value that has no JSON form.
        """
        if not hasattr(metadata, "keys"):
            self._warn_once("metadata is not a dictionary; it is left out")
            return site, failed
        fields: dict[Any, Any] = json.loads(site[len(METADATA) :] + "}")
        replaced = [name for name in fields if name in metadata]
        if replaced:
            self._warn_once(f"metadata replaces the call site's {' and '.join(replaced)}")
        fields.update(metadata)
        for name in metadata:
            if type(name) is str and name not in replaced and len(self._names) < MAX_CACHED:
                self._names[name] = f", {_encode_text(name)}: "
        text, field_failed = _encode_value(fields)
        return METADATA + text[:-1], failed or field_failed

    def _warn_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            self._do_log(logging.WARNING, f"mllog: {text}", clear_line=True)

    def _warn_of_repr(self, key: object, type_name: str, namespace: str | None, offset: int) -> None:
        text = f"a value of type {type_name} in {key!r} has no JSON form; its repr is logged"
        if text not in self._warned:
            self._warned.add(text)
            fields = {"key": key if isinstance(key, str) else repr(key), "type": type_name}
            self._emit(WARNING_KEY, text, fields, namespace, None, offset + 2)


_own_do_log = MLLogger._do_log  # to see whether a script put its own in its place
