"""The slow reader: lark's own lexer and the grammars for every record, and no shortcut anywhere.

It says what the fast reader must give. Tests compare the two; nothing else uses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing.dialects import Dialect, load_dialects
from mlperf_logging.parsing.grammar import open_grammars
from mlperf_logging.parsing.record import make_problem
from mlperf_logging.parsing.records import RecordReader
from mlperf_logging.parsing.scanner import RECORD_LIMIT
from mlperf_logging.parsing.sources import CutShort, Source, read_blocks

_LINE_END = re.compile(rb"[\r\n]")


def read_events_by_grammar(
    source: Source, *, dialects: Iterable[Dialect] | None = None, record_limit: int = RECORD_LIMIT
) -> list[Event | Problem]:
    """Read a log by its grammars alone.

    Args:
        source: path, "-" for standard input, bytes, or a file object opened for reading bytes.
        dialects: the dialects to look for; None for all.
        record_limit: from the marker of its first record on, a line is read up to this many bytes.

    Returns:
        All that `read_batches` gives, in one list. The whole log is held in memory.

    Raises:
        UnreadableLogError: the file cannot be opened or its compression is broken.
    """
    known = tuple(dialects) if dialects is not None else load_dialects()
    reader = RecordReader(known, open_grammars(eager=False))
    blocks = list(read_blocks(source))
    cut = blocks.pop() if blocks and isinstance(blocks[-1], CutShort) else None
    data = b"".join(block for block in blocks if isinstance(block, bytes))
    items: list[Event | Problem] = []
    line, line_start, start = 1, 0, 0
    for end in [*(found.start() for found in _LINE_END.finditer(data)), len(data)]:
        segment, offset = data[start:end], start - line_start
        record = reader.find_record(segment)
        if 0 <= record < len(segment) - record_limit:
            items += reader.refuse_long(segment, record, line, offset, record_limit)
        else:
            items += reader.read(segment, line, offset)
        start = end + 1
        if data[end : end + 1] == b"\n":
            line, line_start = line + 1, start
    items += reader.report_counted()
    if isinstance(cut, CutShort):
        items.append(make_problem("file-cut-short", line, 1, b"", cut.compression))
    return items
