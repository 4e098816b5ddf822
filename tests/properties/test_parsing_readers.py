"""The fast reader and the grammars agree on every input: events, problems, places, everything.

`MLPERF_EXAMPLES` sets how many examples each property is tried on (`make nightly`: 100,000).
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from grammar_reader import read_events_by_grammar
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import read_batches, read_log, records, tally
from mlperf_logging.parsing.dialects import load_dialects, mllog
from mlperf_logging.parsing.records import RecordReader
from mlperf_logging.parsing.scanner import RECORD_LIMIT, Scanner
from mlperf_logging.parsing.sources import is_compressed

EXAMPLES = int(os.environ.get("MLPERF_EXAMPLES", "300"))

thorough = settings(max_examples=EXAMPLES, deadline=None)

MARKERS = [dialect.marker for dialect in load_dialects()]

SPLINTERS = [
    *b"\"'{}[](),:;-+.0eE\\ \t\r\n\x00\x0b\x1f\x7f\x85\xa0\xff".decode("latin-1"),
    "\r\n",
    "\\u",
    "\\ud800",
    "\\ud83d\\ude00",
    "\\n",
    "é",
    "\u2028",
    "NaN",
    "-Infinity",
    "1e999",
    "1e-999",
    "01",
    "-0",
    "1.",
    "18446744073709551616",
    "9" * 30,
    "true",
    "null",
    "None",
    "nope",
    '"a": 1, ',
    '"value": 1, ',
    '"key": "k", ',
    '"time_ms": 5, ',
    "[[[[[",
    "{}",
    "[1, 2]",
    '{"a": {"b": [1, {}]}}',
    "(a.py:1)",
    ":::",
    ":::ML",
    ":::MLLOG",
    ":::MLL",
    *(marker.decode() for marker in MARKERS),
]
"""Texts that are likely to break a record, or to make one."""

numbers = st.one_of(st.integers(), st.integers(-(10**30), 10**30), st.floats())
texts = st.one_of(
    st.text(max_size=6), st.sampled_from([":::MLLOG ", "a: b", "{x: 1}", "POINT_IN_TIME", "\\", '"'])
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)
spacings = st.sampled_from([(", ", ": "), (",", ":"), (" , ", " : ")])


def write(value: Any, spacing: tuple[str, str], *, ascii_only: bool) -> str:
    """A value in JSON, in one of the ways that logs are written in."""
    return json.dumps(value, separators=spacing, ensure_ascii=ascii_only)


@st.composite
def new_records(draw: st.DrawFn) -> bytes:
    """Records of the newest dialect; most are good."""
    mostly = st.integers(0, 9)
    members = {
        "namespace": draw(values) if draw(mostly) == 0 else "",
        "time_ms": draw(values) if draw(mostly) == 0 else draw(numbers),
        "event_type": draw(values)
        if draw(mostly) == 0
        else draw(st.sampled_from([*mllog.EVENT_TYPES, None])),
        "key": draw(values) if draw(mostly) == 0 else draw(texts),
        "value": draw(values),
        "metadata": draw(values) if draw(mostly) == 0 else draw(st.dictionaries(texts, values, max_size=3)),
        "extra": draw(values),
    }
    dropped = draw(st.sets(st.sampled_from(sorted(members)), max_size=2)) | (
        {"extra"} if draw(mostly) else set()
    )
    kept = {name: value for name, value in members.items() if name not in dropped}
    text = write(kept, draw(spacings), ascii_only=draw(st.booleans()))
    return b":::MLLOG " + text.encode("utf-8", "surrogatepass")


@st.composite
def older_records(draw: st.DrawFn) -> bytes:
    """Records of the two older dialects."""
    seconds = draw(
        st.sampled_from(["0.0", "1560881715.561", "1541635734.193123456", "15", ".5", "1.2.3", "", "x"])
    )
    key = draw(st.sampled_from(["seed", "run_stop", "k1", "_", "a-b", ""]))
    value = draw(values)
    if draw(st.booleans()):
        payload = {
            "value": value,
            "metadata": draw(st.one_of(st.dictionaries(texts, values, max_size=2), values)),
        }
        text = write(payload, draw(spacings), ascii_only=draw(st.booleans()))
        return f":::MLL {seconds} {key}: {text}".encode("utf-8", "surrogatepass")
    site = draw(
        st.sampled_from(["(train.py:12)", "(a b.py:1)", "(é.py:3)", "(a.py)", "(a\\ud800:1)", "((:1)"])
    )
    text = ": " + write(value, draw(spacings), ascii_only=draw(st.booleans())) if draw(st.booleans()) else ""
    return f":::MLPv0.5.0 resnet {seconds} {site} {key}{text}".encode("utf-8", "surrogatepass")


@st.composite
def edited(draw: st.DrawFn, records: st.SearchStrategy[bytes]) -> bytes:
    """Records with a few small changes."""
    record = bytearray(draw(records))
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))):
        place = draw(st.integers(0, len(record)))
        width = draw(st.sampled_from([0, 0, 1, 2, 5, 30]))
        record[place : place + width] = (
            draw(st.sampled_from(SPLINTERS)).encode("utf-8") if draw(st.booleans()) else b""
        )
    return bytes(record)


logs = st.builds(
    lambda lines, end: end.join(lines),
    st.lists(
        st.one_of(
            edited(new_records()), edited(older_records()), st.binary(max_size=12), st.just(b"0: noise")
        ),
        max_size=6,
    ),
    st.sampled_from([b"\n", b"\r\n", b"\r", b"", b" "]),
)
"""Logs of whole and broken records in all dialects."""

splinters = st.lists(
    st.one_of(st.sampled_from(SPLINTERS).map(str.encode), st.binary(max_size=3)), max_size=30
).map(b"".join)
"""Bytes without much of a shape, but of the stuff that logs are made of."""


DOUBTS = [
    b':::MLLOG {"key": "a", "value": NaN, "time_ms": 1, "metadata": {}}',
    b':::MLLOG {"key": "a", "value": 1, "time_ms": "1", "metadata": null, "event_type": "x"}',
    b':::MLLOG {"key": "a", "key": "a", "value": 1, "time_ms": 1, "metadata": {}}',
    b':::MLLOG {"key": "\xff\\ud800", "value": 1, "time_ms": 1, "metadata": {}}',
    b':::MLLOG {"key": "a", "value": 1, "time_ms": 1, "metadata": {}} x',
    b':::MLLOG {"key": "a", "value": 1, "time_ms": 1, "metadata": {}}' * 2,
    b':::MLLOG {"key": 1, "time_s": 1, "metadata": 1}',
    b':::MLLOG {"key": 1, "time_ms": true}',
    b':::MLL 1.2.3 a: {"value": %s1%s, "metadata": {}}' % (b"[" * 100, b"]" * 100),
    b":::MLL 1.5 a: {}",
    b":::MLPv0.5.0 a 1.2.3 (a.py:1) key",
]
"""Records that have, together, all the problems of records whose JSON is sound."""


def count_problems(items: list[Event | Problem]) -> Counter[tuple[str, str]]:
    """How many problems there are of each kind and dialect, those that are only counted included."""
    problems = [item for item in items if isinstance(item, Problem)]
    return Counter(
        {
            kind: sum(each.occurrences for each in problems if (each.label, each.dialect) == kind)
            for kind in {(each.label, each.dialect) for each in problems}
        }
    )


def read_counting(data: bytes) -> list[Event | Problem]:
    """Read a log whose unreadable records are only counted, from the first one on."""
    with mock.patch.object(records, "EXPLAINED_RECORDS", 0):
        return [item for items in read_batches(data) for item in items]


def read_slowly(data: bytes, limit: int = RECORD_LIMIT) -> list[Event | Problem]:
    """Read by the grammars."""
    assume(not is_compressed(data))
    return read_events_by_grammar(data, record_limit=limit)


def read_fast(data: bytes, size: int, limit: int = RECORD_LIMIT) -> list[Event | Problem]:
    """Read by the fast reader, in blocks of a size."""
    scanner = Scanner(RecordReader(load_dialects()), record_limit=limit)
    items: list[Event | Problem] = []
    for start in range(0, len(data), size):
        items += scanner.feed(data[start : start + size])
    return items + scanner.finish()


def assert_same(fast: list[Event | Problem], slow: list[Event | Problem]) -> None:
    """The same items, down to the types of all numbers (NaN is not equal to itself; its text is)."""
    assert list(map(repr, fast)) == list(map(repr, slow))


@thorough
@given(logs, st.sampled_from([1, 3, 64, 1 << 18]), st.sampled_from([RECORD_LIMIT, RECORD_LIMIT, 300, 40]))
@example(b'a\r:::MLLOG {"key"\r\n:::MLLOG ', 1, 40)
@example(b":::MLPv0.5.0 resnet 1541635734.193 (1) seed", 1 << 18, RECORD_LIMIT)
def test_fast_reader_and_grammars_agree_on_logs(data: bytes, size: int, limit: int) -> None:
    """On whole and on edited records both readers give the same events and the same problems."""
    assert_same(read_fast(data, size, limit), read_slowly(data, limit))


@thorough
@given(splinters, st.sampled_from([1, 5, 1 << 18]), st.sampled_from([RECORD_LIMIT, 30]))
def test_fast_reader_and_grammars_agree_on_splinters(data: bytes, size: int, limit: int) -> None:
    """On bytes of no particular shape both readers give the same."""
    assert_same(read_fast(data, size, limit), read_slowly(data, limit))


@thorough
@given(st.lists(new_records(), min_size=1, max_size=4), st.booleans())
def test_both_ways_of_decoding_agree_with_the_grammar(records: list[bytes], at_once: bool) -> None:
    """What either JSON library reads of ordinary records is what the grammar reads."""
    records = [record for record in records if not set(record) & set(b"\r\n")]
    if not records:
        return
    mllog._FIRST_RUNS = iter(range(0 if at_once else 1))
    events = mllog.read_ordinary(records, range(1, len(records) + 1), [1] * len(records))
    if events is not None:
        assert_same(list(events), read_slowly(b"\n".join(records)))


@thorough
@given(values, texts, st.dictionaries(texts, values, max_size=3), spacings, st.booleans())
def test_what_is_written_is_read(
    value: Any, key: str, metadata: dict[str, Any], spacing: tuple[str, str], ascii_only: bool
) -> None:
    """A record that Python's encoder wrote comes back with the same values, and an error never."""
    record = {"time_ms": 1, "key": key, "value": value, "metadata": metadata}
    line = b":::MLLOG " + write(record, spacing, ascii_only=ascii_only).encode()
    log = read_log(line)
    assert [(event.key, repr(event.value), repr(event.metadata)) for event in log.events] == [
        (key, repr(value), repr(metadata))
    ]
    assert {problem.label for problem in log.problems} <= {"nan-or-infinity"}


