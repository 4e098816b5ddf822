"""Lines, line ends, several records in a line, long lines, blocks."""

from __future__ import annotations

import io

import pytest
from grammar_reader import read_events_by_grammar

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import read_log
from mlperf_logging.parsing.dialects import load_dialects
from mlperf_logging.parsing.records import RecordReader
from mlperf_logging.parsing.scanner import RECORD_LIMIT, Scanner
from mlperf_logging.parsing.sources import BLOCK_BYTES


def record(value: int | str = 1) -> bytes:
    """A record of the newest dialect."""
    text = str(value) if isinstance(value, int) else f'"{value}"'
    return b':::MLLOG {"time_ms": 5, "key": "k", "value": %s, "metadata": {}}' % text.encode()


def scan(data: bytes, size: int, limit: int = RECORD_LIMIT) -> list[Event | Problem]:
    """Read some bytes in blocks of a size."""
    scanner = Scanner(RecordReader(load_dialects()), record_limit=limit)
    items: list[Event | Problem] = []
    for start in range(0, len(data), size):
        items += scanner.feed(data[start : start + size])
    return items + scanner.finish()


def places(data: bytes) -> list[tuple[int, int, object]]:
    """Line, column and value of each event."""
    return [(event.line, event.column, event.value) for event in read_log(data).events]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_line_ends(end: bytes) -> None:
    """LF ends lines, with or without CR, and the CR is not part of the record."""
    log = read_log(end.join([b"noise", record(1), b"", record(2)]))
    assert [(event.line, event.value, event.raw) for event in log.events] == [
        (2, 1, record(1)),
        (4, 2, record(2)),
    ]
    assert log.problems == []


def test_carriage_return_ends_a_record_but_not_a_line() -> None:
    """Records before and behind a lone CR are read; line numbers count LF, columns run from the LF on."""
    data = b" 5%\r10%\r" + record(1) + b"\r20%\r" + record(2) + b"\nnext\n" + record(3)
    second = 9 + len(record(1)) + 5
    assert places(data) == [(1, 9, 1), (1, second, 2), (3, 1, 3)]
    assert read_log(data).problems == []


def test_mixed_line_ends() -> None:
    """LF, CR LF and lone CR may stand in one file."""
    data = record(1) + b"\r\n" + record(2) + b"\n\r" + record(3) + b"\r\r\n" + record(4)
    assert [(line, value) for line, _, value in places(data)] == [(1, 1), (2, 2), (3, 3), (4, 4)]


@pytest.mark.parametrize(
    "prefix", [b"0: ", b"[1,0]<stdout>: ", b"\x1b[32m", b"\x00\x00", b"\xff\xfe", "é ".encode(), b"100%|##| "]
)
def test_prefix_is_dropped(prefix: bytes) -> None:
    """Whatever stands before the marker is dropped; the column counts its bytes."""
    assert places(prefix + record(1)) == [(1, len(prefix) + 1, 1)]
    assert read_log(prefix + record(1)).problems == []


def test_no_line_end_at_the_end_of_the_file() -> None:
    """The last record counts, also when its line has no end."""
    assert places(record(1) + b"\n" + record(2)) == [(1, 1, 1), (2, 1, 2)]


def test_zero_bytes_outside_of_records_are_noise() -> None:
    """Zero bytes before a record and on other lines do no harm."""
    assert places(bytes(5000) + record(1) + b"\n" + bytes(5000) + b"\n" + record(2)) == [
        (1, 5001, 1),
        (3, 1, 2),
    ]


def test_white_space_after_a_record_is_legal() -> None:
    """Blanks between a record and the end of its line are part of its bytes and no problem."""
    log = read_log(record(1) + b" \t \n")
    assert log.problems == []
    assert log.events[0].raw == record(1) + b" \t "


@pytest.mark.parametrize("between", [b"", b" ", b" 0: ", b"[1] "])
def test_two_records_on_a_line(between: bytes) -> None:
    """Both records of a line are read, without the text between them, and a warning points at the second."""
    log = read_log(record(1) + between + record(2))
    second = len(record(1)) + len(between) + 1
    assert [(event.column, event.value, event.raw) for event in log.events] == [
        (1, 1, record(1)),
        (second, 2, record(2)),
    ]
    assert [(problem.label, problem.column) for problem in log.problems] == [("two-events-on-a-line", second)]


def test_three_records_on_a_line_are_one_warning() -> None:
    """A line with many records is warned of once."""
    log = read_log(record(1) + record(2) + record(3))
    assert [event.value for event in log.events] == [1, 2, 3]
    assert [problem.label for problem in log.problems] == ["two-events-on-a-line"]


def test_records_of_two_dialects_on_a_line() -> None:
    """Records of different dialects may share a line."""
    items = scan(b':::MLL 1.5 a: {"value": 1, "metadata": {}}:::MLPv0.5.0 ncf 2.5 (a.py:1) b: 2', 1000)
    assert [(item.dialect, getattr(item, "label", "")) for item in items] == [
        ("mll", ""),
        ("mlp050", "two-events-on-a-line"),
        ("mlp050", ""),
    ]


