"""Time and memory that each command takes for logs that are made to cost as much as possible.

    python benchmarks/bench_hostile.py [--megabytes N] [--names PATTERN] [--commands NAMES] [--figures speed|memory]
        [--page FILE] [--json FILE]

Each input is a log that begins as a compliant one does and goes on with one hostile part, again and again. It lies
alone in a submission's folder; the commands are run on that folder, one process each.

- *MB/s*: bytes of the log, decompressed, over the processor time beyond that of the same command on the compliant
  log alone, so that starting Python and loading libraries do not count.
- *MB*: peak memory of the process beyond that of the same command on the compliant log alone.
- *out*: bytes printed.

Exit 1 if an input is read slower, takes more memory, or does not end with a documented exit code.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from harness import PROJECT, describe_machine, format_table

COMPLIANT = PROJECT / "examples" / "logs" / "compliant"
LEAST_MB_PER_SECOND, MOST_MB = 5, 256
COMMANDS = {
    "check": ("check", "{folder}"),
    "verbose": ("check", "--verbose", "{folder}"),
    **{
        form: ("check", "--format", form, "{folder}")
        for form in ("json", "sarif", "github", "junit", "gitlab", "concise")
    },
    "score": ("score", "{folder}"),
    "rcp": ("rcp", "{folder}"),
    "analyze": ("analyze", "{folder}"),
    "tables": ("analyze", "--table", "all,series", "--format", "json", "{folder}"),
    "plot": ("plot", "convergence", "--output", "{picture}", "{folder}"),
    "plot series": ("plot", "series", "--output", "{picture}", "{folder}"),
    "convert": ("convert", "--unwrap", "{wrapped}", "{clean}"),
}
WRAPPED = "convert"
"""The command that is given the log as a container writes it."""

Part = Callable[[int], bytes]
"""The hostile part of an input, by its number."""


class Input(NamedTuple):
    """A hostile log.

    Attributes:
        base: the example log that it begins as.
        part: what follows, again and again.
        end: what stands at its end.
        compressed: whether it is a gzip file.
    """

    base: str
    part: Part
    end: bytes = b"\n"
    compressed: bool = False


OLDEST, OLDER, NEWEST = "0.5.0_resnet.txt", "0.6.0_resnet.txt", "6.1.0_llama31_8b.txt"


def _event(key: str, value: str, metadata: str = "") -> Part:
    """A record of the newest dialect; ``%d`` in its texts stands for the part's number."""
    text = (
        f':::MLLOG {{"namespace":"","time_ms":1700000000000,"event_type":"POINT_IN_TIME","key":"{key}",'
        f'"value":{value},"metadata":{{"file":"a.py","lineno":1{metadata}}}}}\n'
    ).encode()
    return lambda number: text.replace(b"%d", b"%d" % number)


def _same(text: bytes) -> Part:
    return lambda _: text


def _list(member: str, count: int) -> str:
    return "[" + ",".join([member] * count) + "]"


_NESTED = b"[" * 150 + b"]" * 150
_METRICS = "{" + ",".join([f'"m{name}":1' for name in range(1000)]) + "}"
_KNOWN_KEYS = ("eval_accuracy", "seed", "block_start", "global_batch_size", "tracked_stats")
_LONG_PARTS = [_event(key, _list("[]", 300_000)) for key in _KNOWN_KEYS]
_SHORT = b':::MLLOG {"key":"%s","value":%s,"time_ms":%s,"metadata":%s}%s\n'

