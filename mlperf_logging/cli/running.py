"""What every command does alike: exit codes, errors, interrupts and closed pipes."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper

import mlperf_logging
from mlperf_logging.errors import MLPerfLoggingError, describe_fault
from mlperf_logging.reports._escape import show_text

COMPLIANT = 0
VIOLATION = 1
CANNOT_WORK = 2
INTERRUPTED = 130  # what shells report for a program ended by an interrupt
PIPE_CLOSED = 141  # … and by a reader that went away

# At the end of a process Python searches all that is left for garbage, which takes a tenth of a cold start. Frozen
# objects are not searched.
atexit.register(gc.freeze)


def run_guarded(program: str, command: Callable[[], int]) -> int:
    """Run a command so that no user error, interrupt or closed pipe ends in a traceback.

    Returns:
        The command's exit code, or the one that says what stopped it.
    """
    if folder := find_foreign_files():
        print_error(
            program,
            f"not all files of {folder} are those that mlperf-log-toolkit installed; pip uninstall mlperf-logging and "
            "mlperf-log-toolkit, and install only the one that is wanted",
        )
        return CANNOT_WORK
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # help and errors hold characters that not every encoding has
            stream.reconfigure(errors="backslashreplace")
    try:
        code = command()
        if sys.stdout is not None:
            sys.stdout.flush()
    except MLPerfLoggingError as error:
        for line in str(error).splitlines():
            print_error(program, line)
        return CANNOT_WORK
    except BrokenPipeError:
        silence_output()
        return PIPE_CLOSED
    except OSError as error:
        silence_output()
        print_error(program, f"cannot continue: {error}")
        return CANNOT_WORK
    except KeyboardInterrupt:
        print_error(program, "interrupted; the report is not complete")
        return INTERRUPTED
    except MemoryError:
        print_error(program, "out of memory; judge fewer logs at a time")
        return CANNOT_WORK
    except SystemExit as leaving:  # argparse, after its own message
        return leaving.code if isinstance(leaving.code, int) else CANNOT_WORK
    except Exception as error:  # noqa: BLE001 - Python would exit with 1, which says that a log is at fault
        print_error(program, f"{describe_fault(error, 'the command itself failed')}; please report it")
        return CANNOT_WORK
    return code


def find_foreign_files() -> str:
    """The folder of this package if files of the public one are in it, or have taken ours along; else empty.

    The public package installs into a folder of the same name: over our files, or below them, so that uninstalling it
    removes ours. This is asked at every start, so it looks for two signs only: our ``__init__.py`` has a version, theirs
    has not; their parser is a folder, ours a module.
    """
    (folder, *_) = mlperf_logging.__path__
    is_ours = hasattr(mlperf_logging, "__version__")
    return "" if is_ours and not os.path.isdir(f"{folder}/compliance_checker/mlp_parser") else folder


def print_error(program: str, sentence: str) -> None:
    """Write one line to the error stream."""
    write_note(f"{program}: {show_text(sentence)}\n")


def write_note(text: str) -> None:
    """Write text to the error stream, if there is one that takes it."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):  # nobody is there to read it
        return


def silence_output() -> None:
    """Send what is still buffered to nowhere, so that closing the stream at exit raises nothing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):  # not a stream of the operating system
        return
    finally:
        os.close(nowhere)
