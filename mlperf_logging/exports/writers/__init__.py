"""Where exports go: one module per tool, found by its name.

A tool is one file in this folder, ``<name>.py``, that holds a class `Writer` derived from `BaseWriter`. Nothing else
lists the tools. Their libraries are loaded when a writer is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.exports.points import Point
from mlperf_logging.exports.run_export import RunEnd, RunHead, Stamp
from mlperf_logging.installation import explain_missing
from mlperf_logging.reports._modules import list_modules

__all__ = ["BaseSession", "BaseWriter", "Kept", "list_writers", "load_writer", "require_library"]


class Kept(NamedTuple):
    """An export that a place holds: the name that the run has there, and the stamp of its log."""

    name: str
    stamp: Stamp


class BaseSession:
    """The export of one run, from its beginning to its end.

    Attributes:
        name: the name that the run has in the tool.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def log(self, points: Sequence[Point]) -> None:
        """Take points, in their order."""
        raise NotImplementedError

    def flush(self) -> None:
        """Make what was taken so far visible to those who look; does nothing where it is already."""

    def finish(self, end: RunEnd) -> None:
        """End the run."""
        raise NotImplementedError

    def abandon(self) -> None:
        """End without an end: the export was not completed."""


class BaseWriter:
    """One tool's place for runs. What goes wrong in it raises the tool's own errors, or `OSError`.

    Attributes:
        title: the tool's name, for people.
        about: what is written for it, for the help page.
        hint: how to look at a place, which ``{place}`` stands for.
    """

    title = about = hint = ""

    def __init__(self, place: str) -> None:
        """Open the place, or make it; `UsageError` where the library is missing or the place cannot be made."""
        self.place = place

    def list_kept(self) -> Mapping[str, Kept]:
        """Which exports of logs the place holds, by a handle of each."""
        raise NotImplementedError

    def remove(self, handle: str) -> None:
        """Take away what was written for an export, and nothing else."""
        raise NotImplementedError

    def open(self, head: RunHead, stamp: Stamp | None = None) -> BaseSession:
        """Begin to export a run; without a stamp one that is still being logged, which shows as it goes on."""
        raise NotImplementedError

    def close(self) -> None:
        """Release what the tool's library holds."""


def list_writers() -> list[str]:
    """Names of the tools, sorted."""
    return list_modules(__name__)


def load_writer(name: str) -> type[BaseWriter]:
    """The writer of a tool that `list_writers` names."""
    writer: type[BaseWriter] = import_module(f"{__name__}.{name}").Writer
    return writer


def require_library(tool: str, title: str, *modules: str) -> None:
    """Load the modules of a tool's library; `UsageError` where one is missing, which says how to install it.

    Args:
        tool: name of the tool, which is also that of the extra.
        title: its name for people.
        modules: names of the modules.
    """
    for module in modules:
        try:
            import_module(module)
        except ImportError as error:
            missing = (error.name or module).partition(".")[0]
            raise UsageError(explain_missing(f"the export to {title}", [missing], tool)) from None
