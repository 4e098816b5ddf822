"""Ordinary records in columns: the same events as everyone else reads, but for what was not asked for."""

from __future__ import annotations

import pytest
from grammar_reader import read_events_by_grammar

from mlperf_logging.events import Event
from mlperf_logging.parsing import scanner
from mlperf_logging.parsing.columns import EventColumns, join_batches
from mlperf_logging.parsing.dialects import load_dialects
from mlperf_logging.parsing.records import RecordReader
from mlperf_logging.parsing.scanner import Scanner


def record(key: str, value: object = 1) -> bytes:
    """An ordinary record."""
    return b':::MLLOG {"time_ms": 5, "key": "%s", "value": %s, "metadata": {"file": "a.py"}}' % (
        key.encode(),
        str(value).encode(),
    )


LOGS = {
    "records only": b"\n".join([record("a"), record("b"), record("a", 2)]) + b"\n",
    "noise": b"noise\nmore " + record("a") + b"\n\n" + record("b") + b"\nnoise\n0: " + record("a", 2) + b"\n",
    "blanks behind": record("a") + b"  \n" + record("b") + b"\t\n" + record("a", 2) + b" \n",
    "CR and LF": b"\r\n".join([record("a"), record("b"), record("a", 2)]) + b"\r\n",
    "CR alone": b"10%\r20%\r" + record("a") + b"\r" + record("b") + b"\n" + record("a", 2) + b"\r99%\n",
}


def read_columns(data: bytes) -> EventColumns:
    """The columns of a log that is read in one block."""
    batch = Scanner(RecordReader(load_dialects())).feed(data)
    assert isinstance(batch, EventColumns)
    return batch


@pytest.mark.parametrize("kept_noise", [0, scanner.KEPT_NOISE])
@pytest.mark.parametrize("name", LOGS)
def test_columns_hold_the_events_that_the_grammar_reads(
    name: str, kept_noise: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All fields and places are the same, whether the places are found at once or when they are needed."""
    monkeypatch.setattr(scanner, "KEPT_NOISE", kept_noise)
    columns = read_columns(LOGS[name])

    expected = read_events_by_grammar(LOGS[name])
    assert list(columns) == expected
    assert len(columns) == 3
    assert columns.first_line == expected[0].line
    assert columns.byte_count == sum(len(event.raw) for event in expected)
    assert columns.text == b"".join(event.raw for event in expected)


@pytest.mark.parametrize("name", LOGS)
def test_events_are_made_of_those_records_that_are_wanted(name: str) -> None:
    """Some of the records become events, with as much of them as is asked for."""
    columns = read_columns(LOGS[name])
    first, second, third = (event for event in read_events_by_grammar(LOGS[name]) if isinstance(event, Event))

    assert columns.make_unplaced([1, 2]) == [each._replace(line=0, column=0) for each in (second, third)]
    assert [event[:4] for event in columns.make_bare([1, 0, 1])] == [first[:4], third[:4]]
    assert columns.make_events_of({"a"}) == [first, second, third]
    assert columns.make_events_of({"b"}) == [first, second]
    assert list(columns.find_firsts().items()) == [("a", 0), ("b", 1)]


def test_joined_batches_hold_all_items() -> None:
    """A batch of columns stays one unless something else comes with it."""
    columns = read_columns(LOGS["noise"])

    assert join_batches([], columns) is columns
    assert join_batches(columns, []) is columns
    assert join_batches(columns, [*columns]) == [*columns, *columns]


@pytest.mark.parametrize(
    "doubtful",
    [
        b":::MLLOG",
        b":::MLL 1.5 key: 1",
        record("a") + record("b"),
        record("a") + b" and more",
        record("a").replace(b"5", b'"5"'),
        record("a", '{"x": 1, "x": 2}'),
        record("a") + record("b").removeprefix(b":::MLLOG") + b"\n" + record("a", "[1,\n:::MLLOG 2]"),
    ],
)
def test_block_with_a_doubtful_record_is_not_read_in_columns(doubtful: bytes) -> None:
    """Whatever is not ordinary is left to those who can explain it."""
    data = LOGS["records only"] + doubtful + b"\n"
    reader = Scanner(RecordReader(load_dialects()))

    items = reader.feed(data)
    assert isinstance(items, list)
    assert [*items, *reader.finish()] == read_events_by_grammar(data)