@settings(max_examples=max(100, EXAMPLES // 10), deadline=None)
@given(
    st.lists(st.one_of(new_records(), older_records(), st.binary(max_size=30)), max_size=8),
    st.integers(0, 10),
)
def test_line_numbers_count_line_feeds(lines: list[bytes], shift: int) -> None:
    """Lines put before a log move all places by as much, and change nothing else."""
    data = b"\n".join(lines)
    assume(not is_compressed(data))
    before = [item for batch in read_batches(data) for item in batch]
    after = [item for batch in read_batches(b"noise\n" * shift + data) for item in batch]
    assert_same(after, [item._replace(line=item.line + shift) for item in before])


@pytest.mark.corpus
def test_fast_reader_and_grammars_agree_on_real_logs(corpus_logs: list[Path]) -> None:
    """On real logs both readers give the same: on some lines of each, or on all with many examples asked for."""
    whole = EXAMPLES >= 100_000
    choice = random.Random(EXAMPLES)  # noqa: S311 - nothing here is a secret
    for path in corpus_logs:
        data = path.read_bytes()
        if not whole:
            lines = data.split(b"\n")
            marked = [place for place, line in enumerate(lines) if b":::ML" in line]
            chosen = {
                near for place in choice.sample(marked, min(4, len(marked))) for near in (place - 1, place)
            }
            data = b"\n".join(line for place, line in enumerate(lines) if place in chosen)
        assert_same(read_fast(data, 1 << 18), read_events_by_grammar(data))


@thorough
@given(logs, st.booleans())
@example(b':::MLLOG {"key": "a :::MLL b", "value": NaN, "time_ms": 1, "metadata": {}}', False)
@example(DOUBTS[0] * 3 + b" x :::MLLOG", False)
@example(DOUBTS[0].replace(b"}}", b"}} rest") * 2 + DOUBTS[3], False)
@example(b':::MLLOG {"key": "a", "value": %s, "time_ms": 1, "metadata": {"a": 1e999}}' % (b"9" * 5000), True)
def test_problems_that_are_counted_are_those_that_would_be_told(data: bytes, twice: bool) -> None:
    """Where kinds of problems are only counted, both readers give the same events and count as many of each kind."""
    data = data + b"\n" + data if twice else data
    primer = b"\n".join([*DOUBTS, *DOUBTS, b""])
    with mock.patch.object(tally, "TOLD_PROBLEMS", 1):
        scanner = Scanner(RecordReader(load_dialects()))
        fast = [*scanner.feed(primer), *scanner.feed(data), *scanner.finish()]
        slow = read_events_by_grammar(primer + data)

    events = [item for item in fast if isinstance(item, Event)]
    assert_same(events, [item for item in slow if isinstance(item, Event)])
    assert count_problems(fast) == count_problems(slow)


@thorough
@given(st.one_of(logs, splinters))
@example(b':::MLLOG {"key": "a :::MLL b", "value": NaN, "time_ms": 1, "metadata": {}}')
@example(b':::MLLOG {"key": "a", "value": 1, "time_ms": 1, "metadata": {}} rest :::MLLOG {')
@example(b':::MLL 1.5 key : {"value": 1, "metadata": {}}')
@example(b":::MLPv0.5.0 a 1.5 (a.py:1) key rest :::MLLOG {")
@example(b':::MLL {:::MLLOG {"key": "a", "value": 1, "time_ms": 1, "metadata": {}} rest :::MLL {')
@example(b':::MLLOG {"a": ":::MLPv0.5.0 a 1.5 (a.py:1) key :::MLLOG x"}')
@example(b':::MLL 1.5 a: ":::MLPv0.5.0 a 1.5 (a.py:1) key :::MLLOG x"')
@example(b":::MLPv0.5.0 a 1.5 (a.py:1) k :::MLLOG {\n:::MLPv0.5.0 a 1.5 (a.py:1) k1[]")
def test_counting_loses_no_event(data: bytes) -> None:
    """Where records that cannot be read are counted in place of being explained, the same events are read."""
    assume(not is_compressed(data))
    explained = [item for items in read_batches(data) for item in items]
    counted = read_counting(data)

    assert [item for item in counted if isinstance(item, Event)] == [
        item for item in explained if isinstance(item, Event)
    ]
    assert bool(counted) == bool(explained)
