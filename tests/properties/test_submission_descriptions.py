"""System descriptions, whatever is in them: members stand where they are said to, and no file stops the check."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from mlperf_logging.rules.repository import open_rules
from mlperf_logging.submission.description_fields import load_description_fields
from mlperf_logging.submission.descriptions import check_system_description
from mlperf_logging.submission.located_json import MalformedError, read_members

EXAMPLES = int(os.environ.get("MLPERF_EXAMPLES", "100"))
ROUND = "training/6.1.0"
FIELDS = sorted(load_description_fields(open_rules(), ROUND).fields)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
DESCRIPTIONS = st.dictionaries(st.sampled_from(FIELDS) | st.text(), VALUES, max_size=12)


@settings(max_examples=EXAMPLES)
@given(DESCRIPTIONS, st.sampled_from([None, 0, 1, 4, "\t"]), st.booleans())
def test_members_stand_where_they_are_said_to(
    held: dict[str, object], indent: int | str | None, ascii_only: bool
) -> None:
    """Names and values are those of `json`, and each place leads to the bytes that write them."""
    content = json.dumps(held, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    if b"\xed" in content and not ascii_only:
        content = json.dumps(held, indent=indent).encode()

    members = read_members(content)

    assert {member.name: member.value for member in members} == held
    lines = content.split(b"\n")
    for member in members:
        line, column = member.name_place
        assert json.loads(b"[" + _take_text(lines[line - 1][column - 1 :]) + b"]") == [member.name]
        line, column = member.value_place
        rest = b"\n".join([lines[line - 1][column - 1 :], *lines[line:]]).decode()
        assert json.JSONDecoder().raw_decode(rest)[0] == member.value


def _take_text(rest: bytes) -> bytes:
    """The JSON text that bytes begin with."""
    decoded = rest.decode()
    return decoded[: json.JSONDecoder().raw_decode(decoded)[1]].encode()


@settings(max_examples=EXAMPLES)
@given(st.binary(max_size=40) | st.text('{}[]":,x \n\\1', max_size=40).map(str.encode))
def test_any_bytes_are_an_object_or_malformed(content: bytes) -> None:
    """What `json` takes for an object has members, and all else a fault with a place in the file."""
    try:
        held = json.loads(content.decode())
    except (ValueError, RecursionError):
        held = None
    try:
        members = read_members(content)
    except MalformedError as error:
        assert not isinstance(held, dict)
        assert 1 <= error.place.line <= content.count(b"\n") + 1
        assert 1 <= error.place.column <= len(content) + 1
    else:
        assert {member.name: member.value for member in members} == held


@settings(max_examples=EXAMPLES)
@given(DESCRIPTIONS)
def test_any_description_is_checked(held: dict[str, object]) -> None:
    """Whatever the values are, there are findings with places in the file, in printable words, and no exception."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "box.json")
        path.write_bytes(json.dumps(held).encode())

        found = check_system_description(path, ROUND)

    missing = {name for name in FIELDS if name not in held}
    assert {
        each.finding.expected for each in found if each.finding.rule == "description-field-missing"
    } <= missing
    for each in found:
        assert each.finding.line in (None, 1)
        assert each.finding.message.encode("utf-8", "backslashreplace")