def test_record_written_over_a_cut_one() -> None:
    """A whole record behind one that was cut short is read, whatever quotes are open before it."""
    log = read_log(record(1)[:30] + record(2))
    assert [event.value for event in log.events] == [2]
    assert [(problem.label, problem.column) for problem in log.problems] == [
        ("record-cut-short", 31),
        ("two-events-on-a-line", 31),
    ]


def test_marker_within_a_text_is_no_record() -> None:
    """A marker in a value's text does not begin a record."""
    log = read_log(record(":::MLLOG x :::MLL 1 y"))
    assert [event.value for event in log.events] == [":::MLLOG x :::MLL 1 y"]
    assert log.problems == []


@pytest.mark.parametrize(
    "text", [b":::MLLOG", b":::MLLOG{}", b"see ':::MLLOG'", b":::MLLOG\t{}", b":::MLL,", b":::MLPv0.5.0"]
)
def test_marker_without_a_space_is_warned_of(text: bytes) -> None:
    """A marker that no space follows is noise, as for the public checks, and a warning."""
    log = read_log(text)
    assert (log.dialect, log.events) == (None, [])
    assert [(problem.label, problem.severity) for problem in log.problems] == [
        ("marker-without-record", "warning")
    ]


@pytest.mark.parametrize(
    "text", [b":::MLLOGGER x", b":::MLX 1", b":::ML", b":::", b"::: MLLOG {}", b":::mllog {}", b"MLLOG {}"]
)
def test_other_words_are_no_markers(text: bytes) -> None:
    """What only resembles a marker is noise."""
    assert read_log(text)[1:] == (None, [], [])


def test_bare_marker_before_a_record() -> None:
    """A bare marker before or behind a record on its line is warned of, and the record is read."""
    log = read_log(b":::MLLOG: " + record(1) + b" :::MLL. " + record(2))
    assert [event.value for event in log.events] == [1, 2]
    assert [problem.label for problem in log.problems] == [
        "marker-without-record",
        "marker-without-record",
        "two-events-on-a-line",
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
def test_blocks_may_end_anywhere(size: int) -> None:
    """How the bytes come in makes no difference."""
    data = (
        b"\r\n".join(
            [
                b"noise",
                b"0: " + record(1),
                b"10%\r20%\r" + record(2) + b"\r",
                record(3) + record(4),
                b":::MLLOG {",
                record(5),
            ]
        )
        + b"\n:::MLLOG, :::MLL 1.5 k: {}"
    )
    assert scan(data, size) == read_events_by_grammar(data)


def test_line_longer_than_a_block() -> None:
    """A record that spans blocks is read, behind noise of many blocks."""
    value = "x" * (3 * BLOCK_BYTES)
    assert places(b"-" * (5 * BLOCK_BYTES) + record(value)) == [(1, 5 * BLOCK_BYTES + 1, value)]


def test_line_of_carriage_returns_longer_than_a_block() -> None:
    """Records between the carriage returns of an endless line are read as they come."""
    step = b"#" * 1000 + b"\r" + record(1) + b"\r"
    items = scan(step * 2000, BLOCK_BYTES)
    assert [item.column for item in items] == [1002 + number * len(step) for number in range(2000)]
    assert {item.line for item in items} == {1}


def test_record_of_the_longest_length_is_read() -> None:
    """A line may hold exactly the limit from its record on."""
    data = record("x" * (1000 - len(record("")))) + b"\n" + record(2)
    assert [getattr(item, "label", None) for item in scan(data, 64, limit=1000)] == [None, None]


@pytest.mark.parametrize("size", [1, 64, 5000])
@pytest.mark.parametrize("end", [b"\n", b"\r"])
def test_record_that_is_too_long_is_an_error(size: int, end: bytes) -> None:
    """A line with more bytes than the limit is skipped from its record on; what follows is read."""
    data = b"0: " + record("x" * 1000) + end + record(2) + b"\n" + record(3)
    items = scan(data, size, limit=1000)
    assert [getattr(item, "label", None) for item in items] == ["record-too-long", None, None]
    assert (items[0].line, items[0].column, items[0].dialect) == (1, 4, "mllog")
    assert "1,000 bytes" in items[0].message  # type: ignore[union-attr]
    assert items == read_events_by_grammar(data, record_limit=1000)


def test_unfinished_line_is_not_held() -> None:
    """Of a line without end nothing is kept but what can still become a record."""
    scanner = Scanner(RecordReader(load_dialects()))
    for _ in range(100):
        assert scanner.feed(b"noise :: " * 1000) == []
        assert len(scanner._rest) < 20
    items = scanner.feed(record(1)[:40]) + scanner.feed(record(1)[40:] + b"\n")
    assert [(item.line, item.column) for item in items] == [(1, 900_001)]


def test_line_number_after_noise_and_blocks() -> None:
    """Line numbers are those of the file, whether lines are mostly records or mostly noise."""
    lines = [
        record(number) if number % 7 == 0 or number > 9000 else b"noise %d" % number
        for number in range(1, 20_000)
    ]
    log = read_log(io.BytesIO(b"\n".join(lines)))
    assert all(event.line == event.value for event in log.events)
    assert len(log.events) == sum(line.startswith(b":::") for line in lines)
