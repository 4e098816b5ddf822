"""The diagnostics that a log can hold: a closed list of labels, each with its words and malformed samples.

Codes and labels are stable and never reused. The samples of malformed JSON serve lark's ``match_examples``,
which gives a place in a record that cannot be read its label, and the tests and the documentation.
"""

from typing import NamedTuple

from mlperf_logging.events import Severity

RAW_LIMIT = 4096
"""A problem keeps at most this many bytes of its record."""


class DiagnosticKind(NamedTuple):
    """One kind of diagnostic.

    Attributes:
        code: ``MLP0xx``.
        label: the short name.
        severity: ``"error"`` or ``"warning"``.
        summary: the message; ``{found}`` stands for what the record holds.
        why: why it matters.
        fix: what to do about it.
        samples: malformed JSON that ends where it can be told what is wrong.
    """

    code: str
    label: str
    severity: Severity
    summary: str
    why: str
    fix: str
    samples: tuple[str, ...] = ()


class Diagnostic(NamedTuple):
    """Something wrong with what a record holds.

    Attributes:
        label: of its `DiagnosticKind`.
        field: the member of the record's object that is blamed; empty for the record as a whole.
        found: what the record holds there, in short, for the message.
    """

    label: str
    field: str = ""
    found: str = ""


_WANTS_VALUE = ("", '{"a": ', "[", "[1, ")
_WANTS_NAME = ("{", '{"a": 1, ')
_WANTS_COLON = ('{"a" ',)
_WANTS_COMMA = ('{"a": 1 ', "[1 ")
_ANYWHERE = _WANTS_VALUE + _WANTS_NAME + _WANTS_COLON + _WANTS_COMMA


def _at(places: tuple[str, ...], *errors: str) -> tuple[str, ...]:
    """Samples with some error at some places."""
    return tuple(place + error for error in errors for place in places)


_NOT_READ = "What cannot be read cannot be judged, and the public checks refuse a log with such a record."
_USE_ENCODER = "Write each record with a JSON encoder, not with str() or repr()."

