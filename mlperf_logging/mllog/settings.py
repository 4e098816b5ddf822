"""The shared logger and its configuration, by `config` and by environment variables.

===========================  ==========================================================================
``MLLOG_FILE``               a log file; ``{rank}`` in it becomes the rank of the process
``MLLOG_STDOUT``             ``0``: do not print events to standard output
``MLLOG_RANK``               the rank of this process, before what launchers say
``MLLOG_RANKS``              the ranks that log: ``all``, ``0``, ``0,4-7``
``MLLOG_BUFFER_SECONDS``     write the file only every so many seconds (and at the end of the run)
``MLLOG_NAMESPACE``          default namespace
``MLLOG_ROOT_DIR``           folder whose path is left out of call sites
``MLLOG_CHECK``              judge events as they are logged, for example ``training/<round>``
``MLLOG_ON_VIOLATION``       ``warn``, ``raise`` or ``ignore``
===========================  ==========================================================================

They are read when the shared logger is first used; what a script passes to `config` comes later and wins. A
variable that cannot be understood is reported on standard error and left out: it must not stop a training.
"""

from __future__ import annotations

import logging
import os
import threading

from mlperf_logging.mllog.errors import ConfigError
from mlperf_logging.mllog.files import FileSink
from mlperf_logging.mllog.mllog import MLLogger
from mlperf_logging.mllog.notices import report_variable
from mlperf_logging.mllog.sinks import set_stdout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from mlperf_logging.mllog.live import LiveCheck
    from mlperf_logging.mllog.ranks import RankFilter

ON_VIOLATION = ("warn", "raise", "ignore")
MAX_BUFFER_SECONDS = 86_400
BUFFER_RANGE = f"a number of seconds from 0 to {MAX_BUFFER_SECONDS}"
SWITCH = {"1": True, "true": True, "yes": True, "on": True}
SWITCH |= {"0": False, "false": False, "no": False, "off": False}


