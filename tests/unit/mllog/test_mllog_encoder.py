"""Values to JSON: plain ones as json.dumps writes them, foreign ones by what they can do, none lost."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import math
import types
from pathlib import PurePosixPath
from typing import Any

import pytest

from mlperf_logging.mllog.encoder import encode_float, encode_value


class Colour(enum.Enum):
    """An enum with a value that JSON knows."""

    RED = "red"


class Level(enum.IntEnum):
    """An enum of numbers."""

    HIGH = 3


@dataclasses.dataclass
class Point:
    """A dataclass that holds another."""

    x: float
    inner: Any = None


class ArrayLike:
    """Stands for arrays of numpy, JAX and torch."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def tolist(self) -> Any:
        """The content as Python objects."""
        return self.content


class TensorLike:
    """Stands for tensors of TensorFlow, which know `numpy` only."""

    def numpy(self) -> ArrayLike:
        """The content as an array."""
        return ArrayLike([1.5, 2.5])


class Unwilling:
    """A traced value: asking for its content is an error."""

    def tolist(self) -> Any:
        """Fails as tracers do."""
        raise RuntimeError("no concrete value")

    def __repr__(self) -> str:
        return "<traced>"


class Unprintable:
    """An object that cannot even be printed."""

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            True,
            0,
            -7,
            10**30,
            1.5,
            -0.0,
            1e300,
            5e-324,
            [],
            {},
            [1, [2.0, None]],
            {"a": {"b": [True]}},
        ),
        *((1, 2), {7: "a", None: "b", 2.5: "c", True: "d"}, "", 'a"\\b\n\r\x00\u2028é\U0001f600\ud800'),
    ],
)
def test_plain_values_are_written_as_json_dumps_does(value: object) -> None:
    """What JSON knows has the very text that the public logger gives it."""
    assert encode_value(value) == (json.dumps(value), None)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        ({Colour.RED: 1}, {"red": 1}),
        (PurePosixPath("/data/x"), "/data/x"),
        (Point(1.0, Point(2.0)), {"x": 1.0, "inner": {"x": 2.0, "inner": None}}),
        (datetime.datetime(2024, 5, 6, 7, 8, tzinfo=datetime.timezone.utc), "2024-05-06T07:08:00+00:00"),
        (datetime.date(2024, 5, 6), "2024-05-06"),
        (datetime.timedelta(minutes=1.5), 90.0),
        (decimal.Decimal("0.5"), 0.5),
        (fractions.Fraction(1, 4), 0.25),
        ({3, 1, 2}, [1, 2, 3]),
        (frozenset(("b", "a")), ["a", "b"]),
        (range(3), [0, 1, 2]),
        (collections.deque((1, 2)), [1, 2]),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        ({"a": 1}.keys(), ["a"]),
        (b"abc", "abc"),
        (ArrayLike([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (ArrayLike(0.5), 0.5),
        (TensorLike(), [1.5, 2.5]),
        ([{"loss": TensorLike()}], [{"loss": [1.5, 2.5]}]),
    ],
)
def test_foreign_values_become_what_json_knows(value: object, wanted: object) -> None:
    """Enums, paths, dates, dataclasses, sets, arrays and tensors are encoded without a warning."""
    text, failed = encode_value(value)
    assert (json.loads(text), failed) == (wanted, None)


def test_decimals_keep_their_digits() -> None:
    """A Decimal is written digit by digit, not rounded to a float."""
    digits = "0.1000000000000000055511151231257827"
    assert encode_value([decimal.Decimal(digits)])[0] == f"[{digits}]"
    assert encode_value(decimal.Decimal("1E+3"))[0] == "1E+3"


@pytest.mark.parametrize("value", [math.inf, decimal.Decimal("Infinity"), ArrayLike(math.inf)])
def test_infinity_is_a_number_for_every_reader(value: object) -> None:
    """Infinity is 1e999: strict JSON, and an infinite number to readers with binary floating point."""
    text, failed = encode_value({"x": value})
    assert (text, failed) == ('{"x": 1e999}', None)
    assert json.loads(text, parse_constant=pytest.fail) == {"x": math.inf}
    assert encode_float(-math.inf) == "-1e999"


@pytest.mark.parametrize(
    "value", [math.nan, decimal.Decimal("NaN"), decimal.Decimal("-sNaN12"), ArrayLike(math.nan)]
)
def test_nan_is_a_text(value: object) -> None:
    """NaN, for which JSON has no number, is the text "NaN", which float() reads back."""
    text, failed = encode_value([value])
    assert (text, failed) == ('["NaN"]', None)
    assert math.isnan(float(json.loads(text)[0]))


@pytest.mark.parametrize(
    ("value", "wanted", "type_name"),
    [
        (1j, "1j", "complex"),
        (Unwilling(), "<traced>", "Unwilling"),
        ([1, Unwilling(), 2], [1, "<traced>", 2], "Unwilling"),
        ({"a": {"b": object}}, {"a": {"b": "<class 'object'>"}}, "type"),
        (Unprintable(), "<Unprintable without a working repr>", "Unprintable"),
        (b"\xff", "b'\\xff'", "bytes"),
        pytest.param(10**5000, hex(10**5000), "int", id="huge"),
    ],
)
def test_what_has_no_json_form_is_its_repr(value: object, wanted: object, type_name: str) -> None:
    """Only the part that cannot be encoded becomes its repr, and its type is reported."""
    text, failed = encode_value(value)
    assert (json.loads(text), failed) == (wanted, type_name)


def test_keys_of_any_type_become_text() -> None:
    """Keys that JSON does not allow become text, and the values under them are kept."""
    text, failed = encode_value({(1, 2): Colour.RED, PurePosixPath("a"): math.inf})
    assert (json.loads(text), failed) == ({"(1, 2)": "red", "PurePosixPath('a')": math.inf}, None)


def test_a_value_that_holds_itself_ends() -> None:
    """A cycle is cut where it closes."""
    value: list[Any] = [1]
    value.append({"again": value})
    text, failed = encode_value(value)
    assert (json.loads(text), failed) == ([1, {"again": "<the same list again>"}], "list")


def test_the_same_value_twice_is_no_cycle() -> None:
    """Two references to one list are two lists."""
    part = [math.inf]
    assert json.loads(encode_value([part, part])[0]) == [[math.inf], [math.inf]]


def test_deep_nesting_costs_depth_not_the_run() -> None:
    """A value nested deeper than Python can follow is still logged as a line."""
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    text, failed = encode_value(value)
    assert json.loads(json.dumps(text)) == text
    assert failed == "list"


def test_text_is_one_line_of_ascii() -> None:
    """Line ends of any kind inside a value cannot end the log line."""
    text, _ = encode_value({"a\nb": "c\r\u2028\x85\x0b\x0c"})
    assert text.isascii()
    assert len(text.splitlines()) == 1


def test_numpy_scalars_and_arrays() -> None:
    """Real numpy values are written as the numbers they hold."""
    numpy = pytest.importorskip("numpy")
    for value, wanted in [
        (numpy.float32(0.1), 0.10000000149011612),
        (numpy.int64(3), 3),
        (numpy.bool_(True), True),
        (numpy.arange(6).reshape(2, 3), [[0, 1, 2], [3, 4, 5]]),
        (numpy.longdouble(1.5), 1.5),
        (numpy.datetime64("2020-01-02"), "2020-01-02"),
    ]:
        text, failed = encode_value(value)
        assert (json.loads(text), failed) == (wanted, None)
