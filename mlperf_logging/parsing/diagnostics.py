"""What can be wrong with a record: a closed list of labels, each with its message and malformed samples.

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
        samples: malformed JSON that ends where the error shows.
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


def _unreadable(
    code: str, label: str, summary: str, *, fix: str = _USE_ENCODER, samples: tuple[str, ...] = ()
) -> DiagnosticKind:
    return DiagnosticKind(code, label, Severity.ERROR, summary, _NOT_READ, fix, samples)


def _error(code: str, label: str, summary: str, why: str, fix: str, *samples: str) -> DiagnosticKind:
    return DiagnosticKind(code, label, Severity.ERROR, summary, why, fix, samples)


def _warning(code: str, label: str, summary: str, why: str, fix: str) -> DiagnosticKind:
    return DiagnosticKind(code, label, Severity.WARNING, summary, why, fix)


KINDS = (
    _unreadable("MLP001", "not-json", "the record is not JSON at this place", samples=_at(_ANYWHERE, "?")),
    _error(
        "MLP002",
        "record-cut-short",
        "the record stops before its end",
        "A line that was cut, by a full disk or a killed process, has lost what it said.",
        "Write each record with one unbuffered write, and run again.",
        *_at(_ANYWHERE, ""),
    ),
    _unreadable(
        "MLP003",
        "single-quotes",
        "text stands in single quotes; JSON wants double quotes",
        samples=_at(_WANTS_VALUE + _WANTS_NAME, "'"),
    ),
    _unreadable(
        "MLP004",
        "python-literal",
        "True, False and None are not JSON; it has true, false and null",
        samples=_at(_WANTS_VALUE + _WANTS_NAME, "None"),
    ),
    _unreadable(
        "MLP005",
        "unquoted-text",
        "a word stands where JSON wants a value or text in double quotes",
        samples=_at(_WANTS_VALUE + _WANTS_NAME, "a"),
    ),
    _unreadable(
        "MLP006",
        "trailing-comma",
        "a comma stands before the closing bracket",
        fix="Take the comma away; better, write each record with a JSON encoder.",
        samples=('{"a": 1, }', "[1, ]"),
    ),
    _unreadable(
        "MLP007",
        "missing-comma",
        "a comma or a closing bracket is wanted here",
        fix="Look for a quote or a comma that is missing, or two records written over each other.",
        samples=_at(_WANTS_COMMA, '"b"', "2", "b", "None", "{", "[", "'"),
    ),
    _unreadable(
        "MLP008",
        "missing-colon",
        "a colon and a value are wanted after the name",
        fix="Look for a quote or a colon that is missing.",
        samples=_at(_WANTS_COLON, ",", "}", "]", '"b"', "1", "b", "None", "{", "[", "'"),
    ),
    _unreadable(
        "MLP009",
        "name-not-text",
        "the name of a member must be text in double quotes",
        samples=_at(_WANTS_NAME, "1", "{", "["),
    ),
    _unreadable(
        "MLP010",
        "malformed-number",
        "the number is not one that JSON knows",
        fix="Write numbers with a JSON encoder: no sign +, a digit before and after the point.",
        samples=(*_at(_WANTS_VALUE, "+"), '{"a": 01', "[01"),
    ),
    _unreadable(
        "MLP011",
        "malformed-text",
        "the text holds a control character or an unknown escape",
        fix="Write text with a JSON encoder, which escapes such characters.",
        samples=_at(_ANYWHERE, '"\x01', '"\\x', "\x01"),
    ),
    _error(
        "MLP012",
        "overwritten-bytes",
        "zero bytes stand within the record",
        "Zero bytes are what is left of text that was lost, for example when two writers use one file.",
        "Open the log for appending in each process that writes to it, and run again.",
        *_at(_ANYWHERE, '"\x00', "\x00"),
    ),
    _error(
        "MLP013",
        "text-after-the-record",
        "there is text after the record",
        "The rest of the line belongs to the record, and it is not JSON.",
        "End the line after each record; print nothing else to that line.",
    ),
    _error(
        "MLP014",
        "record-too-long",
        "the line goes on for more than {found} after the record's marker",
        "So long a line is taken for damage, and is not held in memory.",
        "Log large data to a file of its own, and its name here.",
    ),
    _error(
        "MLP015",
        "nested-too-deep",
        "lists or objects stand more than {found} deep in each other",
        "So deep a value is taken for damage.",
        "Log a flatter value.",
    ),
    _unreadable(
        "MLP016",
        "words-out-of-shape",
        "the words before the JSON are not those of a record",
        fix="Write time, key and whatever the dialect wants with one space between them, then a colon.",
    ),
    _unreadable(
        "MLP017",
        "missing-call-site",
        "the record does not say where it was logged",
        fix="Write file and line in brackets, as in (train.py:12), between time and key.",
    ),
    _unreadable(
        "MLP018",
        "more-unreadable-records",
        "{found} more of the log's records cannot be read; so many, or so long ones, are only counted",
        fix="Repair what is explained first, and check again.",
    ),
    _unreadable(
        "MLP020",
        "record-not-an-object",
        "the record is {found} where an object is wanted",
        fix='Write the record as an object with "key", "value", "metadata" and a time.',
    ),
    _error(
        "MLP021",
        "missing-time",
        "the record has no time",
        "Without a time the event cannot be placed in the run.",
        'Write "time_ms", the time in milliseconds since 1970.',
    ),
    _error(
        "MLP022",
        "missing-key",
        "the record has no key",
        "Without a key the event says nothing.",
        'Write "key", the name of the event.',
    ),
    _error(
        "MLP023",
        "missing-value",
        'the record has no "value"',
        "Each record says its value, and null where it has none.",
        'Write "value": null for an event without a value.',
    ),
    _error(
        "MLP024",
        "missing-metadata",
        'the record has no "metadata"',
        "Each record says where it was logged.",
        'Write "metadata": an object with at least "file" and "lineno".',
    ),
    _error(
        "MLP025",
        "key-not-text",
        "the key is {found} where text is wanted",
        "Without a key the event says nothing.",
        'Write "key", the name of the event, as text.',
    ),
    _error(
        "MLP026",
        "time-not-a-number",
        "the time is {found} where a number is wanted",
        "Without a time the event cannot be placed in the run.",
        "Write the time as a finite number.",
    ),
    _error(
        "MLP027",
        "time-in-seconds",
        'the record gives its time in "time_s" where "time_ms" is wanted',
        "The time is read from time_ms only.",
        'Write "time_ms", the time in milliseconds since 1970.',
    ),
    _error(
        "MLP028",
        "metadata-not-an-object",
        "the metadata is {found} where an object is wanted",
        "Rules read the members of the metadata.",
        'Write "metadata": an object with at least "file" and "lineno".',
    ),
    _warning(
        "MLP040",
        "two-events-on-a-line",
        "a second record begins on this line",
        "Both records are read here; the public checks read the last one only.",
        "End the line after each record.",
    ),
    _warning(
        "MLP041",
        "duplicate-json-key",
        "the name {found} stands twice in one object; the last one counts",
        "Readers differ in which one they take.",
        "Write each name once.",
    ),
    _warning(
        "MLP042",
        "nan-or-infinity",
        "the record holds a number that is not finite, which JSON does not know",
        "Strict JSON readers refuse the record.",
        "Write null, or text, for a number that is not finite.",
    ),
    _warning(
        "MLP043",
        "not-utf8",
        "the record is not UTF-8; its bytes are read as Latin-1",
        "Text may not come out as it was meant.",
        "Write the log in UTF-8.",
    ),
    _warning(
        "MLP044",
        "lone-surrogate",
        "the record's text holds half a character; it is read as U+FFFD",
        "Half a character cannot be written again.",
        "Cut text between characters, not within them.",
    ),
    _warning(
        "MLP045",
        "metadata-empty",
        "the metadata is {found}; it is read as an empty object",
        "Rules read the members of the metadata.",
        'Write "metadata": {} where there is none.',
    ),
    _warning(
        "MLP046",
        "time-as-text",
        "the time is the text {found}; it is read as a number",
        "Readers differ in whether they take text for a time.",
        "Write the time as a number.",
    ),
    _warning(
        "MLP047",
        "event-type-unknown",
        "the event type is {found}",
        "Readers do not know what it means.",
        "Write POINT_IN_TIME, INTERVAL_START or INTERVAL_END.",
    ),
    _warning(
        "MLP048",
        "older-dialect-record",
        "a record of the older dialect {found} is taken for noise",
        "The public checks read one dialect in a file.",
        "Log with one dialect.",
    ),
    _warning(
        "MLP049",
        "marker-without-record",
        "no space and no record follow the marker; it is taken for noise",
        "The public checks pass over such a line, too; if it was meant as a record, it is lost.",
        "Write one space after the marker.",
    ),
    _error(
        "MLP050",
        "file-cut-short",
        "the {found} data ends too early; what could be read was read",
        "What stood in the rest of the file is not known.",
        "Copy or compress the file again.",
    ),
)

KIND_OF_LABEL = {kind.label: kind for kind in KINDS}
"""The kinds of diagnostic by label."""