INPUTS = {
    "cut short": Input(NEWEST, _same(b":::MLLOG {\n")),
    "cut short, 0.6": Input(OLDER, _same(b":::MLL 1.5 a: {\n")),
    "cut short, 0.5": Input(OLDEST, _same(b":::MLPv0.5.0 a 1.5 (a:1) k: {\n")),
    "markers alone": Input(NEWEST, _same(b":::MLLOG \n")),
    "markers without a space": Input(NEWEST, _same(b":::MLLOG\n")),
    "markers on one line": Input(NEWEST, _same(b":::MLLOG {")),
    "empty objects": Input(NEWEST, _same(b":::MLLOG {}\n")),
    "empty objects, 0.6": Input(OLDER, _same(b":::MLL 1.5 a: {}\n")),
    "half records": Input(NEWEST, _same(_event("eval_accuracy", "0.5")(0)[:-25] + b"\n")),
    "half records, 0.6": Input(
        OLDER, _same(b':::MLL 1.5 eval_accuracy: {"value": 0.5, "metadata": {"a": \n')
    ),
    "half records, 0.5": Input(
        OLDEST, _same(b':::MLPv0.5.0 resnet 1.5 (a.py:1) eval_accuracy: {"value": 0.5, \n')
    ),
    "Python literals": Input(NEWEST, _same(_event("eval_accuracy", "None")(0))),
    "deep nesting": Input(NEWEST, _same(_SHORT % (b"a", _NESTED, b"1", b"{}", b""))),
    "deep nesting, cut short": Input(NEWEST, _same(b":::MLLOG " + b"[" * 3000 + b"\n")),
    "no time": Input(NEWEST, _same(b':::MLLOG {"key":"a","value":1,"metadata":{}}\n')),
    "NaN": Input(NEWEST, _same(_SHORT % (b"a", b"NaN", b"1", b"{}", b""))),
    "time as text": Input(NEWEST, _same(_SHORT % (b"a", b"1", b'"1"', b"{}", b""))),
    "names twice": Input(NEWEST, _same(_SHORT % (b"a", b"1", b'1,"key":"a"', b"{}", b""))),
    "metadata null": Input(NEWEST, _same(_SHORT % (b"a", b"1", b"1", b"null", b""))),
    "text after": Input(NEWEST, _same(_SHORT % (b"a", b"1", b"1", b"{}", b" x"))),
    "text after, 0.5": Input(OLDEST, _same(b":::MLPv0.5.0 a 1.5 (a:1) k x\n")),
    "two on a line": Input(NEWEST, _same(_SHORT.rstrip(b"\n") % (b"a", b"1", b"1", b"{}", b"") * 2 + b"\n")),
    "not UTF-8": Input(NEWEST, _same(_SHORT % (b"a\xff", b"1", b"1", b"{}", b""))),
    "half characters": Input(NEWEST, _same(_SHORT % (b"a\\ud800", b"1", b"1", b"{}", b""))),
    "huge integers": Input(NEWEST, _same(_event("global_batch_size", "9" * 4000)(0))),
    "short events": Input(NEWEST, _same(_SHORT % (b"a", b"1", b"1", b"{}", b""))),
    "short events, 0.5": Input(OLDEST, _same(b":::MLPv0.5.0 a 1 (a:1) k\n")),
    "older records": Input(NEWEST, _same(b":::MLL 1.5 a: {}\n")),
    "bad values": Input(NEWEST, _event("opt_name", '"nonsense"')),
    "bad short values": Input(NEWEST, _same(_SHORT % (b"seed", b"null", b"1", b"{}", b""))),
    "starts after starts": Input(NEWEST, _event("run_start", "null")),
    "evaluations": Input(NEWEST, _event("eval_accuracy", "0.%d", ',"samples_count":%d')),
    "evaluations, 0.6": Input(
        OLDER,
        lambda number: (
            b':::MLL 1.5 eval_accuracy: {"value": 0.%d, "metadata": {"epoch_num": %d}}\n' % (number, number)
        ),
    ),
    "evaluations, 0.5": Input(
        OLDEST,
        lambda number: (
            b':::MLPv0.5.0 resnet 1.5 (a.py:1) eval_accuracy: {"epoch": %d, "value": 0.5}\n' % number
        ),
    ),
    "evaluations of many metrics": Input(NEWEST, _event("eval_accuracy", _METRICS, ',"samples_count":%d')),
    "keys": Input(NEWEST, _event("key_%d", "1")),
    "keys with texts": Input(NEWEST, _event("key_%d", '"' + "x" * 1000 + '"')),
    "seeds": Input(NEWEST, _event("seed", "%d")),
    "blocks without end": Input(NEWEST, _event("block_start", "null", ',"samples_count":%d')),
    "tracked stats": Input(NEWEST, _event("tracked_stats", '{"throughput":%d.5}', ',"step":%d')),
    "lists of lists": Input(NEWEST, _event("tracked_stats", _list("[]", 3000), ',"step":%d')),
    "long records of known keys": Input(
        NEWEST, lambda number: _LONG_PARTS[number % len(_LONG_PARTS)](number)
    ),
    "runs": Input(NEWEST, _same((COMPLIANT / NEWEST).read_bytes())),
    "series": Input(
        NEWEST, lambda number: _event(f"loss_{number // 2 % 5_000}", "0.%d", ',"epoch_num":%d')(number)
    ),
    "one line of noise": Input(NEWEST, _same(b"x" * 1000)),
    "one record": Input(NEWEST, _same(b"[],"), b"1]}\n"),
    "empty lines": Input(NEWEST, _same(b"\n" * 1000)),
    "carriage returns": Input(NEWEST, _same(b":::MLLOG {\r")),
    "gzip of evaluations": Input(NEWEST, _same(_event("eval_accuracy", "0.5")(0)), compressed=True),
    "gzip of bad values": Input(NEWEST, _same(_event("opt_name", '"nonsense"')(0)), compressed=True),
}


