"""Damage that knows what it damages: records, keys, values, lines, YAML and JSON, drawn from a seeded generator."""

from __future__ import annotations

import gzip
import html
import json
import lzma
import re
from collections.abc import Callable
from functools import cache
from random import Random

from checkout import PROJECT

from mlperf_logging.mllog import constants

EXAMPLE_LOGS = sorted((PROJECT / "examples/logs").glob("*/*.txt"))

KEYS = sorted(
    {value for name, value in vars(constants).items() if name.isupper() and isinstance(value, str) and value}
)
HOSTILE_TEXTS = (
    "",
    "\\u001b]0;title\\u0007\\u001b[31mred",
    "\x1b[2J",
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "-1",
    "$\\\\frac{1}{$",
    "\\ud800",
    "\\u202e",
    "../../../etc/passwd",
    "<script>alert(1)</script>",
    "]]>",
    "a,b\\r\\nc",
    "| `x` [y](z) |",
    "%n %s {0}",
    "::error::forged",
    "\\u0000",
    "é中🎉",
    "x" * 5_000,
    "0.75",
    "inf",
    "success",
    "closed",
    "open",
    "onprem",
)
VALUES = (
    *("null", "true", "false", "0", "-0", "-1", "1", "64", "0.5", "1e-300", "1e308", "-1e308", "1e999"),
    *("NaN", "Infinity", "-Infinity", "9223372036854775808", "1" + "0" * 30, "1" + "0" * 400, "1" * 5_000),
    *("[]", "{}", "[1]", "[1, [2, [3]]]", '{"a": 1}', '{"value": 0.9, "epoch": 1}', '[null, "x", 1e999]'),
    *("[" * 60 + "]" * 60, "[1,", "tru"),
    *(f'"{text}"' for text in HOSTILE_TEXTS),
)
"""Texts that take a JSON value's place: of another kind or size than is meant, hostile, or no JSON."""

DEEP_VALUES = ("[" * 3_000 + "]" * 3_000, '{"a":' * 2_000 + "1" + "}" * 2_000, "[" * 100_000)
"""Nesting that takes a reader long, and so is drawn seldom."""

YAML_VALUES = (
    *(
        "null",
        "~",
        "0",
        "-1",
        "1e999",
        ".nan",
        ".inf",
        "2020-13-01",
        "0x" + "f" * 400,
        "9" * 5_000,
        "!!int abc",
    ),
    *(
        "!!python/object/apply:os.system [x]",
        "*unknown",
        "&a [*a]",
        "[" * 200,
        "{a: " * 200,
        "'",
        "|",
        ">",
        "- -",
    ),
    *(
        "[1, 2, 3]",
        "{a: {b: c}}",
        "x" * 3_000,
        '"\\u001b[31m"',
        "../../x",
        "logged",
        "value > 0",
        "in {a, b}",
    ),
    *(
        "value ** value ** value",
        "zz * zz",
        "reaches value >= 0.9",
        "at least one",
        "(" * 100 + "1" + ")" * 100,
    ),
    *("any: 1", "\x00", "\t", "é", "true", "[]", "{}"),
)
"""Texts that take a scalar's place in YAML."""

TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null')
WORD = re.compile(r"[\w.+*/-]+")
BYTES = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\r",
    b"\n",
    b"\x1b[31m",
    b"\xed\xa0\x80",
    b":::MLLOG ",
    b":::MLL 1.5 ",
    b"{",
    b'"',
)


@cache
def load_logs() -> tuple[bytes, ...]:
    """The example logs, of every dialect."""
    return tuple(path.read_bytes() for path in EXAMPLE_LOGS)