KINDS = (
    DiagnosticKind(
        code="MLP001",
        label="not-json",
        severity=Severity.ERROR,
        summary="the record is not JSON at this place",
        why=_NOT_READ,
        fix=_USE_ENCODER,
        samples=_at(_ANYWHERE, "?"),
    ),
    DiagnosticKind(
        code="MLP002",
        label="record-cut-short",
        severity=Severity.ERROR,
        summary="the record stops before its end",
        why="A line that was cut, by a full disk or a killed process, has lost what it said.",
        fix="Write each record with one unbuffered write, and run again.",
        samples=_at(_ANYWHERE, ""),
    ),
    DiagnosticKind(
        code="MLP003",
        label="single-quotes",
        severity=Severity.ERROR,
        summary="text stands in single quotes; JSON wants double quotes",
        why=_NOT_READ,
        fix=_USE_ENCODER,
        samples=_at(_WANTS_VALUE + _WANTS_NAME, "'"),
    ),
    DiagnosticKind(
        code="MLP004",
        label="python-literal",
        severity=Severity.ERROR,
        summary="True, False and None are not JSON; it has true, false and null",
        why=_NOT_READ,
        fix=_USE_ENCODER,
        samples=_at(_WANTS_VALUE + _WANTS_NAME, "None"),
    ),
    DiagnosticKind(
        code="MLP005",
        label="unquoted-text",
        severity=Severity.ERROR,
        summary="a word stands where JSON wants a value or text in double quotes",
        why=_NOT_READ,
        fix=_USE_ENCODER,
        samples=_at(_WANTS_VALUE + _WANTS_NAME, "a"),
    ),
    DiagnosticKind(
        code="MLP006",
        label="trailing-comma",
        severity=Severity.ERROR,
        summary="a comma stands before the closing bracket",
        why=_NOT_READ,
        fix="Take the comma away; better, write each record with a JSON encoder.",
        samples=('{"a": 1, }', "[1, ]"),
    ),
    DiagnosticKind(
        code="MLP007",
        label="missing-comma",
        severity=Severity.ERROR,
        summary="a comma or a closing bracket is wanted here",
        why=_NOT_READ,
        fix="Look for a quote or a comma that is missing, or two records written over each other.",
        samples=_at(_WANTS_COMMA, '"b"', "2", "b", "None", "{", "[", "'"),
    ),
    DiagnosticKind(
        code="MLP008",
        label="missing-colon",
        severity=Severity.ERROR,
        summary="a colon and a value are wanted after the name",
        why=_NOT_READ,
        fix="Look for a quote or a colon that is missing.",
        samples=_at(_WANTS_COLON, ",", "}", "]", '"b"', "1", "b", "None", "{", "[", "'"),
    ),
    DiagnosticKind(
        code="MLP009",
        label="name-not-text",
        severity=Severity.ERROR,
        summary="the name of a member must be text in double quotes",
        why=_NOT_READ,
        fix=_USE_ENCODER,
        samples=_at(_WANTS_NAME, "1", "{", "["),
    ),
    DiagnosticKind(
        code="MLP010",
        label="malformed-number",
        severity=Severity.ERROR,
        summary="the number is not one that JSON knows",
        why=_NOT_READ,
        fix="Write numbers with a JSON encoder: no sign +, a digit before and after the point.",
        samples=(*_at(_WANTS_VALUE, "+"), '{"a": 01', "[01"),
    ),
    DiagnosticKind(
        code="MLP011",
        label="malformed-text",
        severity=Severity.ERROR,
        summary="the text holds a control character or an unknown escape",
        why=_NOT_READ,
        fix="Write text with a JSON encoder, which escapes such characters.",
        samples=_at(_ANYWHERE, '"\x01', '"\\x', "\x01"),
    ),
    DiagnosticKind(
        code="MLP012",
        label="overwritten-bytes",
        severity=Severity.ERROR,
        summary="zero bytes stand within the record",
        why="Zero bytes are what is left of text that was lost, for example when two writers use one file.",
        fix="Open the log for appending in each process that writes to it, and run again.",
        samples=_at(_ANYWHERE, '"\x00', "\x00"),
    ),
    DiagnosticKind(
        code="MLP013",
        label="text-after-the-record",
        severity=Severity.ERROR,
        summary="there is text after the record",
        why="The rest of the line belongs to the record, and it is not JSON.",
        fix="End the line after each record; print nothing else to that line.",
    ),
    DiagnosticKind(
        code="MLP014",
        label="record-too-long",
        severity=Severity.ERROR,
        summary="the line goes on for more than {found} after the record's marker",
        why="So long a line is taken for damage, and is not held in memory.",
        fix="Log large data to a file of its own, and its name here.",
    ),
    DiagnosticKind(
        code="MLP015",
        label="nested-too-deep",
        severity=Severity.ERROR,
        summary="lists or objects stand more than {found} deep in each other",
        why="So deep a value is taken for damage.",
        fix="Log a flatter value.",
    ),
    DiagnosticKind(
        code="MLP016",
        label="words-out-of-shape",
        severity=Severity.ERROR,
        summary="the words before the JSON are not those of a record",
        why=_NOT_READ,
        fix="Write time, key and whatever the dialect wants with one space between them, then a colon.",
    ),
    DiagnosticKind(
        code="MLP017",
        label="missing-call-site",
        severity=Severity.ERROR,
        summary="the record does not say where it was logged",
        why=_NOT_READ,
        fix="Write file and line in brackets, as in (train.py:12), between time and key.",
    ),
    DiagnosticKind(
        code="MLP020",
        label="record-not-an-object",
        severity=Severity.ERROR,
        summary="the record is {found} where an object is wanted",
        why=_NOT_READ,
        fix='Write the record as an object with "key", "value", "metadata" and a time.',
    ),
    DiagnosticKind(
        code="MLP021",
        label="missing-time",
        severity=Severity.ERROR,
        summary="the record has no time",
        why="Without a time the event cannot be placed in the run.",
        fix='Write "time_ms", the time in milliseconds since 1970.',
    ),
    DiagnosticKind(
        code="MLP022",
        label="missing-key",
        severity=Severity.ERROR,
        summary="the record has no key",
        why="Without a key the event says nothing.",
        fix='Write "key", the name of the event.',
    ),
    DiagnosticKind(
        code="MLP023",
        label="missing-value",
        severity=Severity.ERROR,
        summary='the record has no "value"',
        why="Each record says its value, and null where it has none.",
        fix='Write "value": null for an event without a value.',
    ),
    DiagnosticKind(
        code="MLP024",
        label="missing-metadata",
        severity=Severity.ERROR,
        summary='the record has no "metadata"',
        why="Each record says where it was logged.",
        fix='Write "metadata": an object with at least "file" and "lineno".',
    ),
    DiagnosticKind(
        code="MLP025",
        label="key-not-text",
        severity=Severity.ERROR,
        summary="the key is {found} where text is wanted",
        why="Without a key the event says nothing.",
        fix='Write "key", the name of the event, as text.',
    ),
    DiagnosticKind(
        code="MLP026",
        label="time-not-a-number",
        severity=Severity.ERROR,
        summary="the time is {found} where a number is wanted",
        why="Without a time the event cannot be placed in the run.",
        fix="Write the time as a finite number.",
    ),
    DiagnosticKind(
        code="MLP027",
        label="time-in-seconds",
        severity=Severity.ERROR,
        summary='the record gives its time in "time_s" where "time_ms" is wanted',
        why="The time is read from time_ms only.",
        fix='Write "time_ms", the time in milliseconds since 1970.',
    ),
    DiagnosticKind(
        code="MLP028",
        label="metadata-not-an-object",
        severity=Severity.ERROR,
        summary="the metadata is {found} where an object is wanted",
        why="Rules read the members of the metadata.",
        fix='Write "metadata": an object with at least "file" and "lineno".',
    ),
    DiagnosticKind(
        code="MLP040",
        label="two-events-on-a-line",
        severity=Severity.WARNING,
        summary="a second record begins on this line",
        why="Both records are read here; the public checks read the last one only.",
        fix="End the line after each record.",
    ),
    DiagnosticKind(
        code="MLP041",
        label="duplicate-json-key",
        severity=Severity.WARNING,
        summary="the name {found} stands twice in one object; the last one counts",
        why="Readers differ in which one they take.",
        fix="Write each name once.",
    ),
    DiagnosticKind(
        code="MLP042",
        label="nan-or-infinity",
        severity=Severity.WARNING,
        summary="the record holds a number that is not finite, which JSON does not know",
        why="Strict JSON readers refuse the record.",
        fix="Write null, or text, for a number that is not finite.",
    ),
    DiagnosticKind(
        code="MLP043",
        label="not-utf8",
        severity=Severity.WARNING,
        summary="the record is not UTF-8; its bytes are read as Latin-1",
        why="Text may not come out as it was meant.",
        fix="Write the log in UTF-8.",
    ),
    DiagnosticKind(
        code="MLP044",
        label="lone-surrogate",
        severity=Severity.WARNING,
        summary="the record's text holds half a character; it is read as U+FFFD",
        why="Half a character cannot be written again.",
        fix="Cut text between characters, not within them.",
    ),
    DiagnosticKind(
        code="MLP045",
        label="metadata-empty",
        severity=Severity.WARNING,
        summary="the metadata is {found}; it is read as an empty object",
        why="Rules read the members of the metadata.",
        fix='Write "metadata": {} where there is none.',
    ),
    DiagnosticKind(
        code="MLP046",
        label="time-as-text",
        severity=Severity.WARNING,
        summary="the time is the text {found}; it is read as a number",
        why="Readers differ in whether they take text for a time.",
        fix="Write the time as a number.",
    ),
    DiagnosticKind(
        code="MLP047",
        label="event-type-unknown",
        severity=Severity.WARNING,
        summary="the event type is {found}",
        why="Readers do not know what it means.",
        fix="Write POINT_IN_TIME, INTERVAL_START or INTERVAL_END.",
    ),
    DiagnosticKind(
        code="MLP048",
        label="older-dialect-record",
        severity=Severity.WARNING,
        summary="a record of the older dialect {found} is taken for noise",
        why="The public checks read one dialect in a file.",
        fix="Log with one dialect.",
    ),
    DiagnosticKind(
        code="MLP049",
        label="marker-without-record",
        severity=Severity.WARNING,
        summary="no space and no record follow the marker; it is taken for noise",
        why="The public checks pass over such a line, too; if it was meant as a record, it is lost.",
        fix="Write one space after the marker.",
    ),
    DiagnosticKind(
        code="MLP050",
        label="file-cut-short",
        severity=Severity.ERROR,
        summary="the {found} data ends too early; what could be read was read",
        why="What stood in the rest of the file is not known.",
        fix="Copy or compress the file again.",
    ),
)

KIND_OF_LABEL = {kind.label: kind for kind in KINDS}
"""The kinds of diagnostic by label."""
