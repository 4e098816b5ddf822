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
        summary: the message; ``{found}`` stands for what the record contains.
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
        found: what the record contains there, in short, for the message.
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


_NOT_READ = "What cannot be read cannot be judged, and the public checks reject a log with such a record."
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
        "the record ends too early",
        "A line cut short by a full disk or a killed process has lost its content.",
        "Write each record with one unbuffered write, and run again.",
        *_at(_ANYWHERE, ""),
    ),
    _unreadable(
        "MLP003",
        "single-quotes",
        "the text is in single quotes; JSON requires double quotes",
        samples=_at(_WANTS_VALUE + _WANTS_NAME, "'"),
    ),
    _unreadable(
        "MLP004",
        "python-literal",
        "True, False and None are not JSON; JSON has true, false and null",
        samples=_at(_WANTS_VALUE + _WANTS_NAME, "None"),
    ),
    _unreadable(
        "MLP005",
        "unquoted-text",
        "an unquoted word appears where JSON requires a value or text in double quotes",
        samples=_at(_WANTS_VALUE + _WANTS_NAME, "a"),
    ),
    _unreadable(
        "MLP006",
        "trailing-comma",
        "there is a comma before the closing bracket",
        fix="Remove the comma; better, write each record with a JSON encoder.",
        samples=('{"a": 1, }', "[1, ]"),
    ),
    _unreadable(
        "MLP007",
        "missing-comma",
        "a comma or a closing bracket is expected here",
        fix="Look for a missing quote or comma, or for two records written over each other.",
        samples=_at(_WANTS_COMMA, '"b"', "2", "b", "None", "{", "[", "'"),
    ),
    _unreadable(
        "MLP008",
        "missing-colon",
        "a colon and a value are expected after the name",
        fix="Look for a missing quote or colon.",
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
        "the number is not valid JSON",
        fix="Write numbers with a JSON encoder: no plus sign, and a digit on both sides of the point.",
        samples=(*_at(_WANTS_VALUE, "+"), '{"a": 01', "[01"),
    ),
    _unreadable(
        "MLP011",
        "malformed-text",
        "the text contains a control character or an unknown escape",
        fix="Write text with a JSON encoder, which escapes such characters.",
        samples=_at(_ANYWHERE, '"\x01', '"\\x', "\x01"),
    ),
    _error(
        "MLP012",
        "overwritten-bytes",
        "there are zero bytes within the record",
        "Zero bytes are left where text was lost, for example when two processes write to one file.",
        "Open the log in append mode in every process that writes to it, and run again.",
        *_at(_ANYWHERE, '"\x00', "\x00"),
    ),
    _error(
        "MLP013",
        "text-after-the-record",
        "there is text after the record: {found}",
        "The rest of the line counts as part of the record, and it is not JSON.",
        "End the line after each record; print nothing else on that line.",
    ),
    _error(
        "MLP014",
        "record-too-long",
        "the line continues for more than {found} after the record's marker",
        "A line this long is treated as damaged and is not kept in memory.",
        "Write large data to a separate file and log its name.",
    ),
    _error(
        "MLP015",
        "nested-too-deep",
        "lists or objects are nested more than {found} deep",
        "A value this deep is treated as damaged.",
        "Log a flatter value.",
    ),
    _unreadable(
        "MLP016",
        "words-out-of-shape",
        "the text before the JSON is not that of a record",
        fix="Write the time, the key and the dialect's other fields, separated by single spaces, then a colon.",
    ),
    _unreadable(
        "MLP017",
        "missing-call-site",
        "the record does not say where it was logged",
        fix="Write the file and line in parentheses, as in (train.py:12), between the time and the key.",
    ),
    _unreadable(
        "MLP018",
        "more-unreadable-records",
        "{found} more of the log's records cannot be read; so many, or so long ones, are only counted",
        fix="Repair what is explained first, and check again.",
    ),
    _error(
        "MLP019",
        "wrapped-records",
        "{found}; they are judged here, but the public checks cannot read them",
        "The public checks take each line as it is, so they find no record in such a log, or only broken ones.",
        "Submit the log inside; mlperf convert --unwrap IN OUT writes it.",
    ),
    _unreadable(
        "MLP020",
        "record-not-an-object",
        "the record is {found}, not an object",
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
        "Without a key the event has no meaning.",
        'Write "key", the name of the event.',
    ),
    _error(
        "MLP023",
        "missing-value",
        'the record has no "value"',
        "Each record states its value, or null if it has none.",
        'Write "value": null for an event without a value.',
    ),
    _error(
        "MLP024",
        "missing-metadata",
        'the record has no "metadata"',
        "Each record states where it was logged.",
        'Write "metadata": an object with at least "file" and "lineno".',
    ),
    _error(
        "MLP025",
        "key-not-text",
        "the key is {found}, not text",
        "Without a key the event has no meaning.",
        'Write "key", the name of the event, as text.',
    ),
    _error(
        "MLP026",
        "time-not-a-number",
        "the time is {found}, not a number",
        "Without a time the event cannot be placed in the run.",
        "Write the time as a finite number.",
    ),
    _error(
        "MLP027",
        "time-in-seconds",
        'the record gives its time in "time_s" instead of "time_ms"',
        "The time is read from time_ms only.",
        'Write "time_ms", the time in milliseconds since 1970.',
    ),
    _error(
        "MLP028",
        "metadata-not-an-object",
        "the metadata is {found}, not an object",
        "Rules read the members of the metadata.",
        'Write "metadata": an object with at least "file" and "lineno".',
    ),
    _warning(
        "MLP040",
        "two-events-on-a-line",
        "a second record begins on this line",
        "Both records are read here; the public checks read only the last one.",
        "End the line after each record.",
    ),
    _warning(
        "MLP041",
        "duplicate-json-key",
        "the name {found} appears twice in one object; the last one counts",
        "Readers differ in which one they take.",
        "Write each name once.",
    ),
    _warning(
        "MLP042",
        "nan-or-infinity",
        "the record contains a number that is not finite, which JSON does not allow",
        "Strict JSON readers reject the record.",
        "Write null, or text, for a number that is not finite.",
    ),
    _warning(
        "MLP043",
        "not-utf8",
        "the record is not UTF-8; its bytes are read as Latin-1",
        "Text may not come out as intended.",
        "Write the log in UTF-8.",
    ),
    _warning(
        "MLP044",
        "lone-surrogate",
        "the record's text contains half a character; it is read as U+FFFD",
        "Half a character cannot be written again.",
        "Cut text between characters, not within them.",
    ),
    _warning(
        "MLP045",
        "metadata-empty",
        "the metadata is {found}; it is read as an empty object",
        "Rules read the members of the metadata.",
        'Write "metadata": {} if there is none.',
    ),
    _warning(
        "MLP046",
        "time-as-text",
        "the time is the text {found}; it is read as a number",
        "Readers differ in whether they accept text as a time.",
        "Write the time as a number.",
    ),
    _warning(
        "MLP047",
        "event-type-unknown",
        "the event type is {found}",
        "Its meaning is not defined.",
        "Write POINT_IN_TIME, INTERVAL_START or INTERVAL_END.",
    ),
    _warning(
        "MLP048",
        "older-dialect-record",
        "a record in the older dialect {found} is treated as noise",
        "The public checks read one dialect per file.",
        "Log with one dialect.",
    ),
    _warning(
        "MLP049",
        "marker-without-record",
        "no space and no record follow the marker; it is treated as noise",
        "The public checks also skip such a line; if it was meant as a record, it is lost.",
        "Write one space after the marker.",
    ),
    _error(
        "MLP050",
        "file-cut-short",
        "the {found} data ends too early; everything readable was read",
        "The rest of the file's content is unknown.",
        "Copy or compress the file again.",
    ),
)

KIND_OF_LABEL = {kind.label: kind for kind in KINDS}
"""The kinds of diagnostic by label."""
