"""Values too deep for the json module: their ends are found as it finds those of others, at any depth."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging import read_log
from mlperf_logging.parsing.deep_values import find_deep_end
from mlperf_logging.parsing.heads import HeadParser

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3),
)


def find_plainly(text: str) -> int:
    """Where the json module finds the end of a value, -1 where there is none."""
    try:
        return json.JSONDecoder().raw_decode(text)[1]
    except ValueError:
        return -1


def measure(value: Any) -> int:
    """How deep a value nests."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(measure, value), default=0) if isinstance(value, list) else 0


@given(VALUES, st.sampled_from(["", " ", "]", ' "more"', ", 1"]), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_ends_are_those_of_the_json_module(value: Any, behind: str, separators: tuple[str, str]) -> None:
    """The end of a whole value, whatever follows it, and how deep it nests."""
    text = json.dumps(value, separators=separators) + behind

    assert find_deep_end(text, 0)[0] == find_plainly(text)
    if isinstance(value, list | dict):
        assert find_deep_end(text, 0) == (len(text) - len(behind), measure(value))


@given(VALUES, st.data())
def test_broken_values_are_broken_for_both(value: Any, data: st.DataObject) -> None:
    """A character left out, added or changed: a value for both, with one end, or for neither."""
    text = json.dumps([value])
    place = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(["", *'[]{},:"\\ 0-eNu\t\x01']))
    changed = text[:place] + put + text[place + data.draw(st.integers(0, 1)) :]

    # Blanks before a value belong to what stands before it.
    assert find_deep_end(changed.lstrip(" \t"), 0)[0] == find_plainly(changed.lstrip(" \t"))


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("[" * 50_000 + "]" * 50_000, 100_000),
        ("[" * 50_000 + "]" * 50_001, 100_000),
        ("[" * 50_000 + "]" * 49_999, -1),
        ('{"a":[' * 5_000 + "]}" * 5_000, 40_000),
        ('{"a":[' * 5_000 + "]" * 5_000, -1),
        ("[" * 50_000 + ":::MLLOG " + "]" * 50_000, -1),
    ],
)
def test_depth_has_no_limit(text: str, end: int) -> None:
    """Fifty thousand lists in each other have an end, or none."""
    assert find_deep_end(text, 0)[0] == end


def test_deep_records_beside_markers_are_left_to_no_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond those that are explained, a marker within or behind deep records makes none of them a grammar's."""
    parsed: list[str] = []
    parse = HeadParser.parse
    monkeypatch.setattr(
        HeadParser, "parse", lambda self, dialect, text: parsed.append(text) or parse(self, dialect, text)
    )
    head = ':::MLLOG {"time_ms": 1, "key": "value", "value": '
    deep = head + "[" * 20_000 + '":::MLLOG {}"' + "]" * 20_000 + "}"
    broken = head + "[" * 20_000 + ":::MLLOG [" * 2
    event = ':::MLLOG {"namespace": "", "time_ms": 2, "event_type": "POINT_IN_TIME", "key": "seed", "value": 1, "metadata": {}}'
    lines = [f"{deep} {event}", broken] * 20

    log = read_log("\n".join([*lines, event]).encode())

    assert [(each.key, each.line) for each in log.events] == [
        ("seed", line) for line in [*range(1, 41, 2), 41]
    ]
    assert sum(len(text) > 1_000 for text in parsed) <= 6
