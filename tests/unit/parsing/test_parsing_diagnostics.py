"""What is said of records that cannot be read as written, and where."""

from __future__ import annotations

import json
import re

import pytest

from mlperf_logging.events import Event, Problem
from mlperf_logging.parsing import read_batches, read_log
from mlperf_logging.parsing.diagnostics import KIND_OF_LABEL, KINDS, RAW_LIMIT
from mlperf_logging.parsing.dialects import load_dialects
from mlperf_logging.parsing.records import EXPLAINED_RECORDS
from mlperf_logging.parsing.tally import TOLD_BYTES, TOLD_PROBLEMS

FILE = '"metadata": {"file": "a.py", "lineno": 3}'


def record(value: str = "1", old: str = "", new: str = "") -> str:
    """A record of the newest dialect with some value, in which one text is replaced."""
    text = f'{{"namespace": "", "time_ms": 5, "event_type": "POINT_IN_TIME", "key": "k", "value": {value}, {FILE}}}'
    assert old in text
    return ":::MLLOG " + text.replace(old, new, 1)


def seen(text: str) -> list[tuple[str, str]]:
    """The problems of one line: each label, and the text that the column points at."""
    line = text.encode("latin-1")
    problems = read_log(line).problems
    assert all(problem.line == 1 for problem in problems)
    return [(problem.label, line[problem.column - 1 :][:6].decode("latin-1")) for problem in problems]


