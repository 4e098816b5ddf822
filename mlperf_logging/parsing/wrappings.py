"""Logs that their surroundings have wrapped: recognized by what they look like, and unwrapped line by line.

A container runtime, a scheduler, a terminal or an export puts its own shell around each line. The rounds' public checks
cannot read such a log, so it stays an error; but the records inside are read where that is certain.

An unwrapped log has as many lines as the wrapped one, so that findings name the file's own lines.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise
from typing import NamedTuple

from mlperf_logging.events import Severity
from mlperf_logging.parsing.reader import read_log

SAMPLE_BYTES = 1 << 16
"""What is looked at, from the first record of a log on, to recognize a wrapping."""

LONGEST_LINE = 4 << 20
_MOST_LAYERS = 4
_LEAST_RECORDS = 3
_STEM = b":::ML"
_SIGN = re.compile(rb":\0?:\0?:\0?M\0?L")
_RECORD = re.compile(rb":::ML(?:LOG|L|Pv0\.5\.0) [^{\n]{0,300}(?=\{)")
_DECODE = json.JSONDecoder(strict=False).raw_decode

Lines = Iterator["bytes | None"]
"""Lines without their ends; None stands for a line whose text has gone into one before it."""


class Wrapping(NamedTuple):
    """One way to wrap a log.

    Attributes:
        name: stable name.
        title: what it does to records, after "3 records are".
        unwrap: lines as they are to lines without the wrapping.
    """

    name: str
    title: str
    unwrap: Callable[[Lines], Lines]


def recognize_wrappings(blocks: Iterable[object]) -> tuple[Wrapping, ...]:
    """The wrappings of a log, the outermost first, by the beginning of it; empty where it has none."""
    return tuple(find_wrappings(_take_sample(iter(blocks)), _count_records))


def _count_records(log: bytes) -> tuple[int, int]:
    found = read_log(log)
    return len(found.events), sum(problem.severity == Severity.ERROR for problem in found.problems)


def find_wrappings(sample: bytes, count: Callable[[bytes], tuple[int, int]]) -> list[Wrapping]:
    """The wrappings of a log, the outermost first; empty where it has none.

    Args:
        sample: the beginning of the log.
        count: counts the records of some bytes that can be read, and those that cannot.
    """
    found: list[Wrapping] = []
    sample = sample[: sample.rfind(b"\n") + 1] or sample  # a line that the sample cuts would look damaged
    before = readable = damaged = -1
    while len(found) < _MOST_LAYERS:
        for wrapping in _list_candidates(sample):
            if readable < 0:  # most damaged logs do not look wrapped, and need no counting
                readable, damaged = count(sample)
                before = readable
            inside = b"\n".join(line for line in wrapping.unwrap(_split(sample)) if line is not None) + b"\n"
            now_readable, now_damaged = count(inside)
            if (wrapping.name in _OUTER and _STEM in inside) or (
                now_readable >= readable + _LEAST_RECORDS and (now_damaged < damaged or not now_damaged)
            ):
                found.append(wrapping)
                sample, readable, damaged = inside, now_readable, now_damaged
                break
        else:
            break
    return found if readable > before else []


def unwrap_blocks(
    blocks: Iterable[bytes], wrappings: Iterable[Wrapping], *, filled: bool = False
) -> Iterator[bytes]:
    """Blocks of a wrapped log to lines of the log inside.

    Args:
        blocks: the wrapped log.
        wrappings: the outermost first.
        filled: write an empty line for each line that has gone into another one, so that numbers of lines stay.
    """
    lines: Lines = split_lines(blocks)
    for wrapping in wrappings:
        lines = wrapping.unwrap(lines)
    return ((line or b"") + b"\n" for line in lines if filled or line is not None)


def split_lines(blocks: Iterable[bytes]) -> Lines:
    """The lines in blocks of bytes, without their ends; of a very long one the beginning."""
    rest: list[bytes] = []
    size = 0
    for block in blocks:
        *lines, last = block.split(b"\n")
        for line in lines:
            yield b"".join([*rest, line])[:LONGEST_LINE].removesuffix(b"\r")
            rest, size = [], 0
        if size < LONGEST_LINE:
            rest.append(last)
            size += len(last)
    if size:
        yield b"".join(rest)[:LONGEST_LINE].removesuffix(b"\r")


def describe_wrappings(wrappings: Iterable[Wrapping]) -> str:
    """What wrappings do to records, in words."""
    return ", ".join(wrapping.title for wrapping in wrappings)


def _split(sample: bytes) -> Lines:
    return split_lines((sample,))


def _list_candidates(sample: bytes) -> Iterator[Wrapping]:
    """The wrappings that a sample may have."""
    lines = [line or b"" for line in _split(sample)]
    if sample.count(b"\0") * 3 > len(sample):
        yield _find_utf16(sample)
    if sum(line.startswith(b'{"log":') for line in lines) * 2 > len(lines):
        yield Wrapping("docker-json", "inside Docker's JSON log lines", _unwrap_docker)
    if sum(_CRI.match(line) is not None for line in lines) * 2 > len(lines):
        yield Wrapping("kubernetes-cri", "split over Kubernetes' container log lines", _unwrap_cri)
    if b"&quot;" in sample or b"&#34;" in sample:
        yield Wrapping("html", "inside an HTML export", _unwrap_html)
    if b'""key""' in sample or b'""metadata""' in sample:
        yield Wrapping("csv", "inside a CSV export, with doubled quotes", _unwrap_csv)
    if b"b'" in sample or b'b"' in sample:
        yield Wrapping("bytes-repr", "written as the repr of Python bytes", _unwrap_repr)
    width = _find_width(lines)
    if width:
        title = f"broken over several lines of {width} characters"
        yield Wrapping("broken-lines", title, lambda lines: _join_broken(lines, width))
    tails = Counter(tail for line in lines if (tail := _split_record(line)[1]))
    if tails.total() >= _LEAST_RECORDS:
        yield Wrapping("text-behind", f"followed by {_name_tail(tails)}", _cut_tails)


_OUTER = ("utf-16", "docker-json", "kubernetes-cri")
"""Wrappings that may hide another one: they are taken off even where what is inside cannot be read yet."""


def _find_utf16(sample: bytes) -> Wrapping:
    big = sample.startswith(b"\xfe\xff") or (not sample.startswith(b"\xff\xfe") and sample[:1] == b"\0")
    encoding = "utf-16-be" if big else "utf-16-le"

    def unwrap(lines: Lines) -> Lines:
        # A line feed is two bytes, of which lines are split at one: what is left over is the half of a character.
        for line, more in pairwise(chain(lines, (None,))):
            text = line or b""
            text = text.removesuffix(b"\0") if big else text.removeprefix(b"\0")
            if text or more is not None:
                yield text.decode(encoding, "replace").removeprefix("\ufeff").removesuffix("\r").encode()

    return Wrapping("utf-16", "in UTF-16, not in UTF-8", unwrap)


def _unwrap_docker(lines: Lines) -> Lines:
    """The text of the ``log`` members; one without a line feed goes on in the next line."""

    def read(line: bytes) -> tuple[bytes, bool] | None:
        try:
            text = json.loads(line)["log"]
            return text.removesuffix("\n").removesuffix("\r").encode("utf-8", "replace"), text.endswith("\n")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    return _join(lines, read)


_CRI = re.compile(rb"\d{4}-\d\d-\d\dT\S+ (?:stdout|stderr) ([FP])(?::\S+)? (.*)", re.DOTALL)


def _unwrap_cri(lines: Lines) -> Lines:
    """The text behind time, stream and tag; tag P says that it goes on in the next line."""

    def read(line: bytes) -> tuple[bytes, bool] | None:
        found = _CRI.match(line)
        return None if found is None else (found[2], found[1] == b"F")

    return _join(lines, read)


def _join(lines: Lines, read: Callable[[bytes], tuple[bytes, bool] | None]) -> Lines:
    """What is read of each line, up to those that end one; lines that cannot be read stay as they are."""
    parts: list[bytes] = []
    for line in lines:
        found = read(line or b"")
        text, ends = (line or b"", True) if found is None else found
        parts.append(text)
        if ends or sum(map(len, parts)) > LONGEST_LINE:
            yield b"".join(parts)
            yield from [None] * (len(parts) - 1)
            parts = []
    if parts:
        yield b"".join(parts)
        yield from [None] * (len(parts) - 1)


def _unwrap_html(lines: Lines) -> Lines:
    from html import unescape

    for line in lines:
        text = re.sub(rb"<[^<>]*>", b"", line or b"").decode("utf-8", "surrogateescape")
        yield unescape(text).encode("utf-8", "surrogateescape")


def _unwrap_csv(lines: Lines) -> Lines:
    """The cell of each row that holds a record."""
    import csv

    for line in lines:
        text = (line or b"").decode("utf-8", "surrogateescape")
        if '""' in text and _STEM in (line or b""):
            try:
                cells = next(csv.reader([text]), [])
                text = next((cell for cell in cells if _STEM.decode() in cell), text)
            except csv.Error:
                pass
        yield text.encode("utf-8", "surrogateescape")


def _unwrap_repr(lines: Lines) -> Lines:
    from ast import literal_eval

    for line in lines:
        found = re.search(rb"""b(['"]).*\1""", line or b"", re.DOTALL)
        if found is None or _STEM not in found[0]:
            yield line
            continue
        try:
            yield bytes(literal_eval(found[0].decode("ascii"))).rstrip(b"\r\n").replace(b"\n", b" ")
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            yield line


def _find_width(lines: list[bytes]) -> int:
    """Characters of the lines that records are broken into, 0 where none are."""
    cut = [
        line
        for line in lines
        if line and (found := _RECORD.search(line)) and _find_end(line, found.end()) is None
    ]
    widths = Counter(map(_measure, cut))
    width = max(map(_measure, lines), default=0)
    return width if widths[width] >= _LEAST_RECORDS and width > 20 else 0


def _measure(line: bytes) -> int:
    return len(line.decode("utf-8", "replace"))


def _join_broken(lines: Lines, width: int) -> Lines:
    """Records that go on in the lines behind them, joined up to the end of their JSON."""
    for line in lines:
        found = _RECORD.search(line or b"")
        if (
            line is None
            or found is None
            or _measure(line) != width
            or _find_end(line, found.end()) is not None
        ):
            yield line
            continue
        parts = [line]
        for more in lines:
            parts.append(more or b"")
            joined = b"".join(parts)
            if _measure(parts[-1]) != width or len(joined) > LONGEST_LINE:
                break
            if parts[-1].endswith(b"}") and _find_end(joined, found.end()) is not None:
                break
        yield b"".join(parts)
        yield from [None] * (len(parts) - 1)


def _cut_tails(lines: Lines) -> Lines:
    for line in lines:
        yield _split_record(line)[0]


def _split_record(line: bytes | None) -> tuple[bytes | None, bytes]:
    """A line up to the end of its record, and the text behind it; another record is not such a text."""
    found = _RECORD.search(line) if line else None
    end = _find_end(line, found.end()) if line and found else None
    if line is None or end is None:
        return line, b""
    tail = line[end:].strip()
    return (line, b"") if _STEM in tail else (line[:end], tail)


def _find_end(line: bytes, start: int) -> int | None:
    """Where the JSON object that begins at a place of a line ends; None where it does not."""
    text = line[start:].decode("utf-8", "surrogateescape")
    try:
        _, end = _DECODE(text)
    except (ValueError, RecursionError):
        return None
    return start + len(text[:end].encode("utf-8", "surrogateescape"))


_NAMED_TAILS = (
    (re.compile(rb"\[repeated \d+x across cluster\]"), "Ray's note of repeated lines"),
    (re.compile(rb"\x1b\["), "ANSI color codes"),
)


def _name_tail(tails: Counter[bytes]) -> str:
    """What stands behind records, in words."""
    tail = tails.most_common(1)[0][0]
    for pattern, name in _NAMED_TAILS:
        if pattern.search(tail):
            return name
    shown = tail.decode("utf-8", "replace")
    return f"the text {shown if len(shown) <= 40 else shown[:39] + '…'!r}"


class UnwrappedFile:
    """The log inside a wrapped one, as a file to be read."""

    def __init__(self, lines: Iterator[bytes], name: str) -> None:
        self.name = name
        self._lines = lines

    def read(self, size: int) -> bytes:
        """The next lines, some `size` bytes of them; nothing at the end."""
        lines: list[bytes] = []
        for line in self._lines:
            lines.append(line)
            size -= len(line)
            if size <= 0:
                break
        return b"".join(lines)


def _take_sample(blocks: Iterator[object]) -> bytes:
    """The part of a log that begins with the line of the first record; of UTF-16, the log from its beginning on.

    Which byte of a character is the first shows at the beginning of the file only.
    """
    rest, start = b"", -1
    for block in blocks:
        rest += block if isinstance(block, bytes) else b""
        is_wide = rest.count(b"\0") * 3 > len(rest)
        found = _SIGN.search(rest)
        if found is not None:
            start = 0 if is_wide else rest.rfind(b"\n", 0, found.start()) + 1
            break
        if not is_wide:
            rest = rest[rest.rfind(b"\n") + 1 :][-SAMPLE_BYTES:]
        elif len(rest) > LONGEST_LINE:
            break
    if start < 0:
        return b""
    wanted = start + SAMPLE_BYTES + (found.start() if found is not None and not start else 0)
    for block in blocks:
        if len(rest) >= wanted:
            break
        rest += block if isinstance(block, bytes) else b""
    return rest[start:wanted]
