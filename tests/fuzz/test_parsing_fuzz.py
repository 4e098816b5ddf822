"""Whatever the bytes are, reading ends, in time, without an exception, and loses nothing silently."""

from __future__ import annotations

import gzip
import lzma
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from promises import check_items

from mlperf_logging.errors import UnreadableLogError
from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import read_log
from mlperf_logging.parsing.dialects import load_dialects
from mlperf_logging.parsing.records import RecordReader
from mlperf_logging.parsing.scanner import Scanner
from mlperf_logging.parsing.sources import is_compressed

EXAMPLES = int(os.environ.get("MLPERF_EXAMPLES", "1000"))

thorough = settings(max_examples=EXAMPLES, deadline=None)

LOG = (
    b'noise\n0: :::MLLOG {"namespace": "", "time_ms": 5, "event_type": "POINT_IN_TIME", "key": "seed",'
    b' "value": [1, {"a": "b"}], "metadata": {"file": "a.py", "lineno": 3}}\r\n:::MLL 1.5 seed: {"value": "x", "metadata": {}}\n'
    b':::MLPv0.5.0 resnet 1541635734.193 (train.py:12) eval_accuracy: {"epoch": 1, "value": 0.5}\n'
) * 3


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A log with damage: bytes changed, cut out, doubled, zeroed."""
    data = bytearray(LOG)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(data)))
        width = draw(st.integers(0, 40))
        part = bytes(data[place : place + width])
        data[place : place + width] = draw(
            st.sampled_from([b"", bytes(width), part + part, part[::-1], b"\xff"])
        )
    return bytes(data[: draw(st.integers(0, len(data)))])


@thorough
@given(damaged(), st.sampled_from([1, 10, 1000]))
def test_damaged_logs_are_read(data: bytes, size: int) -> None:
    """Each line with a record gives an event or a problem with a place in the file."""
    scanner = Scanner(RecordReader(load_dialects()))
    items: list[Event | Problem] = []
    for start in range(0, len(data), size):
        items += scanner.feed(data[start : start + size])
    check_items(items + scanner.finish(), data)


@thorough
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Any bytes make a log, except those that claim to be compressed and are not."""
    if not is_compressed(data):
        log = read_log(data)
        check_items(sorted([*log.events, *log.problems], key=lambda item: item.line), data)
        return
    try:
        log = read_log(data)
    except UnreadableLogError as error:
        assert "compression is broken" in str(error)
    else:
        assert {item.label for item in log.problems} <= {"file-cut-short"}


@settings(max_examples=max(100, EXAMPLES // 10), deadline=None)
@given(st.sampled_from([gzip.compress, lzma.compress]), st.data())
def test_damaged_compression_is_read_or_refused(compress: object, data: st.DataObject) -> None:
    """Damage to compressed bytes ends in a log, with or without a problem, or in the one clear error."""
    packed = bytearray(compress(LOG))  # type: ignore[operator]
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.one_of(st.just(len(packed)), st.integers(7, len(packed))))
    try:
        outcome = read_log(bytes(packed[:cut])).path
    except UnreadableLogError as error:
        outcome = str(error)
    assert outcome.startswith("<bytes>")
    assert "\n" not in outcome


@pytest.mark.parametrize(
    "data",
    [
        b":::MLLOG " * 20_000,
        b':::MLLOG "' * 20_000,
        b':::MLLOG "\\" ' * 20_000,
        b':::MLLOG {"a": "' * 20_000,
        b":::MLLOG " + b"[" * 100_000,
        b":::MLLOG " + b'{"a":' * 100_000,
        b":::MLLOG " + b"[1," * 100_000,
        b":::MLLOG " + b'"\\' * 500_000,
        b":::MLLOG," * 20_000,
        b":::" * 500_000,
        b":::ML" * 100_000,
        b":::MLL 1.5 " * 20_000,
        b"\r" * 100_000,
        b":::MLL \r" * 20_000,
        b" " * 300_000 + b":::MLLOG " + b" " * 100_000,
        b":::MLL " + b"1" * 100_000,
        b":::MLL " + b"1" * 300_000 + b" k: {}",
    ],
    ids=lambda data: repr(data[:20]),
)
def test_hostile_lines_are_read(data: bytes) -> None:
    """Lines made to be slow or deep are read, and something is said of those with a record."""
    log = read_log(data)
    assert log.events == []
    assert bool(log.problems) == (b":::MLLOG" in data or b":::MLL " in data)
