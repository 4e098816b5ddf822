"""Dialects: found in their folder, and read by their grammar as by their fast path."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from grammar_reader import read_events_by_grammar

from mlperf_logging.events import Event
from mlperf_logging.parsing import dialects as package
from mlperf_logging.parsing import rank_dialect, read_batches, read_log
from mlperf_logging.parsing.dialects import load_dialects, mllog, read_marker

MADE_UP_GRAMMAR = """
// Key and value in the open.
//   :::ML9 12 key = 5
start: MARKER TIME KEY "=" value REST?
MARKER: ":::ML9 "
TIME: /[0-9]+/
KEY: /[a-z]+/
%import .json (value, REST, WS)
%ignore WS
"""

MADE_UP_MODULE = """
from mlperf_logging.events import Event
from mlperf_logging.parsing.dialects import Dialect

def read_ordinary(raws, numbers, columns):
    return None

def read_fields(fields, line, column, raw):
    return Event(fields["key"], fields["payload"], {}, int(fields["time"]), line, column, raw, dialect="ml9"), []

DIALECT = Dialect(
    name="ml9", rank=9, read_ordinary=read_ordinary, read_fields=read_fields,
    key_pattern=r":::ML9 [0-9]+ ([a-z]+)", sample_head="1 k = ",
)
"""


@pytest.fixture
def made_up_dialect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A dialect that is its two files and nothing more."""
    (tmp_path / "ml9.lark").write_text(MADE_UP_GRAMMAR)
    (tmp_path / "ml9.py").write_text(MADE_UP_MODULE)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    caches = [load_dialects, package._find_grammar]
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_dialects_newest_first() -> None:
    """The folder's dialects are found, the newest first, each with its marker."""
    assert [(dialect.name, dialect.marker) for dialect in load_dialects()] == [
        ("mllog", b":::MLLOG "),
        ("mll", b":::MLL "),
        ("mlp050", b":::MLPv0.5.0 "),
    ]


def test_ranks() -> None:
    """Newer dialects rank higher, and what is not a dialect lowest."""
    names = ["", "no such dialect", "mlp050", "mll", "mllog"]
    assert sorted(names, key=rank_dialect) == names
    assert rank_dialect("no such dialect") == -1


@pytest.mark.usefixtures("made_up_dialect")
def test_a_dialect_is_two_files() -> None:
    """A new grammar and a new module make a dialect: read, reported on, and newer than the others."""
    data = b'0: :::ML9 12 seed = 5\n:::ML9 13 seed = None\n:::MLLOG {"time_ms": 1, "key": "k", "value": 1, "metadata": {}}'
    log = read_log(data)
    assert log.dialect == "ml9"
    assert [(event.key, event.value, event.time_ms, event.column) for event in log.events] == [
        ("seed", 5, 12, 4)
    ]
    assert [(problem.label, problem.key, problem.column) for problem in log.problems] == [
        ("python-literal", "seed", 18),
        ("older-dialect-record", "k", 1),
    ]
    assert len(read_events_by_grammar(data)) == 3


@pytest.mark.parametrize("grammar", ["start: value", 'MARKER: "MLLOG "', 'MARKER: ":::MLLOG"', ""])
def test_grammar_without_a_marker_is_refused(grammar: str, tmp_path: Path) -> None:
    """A grammar says its marker in one line, which begins and ends as all markers do."""
    path = tmp_path / "odd.lark"
    path.write_text(grammar)
    with pytest.raises(ValueError, match="a dialect needs a line MARKER"):
        read_marker(str(path))


ORDINARY = [
    b':::MLLOG {"namespace": "", "time_ms": 1, "event_type": "POINT_IN_TIME", "key": "k", "value": 1, "metadata": {}}',
    b':::MLLOG {"time_ms": 1.5, "key": "k", "value": {"a": [1, {"b": "x: y"}]}, "metadata": {"file": "C:\\\\a", "b": [{}]}}',
    b':::MLLOG {"namespace": 0, "time_ms": 1, "event_type": null, "key": "k", "value": 18446744073709551616, "metadata": {}}',
]


