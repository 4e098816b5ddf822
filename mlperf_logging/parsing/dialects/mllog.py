"""The dialect of one JSON object per record, times in milliseconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain, islice, repeat
from json import JSONDecoder
from typing import Annotated, Any, Literal, NoReturn

from mlperf_logging.events import Event
from mlperf_logging.parsing.columns import RecordColumns
from mlperf_logging.parsing.diagnostics import Diagnostic
from mlperf_logging.parsing.dialects import Dialect, Reading
from mlperf_logging.parsing.payloads import (
    DEPTH_LIMIT,
    LARGEST_TIME_MS,
    count_members,
    describe,
    has_members,
    make_event,
    read_metadata,
    read_time_ms,
)

NAME = "mllog"
EVENT_TYPES = ("POINT_IN_TIME", "INTERVAL_START", "INTERVAL_END")

_HEAD = len(":::MLLOG ")
_MEMBERS = 6  # of a record that has them all
_LISTS_STAND_AT = 3  # within the record and its metadata

FIRST_RUNS, RUN_RECORDS = 8, 256
"""So many runs of so many records of a process are read here; afterwards the fast library is loaded."""

_NAMESPACES = (str, int, type(None))
# Where the libraries could differ: escapes of half characters, integers and exponents beyond floats.
_DOUBTFUL = re.compile(rb"\\u|(?<![.0-9])[0-9]{16}|[eE]\+?[0-9]{3}")

_FIRST_RUNS = iter(range(FIRST_RUNS))


@cache
def _open_decoder() -> tuple[Callable[[bytes], list[Any]], Callable[[Any], tuple[Any, ...]], Any]:
    """The fast decoder of lines, what takes its records apart, and what it gives for a member that is not there."""
    from msgspec import UNSET, Meta, UnsetType, defstruct, json
    from msgspec.structs import astuple

    kinds = Literal["POINT_IN_TIME", "INTERVAL_START", "INTERVAL_END"] | None | UnsetType
    members: list[Any] = [
        ("key", str),
        ("value", Any),
        ("metadata", dict[str, Any]),
        ("time_ms", Annotated[int, Meta(ge=-LARGEST_TIME_MS, le=LARGEST_TIME_MS)] | float),
        ("event_type", kinds, UNSET),
        ("namespace", str | int | None | UnsetType, UNSET),
    ]
    return json.Decoder(defstruct("Record", members, gc=False)).decode_lines, astuple, UNSET


def read_ordinary(
    raws: Sequence[bytes], numbers: Sequence[int], columns: Sequence[int]
) -> list[Event] | None:
    """Read records all at once, in C; see `Dialect.read_ordinary`."""
    lines = b"\n".join([raw[_HEAD:].strip(b" \t") for raw in raws])
    records = read_columns(lines, len(raws)) if lines.count(b"}\n{") == len(raws) - 1 else None
    if records is None:
        return None
    keys, values, metadatas, times, types, namespaces = records
    rows = zip(
        keys, values, metadatas, times, numbers, columns, raws, types, namespaces, repeat(None), repeat(NAME)
    )
    return list(map(make_event, rows))


def read_columns(lines: bytes, count: int) -> RecordColumns | None:
    """Read what follows the markers of records, all at once, in C; see `Dialect.read_columns`.

    In no JSON value an object follows another without a comma. As many values as lines therefore prove that each line,
    which begins with a brace and ends with one, is a value.

    A record's text has at least one colon for each member of its objects. As many colons as members therefore
    prove that no member appears twice and that none was skipped.
    """
    if next(islice(_FIRST_RUNS, count // RUN_RECORDS, None), None) is not None:
        records = _read_plainly(lines.split(b"\n"))
        if records is not None:
            return records
    decode_lines, astuple, UNSET = _open_decoder()  # noqa: N806 - the library's name
    try:
        fields = list(zip(*map(astuple, decode_lines(lines)), strict=True))
    except (ValueError, RecursionError):
        return None
    if not fields or len(fields[0]) != count:
        return None
    keys, values, metadatas, times, types, namespaces = fields
    members = _MEMBERS * count + sum(map(len, metadatas))
    if UNSET in set(types):
        members -= types.count(UNSET)
        types = tuple([None if event_type is UNSET else event_type for event_type in types])
    if UNSET in set(namespaces):
        members -= namespaces.count(UNSET)
        namespaces = tuple(["" if namespace is UNSET else namespace for namespace in namespaces])
    colons = lines.count(b":")
    # Values and metadata are looked into only where they may hold more objects, which have colons, or too many lists in
    # each other.
    flat = 0 if members == colons else sum([len(value) for value in values if value.__class__ is dict])
    if members + flat != colons or _nests_deep(lines):
        members += count_members(values, 1)
        members += count_members(list(chain.from_iterable(map(dict.values, metadatas))), 2)
        if members != colons and not _each_name_once(lines.split(b"\n"), fields):
            return None
    return RecordColumns(keys, values, metadatas, times, types, namespaces)


def _nests_deep(lines: bytes) -> bool:
    """Whether lists may nest too deep in the record of some line."""
    most = DEPTH_LIMIT - _LISTS_STAND_AT
    place = -1
    for _ in range(most + 1):  # nearly all texts have few lists, and to count them takes longer
        place = lines.find(b"[", place + 1)
        if place < 0:
            return False
    return max(map(bytes.count, lines.split(b"\n"), repeat(b"["))) > most


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


_decode = JSONDecoder(parse_constant=_refuse_constant).decode


def _read_plainly(payloads: Sequence[bytes]) -> RecordColumns | None:
    """Read the first records of a process without the fast library, whose import costs as much as a log.

    A process that judges one log would spend more on that import than on decoding its few hundred records slowly. What
    is not plainly ordinary is declined.
    """
    rows = []
    try:
        for payload in payloads:
            record: dict[str, Any] = _decode(payload.decode())
            if record.__class__ is not dict or _DOUBTFUL.search(payload):
                return None
            key, metadata, time_ms = record["key"], record["metadata"], record["time_ms"]
            event_type, namespace = record.get("event_type"), record.get("namespace", "")
            if (
                key.__class__ is not str
                or metadata.__class__ is not dict
                or time_ms.__class__ not in (int, float)
                or event_type not in (None, *EVENT_TYPES)
                or namespace.__class__ not in _NAMESPACES
                or count_members((record,)) != payload.count(b":")
            ):
                return None
            rows.append((key, record["value"], metadata, time_ms, event_type, namespace))
    except (ValueError, KeyError, RecursionError):
        return None
    return RecordColumns(*zip(*rows, strict=True))


def _each_name_once(payloads: Sequence[bytes], fields: list[tuple[Any, ...]]) -> bool:
    """Whether no name appears twice in records of which some have more colons than members, in their texts."""
    _, values, metadatas, _, types, namespaces = fields
    _, _, unset = _open_decoder()
    for payload, value, metadata, event_type, namespace in zip(
        payloads, values, metadatas, types, namespaces, strict=True
    ):
        members = _MEMBERS - (event_type is unset) - (namespace is unset)
        if not has_members(payload, members + count_members((value, metadata), 1)):
            return False
    return True


def read_fields(fields: dict[str, Any], line: int, column: int, raw: bytes) -> Reading:
    """Make an event of a decoded record; see `Dialect.read_fields`."""
    record = fields["payload"]
    if record.__class__ is not dict:
        return None, [Diagnostic("record-not-an-object", "", describe(record))]
    diagnostics: list[Diagnostic] = []
    get = record.get
    key, time_ms, metadata, kind = get("key"), get("time_ms"), get("metadata"), get("event_type")
    has_key = key.__class__ is str
    if not has_key:
        missing = "key" not in record
        diagnostics.append(
            Diagnostic("missing-key") if missing else Diagnostic("key-not-text", "key", describe(key))
        )
    if time_ms.__class__ is not int or abs(time_ms) > LARGEST_TIME_MS:
        time_ms = read_time_ms(record, diagnostics)
    has_value = "value" in record
    if not has_value:
        diagnostics.append(Diagnostic("missing-value"))
    if metadata.__class__ is not dict:
        metadata = read_metadata(record, diagnostics)
    if kind is not None and kind not in EVENT_TYPES:
        diagnostics.append(Diagnostic("event-type-unknown", "event_type", describe(kind)))
        kind = kind if kind.__class__ is str else None
    if not has_key or time_ms is None or metadata is None or not has_value:
        return None, diagnostics
    row = (key, record["value"], metadata, time_ms, line, column, raw, kind, get("namespace", ""), None, NAME)
    return make_event(row), diagnostics


DIALECT = Dialect(
    name=NAME,
    rank=3,
    read_ordinary=read_ordinary,
    read_columns=read_columns,
    read_fields=read_fields,
    head_pattern=r"[ \t]*",
    needed_words=(b'"key"', b'"time_ms"', b'"value"', b'"metadata"'),
    last_bytes=b"}",
    key_pattern=r'"key"[ \t]*:[ \t]*"([A-Za-z0-9_]+)"',
)
