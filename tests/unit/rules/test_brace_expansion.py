"""Lists of names written with braces."""

from __future__ import annotations

import pytest

from mlperf_logging.rules.brace_expansion import MAX_NAMES, expand_names


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ([], []),
        (["plain"], ["plain"]),
        ([""], [""]),
        (["a", "b"], ["a", "b"]),
        (["{a,b}"], ["a", "b"]),
        (["x_{a,b}/y"], ["x_a/y", "x_b/y"]),
        (["{1..3}"], ["1", "2", "3"]),
        (["l{0..0}"], ["l0"]),
        (["{3..1}"], []),
        (["{a,2..3,z}"], ["a", "2", "3", "z"]),
        (["{a,b}{1..2}"], ["a1", "a2", "b1", "b2"]),
        (["l_{0..1}/{k,b}", "top"], ["l_0/k", "l_0/b", "l_1/k", "l_1/b", "top"]),
        (["a{,_extra}"], ["a", "a_extra"]),
        (["{9..11}"], ["9", "10", "11"]),
        (["no}brace"], ["no}brace"]),
        (["open{brace"], ["open{brace"]),
    ],
)
def test_pattern_expands_to_names(patterns: list[str], names: list[str]) -> None:
    """Braces give alternatives and ranges, in the order written."""
    assert expand_names(patterns) == names


@pytest.mark.parametrize("range_text", ["a..b", "1..", "..2", "1..b", "-1..2", "1...3", "1.5..2"])
def test_range_of_other_things_is_refused(range_text: str) -> None:
    """A range has two whole numbers, else the message quotes it."""
    with pytest.raises(ValueError, match=f"'{range_text}' is not a range of whole numbers"):
        expand_names([f"x{{{range_text}}}"])


@pytest.mark.parametrize("pattern", [f"{{0..{MAX_NAMES}}}", "{0..999999999999999}", "{0..999}{0..999}"])
def test_list_without_measure_is_refused(pattern: str) -> None:
    """A slip in a range does not fill memory."""
    with pytest.raises(ValueError, match="too many names"):
        expand_names([pattern])
