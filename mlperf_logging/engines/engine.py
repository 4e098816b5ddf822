"""What every engine does, and what is the same for all of them: batches of logs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

COST_OF_OPENING = 50_000
"""In bytes of log: opening, choosing rules and reporting take as long as reading these."""

Result = TypeVar("Result")


class Engine(Protocol):
    """Works on many logs, each on its own, somewhere."""

    def map_logs(self, work: Callable[[str], Result], paths: Sequence[str]) -> Iterator[Result]:
        """Begin to work on logs.

        Args:
            work: works on the log of a path; a function of a module, or a `functools.partial` or a method of a value
                that can be sent to another process.
            paths: the logs, as the working folder sees them; "-" is standard input, which only this process has.

        Returns:
            One result for each path, in the order of the paths.

        Raises:
            MLPerfLoggingError: the work cannot be done where the engine works; raised here or while iterating, as is
                what the work raises.
        """
        ...

    def kept_open(self) -> AbstractContextManager[None]:
        """Within it, several passes over logs share what takes time to start."""
        ...


def plan_batches(
    costs: Iterable[int], wanted: int, *, smallest: int = 1, largest: int = 64
) -> Iterator[range]:
    """Cut logs into batches of neighbors that cost about the same; each is planned when it is asked for.

    Args:
        costs: of the logs, in bytes.
        wanted: the cost of a batch, in bytes.
        smallest: the fewest logs of a batch, except the last.
        largest: the most.
    """
    start = stop = held = 0
    for cost in costs:
        held += cost
        stop += 1
        if stop - start >= largest or (held >= wanted and stop - start >= smallest):
            yield range(start, stop)
            start, held = stop, 0
    if start < stop:
        yield range(start, stop)


def measure_bytes(path: str) -> int | None:
    """The size of a log's file; None where it cannot be told."""
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):  # who opens it says what is wrong with it
        return None


def estimate_cost(size: int | None) -> int:
    """What a log of a size costs, in bytes."""
    return COST_OF_OPENING + (size or 0)
