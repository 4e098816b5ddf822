"""Pages of logs: which lines they hold, and what of long lines and long logs."""

from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.parsing.sources import BLOCK_BYTES
from mlperf_logging.reports.serving import log_pages
from mlperf_logging.reports.serving.log_pages import LINES_PER_PAGE, LONGEST_SHOWN, LogPage, read_log_page


def read(content: bytes, line: int = 1) -> LogPage:
    """The page of a log in memory."""
    return read_log_page(io.BytesIO(content), line)


def test_shows_the_page_of_a_line() -> None:
    """A page begins at a multiple of its length; the last one has what is left."""
    content = b"".join(b"line %d\n" % number for number in range(1, 2 * LINES_PER_PAGE + 6))
    first, second, third = (
        read(content),
        read(content, LINES_PER_PAGE + 1),
        read(content, 2 * LINES_PER_PAGE + 5),
    )

    assert (first.first, len(first.lines), first.lines[0]) == (1, LINES_PER_PAGE, "line 1")
    assert (second.first, len(second.lines)) == (LINES_PER_PAGE + 1, LINES_PER_PAGE)
    assert second.lines[0] == f"line {LINES_PER_PAGE + 1}"
    assert (third.first, len(third.lines)) == (2 * LINES_PER_PAGE + 1, 5)
    assert {page.total for page in (first, second, third)} == {2 * LINES_PER_PAGE + 5}


def test_a_line_beyond_the_end_shows_the_last_page() -> None:
    """There is always something to see in a log that is not empty."""
    page = read(b"x\n" * (LINES_PER_PAGE + 1), 10**9)
    assert (page.first, page.lines) == (LINES_PER_PAGE + 1, ["x"])


def test_an_empty_log_has_no_lines() -> None:
    """A log without a byte is a page without lines."""
    assert read(b"") == LogPage(1, [], 0)


def test_a_long_line_is_cut_and_measured() -> None:
    """Of a long line the beginning is shown and its length told; the next line is where it was."""
    length = 3 * BLOCK_BYTES
    page = read(b"a" * length + b"\nnext")

    assert page.lines == [f"{'a' * (LONGEST_SHOWN - 1)}… ({length:,} bytes in all)", "next"]
    assert read("é".encode() * LONGEST_SHOWN).lines == ["é" * LONGEST_SHOWN]


def test_what_cannot_be_seen_is_an_escape() -> None:
    """Tabs and the carriage return of a line end are not shown as escapes, everything else is."""
    assert read("\ta\x00b\u202ec\rd\r\n\udcff".encode("utf-8", "surrogateescape")).lines == [
        "\ta\\x00b\\u202ec\\rd",
        "\\xff",
    ]


def test_reads_compressed_logs() -> None:
    """A compressed log is shown decompressed; one that ends too early is shown up to there, with a note."""
    data = gzip.compress(b"one\ntwo\n" * 5_000)
    cut = read(data[:-20])

    assert read(data, 2).lines[1] == "two"
    assert read(data).note == ""
    assert cut.note == "The gzip data of this file ends too early."


def test_broken_compression_is_an_error() -> None:
    """What cannot be decompressed raises the error that other readers raise."""
    with pytest.raises(UnreadableLogError):
        read(b"\x1f\x8b broken")


@given(st.lists(st.binary(max_size=6), max_size=12).map(b"\n".join), st.integers(1, 14), st.integers(1, 5))
def test_pages_hold_the_lines_of_the_log(content: bytes, line: int, per_page: int) -> None:
    """However a log is cut into blocks, a page holds what cutting all of it at line feeds gives."""
    lines = content.split(b"\n")
    if not lines[-1]:
        lines.pop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_pages, "LINES_PER_PAGE", per_page)
        patch.setattr(log_pages, "read_blocks", lambda file: iter([bytes((each,)) for each in file.read()]))
        page = read_log_page(io.BytesIO(content), line)
    number = min(line, max(len(lines), 1)) - 1
    start = number // per_page * per_page
    shown = [log_pages.show_line(each) for each in lines[start : start + per_page]]

    assert page == LogPage(start + 1, shown, len(lines))
