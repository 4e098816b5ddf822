"""The shared logger and its configuration, by `config` and by the ``MLLOG_`` environment variables.

The variables (`VARIABLES`; docs/mllog.md says what they mean) are read when the shared logger is first used;
what a script passes to `config` comes later and wins. A variable that cannot be understood is reported on
standard error and left out: it must not stop a training.
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
    from collections.abc import Callable, Iterable
    from typing import Any

FILE_MODES = ("append", "new", "exclusive")
ON_VIOLATION = ("warn", "raise", "ignore")
MAX_BUFFER_SECONDS = 86_400
ON, OFF = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
KINDS: dict[str, tuple[Any, str]] = {
    "logger": (logging.Logger, "a logging.Logger"),
    "filename": ((str, os.PathLike), "a text or path"),
    "default_namespace": (str, "a text"),
    "default_stack_offset": (int, "an integer"),
    "default_clear_line": (bool, "a bool"),
    "root_dir": ((str, os.PathLike), "a text or path"),
    "check": (str, "a text"),
    "rules": ((str, os.PathLike), "a text or path"),
    "tensorboard_dir": ((str, os.PathLike), "a text or path"),
    "mlflow_uri": ((str, os.PathLike), "a text or path"),
    "wandb_dir": ((str, os.PathLike), "a text or path"),
}
"""The type of each option that has only one, and its name."""
EXPORTS = {"tensorboard_dir": "tensorboard", "mlflow_uri": "mlflow", "wandb_dir": "wandb"}
"""The tool that each option exports to."""


_lock = threading.RLock()
_shared: list[MLLogger] = []


def get_mllogger() -> MLLogger:
    """The logger that all modules of a script share; it is made when it is first asked for."""
    if not _shared:
        with _lock:
            if not _shared:
                logger = MLLogger()
                _apply_environment(logger)
                _shared.append(logger)
    return _shared[0]


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
    mode: str | None = None,
    barrier: str | Callable[[], object] | None = None,
    check: str | None = None,
    rules: str | os.PathLike[str] | None = None,
    on_violation: str | None = None,
    tensorboard_dir: str | os.PathLike[str] | None = None,
    mlflow_uri: str | os.PathLike[str] | None = None,
    wandb_dir: str | os.PathLike[str] | None = None,
    **unknown: Any,
) -> None:
    """Configure the shared logger. What is not given stays as it is.

    Args:
        logger: a logger of the script's own, in the place of the one that prints to standard output.
        filename: a file that gets the events too; ``{rank}`` in it becomes the rank of the process, ``~`` the
            home folder. A URL is refused with a notice.
        default_namespace: namespace of events that do not name one.
        default_stack_offset: which caller is an event's call site; 1 is the line that calls the logger.
        default_clear_line: whether an empty line goes before each event.
        root_dir: folder whose path is left out of call sites.
        stdout: whether events are printed to standard output.
        ranks: the ranks that log: ``"all"``, a number, several, or text such as ``"0,4-7"``.
        buffer_seconds: write the file named here only every so many seconds, at ``run_stop`` and at the end.
        mode: what to do with a file of that name: ``"append"`` to it (for a run that is resumed), ``"new"`` moves it
            aside, ``"exclusive"`` is an error; None appends, with a notice if the file holds a run.
        barrier: wait for the other processes before a run starts and stops: ``"torch"``, ``"jax"``, ``"mpi"``,
            ``"auto"`` for the first of them that is in use, a function that waits, or ``"none"``. All processes
            must log the event then; `ranks` chooses which are written.
        check: judge events as they are logged by the rules of a usage and round, ``"<usage>/<round>"``; an
            empty text ends the check.
        rules: for `check`, a folder of rule files, or rules of an installed package, in place of the built-in ones.
        on_violation: what to do when an event breaks a rule: ``"warn"``, ``"raise"`` or ``"ignore"``.
        tensorboard_dir: a folder for TensorBoard, to which the process of rank 0 exports its runs while they go on;
            an empty text ends the export.
        mlflow_uri: the same for MLflow: a folder, or the address of a tracking server.
        wandb_dir: the same for Weights & Biases, offline.
        **unknown: a warning tells which other options were given; they change nothing.

    Raises:
        ConfigError: an option has a wrong type or value, or an exclusive file exists; nothing was changed then.
    """
    given = {name: value for name, value in locals().items() if name != "unknown" and value is not None}
    target = get_mllogger()
    apply = _prepare(target, given)
    if unknown:
        import warnings

        warnings.warn(f"mllog.config: unknown option {', '.join(sorted(unknown))}; ignored", stacklevel=2)
    apply()


def _prepare(target: MLLogger, given: dict[str, Any]) -> Callable[[], None]:
    """Check the options of `config` that were given; the answer is a function that configures the logger."""
    for name, (kind, wanted) in KINDS.items():
        if name in given and not isinstance(given[name], kind):
            raise ConfigError(f"mllog.config: {name} must be {wanted}, not {type(given[name]).__name__}")
    logger = given.get("logger", target.logger)
    if "logger" in given and logger.name == target.logger.name:
        raise ConfigError(
            f"mllog.config: logger must not be the logger named {logger.name!r} that is already in use; "
            "give it another name"
        )
    on_violation, seconds = given.get("on_violation"), given.get("buffer_seconds", 0.0)
    if on_violation not in (None, *ON_VIOLATION):
        raise ConfigError(
            f"mllog.config: on_violation must be one of {', '.join(ON_VIOLATION)}, not {on_violation!r}"
        )
    if not isinstance(seconds, (int, float)) or not 0 <= seconds <= MAX_BUFFER_SECONDS:
        raise ConfigError(
            f"mllog.config: buffer_seconds must be a number from 0 to {MAX_BUFFER_SECONDS}, not {seconds!r}"
        )
    mode = given.get("mode")
    if mode not in (None, *FILE_MODES):
        raise ConfigError(f"mllog.config: mode must be one of {', '.join(FILE_MODES)}, not {mode!r}")
    if "mode" in given and "filename" not in given:
        raise ConfigError("mllog.config: mode is that of a file; name it with filename")
    changes = {name: given[name] for name in given if name == "logger" or name.startswith("default_")}
    if "root_dir" in given:
        changes["root_dir"] = os.fspath(given["root_dir"])
    if "ranks" in given:
        from mlperf_logging.mllog.ranks import parse_ranks

        changes["ranks"] = parse_ranks(given["ranks"])
    if "barrier" in given:
        from mlperf_logging.mllog.barriers import parse_barrier

        changes["barrier"] = parse_barrier(given["barrier"])
    if given.get("check"):
        from mlperf_logging.mllog.live import LiveCheck

        changes["check"] = LiveCheck(given["check"], on_violation or "warn", given.get("rules"))
    elif "rules" in given:
        raise ConfigError("mllog.config: rules are those of a check; name the round with check")
    elif "check" in given:
        changes["check"] = None

    def apply() -> None:
        path = _find_file(logger, given["filename"], mode) if "filename" in given else None
        vars(target).update(changes)
        if on_violation and target.check is not None:
            target.check.on_violation = on_violation
        if path is not None:
            _add_file(logger, path, seconds)
        for option, tool in EXPORTS.items():
            if option in given:
                from mlperf_logging.mllog.exporting import set_export

                set_export(logger, tool, given[option])
        if "stdout" in given:
            set_stdout(logger, given["stdout"])

    return apply


def _find_file(logger: logging.Logger, filename: str | os.PathLike[str], mode: str | None) -> str | None:
    """The path of a log file, made ready for a run if the logger does not write to it already; None for a URL."""
    from mlperf_logging.mllog.naming import begin_file, find_path

    path = find_path(filename)
    if path is not None and not _find_sinks(logger, path):
        begin_file(filename, path, mode)
    return path


def _find_sinks(logger: logging.Logger, path: str) -> list[FileSink]:
    """The handlers of a logger that write to a file."""
    sinks = [handler for handler in logger.handlers if isinstance(handler, FileSink)]
    return [sink for sink in sinks if sink.baseFilename == path]


def _add_file(logger: logging.Logger, path: str, buffer_seconds: float) -> None:
    """Let a logger write to a file; a file that it writes to already is not written twice."""
    for sink in _find_sinks(logger, path):
        if sink.buffer_seconds == buffer_seconds:
            return
        logger.removeHandler(sink)
        sink.close()
    if buffer_seconds:
        from mlperf_logging.mllog.buffering import BufferedFileSink

        logger.addHandler(BufferedFileSink(path, buffer_seconds))
    else:
        logger.addHandler(FileSink(path))


def _read_switch(text: str) -> bool:
    if text.lower() not in ON + OFF:
        raise ConfigError("write 1 or 0")
    return text.lower() in ON


VARIABLES: dict[str, tuple[str, Callable[[str], object]]] = {
    "MLLOG_STDOUT": ("stdout", _read_switch),
    "MLLOG_FILE_MODE": ("mode", str),
    "MLLOG_FILE": ("filename", str),
    "MLLOG_BUFFER_SECONDS": ("buffer_seconds", float),
    "MLLOG_NAMESPACE": ("default_namespace", str),
    "MLLOG_ROOT_DIR": ("root_dir", str),
    "MLLOG_RANKS": ("ranks", str),
    "MLLOG_BARRIER": ("barrier", str),
    "MLLOG_CHECK": ("check", str),
    "MLLOG_ON_VIOLATION": ("on_violation", str),
    "MLLOG_TENSORBOARD_DIR": ("tensorboard_dir", str),
    "MLLOG_MLFLOW_URI": ("mlflow_uri", str),
    "MLLOG_WANDB_DIR": ("wandb_dir", str),
}
"""Option of `config` and reader of the text, by variable; ``MLLOG_RANK`` is read by `ranks`."""
COMPANIONS = {
    "mode": ("MLLOG_FILE", "filename"),
    "buffer_seconds": ("MLLOG_FILE", "filename"),
    "check": ("MLLOG_RULES", "rules"),
}
"""The variable that belongs to an option and means nothing without it, and the option that it is."""


def _apply_environment(logger: MLLogger) -> None:
    """Configure a logger by the variables, each by itself; one that cannot be understood changes nothing."""
    for name, (option, read) in VARIABLES.items():
        text = os.environ.get(name, "").strip()
        if text:
            try:
                given = {option: read(text)}
                companion, its_option = COMPANIONS.get(option, ("", ""))
                if companion and (its_text := os.environ.get(companion, "").strip()):
                    given[its_option] = its_text
                _prepare(logger, given)()
            except Exception as error:  # noqa: BLE001 - no variable may stop a training
                report_variable(name, text, str(error).removeprefix("mllog.config: "))