@pytest.fixture(params=[0, 99], ids=["fast library", "standard library first"])
def first_runs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode with the fast library at once, or with the standard library as in the first runs of a process."""
    monkeypatch.setattr(mllog, "_FIRST_RUNS", iter(range(request.param)))


@pytest.mark.usefixtures("first_runs")
@pytest.mark.parametrize("raw", ORDINARY)
def test_fast_path_takes_ordinary_records(raw: bytes) -> None:
    """Records of the usual shapes need no grammar, and come out as the grammar reads them."""
    expected = read_events_by_grammar(raw)
    assert [repr(item) for item in mllog.read_ordinary([raw], [1], [1]) or []] == list(map(repr, expected))


def test_first_runs_need_no_fast_library() -> None:
    """The first records of a process are read by the standard library."""
    records = mllog._read_plainly([ORDINARY[0].removeprefix(b":::MLLOG ")])
    (event,) = read_events_by_grammar(ORDINARY[0])
    assert isinstance(event, Event)
    assert records == tuple([(field,) for field in (*event[:4], event.event_type, event.namespace)])


@pytest.mark.parametrize(
    "record",
    [
        ':::MLLOG {{"time_ms": {}, "key": "k", "value": 1, "metadata": {{}}}}',
        ':::MLLOG {{"time_ms": -{}, "key": "k", "value": 1, "metadata": {{}}}}',
        ':::MLL {} k: {{"value": 1, "metadata": {{}}}}',
        ":::MLPv0.5.0 b {} (a.py:1) k: 1",
    ],
)
def test_a_time_beyond_all_times_is_none(record: str) -> None:
    """A whole number that no clock shows, and with which nothing can be computed, is not a time."""
    log = read_log(record.format("1" + "0" * 400).encode())

    assert log.events == []
    assert [problem.label for problem in log.problems] == ["time-not-a-number"]


DOUBTFUL = [
    b':::MLLOG {"time_ms": 1, "key": "k", "value": 1, "metadata": {}, "key": "k"}',
    b':::MLLOG {"time_ms": 1, "key": "k", "value": {"a": 1, "a": 2}, "metadata": {}}',
    b':::MLLOG {"time_ms": 1, "key": "k", "value": NaN, "metadata": {}}',
    b':::MLLOG {"time_ms": 1, "key": "k", "value": 1e999, "metadata": {}}',
    b':::MLLOG {"time_ms": 1e999, "key": "k", "value": 1, "metadata": {}}',
    b':::MLLOG {"time_ms": 9223372036854775807, "key": "k", "value": 1, "metadata": {}}',
    b':::MLLOG {"time_ms": -1' + b"0" * 400 + b', "key": "k", "value": 1, "metadata": {}}',
    b':::MLLOG {"time_ms": true, "key": "k", "value": 1, "metadata": {}}',
    b':::MLLOG {"time_ms": "1", "key": "k", "value": 1, "metadata": {}}',
    b':::MLLOG {"time_ms": 1, "key": 5, "value": 1, "metadata": {}}',
    b':::MLLOG {"time_ms": 1, "key": "k", "value": 1, "metadata": ""}',
    b':::MLLOG {"time_ms": 1, "key": "k", "metadata": {}}',
    b':::MLLOG {"time_ms": 1, "key": "k", "value": 1, "metadata": {}, "event_type": "POINT"}',
    b':::MLLOG {"time_ms": 1, "key": "k", "value": "\\ud800", "metadata": {}}',
    b':::MLLOG {"time_ms": 1, "key": "k", "value": "\xff", "metadata": {}}',
    b':::MLLOG {"time_ms": 1, "\xff": "k", "key": "k", "value": 1, "metadata": {}}',
    b':::MLLOG {"time_ms": 1, "key": "k", "value": ' + b"[" * 101 + b"]" * 101 + b', "metadata": {}}',
    b':::MLLOG {"time_ms": 1, "key": "k", "value": 1, "metadata": {"a": ' + b"[" * 101 + b"]" * 101 + b"}}",
    b':::MLLOG {"time_ms": 1, "key": "k", "value": 1, "metadata": {}} :::MLL ',
    b":::MLLOG 5",
    b":::MLLOG ",
]


@pytest.mark.usefixtures("first_runs")
@pytest.mark.parametrize("raw", DOUBTFUL)
def test_fast_paths_decline_doubtful_records(raw: bytes) -> None:
    """What is not plainly ordinary is left to the grammar, alone or among others."""
    for raws in ([raw], [*ORDINARY, raw]):
        numbers, columns = range(len(raws)), [1] * len(raws)
        assert mllog._read_plainly([each.removeprefix(b":::MLLOG ") for each in raws]) is None
        assert mllog.read_ordinary(raws, numbers, columns) is None


TWO_IN_ONE = b'%s {"time_ms": 1, "key": "k", "value": 1, "metadata": {}}' % ORDINARY[0]


@pytest.mark.usefixtures("first_runs")
@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (b':::MLLOG {"time_ms": 1, "key": "k", "metadata": {}, "value": [1,', b":::MLLOG 2]}"),
        (b':::MLLOG {"time_ms": 1, "key": "k", "metadata": {}, "value":', b":::MLLOG {}}"),
        (b':::MLLOG {"time_ms": 1, "key": "k", "metadata": {}', b':::MLLOG , "value": {}}'),
        (b':::MLLOG {"time_ms": 1, "key": "k", "metadata": {}', b':::MLLOG {"value": {}}'),
    ],
)
def test_two_values_in_one_record_do_not_make_up_for_one_in_two(begin: bytes, end: bytes) -> None:
    """As many values as records are not enough: each record is one."""
    raws = [TWO_IN_ONE, begin, end]
    assert mllog.read_ordinary(raws, [1, 2, 3], [1, 1, 1]) is None
    data = b"\n".join(raws)
    assert list(chain.from_iterable(read_batches(data))) == read_events_by_grammar(data)


def test_blanks_around_a_record_are_not_out_of_the_ordinary() -> None:
    """Launchers pad lines: such records are read with the others, and keep their bytes."""
    raws = [ORDINARY[0].replace(b"{", b" \t{", 1), ORDINARY[0] + b" \t", ORDINARY[0]]
    events = mllog.read_ordinary(raws, [1, 2, 3], [1, 1, 1])
    assert events == read_events_by_grammar(b"\n".join(raws))
