"""Whole logs and streams of them."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging.events import Event
from mlperf_logging.parsing import read_batches, read_log
from mlperf_logging.parsing.dialects import Dialect, load_dialects
from mlperf_logging.parsing.records import EXPLAINED_RECORDS

NEW = b':::MLLOG {"namespace": "", "time_ms": 1, "event_type": "POINT_IN_TIME", "key": "seed", "value": 7, "metadata": {}}'
MIDDLE = b':::MLL 1560881715.561 seed: {"value": 7, "metadata": {"file": "a.py"}}'
OLD = b":::MLPv0.5.0 resnet 1541635734.193 (train.py:12) seed: 7"


def test_event_of_the_newest_dialect() -> None:
    """A record becomes an event with all its members, its place and its bytes."""
    log = read_log(b"noise\n 0: " + NEW + b"\n")
    assert log.dialect == "mllog"
    assert log.problems == []
    assert log.events == [Event("seed", 7, {}, 1, 2, 5, NEW, "POINT_IN_TIME", "", None, "mllog")]


def test_event_of_the_middle_dialect() -> None:
    """Seconds become milliseconds, exactly; there is no event type."""
    log = read_log(MIDDLE)
    assert log.dialect == "mll"
    assert log.events == [Event("seed", 7, {"file": "a.py"}, 1560881715561, 1, 1, MIDDLE, dialect="mll")]


def test_event_of_the_oldest_dialect() -> None:
    """The word after the marker is the benchmark; metadata is empty."""
    log = read_log(OLD)
    assert log.dialect == "mlp050"
    expected = Event("seed", 7, {}, 1541635734193, 1, 1, OLD, benchmark="resnet", dialect="mlp050")
    assert log.events == [expected]


def test_oldest_dialect_knows_events_without_a_value() -> None:
    """A key without a value is an event whose value is None."""
    log = read_log(b":::MLPv0.5.0 ncf 1.25 (a.py:1) run_stop")
    assert [(event.key, event.value, event.time_ms) for event in log.events] == [("run_stop", None, 1250)]
    assert log.problems == []


@pytest.mark.parametrize(
    ("seconds", "time_ms"),
    [
        (b"1560873515.984077135", 1560873515984.077135),
        (b"1541635734", 1541635734000),
        (b"1541635734.1", 1541635734100),
        (b"0.0", 0),
        (b"1.", 1000),
        (b".5", 500),
    ],
)
def test_seconds_in_decimal(seconds: bytes, time_ms: float) -> None:
    """Whole milliseconds are exact integers, finer times the nearest float."""
    log = read_log(b":::MLL " + seconds + b' k: {"value": 1, "metadata": {}}')
    assert [event.time_ms for event in log.events] == [time_ms]
    assert type(log.events[0].time_ms) is type(time_ms)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (b'"event_type": null, "namespace": 0,', (None, 0)),
        (b'"namespace": {"a": [1]},', (None, {"a": [1]})),
        (b'"event_type": "INTERVAL_END",', ("INTERVAL_END", "")),
        (b'"namespace": null,', (None, None)),
    ],
)
def test_event_type_and_namespace_may_be_absent_or_odd(
    record: bytes, expected: tuple[object, object]
) -> None:
    """The event type may be missing; the namespace may be any JSON value."""
    log = read_log(b":::MLLOG {" + record + b'"time_ms": 1, "key": "k", "value": 1, "metadata": {}}')
    assert [(event.event_type, event.namespace) for event in log.events] == [expected]
    assert log.problems == []


@pytest.mark.parametrize(
    "value",
    [
        b"18446744073709551616",
        b"-9223372036854775809",
        b"1e-7",
        b"-0.0",
        b"0.1",
        b"123456789012345678901234567890",
        b'"\\u00e9\\n\\ud83d\\ude00"',
        '"é😀"'.encode(),
        b'[1, [2, {}], {"a": null}]',
        b"true",
        b'":::MLLOG {"',
        b'"a: b"',
        b'"18446744073709551616"',
        b"1.7976931348623157e308",
        b"5e-324",
        b"[]",
        b"{}",
        b'"{iteration_num: 18 }"',
    ],
)
def test_values_come_out_as_python_reads_them(value: bytes) -> None:
    """Values keep every digit and character that the standard library keeps."""
    import json

    log = read_log(b':::MLLOG {"time_ms": 1, "key": "k", "value": ' + value + b', "metadata": {}}')
    assert log.problems == []
    assert repr(log.events[0].value) == repr(json.loads(value))


def test_records_of_an_older_dialect_are_noise_in_a_newer_log() -> None:
    """In a log of a newer dialect, records of older ones become warnings, good or bad."""
    log = read_log(b"\n".join([NEW, OLD, MIDDLE, b":::MLL broken", NEW]))
    assert log.dialect == "mllog"
    assert [event.line for event in log.events] == [1, 5]
    assert [(problem.label, problem.severity, problem.line) for problem in log.problems] == [
        ("older-dialect-record", "warning", 2),
        ("older-dialect-record", "warning", 3),
        ("older-dialect-record", "warning", 4),
    ]


def test_records_of_an_older_dialect_that_are_only_counted_are_not_lost() -> None:
    """Where a newer log has so many broken records of an older dialect that they are counted, their number is told."""
    broken = EXPLAINED_RECORDS + 500
    problems = read_log(b"\n".join([NEW, *[b":::MLL 1.5 k: {"] * broken, *[b":::MLLOG {"] * 7, NEW])).problems

    older = [each for each in problems if each.label == "older-dialect-record"]
    assert sum(each.occurrences for each in older) == broken
    assert older[-1].message.startswith("500 more problems of this kind")
    assert older[-1].severity == "warning"
    assert [(each.label, each.occurrences) for each in problems if each not in older] == [
        ("more-unreadable-records", 7)
    ]


def test_a_broken_newer_record_does_not_decide_the_dialect() -> None:
    """The log's dialect is one that has events; what is broken in a newer one stays an error."""
    log = read_log(b"\n".join([MIDDLE, b":::MLLOG is what later rounds write"]))
    assert log.dialect == "mll"
    assert len(log.events) == 1
    assert [(problem.dialect, problem.severity) for problem in log.problems] == [("mllog", "error")]