UNREADABLE = [
    (record("nope 0.5"), "unquoted-text", "nope 0"),
    (record("{a: 1}"), "unquoted-text", "a: 1},"),
    (record("None"), "python-literal", "None, "),
    (record("[1, True]"), "python-literal", "True],"),
    (record("'x'"), "single-quotes", "'x', \""),
    (record("{'a': 1}"), "single-quotes", "'a': 1"),
    (record("[1, ]"), "trailing-comma", '], "me'),
    (record('{"a": {"b": [{"c": 1, }]}}'), "trailing-comma", "}]}}, "),
    (record("1 2"), "missing-comma", '2, "me'),
    (record('"a" "b"'), "missing-comma", '"b", "'),
    (record('"it"s"'), "missing-comma", 's", "m'),
    (record('{"a" 1}'), "missing-colon", '1}, "m'),
    (record('{"a", 1}'), "missing-colon", ", 1}, "),
    (record("{1: 2}"), "name-not-text", "1: 2},"),
    (record("01"), "malformed-number", '1, "me'),
    (record(".5"), "malformed-number", '.5, "m'),
    (record("1."), "malformed-number", '., "me'),
    (record("+1"), "malformed-number", '+1, "m'),
    (record("0x10"), "malformed-number", 'x10, "'),
    (record("-"), "malformed-number", '-, "me'),
    (record('"a\tb"'), "malformed-text", '\tb", "'),
    (record('"a\\qb"'), "malformed-text", '\\qb", '),
    (record('"a\\u12g4"'), "malformed-text", "\\u12g4"),
    (record('"a\0b"'), "overwritten-bytes", '\0b", "'),
    (record("\0\0"), "overwritten-bytes", '\0\0, "m'),
    (record("1,"), "not-json", ', "met'),
    (record("[1}"), "not-json", '}, "me'),
    (record("@"), "not-json", '@, "me'),
    (record()[:30], "record-cut-short", ""),
    (record('"text')[:95], "record-cut-short", ""),
    (record()[:-1], "record-cut-short", ""),
    (record()[:-2], "record-cut-short", ""),
    (":::MLLOG ", "record-cut-short", ""),
    (":::MLLOG is the marker", "unquoted-text", "is the"),
    (record() + " and more", "text-after-the-record", "and mo"),
    (record() + "}", "text-after-the-record", "}"),
    (record() + "\0\0", "text-after-the-record", "\0\0"),
    (record("[" * 101 + "]" * 101), "nested-too-deep", ":::MLL"),
    (record("[" * 5000 + "]" * 5000), "nested-too-deep", ":::MLL"),
    (record('{"a":' * 5000 + "1" + "}" * 5000), "nested-too-deep", ":::MLL"),
    (":::MLLOG [1]", "record-not-an-object", ":::MLL"),
    (":::MLLOG 12", "record-not-an-object", ":::MLL"),
    (record("1", '"key"', '"kee"'), "missing-key", ":::MLL"),
    (record("1", '"value"', '"valeu"'), "missing-value", ":::MLL"),
    (record("1", '"metadata"', '"meta"'), "missing-metadata", ":::MLL"),
    (record("1", '"time_ms"', '"time"'), "missing-time", ":::MLL"),
    (record("1", '"time_ms": 5', '"time_s": 1.5'), "time-in-seconds", '1.5, "'),
    (record("1", ": 5", ': "soon"'), "time-not-a-number", '"soon"'),
    (record("1", ": 5", ": true"), "time-not-a-number", "true, "),
    (record("1", ": 5", ": null"), "time-not-a-number", "null, "),
    (record("1", ": 5", ": [5]"), "time-not-a-number", '[5], "'),
    (record("1", '"k"', "5"), "key-not-text", '5, "va'),
    (record("1", FILE, '"metadata": [1]'), "metadata-not-an-object", "[1]}"),
    (record("1", FILE, '"metadata": "x"'), "metadata-not-an-object", '"x"}'),
    (":::MLL key: {}", "missing-time", "key: {"),
    (":::MLL {}", "missing-time", "{}"),
    (':::MLL 1.5 {"value": 1}', "missing-key", '{"valu'),
    (':::MLL 1.5 : {"value": 1}', "missing-key", ': {"va'),
    (":::MLL 1.5", "record-cut-short", ""),
    (":::MLL 1.5 key", "record-cut-short", ""),
    (":::MLL 1.5 key:", "record-cut-short", ""),
    (":::MLL 1.5 key: ", "record-cut-short", ""),
    (":::MLL 1.5 key {}", "words-out-of-shape", "{}"),
    (":::MLL 1.5 key:{}", "words-out-of-shape", ":{}"),
    (":::MLL  1.5 key: {}", "words-out-of-shape", "1.5 ke"),
    (":::MLL 1.5 k-y: {}", "words-out-of-shape", "-y: {}"),
    (":::MLL 15608[2019-06-18 10:02:47] it", "words-out-of-shape", "[2019-"),
    (":::MLL 1.5 key: {'value': 1}", "single-quotes", "'value"),
    (":::MLL 1.5 key: 5", "record-not-an-object", ":::MLL"),
    (':::MLL 1.2.3 key: {"value": 1, "metadata": {}}', "time-not-a-number", ":::MLL"),
    (':::MLL 1.5 key: {"metadata": {}}', "missing-value", ":::MLL"),
    (':::MLL 1.5 key: {"value": 1}', "missing-metadata", ":::MLL"),
    (":::MLPv0.5.0 resnet 1.5 key: 1", "missing-call-site", "key: 1"),
    (":::MLPv0.5.0 resnet (a.py:1) key: 1", "missing-time", "(a.py:"),
    (":::MLPv0.5.0 resnet 1.5 (a.py:1) {}", "missing-key", "{}"),
    (":::MLPv0.5.0 resnet 1.5 (a.py:1)", "record-cut-short", ""),
    (":::MLPv0.5.0 resnet 1.5 (a.py:1) key: ", "record-cut-short", ""),
    (":::MLPv0.5.0 resnet 1.5 (a.py:1) key: nope", "unquoted-text", "nope"),
    (":::MLPv0.5.0 resnet 1.5 (a.py:1) key 5", "text-after-the-record", "5"),
    (":::MLPv0.5.0 resnet 1.2.3 (a.py:1) key", "time-not-a-number", ":::MLP"),
]


@pytest.mark.parametrize(("line", "label", "place"), UNREADABLE)
def test_record_that_cannot_be_read(line: str, label: str, place: str) -> None:
    """A record that cannot be read gives one error, no event, and the place of the error."""
    log = read_log(line.encode("latin-1"))
    assert seen(line) == [(label, place[:6])]
    assert log.events == []
    assert log.problems[0].severity == "error"
    assert log.problems[0].raw == line.encode("latin-1")[:RAW_LIMIT]