class SharedLogger:
    """Holds the one logger that modules of a training script share; it is made when it is first asked for."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._logger: MLLogger | None = None

    def get(self) -> MLLogger:
        """The shared logger."""
        if self._logger is None:
            with self._lock:
                if self._logger is None:
                    logger = MLLogger()
                    _apply_environment(logger)
                    self._logger = logger
        return self._logger


_shared = SharedLogger()


def get_mllogger() -> MLLogger:
    """The logger that all modules of a script share."""
    return _shared.get()


def config(
    *,
    logger: logging.Logger | None = None,
    filename: str | os.PathLike[str] | None = None,
    default_namespace: str | None = None,
    default_stack_offset: int | None = None,
    default_clear_line: bool | None = None,
    root_dir: str | os.PathLike[str] | None = None,
    stdout: bool | None = None,
    ranks: str | int | Iterable[int] | None = None,
    buffer_seconds: float = 0.0,
    check: str | None = None,
    on_violation: str | None = None,
    **unknown: Any,
) -> None:
    """Configure the shared logger. What is not given stays as it is.

    Args:
        logger: a logger of the script's own, in the place of the one that prints to standard output.
        filename: a file that gets the events too; ``{rank}`` in it becomes the rank of the process.
        default_namespace: namespace of events that do not name one.
        default_stack_offset: which caller is an event's call site; 1 is the line that calls the logger.
        default_clear_line: whether an empty line goes before each event.
        root_dir: folder whose path is left out of call sites.
        stdout: whether events are printed to standard output.
        ranks: the ranks that log: ``"all"``, a number, several, or text such as ``"0,4-7"``.
        buffer_seconds: write the file named here only every so many seconds, at ``run_stop`` and at the end.
        check: judge events as they are logged by the rules of a usage and round, ``"<usage>/<round>"``; an
            empty text ends the check.
        on_violation: what to do when an event breaks a rule: ``"warn"``, ``"raise"`` or ``"ignore"``.
        **unknown: a warning tells which other options were given; they change nothing.

    Raises:
        ConfigError: an option has a wrong type or value; nothing was changed then.
    """
    target = get_mllogger()
    options: dict[str, Any] = {
        "logger": (logger, logging.Logger, "a logging.Logger"),
        "filename": (filename, (str, os.PathLike), "a text or path"),
        "default_namespace": (default_namespace, str, "a text"),
        "default_stack_offset": (default_stack_offset, int, "an integer"),
        "default_clear_line": (default_clear_line, bool, "a bool"),
        "root_dir": (root_dir, (str, os.PathLike), "a text or path"),
        "buffer_seconds": (buffer_seconds, (int, float), "a number"),
        "check": (check, str, "a text"),
    }
    for name, (value, kind, wanted) in options.items():
        if value is not None and not isinstance(value, kind):
            raise ConfigError(f"mllog.config: {name} must be {wanted}, not {type(value).__name__}")
    if logger is not None and logger.name == target.logger.name:
        raise ConfigError(
            f"mllog.config: logger must not be the logger named {logger.name!r} that is in use already; "
            "give it another name"
        )
    if on_violation is not None and on_violation not in ON_VIOLATION:
        raise ConfigError(
            f"mllog.config: on_violation must be one of {', '.join(ON_VIOLATION)}, not {on_violation!r}"
        )
    if not 0 <= buffer_seconds <= MAX_BUFFER_SECONDS:
        raise ConfigError(f"mllog.config: buffer_seconds must be {BUFFER_RANGE}, not {buffer_seconds!r}")
    chosen_ranks = _parse_ranks(ranks)
    live_check = _start_check(target, check, on_violation)
    if unknown:
        import warnings

        warnings.warn(f"mllog.config knows no option {', '.join(sorted(unknown))}; left out", stacklevel=2)

    if logger is not None:
        target.logger = logger
    if filename is not None:
        _add_file(target.logger, filename, buffer_seconds)
    if stdout is not None:
        set_stdout(target.logger, stdout)
    if default_namespace is not None:
        target.default_namespace = default_namespace
    if default_stack_offset is not None:
        target.default_stack_offset = default_stack_offset
    if default_clear_line is not None:
        target.default_clear_line = default_clear_line
    if root_dir is not None:
        target.root_dir = os.fspath(root_dir)
    if ranks is not None:
        target.ranks = chosen_ranks
    if check is not None or on_violation is not None:
        target.check = live_check


def _parse_ranks(ranks: str | int | Iterable[int] | None) -> RankFilter | None:
    if ranks is None:
        return None
    from mlperf_logging.mllog.ranks import parse_ranks

    return parse_ranks(ranks)


def _add_file(logger: logging.Logger, filename: str | os.PathLike[str], buffer_seconds: float) -> None:
    """Let a logger write to a file; a file that it writes to already is not written twice."""
    path = os.fspath(filename)
    if "{rank}" in path:
        from mlperf_logging.mllog.ranks import find_rank

        path = path.replace("{rank}", str(find_rank() or 0))
    absolute = os.path.abspath(path)
    for handler in list(logger.handlers):
        if isinstance(handler, FileSink) and handler.baseFilename == absolute:
            if handler.buffer_seconds == buffer_seconds:
                return
            logger.removeHandler(handler)
            handler.close()
    if buffer_seconds:
        from mlperf_logging.mllog.buffering import BufferedFileSink

        logger.addHandler(BufferedFileSink(path, buffer_seconds))
    else:
        logger.addHandler(FileSink(path))


def _start_check(target: MLLogger, check: str | None, on_violation: str | None) -> LiveCheck | None:
    """Make the live check that the options ask for, keeping what they do not name."""
    current = target.check
    if check is None and on_violation is not None and current is not None:
        current.on_violation = on_violation
        return current
    if not check:
        return None
    from mlperf_logging.mllog.live import LiveCheck

    return LiveCheck(check, on_violation or "warn")


def _apply_environment(logger: MLLogger) -> None:
    """Configure a logger by the ``MLLOG_`` variables; one that cannot be understood changes nothing."""
    for name, apply in _VARIABLES.items():
        text = os.environ.get(name, "").strip()
        if text:
            try:
                apply(logger, text)
            except Exception as error:  # noqa: BLE001 - no variable may stop a training
                report_variable(name, text, str(error))


def _apply_stdout(logger: MLLogger, text: str) -> None:
    if text.lower() not in SWITCH:
        raise ConfigError("write 1 or 0")
    set_stdout(logger.logger, SWITCH[text.lower()])


def _apply_file(logger: MLLogger, path: str) -> None:
    _add_file(logger.logger, path, 0.0)


def _apply_buffer(logger: MLLogger, text: str) -> None:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_BUFFER_SECONDS:
        raise ConfigError(f"it must be {BUFFER_RANGE}; the file is written at once")
    if path := os.environ.get("MLLOG_FILE", "").strip():
        _add_file(logger.logger, path, seconds)


def _apply_namespace(logger: MLLogger, text: str) -> None:
    logger.default_namespace = text


def _apply_root_dir(logger: MLLogger, text: str) -> None:
    logger.root_dir = text


def _apply_ranks(logger: MLLogger, text: str) -> None:
    logger.ranks = _parse_ranks(text)


def _apply_check(logger: MLLogger, text: str) -> None:
    logger.check = _start_check(logger, text, None)


def _apply_on_violation(logger: MLLogger, text: str) -> None:
    if text not in ON_VIOLATION:
        raise ConfigError(f"it must be one of {', '.join(ON_VIOLATION)}")
    if logger.check is not None:
        logger.check.on_violation = text


_VARIABLES = {
    "MLLOG_STDOUT": _apply_stdout,
    "MLLOG_FILE": _apply_file,
    "MLLOG_BUFFER_SECONDS": _apply_buffer,
    "MLLOG_NAMESPACE": _apply_namespace,
    "MLLOG_ROOT_DIR": _apply_root_dir,
    "MLLOG_RANKS": _apply_ranks,
    "MLLOG_CHECK": _apply_check,
    "MLLOG_ON_VIOLATION": _apply_on_violation,
}
