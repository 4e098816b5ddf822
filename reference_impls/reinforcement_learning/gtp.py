"""The Go Text Protocol, version 2: names of points, and a client that talks to another program.

Specification: https://www.lysator.liu.se/~gunnar/gtp/gtp2-spec-draft2/gtp2-spec.html
"""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

from reference_impls.harness import TrainerError

COLUMNS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # there is no I, which is too easily taken for a J
COLORS = {1: "black", -1: "white"}
_TIMEOUT_S = 60.0
_SHUTDOWN_S = 2.0


class EngineError(TrainerError):
    """The other program cannot be started, has ended, takes too long, or does not speak the protocol."""


class RefusalError(TrainerError):
    """The other program answers a command with an error; the message quotes it."""


def name_move(move: int, size: int) -> str:
    """The name of a move: letter of the column and number of the row, counted from the bottom; or ``pass``."""
    if move == size * size:
        return "pass"
    row, column = divmod(move, size)
    return f"{COLUMNS[column]}{size - row}"


def parse_move(name: str, size: int) -> int:
    """The move of a name; case does not matter.

    Raises:
        ValueError: it is not the name of a point of the board, nor ``pass``.
    """
    folded = name.strip().upper()
    if folded == "PASS":
        return size * size
    column = COLUMNS[:size].find(folded[:1]) if folded else -1
    row = size - int(folded[1:]) if folded[1:].isascii() and folded[1:].isdecimal() else -1
    if column < 0 or not 0 <= row < size:
        raise ValueError(f"{name!r} is not a point of a board of {size}×{size}")
    return row * size + column


class Engine:
    """Another program that plays Go, started by this one.

    It ends when this object is closed, when it takes too long, and when this process ends in whatever way: its
    standard input is then closed, at which a program that speaks the protocol ends.

    Args:
        command: program and arguments.
        timeout_s: how long an answer may take, in seconds.

    Raises:
        EngineError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], timeout_s: float = _TIMEOUT_S) -> None:
        self.name = command[0]
        self.timeout_s = timeout_s
        try:
            self._process = subprocess.Popen(  # noqa: S603 - no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise EngineError(f"{self.name} cannot be started: {error.strerror or error}") from None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read_lines, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def _read_lines(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - it is a pipe
        for line in stdout:
            self._lines.put(line.rstrip())
        self._lines.put(None)

    def ask(self, command: str) -> str:
        """Send a command and wait for its answer.

        Args:
            command: one line, for example ``genmove black``.

        Returns:
            The answer without its leading ``=``; several lines are joined by newlines.

        Raises:
            RefusalError: the answer is an error.
            EngineError: the program has ended or takes longer than allowed (it is then ended), or answers
                something else.
        """
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - it is a pipe
        try:
            stdin.write(command + "\n")
            stdin.flush()
        except (OSError, ValueError):
            raise self._stop(f"{self.name} has ended; it did not get {command!r}") from None
        answer = self._read_answer(command)
        text = "\n".join(answer)[1:].strip()
        if answer[0].startswith("?"):
            raise RefusalError(f"{self.name} answers {command!r} with an error: {text}")
        if not answer[0].startswith("="):
            raise self._stop(f"{self.name} answers {command!r} with {answer[0]!r}, which is not GTP")
        return text

    def _read_answer(self, command: str) -> list[str]:
        """The lines up to an empty one; empty lines before an answer do not count."""
        end = time.monotonic() + self.timeout_s
        answer: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise self._stop(
                    f"{self.name} has not answered {command!r} within {self.timeout_s:g} s"
                ) from None
            if line is None:
                raise self._stop(f"{self.name} ended without an answer to {command!r}")
            if line:
                answer.append(line)
            elif answer:
                return answer

    def _stop(self, message: str) -> EngineError:
        """End the program, whose state is unknown now; returns the error to raise."""
        self._process.kill()
        self.close()
        return EngineError(message)

    def close(self) -> None:
        """End the program; nothing happens if it has ended."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - it is a pipe
        assert stdout is not None  # noqa: S101 - it is a pipe
        with suppress(OSError):  # it has ended, and left what was written unread
            stdin.close()
        try:
            self._process.wait(_SHUTDOWN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_SHUTDOWN_S)
        if not self._reader.is_alive():  # a grandchild may still hold the pipe
            stdout.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
