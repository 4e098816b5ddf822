"""Records with doubts of kinds that are only counted: read many at once, without what it takes to explain them."""

from collections.abc import Callable, Sequence
from itertools import chain, islice
from typing import TypeAlias

from mlperf_logging.events import Event
from mlperf_logging.parsing.dialects import Dialect
from mlperf_logging.parsing.heads import EVENTLESS, HeadParser
from mlperf_logging.parsing.markers import Markers
from mlperf_logging.parsing.payloads import has_unbounded, may_be_unbounded
from mlperf_logging.parsing.record import Item, decode
from mlperf_logging.parsing.tally import Tally

Placed: TypeAlias = tuple[bytes, int, int]
"""Bytes of a log that begin with a record, the number of their line, and their column."""

_Outcome: TypeAlias = "tuple[list[Event], list[str]] | None"
"""The events of a segment and the labels of its doubts; None where it is to be read with care."""


class DoubtReader:
    """Reads records as `RecordReader` does where nothing of them is to be told any more, and leaves it the others."""

    def __init__(
        self,
        markers: Markers,
        parser: HeadParser,
        tally: Tally,
        read_with_care: Callable[[bytes, int, int], list[Item]],
    ) -> None:
        self._markers = markers
        self._parser = parser
        self._tally = tally
        self._read_with_care = read_with_care

    def read(self, dialect: Dialect, segments: Sequence[Placed], *, may_be_eventless: bool) -> list[Item]:
        """Read what stands between line ends and begins with a record of a dialect; the doubts are counted.

        A segment is read with care where a record of it is not plainly sound, or has a doubt that is to be told, or makes
        no event unless that is only counted, too.
        """
        whole = b"\n".join([raw for raw, _, _ in segments])
        if whole.count(self._markers.stem) == len(segments):
            outcomes = self._read_records(dialect, whole, segments)
        else:
            outcomes = self._read_several(dialect, whole, segments)
        items: list[Item] = []
        are_full = self._tally.are_full
        for (raw, line, column), outcome in zip(segments, outcomes, strict=True):
            if (
                outcome is None
                or (outcome[1] and not are_full(outcome[1]))
                or not (outcome[0] or may_be_eventless)
            ):
                items += self._read_with_care(raw, line, column - 1)
                continue
            events, labels = outcome
            for label in labels:
                self._tally.count(label, line, column, dialect.name)
            items += events
        return items

    def _read_records(self, dialect: Dialect, whole: bytes, records: Sequence[Placed]) -> list[_Outcome]:
        """Read records each of which fills a segment; the whole of them, too, to look at all at once."""
        try:
            texts, doubts = whole.decode().split("\n"), dict[int, list[str]]()
            if b"\\ud" in whole or b"\\uD" in whole:
                raise ValueError("to be looked at one by one")
        except ValueError:
            decoded = [decode(raw) for raw, _, _ in records]
            texts = [text for text, _ in decoded]
            doubts = {number: labels for number, (_, labels) in enumerate(decoded) if labels}
        parsed = self._parser.parse_many(dialect, texts, doubts)
        is_bounded = not may_be_unbounded(whole.decode("latin-1"))
        read_fields = dialect.read_fields
        outcomes: list[_Outcome] = []
        for number, fields in enumerate(parsed):
            if fields is None:
                outcomes.append(None)
                continue
            labels = doubts.get(number, [])
            if fields is EVENTLESS:
                outcomes.append(([], labels))
                continue
            raw, line, column = records[number]
            event, diagnostics = read_fields(fields, line, column, raw)
            if diagnostics:
                labels += [each[0] for each in diagnostics]
            if not is_bounded and has_unbounded(texts[number], fields.get("payload")):
                labels.append("nan-or-infinity")
            outcomes.append(([event] if event else [], labels))
        return outcomes

    def _read_several(self, dialect: Dialect, whole: bytes, segments: Sequence[Placed]) -> list[_Outcome]:
        """Read segments of which some hold several records, or markers within texts."""
        marker, stem = dialect.marker, self._markers.stem
        cut = [_cut(segment, marker, stem) for segment in segments]
        records = [*chain.from_iterable(cut)]
        outcomes = iter(self._read_records(dialect, b"\n".join([raw for raw, _, _ in records]), records))
        return [_join([*islice(outcomes, len(each))]) for each in cut]


def _cut(segment: Placed, marker: bytes, stem: bytes) -> list[Placed]:
    """The records of a segment, if each marker in it begins one of the same dialect; else nothing."""
    raw, line, column = segment
    first, *parts = raw.split(marker)
    if first or raw.count(stem) != len(parts):
        return []
    records = []
    for part in parts:
        record = marker + part
        records.append((record.rstrip(b" \t"), line, column))
        column += len(record)
    records[-1] = (record, *records[-1][1:])
    return records


def _join(outcomes: list[_Outcome]) -> _Outcome:
    """What a segment makes of what its records make; nothing is plain where text follows one within a line."""
    if len(outcomes) == 1:
        return outcomes[0]
    events: list[Event] = []
    labels = ["two-events-on-a-line"]
    for outcome in outcomes:
        if outcome is None or not outcome[0]:
            return None
        events += outcome[0]
        labels += outcome[1]
    return (events, labels) if outcomes else None
