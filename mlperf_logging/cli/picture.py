"""A picture of `mlperf plot`, before it is drawn, and as a file."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlperf_logging.cli.chart_files import CaptionedChart

if TYPE_CHECKING:
    import pandas as pd


class Picture(NamedTuple):
    """What is drawn, and how.

    Attributes:
        data: what is drawn, as a table.
        draw: draws it into the axes.
        make_charts: makes interactive charts of it, one for each of the axes, with a title.
        title: the text above it unless the user says otherwise.
        draws_title: `draw` writes the title.
        size: width and height in inches, unless the user says otherwise.
        rows: number of axes, below each other.
        columns: number of columns of axes; of several, the last row need not be full.
        title_gap: points between title and axes, where it is not the usual one.
        left_out: a sentence for each run that is left out, which says why.
    """

    data: pd.DataFrame
    draw: Callable[[list[Any]], object]
    make_charts: Callable[[str], list[CaptionedChart]]
    title: str = ""
    draws_title: bool = False
    size: tuple[float, float] = (7.4, 4.4)
    rows: int = 1
    columns: int = 1
    title_gap: int | None = None
    left_out: Sequence[str] = ()


def render_picture(picture: Picture, options: argparse.Namespace, form: str) -> bytes:
    """A picture as the bytes of a PNG, SVG or PDF file."""
    from io import BytesIO

    from matplotlib.figure import Figure

    width, height = picture.size
    is_grid = picture.columns > 1
    figure = Figure(
        figsize=(options.width or width, options.height or height), layout="constrained" if is_grid else None
    )
    shares = picture.rows > 1 and not is_grid
    axes = list(figure.subplots(picture.rows, picture.columns, sharex=shares, squeeze=False).flat)
    picture.draw(axes)
    from mlperf_logging.analysis.plots.looks import to_label

    title = options.title or picture.title
    if title and not picture.draws_title:
        axes[0].set_title(to_label(title), fontsize="medium", loc="left", pad=picture.title_gap)
    buffer = BytesIO()
    # Neither date nor version of the library: the same runs give the same file.
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[form]
    figure.savefig(
        buffer, format=form, dpi=options.dpi, bbox_inches="tight", pad_inches=0.12, metadata=metadata
    )
    return buffer.getvalue()