DOUBTFUL = [
    (record("NaN"), "nan-or-infinity", 'NaN, "'),
    (record('{"a": [1, -Infinity]}'), "nan-or-infinity", "-Infin"),
    (record("1e999"), "nan-or-infinity", ":::MLL"),
    (record("9" * 4301), "nan-or-infinity", ":::MLL"),
    (record('{"a": 1, "a": 2}'), "duplicate-json-key", '"a": 2'),
    (record("1", '"key"', '"key": "j", "key"'), "duplicate-json-key", '"key":'),
    (record('"\\ud800"'), "lone-surrogate", ":::MLL"),
    (record('"\xff"'), "not-utf8", ":::MLL"),
    (record("1", FILE, '"metadata": ""'), "metadata-empty", '""}'),
    (record("1", FILE, '"metadata": null'), "metadata-empty", "null}"),
    (record("1", ": 5", ': "5"'), "time-as-text", '"5", "'),
    (record("1", "POINT_IN_TIME", "POINT"), "event-type-unknown", '"POINT'),
    (record("1", '"POINT_IN_TIME"', "[5]"), "event-type-unknown", '[5], "'),
    (':::MLL 1.5 k: {"value": NaN, "metadata": {}}', "nan-or-infinity", 'NaN, "'),
    (":::MLPv0.5.0 ncf 1.5 (\xff.py:1) k: 1", "not-utf8", ":::MLP"),
]


@pytest.mark.parametrize(("line", "label", "place"), DOUBTFUL)
def test_record_that_is_read_with_a_doubt(line: str, label: str, place: str) -> None:
    """A record that can be read, but not without a doubt, gives its event and a warning."""
    log = read_log(line.encode("latin-1"))
    assert len(log.events) == 1
    assert seen(line) == [(label, place[:6])]
    assert log.problems[0].severity == "warning"
    assert log.problems[0].key == log.events[0].key


def test_values_of_doubtful_records() -> None:
    """The last of two members counts, bytes that are not UTF-8 are Latin-1, half characters are U+FFFD."""
    lines = [record('{"a": 1, "a": 2}'), record('"\xe9\xff"'), record('"\\udc00x\\ud83d\\ude00"')]
    values = [read_log(line.encode("latin-1")).events[0].value for line in lines]
    assert values == [{"a": 2}, "\xe9\xff", "�x😀"]


def test_time_as_text_is_a_number() -> None:
    """A time in quotes is read as the number that it writes."""
    times = [
        read_log(record("1", ": 5", f": {text}").encode()).events[0].time_ms
        for text in ('"5"', '"5.5"', '"-1e3"')
    ]
    assert times == [5, 5.5, -1000.0]


@pytest.mark.parametrize("text", ['"nan"', '"1_000"', '" 5"', '"0x5"', '"1e999"', '""'])
def test_text_that_is_no_number_is_no_time(text: str) -> None:
    """Text that JSON would not take for a finite number is not a time."""
    assert [label for label, _ in seen(record("1", ": 5", f": {text}"))] == ["time-not-a-number"]


def test_several_mistakes_of_one_record() -> None:
    """Everything that is wrong with a record's members is said at once."""
    labels = [label for label, _ in seen(':::MLLOG {"key": 5, "metadata": 1}')]
    assert labels == ["key-not-text", "missing-time", "missing-value", "metadata-not-an-object"]


def test_key_of_a_record_that_cannot_be_read() -> None:
    """The key is reported where it can still be seen."""
    lines = [
        record("nope"),
        ':::MLL 1.5 seed: {"value": nope}',
        ":::MLPv0.5.0 ncf 1.5 (a.py:1) seed: nope",
        ":::MLLOG {",
    ]
    assert [read_log(line.encode()).problems[0].key for line in lines] == ["k", "seed", "seed", None]


def test_column_counts_bytes() -> None:
    """Columns are byte offsets in the line, also after characters of several bytes."""
    line = ("é " + record('"é" nope')).encode()
    log = read_log(line)
    assert line[log.problems[0].column - 1 :].startswith(b"nope")


