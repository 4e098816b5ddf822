"""A hostile value in any field that a command reads costs its own log at most, in every command and format."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Done, run_mlperf
from hostile_fields import BENCHMARK, CLEAN_SYSTEM, VALUES, Tree, list_fields, put_value, spoil_side_file
from promises import check_output, check_text

from mlperf_logging.cli.pictures import KINDS
from mlperf_logging.reports import list_formats
from mlperf_logging.reports.tables import list_table_formats

SHARE = int(os.environ.get("MLPERF_FUZZ_FIELDS", "1"))
"""Of each field so many of the hostile values are tried; all of them with a large number."""

FAULTS = ("Traceback (most recent call last)", "itself failed", "Warning: ")
ANALYZE = ("analyze", "--resamples", "9")
PLOT = ("plot", "--benchmark", BENCHMARK)
ALL_LOGS = sorted(set(KINDS) - {"rcp", "series", "suite"})
"""Pictures of any number of folders."""

COMMANDS: list[tuple[str, tuple[str, ...]]] = [
    *[(form, ("check", "--format", form)) for form in list_formats()],
    ("text", ("check", "--verbose")),
    ("json", ("check", "--strict", "--statistics", "--format", "json")),
    *[(form, ("package", "--format", form)) for form in list_formats()],
    ("json", ("package", "--partial", "--strict", "--format", "json")),
    *[(form, ("score", "--format", form)) for form in list_table_formats()],
    ("json", ("score", "--runs", "--format", "json")),
    ("json", ("score", "--unjudged", "--strict", "--speedup", CLEAN_SYSTEM, "--format", "json")),
    *[(form, ("rcp", "--draws", "9", "--format", form)) for form in list_table_formats()],
    ("json", ("rcp", "--draws", "9", "--method", "rules", "--format", "json")),
    *[(form, ("summary", "--format", form)) for form in list_table_formats()],
    *[("csv", ("summary", "--layout", layout, "--format", "csv")) for layout in ("public", "detailed")],
    ("text", ANALYZE),
    ("json", (*ANALYZE, "--table", "all,series", "--outliers", "mad", "--format", "json")),
    *[
        (form, (*ANALYZE, "--all-runs", "--table", table, "--format", form))
        for table, form in (
            *(("runs", "csv"), ("evaluations", "markdown"), ("series", "parquet"), ("variance", "markdown")),
            *(("hyperparameters", "csv"), ("seeds", "parquet"), ("scaling", "csv"), ("runs", "xlsx")),
        )
    ],
    *[("json", (*PLOT, kind, "--all-runs", "--format", "json")) for kind in ALL_LOGS],
    *[(form, (*PLOT, kind, "--dpi", "20")) for form, kind in (("png", "power"), ("svg", "convergence"))],
    ("pdf", (*PLOT, "spread", "--relative", "--all-runs")),
    ("svg", (*PLOT, "series", "--metric", "$x^{$")),
    *[("text", ("watch", "--once", *more)) for more in ((), ("--json",))],
]
"""Format of the answer, and what follows ``mlperf``."""

WRITTEN = ("xlsx", "parquet", "png", "svg", "pdf")
CODES = {
    "check": {1},
    "package": {1},
    "score": {1},
    "rcp": {0, 1},
    "summary": {1},
    "analyze": {0},
    "plot": {0},
    "watch": {0},
}
"""How a command ends whose logs can be read, some of which are compliant."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Logs with a spoiled field each, the values taken in turn."""
    made = Tree(tmp_path_factory.mktemp("hostile") / "lab")
    values = list(VALUES.values())
    for number, field in enumerate(list_fields()):
        chosen = [values[(number * 5 + turn * 7) % len(values)] for turn in range(min(SHARE, len(values)))]
        for start in range(0, len(chosen), 9):
            made.add(field, chosen[start : start + 9], clean_count=0 if start or number % 23 else 9)
    return made


def run(arguments: tuple[object, ...], form: str, folder: Path) -> tuple[Done, bytes]:
    """Run a command: what it gave, and what it wrote."""
    file = folder / f"answer.{form}"
    more = ("--output", file) if form in WRITTEN else ()
    done = run_mlperf(*arguments, *more)
    written = file.read_bytes() if more and file.exists() else done.output
    file.unlink(missing_ok=True)
    return done, written


def check_promises(done: Done, form: str, written: bytes, counts: dict[str, int]) -> Any:
    """No traceback, nothing hidden, a valid document; gives it where it is JSON."""
    for fault in FAULTS:
        assert fault not in done.stderr, done.stderr[-3_000:]
        assert fault.encode() not in written
    check_text(done.stderr)
    return check_output(form, written, counts) if written else None


def list_clean(value: Any) -> Iterator[str]:
    """What a JSON document says of the clean logs."""
    if isinstance(value, dict):
        place = value.get("path") or ""
        is_clean = f"/{CLEAN_SYSTEM}/" in str(place) or value.get("system") == CLEAN_SYSTEM
        if is_clean and "schema" not in value:
            yield json.dumps(
                {name: part for name, part in value.items() if name != "differs"}, sort_keys=True
            )
            return
        value = value.get("folders") or list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from list_clean(part)


@pytest.mark.parametrize(("form", "command"), COMMANDS, ids=[" ".join(words) for _, words in COMMANDS])
def test_spoiled_logs_cost_only_themselves(
    form: str, command: tuple[str, ...], tree: Tree, tmp_path: Path
) -> None:
    """A command over logs with spoiled fields ends as it should, and says of the others what it says of them alone."""
    done, written = run((*command, tree.folder), form, tmp_path)

    document = check_promises(done, form, written, tree.counts)
    assert done.returncode in CODES[command[0]], done.stderr[-2_000:]
    assert written
    if form == "json":
        clean = tree.folder / "results" / CLEAN_SYSTEM / BENCHMARK
        alone = check_promises(*_alone(command, clean, tmp_path), tree.counts)
        expected = set(list_clean(alone))
        assert expected or {"scaling", "--speedup"} & set(command)  # they compare several systems
        assert expected <= set(list_clean(document))


def _alone(command: tuple[str, ...], clean: Path, folder: Path) -> tuple[Done, str, bytes]:
    done, written = run((*command, clean), "json", folder)
    return done, "json", written


SIDE_COMMANDS = {
    "prices.yaml": ("score", "--prices"),
    "points.yaml": ("rcp", "--draws", "9", "--points"),
    "waivers.yaml": ("check", "--waivers"),
    "suite.yaml": ("score", "--suite"),
    "mlperf.toml": ("check", "--config"),
}


@pytest.mark.parametrize("name", SIDE_COMMANDS)
def test_spoiled_side_file_is_refused_or_used(name: str, tree: Tree, tmp_path: Path) -> None:
    """A spoiled value in a side file is used, or refused with exit code 2 in one sentence that names the file."""
    clean, path = tree.folder / "results" / CLEAN_SYSTEM / BENCHMARK, tmp_path / name
    values = list(VALUES.values())
    for number, (place, text) in enumerate(spoil_side_file(name)):
        for turn in range(min(SHARE, len(values))):
            value = values[(number * 5 + turn * 7 + len(name)) % len(values)]
            path.write_bytes(put_value(text, value).encode("utf-8", "surrogatepass"))
            done = run_mlperf(*SIDE_COMMANDS[name], path, clean)
            check_promises(done, "text", done.output, tree.counts)
            assert done.returncode in (0, 1, 2), place
            if done.returncode == 2:
                assert len(done.stderr.splitlines()) == 1, (place, value[:50], done.stderr[-2_000:])
                assert name in done.stderr, (place, value[:50], done.stderr)