class Mutator:
    """Draws damage.

    Attributes:
        random: where every choice comes from.
    """

    def __init__(self, random: Random) -> None:
        self.random = random

    def pick_log(self) -> bytes:
        """One of the example logs, whole or a part of it."""
        log = self.random.choice(load_logs())
        if self.random.random() < 0.3:
            return log
        lines = log.splitlines(keepends=True)
        start = self.random.randrange(len(lines))
        return b"".join(lines[start : start + self.random.randint(1, 20)])

    def mutate_log(self, log: bytes, times: int | None = None) -> bytes:
        """The log with some damage, at times none."""
        lines = log.splitlines(keepends=True)
        count = self.random.choice((0, 1, 1, 2, 3, 5, 10, 40)) if times is None else times
        changes: tuple[Callable[[list[bytes]], None], ...] = (
            *((self._change_value,) * 6),
            *((self._change_key,) * 3),
            *((self._change_bytes,) * 2),
            self._add_member,
            self._remove_line,
            self._move_line,
            self._glue_lines,
            self._repeat_lines,
            self._splice_log,
            self._cut_line,
        )
        for _ in range(count):
            if lines:
                self.random.choice(changes)(lines)
        if lines and self.random.random() < 0.02:
            self._repeat_lines(lines, self.random.randint(100, 3_000))
        return b"".join(lines)

    def compress(self, data: bytes) -> bytes:
        """The data compressed, at times broken off or with a byte changed."""
        packed = bytearray(self.random.choice((gzip.compress, lzma.compress))(data))
        if self.random.random() < 0.5:
            place = self.random.randrange(len(packed))
            packed[place] ^= self.random.randint(1, 255)
            del packed[self.random.randrange(len(packed)) :]
        return bytes(packed)

    def wrap(self, data: bytes) -> bytes:
        """The log as something else has written it down: a container, an editor, a shell, a web page."""
        lines = data.decode("utf-8", "replace").splitlines(keepends=True)
        ways: tuple[Callable[[], bytes], ...] = (
            lambda: "".join(json.dumps({"log": line, "stream": "stdout"}) + "\n" for line in lines).encode(),
            lambda: "".join(lines).encode(self.random.choice(("utf-16", "utf-16-le", "utf-16-be"))),
            lambda: "".join(f"{line.encode()!r}\n" for line in lines).encode(),
            lambda: "".join(f"\x1b[32m{line.rstrip()}\x1b[0m\n" for line in lines).encode(),
            f"<html><pre>{html.escape(''.join(lines))}</pre></html>".encode,
            lambda: "".join(f'"{line.rstrip()}"\n'.replace('"', '""') for line in lines).encode(),
            lambda: b"\n".join(data[start : start + 80] for start in range(0, len(data), 80)),
        )
        return self.random.choice(ways)()

    def mutate_yaml(self, text: str, times: int | None = None) -> str:
        """A YAML or JSON file with words replaced, lines moved, repeated, removed and shifted."""
        lines = text.splitlines(keepends=True)
        count = self.random.choice((0, 1, 1, 1, 2, 3, 6)) if times is None else times
        for _ in range(count):
            if not lines:
                break
            at = self.random.randrange(len(lines))
            match self.random.randrange(8):
                case 0:
                    del lines[at]
                case 1:
                    lines.insert(self.random.randrange(len(lines) + 1), lines[at])
                case 2:
                    lines[at] = " " * self.random.randint(1, 4) + lines[at]
                case 3:
                    lines[at : at + 1] = [lines[at]] * self.random.choice((2, 10, 300))
                case _:
                    words = list(WORD.finditer(lines[at]))
                    if words:
                        word = self.random.choice(words)
                        new = self.random.choice(YAML_VALUES)
                        lines[at] = lines[at][: word.start()] + new + lines[at][word.end() :]
        return "".join(lines)

    def _draw_value(self) -> bytes:
        values = DEEP_VALUES if self.random.random() < 0.004 else VALUES
        return self.random.choice(values).encode()

    def _at(self, lines: list[bytes]) -> int:
        return self.random.randrange(len(lines))

    def _change_value(self, lines: list[bytes]) -> None:
        at = self._at(lines)
        tokens = list(TOKEN.finditer(lines[at]))
        if tokens:
            token = self.random.choice(tokens)
            new = self._draw_value()
            lines[at] = lines[at][: token.start()] + new + lines[at][token.end() :]

    def _change_key(self, lines: list[bytes]) -> None:
        """Another key for a record, known or made up, whatever the dialect."""
        at = self._at(lines)
        keys = list(re.finditer(rb"\b[a-z]+(?:_[a-z0-9]+)+|seed", lines[at]))
        if keys:
            key = self.random.choice(keys)
            new = self.random.choice((*KEYS, "made_up_key", "run_stop", "eval_accuracy")).encode()
            lines[at] = lines[at][: key.start()] + new + lines[at][key.end() :]

    def _change_bytes(self, lines: list[bytes]) -> None:
        at = self._at(lines)
        place = self.random.randint(0, len(lines[at]))
        width = self.random.choice((0, 0, 1, 1, 3, 20))
        new = self.random.choice((*BYTES, bytes([self.random.randrange(256)])))
        lines[at] = lines[at][:place] + new + lines[at][place + width :]

    def _add_member(self, lines: list[bytes]) -> None:
        at = self._at(lines)
        name = self.random.choice((*KEYS, "value", "time_ms", "key", "epoch_num", "status", "")).encode()
        member = b'{"' + name + b'": ' + self._draw_value() + b", "
        lines[at] = lines[at].replace(b"{", member, 1)

    def _remove_line(self, lines: list[bytes]) -> None:
        at = self._at(lines)
        del lines[at : at + self.random.choice((1, 1, 3, 30))]

    def _move_line(self, lines: list[bytes]) -> None:
        lines.insert(self._at(lines), lines.pop(self._at(lines)))

    def _glue_lines(self, lines: list[bytes]) -> None:
        at = self._at(lines)
        lines[at] = lines[at].rstrip(b"\r\n") + self.random.choice((b"", b" ", b"\r", b"\x00"))

    def _cut_line(self, lines: list[bytes]) -> None:
        at = self._at(lines)
        lines[at] = lines[at][: self.random.randint(0, len(lines[at]))] + b"\n"

    def _repeat_lines(self, lines: list[bytes], times: int | None = None) -> None:
        at = self._at(lines)
        lines[at : at + 1] = [lines[at]] * (times or self.random.choice((2, 2, 5, 50)))

    def _splice_log(self, lines: list[bytes]) -> None:
        other = self.random.choice(load_logs()).splitlines(keepends=True)
        start = self.random.randrange(len(other))
        at = self._at(lines)
        lines[at:at] = other[start : start + self.random.randint(1, 10)]