def test_long_record_is_cut_in_its_problem() -> None:
    """A problem keeps a bounded part of its record."""
    line = record("[" + "1, " * 10_000 + "nope]").encode()
    problem = read_log(line).problems[0]
    assert problem.raw == line[:RAW_LIMIT]
    assert line[problem.column - 1 :].startswith(b"nope]")


def test_many_broken_lines_are_each_reported() -> None:
    """A thousand broken lines give as many errors, each with its line number."""
    problems = read_log("\n".join([record("None")] * 1000).encode()).problems
    assert [problem.line for problem in problems] == list(range(1, 1001))
    assert {problem.label for problem in problems} == {"python-literal"}


def test_codes_and_labels_are_unique_and_well_formed() -> None:
    """Each kind of mistake has a code of its own, a label, words, and a severity that is known."""
    assert (
        len({kind.code for kind in KINDS})
        == len({kind.label for kind in KINDS})
        == len(KINDS)
        == len(KIND_OF_LABEL)
    )
    for kind in KINDS:
        assert re.fullmatch(r"MLP0\d\d", kind.code)
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.label)
        assert kind.severity in {"error", "warning"}
        assert all([kind.summary, kind.why, kind.fix])
        assert not kind.summary.endswith(".")


def test_each_sample_of_malformed_json_gets_its_own_label() -> None:
    """A sample of a mistake is reported as that mistake, in every dialect."""
    lines = {
        dialect.marker + (dialect.sample_head + sample).encode(): kind.label
        for dialect in load_dialects()
        for kind in KINDS
        for sample in kind.samples
    }
    found = {line: [problem.label for problem in read_log(line).problems] for line in lines}

    assert len(lines) > 300
    assert {line: labels for line, labels in found.items() if labels != [lines[line]]} == {}


@pytest.mark.parametrize(
    ("marker", "label", "sample"),
    [
        (dialect.marker, label, sample)
        for dialect in load_dialects()
        for label, samples in dialect.head_samples
        for sample in samples
    ],
)
def test_each_sample_of_a_malformed_beginning_gets_its_own_label(
    marker: bytes, label: str, sample: str
) -> None:
    """A sample of words that are out of shape is reported as what it is a sample of."""
    assert [problem.label for problem in read_log(marker + sample.encode()).problems] == [label]


def test_every_label_occurs() -> None:
    """Each label is given to something that these tests or those of lines and files read."""
    elsewhere = {
        "two-events-on-a-line",
        "older-dialect-record",
        "marker-without-record",
        "record-too-long",
        "file-cut-short",
        "more-unreadable-records",
        "wrapped-records",
    }
    assert {label for _, label, _ in [*UNREADABLE, *DOUBTFUL]} | elsewhere == set(KIND_OF_LABEL)


def test_messages_are_one_sentence_and_hold_what_was_found() -> None:
    """A message is one line, without a gap left open, and shortens what it quotes."""
    lines = [line for line, _, _ in [*UNREADABLE, *DOUBTFUL]] + [record("1", '"k"', json.dumps(["x" * 500]))]
    for line in lines:
        for problem in read_log(line.encode("latin-1")).problems:
            assert "{" not in problem.message.replace("{}", "")
            assert "\n" not in problem.message
            assert len(problem.message) < 160


GOOD = record().encode()


@pytest.mark.parametrize(
    "bad",
    [b":::MLLOG {", b":::MLLOG ?}", b":::MLL 1.5 k: {]", b":::MLL {", b":::MLPv0.5.0 b 1.5 (a.py:1) k: ?"],
)
def test_so_many_are_only_counted(bad: bytes) -> None:
    """The first records that cannot be read are explained, the others counted; events among them are read."""
    items = [
        item for batch in read_batches(b"\n".join([bad] * 1_500 + [GOOD] + [bad] * 1_000)) for item in batch
    ]
    *problems, rest = [item for item in items if isinstance(item, Problem)]

    assert [item.line for item in items if isinstance(item, Event)] == [1_501]
    assert len(problems) == EXPLAINED_RECORDS
    assert (rest.code, rest.line, rest.column) == ("MLP018", EXPLAINED_RECORDS + 1, 1)


