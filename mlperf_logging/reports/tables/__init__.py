"""Documents of tables as bytes: one module per format, found by its name, for all commands.

A format is one file in this folder, ``<name>.py``, that holds a class `Renderer` derived from `BaseRenderer`. Nothing
else lists the formats.
"""

from typing import Any, NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.reports._escape import show_text
from mlperf_logging.reports._modules import list_modules, load_module
from mlperf_logging.tables import Document, Table


class Look(NamedTuple):
    """How a document is to look for people: columns of the terminal (None: as wide as needed), and with colors or not."""

    width: int | None = None
    color: bool = False


class BaseRenderer:
    """One format of tables.

    Attributes:
        for_people: it may say in prose what a table for programs says in columns.
        single: it holds one table.
        binary: it is of no use on a terminal.
    """

    for_people = False
    single = False
    binary = False

    def render(self, document: Document, look: Look) -> bytes:
        """A document as bytes; `UsageError` where the format cannot hold it."""
        raise NotImplementedError


def list_table_formats() -> list[str]:
    """Names of the formats, sorted."""
    return list_modules(__name__)


def load_table_format(name: str) -> type[BaseRenderer]:
    """The renderer of a format; `UsageError` if none has that name."""
    renderer: type[BaseRenderer] = load_module(__name__, name).Renderer
    return renderer


def require_single(form: str, document: Document) -> Table:
    """The only table of a document, for a format that holds one; `UsageError` where there are several."""
    if len(document.tables) != 1:
        names = ", ".join(table.name for table in document.tables)
        raise UsageError(f"{form} holds one table, not {names}; choose one with --table, or use xlsx")
    return document.tables[0]


def plain_value(value: Any) -> Any:
    """A value for formats that have numbers and texts: "" for what is not known, texts with nothing hidden in them."""
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - not a number
        return ""
    if isinstance(value, tuple):
        value = "; ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return show_text(value) if isinstance(value, str) else value
