"""Where a report goes: the terminal, a pipe, or a file that is replaced only when the report is complete."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from errno import EACCES
from signal import SIG_DFL, getsignal, signal
from stat import S_IMODE
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from mlperf_logging.cli.running import silence_output
from mlperf_logging.engines.local import ENDING_SIGNALS
from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from typing_extensions import Self

    from mlperf_logging.reports.tables import BaseRenderer
    from mlperf_logging.tables import Document

WIDTH_WITHOUT_TERMINAL = 140


class Output:
    """A destination for text: standard output, or a file that is written as a draft and moved into place at the end.

    Attributes:
        is_terminal: a person looks at it.
    """

    def __init__(self, path: str | None) -> None:
        """Open the place.

        Raises:
            UsageError: the file cannot be written, or there is no standard output.
        """
        self._target: Path | None = None
        self._draft: Path | None = None
        self._signals: dict[int, Any] = {}
        self._stream: IO[bytes]
        if path is None:
            if sys.stdout is None:
                raise UsageError("there is no standard output to write to; name a file with --output")
            self._stream = sys.stdout.buffer
            self.is_terminal = sys.stdout.isatty()
            return
        self.is_terminal = False
        from pathlib import Path  # only reports that go to a file need it

        self._target = Path(os.path.realpath(path))
        try:
            descriptor = _find_descriptor(path)
            if descriptor is not None:  # another opening would begin at the file's start
                self._stream = open(os.dup(descriptor), "wb")  # noqa: SIM115 - closed at the end
            elif self._target.exists() and not self._target.is_file():
                self._stream = self._target.open("wb")
            else:
                self._open_draft()
        except OSError as error:
            raise UsageError(f"cannot write the report to {path!r}: {error.strerror}") from None

    def _open_draft(self) -> None:
        """Begin a draft next to the target, which a signal that ends the process takes away."""
        from threading import current_thread, main_thread

        assert self._target is not None  # noqa: S101 - who calls has set it
        if self._target.exists() and not (
            self._target.stat().st_mode & 0o222 and os.access(self._target, os.W_OK)
        ):
            raise PermissionError(EACCES, "it is read-only")
        draft = self._target.with_name(f"{self._target.name}.{os.urandom(4).hex()}.part")
        self._stream, self._draft = draft.open("xb"), draft

        former = self._signals

        def clean_up(number: int, _frame: object) -> None:
            draft.unlink(missing_ok=True)
            signal(number, former[number])  # that of another draft, or the system's
            os.kill(os.getpid(), number)

        if current_thread() is main_thread():
            for number in ENDING_SIGNALS:
                handler = getsignal(number)
                if handler is SIG_DFL or getattr(handler, "__qualname__", "") == clean_up.__qualname__:
                    former[number] = handler
                    signal(number, clean_up)

    def _settle(self, draft: Path, target: Path) -> None:
        """Move the draft to its place, with mode and owner of the file that was there."""
        if target.exists():
            former = target.stat()
            try:
                if (former.st_uid, former.st_gid) != (draft.stat().st_uid, draft.stat().st_gid):
                    os.chown(draft, former.st_uid, former.st_gid)
                draft.chmod(S_IMODE(former.st_mode))
            except PermissionError:  # another's file: what is in it may be changed, but not who has it
                from shutil import copyfile

                copyfile(draft, target)
                return
        draft.replace(target)

    def write(self, text: str) -> None:
        """Write and flush text.

        Raises:
            BrokenPipeError: the reader went away.
            UsageError: the text cannot be written.
        """
        self.write_bytes(text.encode("utf-8", "backslashreplace"))

    def write_bytes(self, content: bytes) -> None:
        """Write and flush bytes.

        Raises:
            BrokenPipeError: the reader went away.
            UsageError: it cannot be written.
        """
        if not content:
            return
        try:
            self._stream.write(content)
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            if self._target is None:
                silence_output()
            raise UsageError(f"cannot write the report: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Move the file to its place, or remove the draft when an error ended the work."""
        if self._target is None:
            return
        try:
            self._stream.close()
            if self._draft is not None and kind is None:
                self._settle(self._draft, self._target)
        except OSError as error:
            if kind is None:
                raise UsageError(f"cannot write the report: {error.strerror}") from None
        finally:
            if self._draft is not None:
                self._draft.unlink(missing_ok=True)
            for number, handler in self._signals.items():
                signal(number, handler)
            self._signals.clear()


def _find_descriptor(path: str) -> int | None:
    """The open file that a path such as ``/dev/stdout`` or ``/dev/fd/3`` names; None for other paths."""
    folder, _, number = path.rpartition("/")
    if folder in ("/dev/fd", "/proc/self/fd") and number.isdecimal() and len(number) < 6:
        return int(number)
    return {"/dev/stdout": 1, "/dev/stderr": 2}.get(path)


def wants_color(choice: str, *, is_terminal: bool, environment: Mapping[str, str]) -> bool:
    """Return whether to write colors."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return is_terminal and environment.get("TERM") != "dumb"


def measure_terminal(environment: Mapping[str, str]) -> int:
    """Columns of the terminal on standard output, or a fixed number if there is none."""
    return find_width(environment) or WIDTH_WITHOUT_TERMINAL


def find_width(environment: Mapping[str, str]) -> int | None:
    """Columns of the terminal on standard output; None if there is none and COLUMNS does not say."""
    columns = environment.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (AttributeError, OSError, ValueError):
        return None


def load_renderer(options: argparse.Namespace) -> BaseRenderer:
    """What renders the answer of a command, found before the work begins.

    Raises:
        UsageError: the format is binary and would go to the terminal.
    """
    from mlperf_logging.reports.tables import load_table_format

    renderer = load_table_format(options.format)()
    if renderer.binary and options.output is None and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(f"--format {options.format} is not text; name a file with --output")
    return renderer


def write_document(document: Document, renderer: BaseRenderer, path: str | None = None) -> None:
    """Write what a command answers.

    Raises:
        UsageError: it cannot be written, or the format cannot hold it.
    """
    from mlperf_logging.reports.tables import Look

    with Output(path) as output:
        color = wants_color("auto", is_terminal=output.is_terminal, environment=os.environ)
        width = find_width(os.environ) if path is None else None
        output.write_bytes(renderer.render(document, Look(width, color)))