def test_many_on_one_line_are_only_counted() -> None:
    """Records without a line end between them are counted, too."""
    problems = read_log(b":::MLLOG {" * 3_000).problems

    assert [problem.label for problem in problems].count("record-cut-short") == EXPLAINED_RECORDS
    assert problems[-1].message.startswith(f"{3_000 - EXPLAINED_RECORDS:,} more of the log's records")


def test_a_huge_record_is_only_counted() -> None:
    """A record that is too long to be explained is counted, and what follows is read."""
    log = read_log(b":::MLLOG " + b"[1, " * 100_000 + b"\n" + GOOD)

    assert [event.line for event in log.events] == [2]
    assert [(problem.label, problem.line) for problem in log.problems] == [("more-unreadable-records", 1)]


def test_deeply_nested_records_are_mostly_counted() -> None:
    """The grammar reads each bracket by itself, so of records full of them few are explained."""
    problems = read_log((b":::MLLOG " + b"[" * 3_000 + b"\n") * 50).problems

    assert 2 <= len(problems) < 10
    assert problems[-1].message.startswith(f"{51 - len(problems)} more of the log's records")


@pytest.mark.parametrize(
    ("line", "label"),
    [
        (b'{"key": "a", "value": NaN, "time_ms": 1, "metadata": {}}', "nan-or-infinity"),
        (b'{"key": "a", "value": 1, "time_ms": "1", "metadata": {}}', "time-as-text"),
        (b'{"key": "a", "key": "a", "value": 1, "time_ms": 1, "metadata": {}}', "duplicate-json-key"),
        (b'{"key": "a", "value": 1, "time_ms": 1, "metadata": null}', "metadata-empty"),
        (b'{"key": "\xff", "value": 1, "time_ms": 1, "metadata": {}}', "not-utf8"),
        (b'{"key": "\\ud800", "value": 1, "time_ms": 1, "metadata": {}}', "lone-surrogate"),
    ],
)
def test_problems_of_one_kind_are_counted(line: bytes, label: str) -> None:
    """Of each kind of problem the first ones are told, the others counted at the next one; no event is lost."""
    log = read_log((b":::MLLOG " + line + b"\n") * (TOLD_PROBLEMS + 500))

    assert len(log.events) == TOLD_PROBLEMS + 500
    assert {problem.label for problem in log.problems} == {label}
    assert [problem.line for problem in log.problems] == list(range(1, TOLD_PROBLEMS + 2))
    assert log.problems[-1].message == f"500 more problems of this kind ({label}), which are not listed"
    assert log.problems[-1].severity == log.problems[0].severity


def test_bare_markers_are_counted() -> None:
    """Markers without a record are told up to a number, and counted from then on, also where many come at once."""
    problems = read_log(b":::MLLOG\n" * (TOLD_PROBLEMS + 3_000)).problems

    assert len(problems) == TOLD_PROBLEMS + 1
    assert problems[-1].message.startswith("3,000 more problems of this kind")


def test_records_that_make_no_event_are_counted() -> None:
    """A record without its members is explained as one that cannot be read is: so many times, then it is counted."""
    problems = read_log(b":::MLLOG {}\n" * (EXPLAINED_RECORDS + 3_000)).problems

    assert [problem.label for problem in problems].count("missing-key") == EXPLAINED_RECORDS
    assert (problems[-1].code, problems[-1].line) == ("MLP018", EXPLAINED_RECORDS + 1)
    assert problems[-1].message.startswith("3,000 more")


def test_long_records_of_problems_are_not_kept() -> None:
    """The text that problems keep of their records is bounded, too."""
    line = record(f'"{"x" * 5_000}"').replace('"time_ms": 5', '"time_ms": "5"').encode() + b"\n"
    problems = read_log(line * 3_000).problems

    assert sum(len(problem.raw) for problem in problems) <= TOLD_BYTES