def make_input(given: Input, size: int) -> Iterator[bytes]:
    """The bytes of a hostile log, in blocks of which the last ends beyond a size."""
    lines = (COMPLIANT / given.base).read_bytes().splitlines(keepends=True)
    yield b"".join(lines[:-1])
    if given is INPUTS["one record"]:
        yield b':::MLLOG {"key": "a", "value": ['
    made = number = 0
    while made < size:
        block = b""
        while len(block) < 1 << 16:
            block += given.part(number)
            number += 1
        made += len(block)
        yield block
    yield given.end + lines[-1]


class Figures(NamedTuple):
    """What a process took: its exit code, processor time, peak memory, and the bytes that it printed."""

    code: int
    seconds: float
    megabytes: float
    printed: int
    said: str


def measure(command: tuple[str, ...], folder: Path, limit: float) -> Figures:
    """Run one command on a folder to its end."""
    names = {"picture": "picture.png", "wrapped": "wrapped.json", "clean": "clean.txt"}
    places = {"folder": str(folder / "results")} | {key: str(folder / name) for key, name in names.items()}
    words = [word.format_map(places) for word in command]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlperf_logging.cli.main", *words],
            stdout=output,
            stderr=errors,
            cwd=PROJECT,
        )
        killer = threading.Timer(limit, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
        printed = output.seek(0, 2)
    unit = 1e6 if sys.platform == "darwin" else 1e3
    seconds = usage.ru_utime + usage.ru_stime
    return Figures(process.returncode, seconds, usage.ru_maxrss / unit, printed, said)


def wrap(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of a log as Docker writes them."""
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            text = json.dumps(line.decode("utf-8", "replace") + "\n")
            yield f'{{"log":{text},"stream":"stdout","time":"2024-01-01T00:00:00Z"}}\n'.encode()


def write_log(folder: Path, given: Input, size: int, commands: list[str]) -> None:
    """Write an input for the commands that are to read it."""
    if commands != [WRAPPED]:
        path = place_log(folder, given)
        with gzip.open(path, "wb", compresslevel=6) if given.compressed else path.open("wb") as file:
            file.writelines(make_input(given, size))
    if WRAPPED in commands:
        path = folder / "wrapped.json"
        with gzip.open(path, "wb", compresslevel=6) if given.compressed else path.open("wb") as file:
            file.writelines(wrap(make_input(given, size)))


def place_log(folder: Path, given: Input) -> Path:
    """Where the log of an input stands within a submission."""
    place = folder / "results" / "system" / given.base.partition("_")[2].removesuffix(".txt")
    place.mkdir(parents=True)
    return place / ("result_0.txt.gz" if given.compressed else "result_0.txt")


def measure_input(
    name: str,
    given: Input,
    commands: list[str],
    size: int,
    bases: dict[tuple[str, str], Figures],
    limit: float,
) -> list[dict[str, Any]]:
    """The figures of one input, by command."""
    rows = []
    for command in commands:
        if (given.base, command) not in bases:
            with tempfile.TemporaryDirectory() as temporary:
                write_log(Path(temporary), Input(given.base, given.part), 0, [command])
                runs = [measure(COMMANDS[command], Path(temporary), limit) for _ in range(3)]
                bases[given.base, command] = min(runs, key=lambda run: run.seconds)
    with tempfile.TemporaryDirectory() as temporary:
        write_log(Path(temporary), given, size, commands)
        for command in commands:
            base = bases[given.base, command]
            figures = measure(COMMANDS[command], Path(temporary), limit)
            rows.append(
                {
                    "input": name,
                    "command": command,
                    "exit": figures.code,
                    "MB/s": size / 1e6 / max(0.001, figures.seconds - base.seconds),
                    "MB": max(0.0, figures.megabytes - base.megabytes),
                    "out": figures.printed,
                    "said": figures.said[-200:],
                }
            )
    return rows


def find_fault(row: dict[str, Any]) -> str:
    """What is not as promised in one row."""
    faults = []
    if row["exit"] not in (0, 1, 2) or "Traceback" in row["said"] or "itself failed" in row["said"]:
        faults.append(f"exit {row['exit']}")
    if row["MB/s"] < LEAST_MB_PER_SECOND:
        faults.append("slow")
    if row["MB"] > MOST_MB:
        faults.append("memory")
    return ", ".join(faults)


def _show(row: dict[str, Any]) -> str:
    figures = (
        f"exit {row['exit']:>3} {row['MB/s']:8.1f} MB/s {row['MB']:8.0f} MB {row['out'] / 1e6:8.1f} MB out"
    )
    return f"{figures}  {find_fault(row)}"


FIGURES = {"speed": ("MB/s", "MB"), "memory": ("MB",)}
"""What tables show of each command: both figures, or only the memory."""


def describe(rows: list[dict[str, Any]], commands: list[str], figures: str) -> str:
    """A table with one row per input: the figures of each command."""
    by_input: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        by_input.setdefault(row["input"], {})[row["command"]] = row
    units = FIGURES[figures]
    head = [f"{command}, {unit}" if len(units) > 1 else command for unit in units for command in commands]
    table = [
        [name, *[each[command][unit] for unit in units for command in commands]]
        for name, each in by_input.items()
    ]
    return format_table(["input", *head], table)


def write_page(page: Path, figures: str, table: str) -> None:
    """Put a table into the page, in the place of the one below its heading."""
    text = page.read_text("utf-8")
    begin = text.index("```text\n", text.index(f"## {figures.title()}\n"))
    end = text.index("```\n", begin + 8) + 4
    page.write_text(f"{text[:begin]}```text\n{table}\n```\n{text[end:]}", "utf-8")


def main() -> int:
    """Measure, print a table, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=float, default=16, help="size of each input (default: 16)")
    parser.add_argument("--names", default="*", help="only inputs whose names match these patterns (A|B)")
    parser.add_argument("--commands", default=",".join(COMMANDS), help="only these commands")
    parser.add_argument("--figures", choices=FIGURES, default="speed", help="what the table shows")
    parser.add_argument("--page", type=Path, help="write the table into this page")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    commands = options.commands.split(",")
    size = int(options.megabytes * 1e6)
    bases: dict[tuple[str, str], Figures] = {}
    rows: list[dict[str, Any]] = []
    begin = time.perf_counter()
    for name, given in INPUTS.items():
        if any(fnmatch(name, pattern) for pattern in options.names.split("|")):
            for row in measure_input(name, given, commands, size, bases, 60 + options.megabytes * 10):
                rows.append(row)
                print(f"{name:<30} {row['command']:<8} {_show(row)}", flush=True)
    machine = f"{describe_machine()}; {options.megabytes:g} MB each"
    print(f"\n{machine}, {time.perf_counter() - begin:.0f} s\n")
    table = describe(rows, commands, options.figures)
    print(table)
    if options.page:
        write_page(options.page, options.figures, f"{machine}\n\n{table}")
    if options.json:
        options.json.write_text(json.dumps({"machine": describe_machine(), "figures": rows}, indent=2) + "\n")
    return int(any(find_fault(row) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
