"""What is on the page, as frozen values: sections of texts, tables and charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

LinkLog = Callable[[str, int | None], str | None]
"""Path of a log and number of a line (None for the whole log) to the address of that place, or None if there is none."""


def link_nothing(path: str, line: int | None) -> str | None:
    """No link: a page that is opened anywhere has no logs to refer to."""
    return None


@dataclass(frozen=True, kw_only=True)
class PageOptions:
    """What the reader of the page is to see beside the results.

    Attributes:
        title: its title; empty for one made of what it is about.
        logo: an image as a ``data:`` address; empty for none.
        public: leave out names of hosts and paths.
        link_log: where a line of a log can be seen.
    """

    title: str = ""
    logo: str = ""
    public: bool = False
    link_log: LinkLog = link_nothing


@dataclass(frozen=True)
class Link:
    """A text that leads somewhere.

    Attributes:
        text: what people read.
        address: where it leads; empty where it leads nowhere.
    """

    text: str
    address: str = ""


@dataclass(frozen=True)
class Cell:
    """A value in a table.

    Attributes:
        text: as people read it.
        order: what the column is sorted by, where that is not the text.
        mark: "good", "bad", "warn" or "note" for what needs a look; empty for most.
    """

    text: str
    order: float | str | None = None
    mark: str = ""


@dataclass(frozen=True)
class Head:
    """The head of a column.

    Attributes:
        text: what people read.
        unit: of its numbers; empty where they have none.
        meaning: one line on what the column contains.
        kind: "number", "prose" (sentences), or empty for short texts.
        hidden: shown only when the reader chooses the column.
        choices: whether the reader may filter by one of its values.
    """

    text: str
    unit: str = ""
    meaning: str = ""
    kind: str = ""
    hidden: bool = False
    choices: bool = False


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table.

    Attributes:
        id: its id in the page.
        title: what stands above it; empty for nothing.
        heads: the heads of its columns.
        rows: a cell for each column.
        notes: lines below it.
        empty: what people read where there is no row.
        sortable: whether the reader may sort, filter and choose columns.
    """

    id: str
    title: str = ""
    heads: tuple[Head, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    notes: tuple[str, ...] = ()
    empty: str = ""
    sortable: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        id: its id in the page.
        title: what it shows.
        description: the same in a sentence or two, for those who do not see it.
        spec: its definition in Vega-Lite, data included, see `pack_chart`.
    """

    id: str
    title: str
    description: str
    spec: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Charts and tables below each other, what many sections show.

    Attributes:
        about: sentences on what they show.
        charts: the charts.
        grids: the tables.
        notes: lines on what is left out.
    """

    about: str = ""
    charts: tuple[Chart, ...] = ()
    grids: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        name: its id in the page.
        title: its heading.
        content: what its template shows.
    """

    name: str
    title: str
    content: Any

    @property
    def template(self) -> str:
        """The name of its template: its own name but for galleries, which share one."""
        return "gallery" if isinstance(self.content, Gallery) else self.name


@dataclass(frozen=True, kw_only=True)
class ReportModel:
    """The whole page.

    Attributes:
        title: of the page.
        about: a line below it: what was judged by what.
        logo: an image as a ``data:`` address, or empty.
        made: when the page was made, as text.
        sections: its parts, in order.
    """

    title: str
    about: str = ""
    logo: str = ""
    made: str = ""
    sections: tuple[Section, ...] = ()

    @property
    def charts(self) -> tuple[Chart, ...]:
        """All charts of the page."""
        return tuple([chart for section in self.sections for chart in getattr(section.content, "charts", ())])

    @property
    def holds_tables(self) -> bool:
        """Whether the page may hold tables: all sections do but galleries of nothing but charts."""
        return any(getattr(section.content, "grids", True) for section in self.sections)
