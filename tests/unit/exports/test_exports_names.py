"""Names and values from logs, made fit for every tool."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.exports.names import LONGEST_NAME, clean_name, clean_values, plain_value, tell_apart


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("eval_accuracy", "eval_accuracy"),
        ("eval_accuracy/BBOX", "eval_accuracy/BBOX"),
        ("../../etc/passwd", "_/_/etc/passwd"),
        ("/absolute", "_/absolute"),
        ("a//b/./c", "a/_/b/_/c"),
        ("..", "_"),
        ("", "_"),
        ("loss\x00\n\u202e<b>", "loss____b_"),
        ("Genauigkeit_ä", "Genauigkeit_ä"),
        ("C:\\x", "C__x"),
        (" .hidden. ", "hidden"),
    ],
)
def test_a_name_is_cleaned(name: str, cleaned: str) -> None:
    """What tools or file systems refuse becomes an underscore."""
    assert clean_name(name) == cleaned


@given(st.text(max_size=600))
def test_a_clean_name_leads_nowhere(name: str) -> None:
    """No name is empty, too long, or leads out of its folder; a clean name stays as it is."""
    cleaned = clean_name(name)
    parts = cleaned.split("/")

    assert len(cleaned) <= LONGEST_NAME
    assert all(part and part not in (".", "..") and len(part.encode()) <= 255 for part in parts)
    assert "\0" not in cleaned
    assert clean_name(cleaned) == cleaned


def test_long_names_stay_apart() -> None:
    """Names that differ only behind what is cropped get different checksums."""
    assert clean_name("x" * 500 + "1") != clean_name("x" * 500 + "2")
    assert tell_apart("a", {"a", "a-2"}) == "a-3"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (1, 1),
        (True, True),
        (0.5, 0.5),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (1 << 60, str(1 << 60)),
        ("text", "text"),
        ("half \ud800", "half \\ud800"),
        ("nul \0", "nul \\0"),
        ([1, "ä"], '[1, "ä"]'),
        ({"a": None}, '{"a": null}'),
        ("x" * 9_000, "x" * 5_999 + "…"),
        pytest.param(10**5_000, hex(10**5_000), id="5,000 digits"),
    ],
)
def test_a_value_is_plain(value: Any, plain: object) -> None:
    """Numbers that a float holds exactly stay numbers; the rest is text that every store takes."""
    found = plain_value(value)

    assert (found, type(found)) == (plain, type(plain))


def test_parameters_with_like_names_stay_apart() -> None:
    """None takes the place of another."""
    assert clean_values({"a b?": 1, "a b*": 2}) == {"a b_": 1, "a b_-2": 2}
