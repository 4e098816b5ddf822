"""The mistakes that a log can hold: a closed list of labels, each with its words and malformed samples.

Codes and labels are stable and never reused. The samples of malformed JSON serve lark's ``match_examples``,
which gives a place in a record that cannot be read its label, and the tests and the documentation.
"""

from __future__ import annotations

from typing import NamedTuple

RAW_LIMIT = 4096
"""A problem keeps at most this many bytes of its record."""


class MistakeKind(NamedTuple):
    """One kind of mistake.

    Attributes:
        code: ``MLP0xx``.
        label: the short name.
        severity: ``"error"`` or ``"warning"``.
        summary: the message; ``{found}`` stands for what the record holds.
        why: why it matters.
        mend: what to do about it.
        samples: JSON that is malformed in this way, cut off just behind the place that tells so where the
            label depends on that place.
    """

    code: str
    label: str
    severity: str
    summary: str
    why: str
    mend: str
    samples: tuple[str, ...] = ()


_NOT_READ = "What cannot be read cannot be judged, and the public checks refuse a log with such a record."

KINDS = (
    MistakeKind(
        "MLP001", "not-json", "error", "the record is not JSON at this place", _NOT_READ,
        "Write each record with a JSON encoder.",
        (
            "?", "{?", '{"a"?', '{"a":?', '{"a":1?', '{"a":1,?', "[?", "[1?", "[1,?",
            "}", "{:", '{"a":}', '{"a":1]', '{"a":1:', '{"a":1,:', "[}", "[1}", "[1:", "[1,}", "{,", "[,", "[:", "{]", ",",
            ":", "]", '{"a":,', '{"a":]', '{"a"::', '{"a":1,,', "[1,,", "[1,:", '{"a":1,]', "{[", "{{", '{"a":1,{', '{"a":1,[',
        ),
    ),
    MistakeKind(
        "MLP002", "record-cut-short", "error", "the record stops before its end",
        "A line that was cut, by a full disk or a killed process, has lost what it said.",
        "Write each record with one unbuffered write, and run again.",
        ("", "{", '{"a"', '{"a":', '{"a":1', '{"a":1,', "[", "[1", "[1,", '"a', '{"a', '{"a":"b', '{"a":1,"b', '["a', '["a","b'),
    ),
    MistakeKind(
        "MLP003", "single-quotes", "error", "text stands in single quotes; JSON wants double quotes", _NOT_READ,
        "Write values with a JSON encoder, not with str() or repr().",
        ("'", "{'", '{"a":\'', '{"a":1,\'', "['", "[1,'"),
    ),
    MistakeKind(
        "MLP004", "python-literal", "error", "True, False and None are not JSON; it has true, false and null", _NOT_READ,
        "Write values with a JSON encoder, not with str() or repr().",
        ("None", "{None", '{"a":None', '{"a":1,None', "[None", "[1,None"),
    ),
    MistakeKind(
        "MLP005", "unquoted-text", "error", "a word stands where JSON wants a value or text in double quotes", _NOT_READ,
        "Write values with a JSON encoder.",
        ("a", "{a", '{"a":a', '{"a":1,a', "[a", "[1,a"),
    ),
    MistakeKind(
        "MLP006", "trailing-comma", "error", "a comma stands before the closing bracket", _NOT_READ,
        "Take the comma away; better, write each record with a JSON encoder.",
        ('{"a":1,}', "[1,]"),
    ),
    MistakeKind(
        "MLP007", "missing-comma", "error", "a comma or a closing bracket is wanted here", _NOT_READ,
        "Look for a quote or a comma that is missing, or two records written over each other.",
        ('{"a":1 "b"', '{"a":1 2', '{"a":1 b', '{"a":1 None', '{"a":1 {', '{"a":1 [', "{\"a\":1 '",
         '[1 "b"', "[1 2", "[1 b", "[1 None", "[1 {", "[1 [", "[1 '"),
    ),
    MistakeKind(
        "MLP008", "missing-colon", "error", "a colon and a value are wanted after the name", _NOT_READ,
        "Look for a quote or a colon that is missing.",
        ('{"a",', '{"a"}', '{"a" "b"', '{"a" 1', '{"a" b', '{"a" None', '{"a" {', '{"a" [', '{"a"]', "{\"a\" '"),
    ),
    MistakeKind(
        "MLP009", "name-not-text", "error", "the name of a member must be text in double quotes", _NOT_READ,
        "Write each record with a JSON encoder.",
        ("{1", '{"a":1,1'),
    ),
    MistakeKind(
        "MLP010", "malformed-number", "error", "the number is not one that JSON knows", _NOT_READ,
        "Write numbers with a JSON encoder: no sign +, a digit before and after the point.",
        ("+", '{"a":+', "[+", "[1,+"),
    ),
    MistakeKind(
        "MLP011", "malformed-text", "error", "the text holds a control character or an unknown escape", _NOT_READ,
        "Write text with a JSON encoder, which escapes such characters.",
        ('"\x01', '{"\x01', '{"a":"\x01', '{"a":1,"\x01', '["\x01', '[1,"\x01', '{"a""\x01', '{"a":1"\x01', '[1"\x01',
         '"\\x', '{"\\x', '{"a":"\\x', '{"a":1,"\\x', '["\\x', '[1,"\\x', '{"a""\\x', '{"a":1"\\x', '[1"\\x',
         "\x01", "{\x01", '{"a"\x01', '{"a":\x01', '{"a":1\x01', '{"a":1,\x01', "[\x01", "[1\x01", "[1,\x01"),
    ),
    MistakeKind(
        "MLP012", "overwritten-bytes", "error", "zero bytes stand within the record",
        "Zero bytes are what is left of text that was lost, for example when two writers use one file.",
        "Open the log for appending in each process that writes to it, and run again.",
        ("\x00", "{\x00", '{"a"\x00', '{"a":\x00', '{"a":1\x00', '{"a":1,\x00', "[\x00", "[1\x00", "[1,\x00",
         '"\x00', '{"\x00', '{"a":"\x00', '{"a":1,"\x00', '["\x00', '[1,"\x00', '{"a""\x00', '{"a":1"\x00', '[1"\x00'),
    ),
    MistakeKind(
        "MLP013", "text-after-the-record", "error", "there is text after the record",
        "The rest of the line belongs to the record, and it is not JSON.",
        "End the line after each record; print nothing else to that line.",
    ),
    MistakeKind(
        "MLP014", "record-too-long", "error", "the line goes on for more than {found} after the record's marker",
        "So long a line is taken for damage, and is not held in memory.",
        "Log large data to a file of its own, and its name here.",
    ),
    MistakeKind(
        "MLP015", "nested-too-deep", "error", "lists or objects stand more than {found} deep in each other",
        "So deep a value is taken for damage.",
        "Log a flatter value.",
    ),
    MistakeKind(
        "MLP016", "words-out-of-shape", "error", "the words before the JSON are not those of a record", _NOT_READ,
        "Write the time, the key and what else the dialect wants, with one space between them and a colon at the end.",
    ),
    MistakeKind(
        "MLP017", "missing-call-site", "error", "the record does not say where it was logged", _NOT_READ,
        "Write file and line in brackets, as in (train.py:12), between time and key.",
    ),
    MistakeKind(
        "MLP020", "record-not-an-object", "error", "the record is {found} where an object is wanted", _NOT_READ,
        'Write the record as an object with "key", "value", "metadata" and a time.',
    ),
    MistakeKind(
        "MLP021", "missing-time", "error", "the record has no time",
        "Without a time the event cannot be placed in the run.",
        'Write "time_ms", the time in milliseconds since 1970.',
    ),
    MistakeKind(
        "MLP022", "missing-key", "error", "the record has no key",
        "Without a key the event says nothing.",
        'Write "key", the name of the event.',
    ),
    MistakeKind(
        "MLP023", "missing-value", "error", 'the record has no "value"',
        "Each record says its value, and null where it has none.",
        'Write "value": null for an event without a value.',
    ),
    MistakeKind(
        "MLP024", "missing-metadata", "error", 'the record has no "metadata"',
        "Each record says where it was logged.",
        'Write "metadata": an object with at least "file" and "lineno".',
    ),
    MistakeKind(
        "MLP025", "key-not-text", "error", "the key is {found} where text is wanted",
        "Without a key the event says nothing.",
        'Write "key", the name of the event, as text.',
    ),
    MistakeKind(
        "MLP026", "time-not-a-number", "error", "the time is {found} where a number is wanted",
        "Without a time the event cannot be placed in the run.",
        "Write the time as a finite number.",
    ),
    MistakeKind(
        "MLP027", "time-in-seconds", "error", 'the record gives its time in "time_s" where "time_ms" is wanted',
        "The time is read from time_ms only.",
        'Write "time_ms", the time in milliseconds since 1970.',
    ),
    MistakeKind(
        "MLP028", "metadata-not-an-object", "error", "the metadata is {found} where an object is wanted",
        "Rules read the members of the metadata.",
        'Write "metadata": an object with at least "file" and "lineno".',
    ),
    MistakeKind(
        "MLP040", "two-events-on-a-line", "warning", "a second record begins on this line",
        "Both records are read here; the public checks read the last one only.",
        "End the line after each record.",
    ),
    MistakeKind(
        "MLP041", "duplicate-json-key", "warning", "the name {found} stands twice in one object; the last one counts",
        "Readers differ in which one they take.",
        "Write each name once.",
    ),
    MistakeKind(
        "MLP042", "nan-or-infinity", "warning", "the record holds a number that is not finite, which JSON does not know",
        "Strict JSON readers refuse the record.",
        "Write null, or text, for a number that is not finite.",
    ),
    MistakeKind(
        "MLP043", "not-utf8", "warning", "the record is not UTF-8; its bytes are read as Latin-1",
        "Text may not come out as it was meant.",
        "Write the log in UTF-8.",
    ),
    MistakeKind(
        "MLP044", "lone-surrogate", "warning", "the record's text holds half a character; it is read as U+FFFD",
        "Half a character cannot be written again.",
        "Cut text between characters, not within them.",
    ),
    MistakeKind(
        "MLP045", "metadata-empty", "warning", "the metadata is {found}; it is read as an empty object",
        "Rules read the members of the metadata.",
        'Write "metadata": {{}} where there is none.',
    ),
    MistakeKind(
        "MLP046", "time-as-text", "warning", "the time is the text {found}; it is read as a number",
        "Readers differ in whether they take text for a time.",
        "Write the time as a number.",
    ),
    MistakeKind(
        "MLP047", "event-type-unknown", "warning", "the event type is {found}",
        "Readers do not know what it means.",
        "Write POINT_IN_TIME, INTERVAL_START or INTERVAL_END.",
    ),
    MistakeKind(
        "MLP048", "older-dialect-record", "warning", "a record of the older dialect {found} is taken for noise",
        "The public checks read one dialect in a file.",
        "Log with one dialect.",
    ),
    MistakeKind(
        "MLP049", "marker-without-record", "warning", "no space and no record follow the marker; it is taken for noise",
        "The public checks pass over such a line, too; if it was meant as a record, it is lost.",
        "Write one space after the marker.",
    ),
    MistakeKind(
        "MLP050", "file-cut-short", "error", "the {found} data ends too early; what could be read was read",
        "What stood in the rest of the file is not known.",
        "Copy or compress the file again.",
    ),
)  # fmt: skip

MISTAKES = {kind.label: kind for kind in KINDS}
"""The kinds of mistake by label."""
