"""Markers, which begin records, ready to be looked for."""

import re
from functools import cache
from itertools import takewhile
from typing import NamedTuple

from mlperf_logging.parsing.dialects import Dialect


class Markers(NamedTuple):
    """The markers of some dialects, ready to be looked for.

    Attributes:
        dialects: the dialects by their markers.
        stem: how all the markers begin.
        widest: length of the longest marker.
        record: pattern of all markers, the longest first.
        bare: pattern of a marker that no space and no further letter follows.
        payloads: by marker, the pattern of all markers whose only group is what follows this one up to a line feed, if that
            begins with a brace and ends with one, but for blanks; it is empty for others.
    """

    dialects: dict[bytes, Dialect]
    stem: bytes
    widest: int
    record: re.Pattern[bytes]
    bare: re.Pattern[bytes]
    payloads: dict[bytes, re.Pattern[bytes]]


@cache
def compile_markers(dialects: tuple[Dialect, ...]) -> Markers:
    """Make ready to look for the markers of some dialects."""
    markers = sorted((dialect.marker for dialect in dialects), reverse=True)
    bare = b"|".join(re.escape(marker[:-1]) for marker in markers)
    stem = _find_stem(markers)
    return Markers(
        dialects={dialect.marker: dialect for dialect in dialects},
        stem=stem,
        widest=max(map(len, markers)),
        record=re.compile(b"|".join([re.escape(marker) for marker in markers])),
        bare=re.compile(b"(?:%s)(?![0-9A-Za-z_ ])" % bare),
        payloads={marker: _compile_payload(stem, marker) for marker in markers},
    )


def _compile_payload(stem: bytes, marker: bytes) -> re.Pattern[bytes]:
    rest = re.escape(marker.removeprefix(stem))
    return re.compile(rb"(?m)%s(?:%s(\{.*\}[ \t]*)$|)" % (re.escape(stem), rest))


def _find_stem(markers: list[bytes]) -> bytes:
    """How all markers begin: as the first and the last of them in order."""
    first, last = min(markers), max(markers)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return first[: sum(1 for _ in same)]
