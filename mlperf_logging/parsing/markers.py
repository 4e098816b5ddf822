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
    """

    dialects: dict[bytes, Dialect]
    stem: bytes
    widest: int
    record: re.Pattern[bytes]
    bare: re.Pattern[bytes]


@cache
def compile_markers(dialects: tuple[Dialect, ...]) -> Markers:
    """Make ready to look for the markers of some dialects."""
    markers = sorted((dialect.marker for dialect in dialects), reverse=True)
    bare = b"|".join(re.escape(marker[:-1]) for marker in markers)
    return Markers(
        dialects={dialect.marker: dialect for dialect in dialects},
        stem=_find_stem(markers),
        widest=max(map(len, markers)),
        record=re.compile(b"|".join([re.escape(marker) for marker in markers])),
        bare=re.compile(b"(?:%s)(?![0-9A-Za-z_ ])" % bare),
    )


def _find_stem(markers: list[bytes]) -> bytes:
    """How all markers begin: as the first and the last of them in order."""
    first, last = min(markers), max(markers)
    same = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return first[: sum(1 for _ in same)]