def test_log_without_a_good_record_has_the_dialect_of_the_bad_ones() -> None:
    """Where no record can be read, the newest dialect that was tried is the log's."""
    log = read_log(b":::MLL 1.5 k: {\n:::MLLOG {\n")
    assert (log.dialect, log.events) == ("mllog", [])


def test_batches_keep_file_order_and_all_dialects() -> None:
    """A stream gives the items of all dialects in the order of the file."""
    lines = [NEW, b"noise", MIDDLE, b":::MLLOG {", OLD, NEW]
    items = [item for batch in read_batches(b"\n".join(lines)) for item in batch]
    assert [(item.line, item.dialect) for item in items] == [
        (1, "mllog"),
        (3, "mll"),
        (4, "mllog"),
        (5, "mlp050"),
        (6, "mllog"),
    ]


def test_only_the_dialects_asked_for_are_read() -> None:
    """A stream can be limited to some dialects."""
    middle = [dialect for dialect in load_dialects() if dialect.name == "mll"]
    items = [item for batch in read_batches(NEW + b"\n" + MIDDLE, dialects=middle) for item in batch]
    assert [item.dialect for item in items] == ["mll"]


@pytest.mark.parametrize("collecting", [True, False])
def test_garbage_collection_is_left_as_it_was(collecting: bool) -> None:
    """Reading puts off garbage collection, and afterwards it is on or off as before."""
    was = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        read_log(NEW)
        assert gc.isenabled() is collecting
        list(read_batches(NEW))
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if was else gc.disable)()


def test_importing_and_reading_loads_nothing_heavy(tmp_path: Path) -> None:
    """Reading an ordinary log loads no grammar, no decompressor and no data library."""
    path = tmp_path / "log.txt"
    path.write_bytes(NEW)
    code = (
        "import sys; from mlperf_logging.parsing import read_log; assert len(read_log(sys.argv[1]).events) == 1;"
        "print(sorted({'lark', 'regex', 'gzip', 'lzma', 'zstandard', 'mmap', 'numpy', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def watch_dialect(asked: list[str]) -> Dialect:
    """The newest dialect, which notes when it is asked to read ordinary records or whether a record may hold an event."""

    class Watched(Dialect):
        def may_hold_event(self, raw: bytes) -> bool:
            asked.append("may hold")
            return super().may_hold_event(raw)

    newest = load_dialects()[0]

    def read_ordinary(*records: Any) -> list[Event] | None:
        asked.append("ordinary")
        return newest.read_ordinary(*records)

    return Watched(*newest._replace(read_ordinary=read_ordinary))


def test_records_that_are_not_ordinary_are_soon_read_one_by_one() -> None:
    """Where most records are not ordinary, few attempts are made to read many at once; no event is lost."""
    asked: list[str] = []
    odd = NEW.replace(b'"value": 7', b'"value": NaN') + b"\n"
    lines = (NEW + b"\n") * 300 + odd * 10_000 + (NEW + b"\n") * 300

    items = [item for batch in read_batches(lines, dialects=[watch_dialect(asked)]) for item in batch]

    assert [item.line for item in items if isinstance(item, Event)] == list(range(1, 10_601))
    assert asked.count("ordinary") < 2_000


def test_records_without_an_event_are_counted_many_at_once() -> None:
    """Once enough records that cannot be read are explained, the others are looked at together."""
    asked: list[str] = []
    lines = b":::MLLOG {\n" * 20_000 + NEW + b"\n"

    items = [item for batch in read_batches(lines, dialects=[watch_dialect(asked)]) for item in batch]

    assert [item.line for item in items if isinstance(item, Event)] == [20_001]
    assert asked.count("may hold") < 5_000


def test_odd_records_among_ordinary_ones_are_read_as_alone() -> None:
    """Events and problems are the same whether a record is read alone or among thousands of others of any kind."""
    kinds = [
        NEW,
        NEW.replace(b"7", b"NaN"),
        NEW.replace(b'"time_ms": 1', b'"time_ms": "1"'),
        NEW.replace(b"7", b'7, "value": 8'),
        NEW.replace(b"7", b"[" * 150 + b"]" * 150),
        NEW.replace(b"seed", b"se\xffed"),
        NEW.replace(b"seed", b"se\\ud800ed"),
        NEW + b" text",
        NEW + NEW,
    ]
    places = [number * number + number // 7 for number in range(90)]
    lines = [line for place in places for line in [kinds[place % len(kinds)]] * (1, 2, 40)[place % 3]]
    alone = [read_log(line) for line in lines]
    log = read_log(b"\n".join(lines))

    assert [event[:4] for event in log.events] == [event[:4] for each in alone for event in each.events]
    assert sorted(problem.label for problem in log.problems) == sorted(
        problem.label for each in alone for problem in each.problems
    )
