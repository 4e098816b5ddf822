"""Strangers' logs, and files that are no stores: everything is stored or told in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from stores import ask

from mlperf_logging.errors import StoreError
from mlperf_logging.store import open_store
from mlperf_logging.store.checking import check_store
from mlperf_logging.store.exporting import FORMATS, export_store
from mlperf_logging.store.ingest import ingest_logs
from mlperf_logging.store.schema import SCHEMA_VERSION

HUGE = "1" + "0" * 399
VALUES = {
    '"a\\u0000b"': ('"a\\u0000b"', None),
    "12": ("12", 12.0),
    "-1.5e3": ("-1500.0", -1500.0),
    "true": ("true", 1.0),
    "null": (None, None),
    HUGE: (HUGE, None),
    "NaN": ('"NaN"', None),
    "1e999": ("1e999", None),
    '"12"': ('"12"', None),
    '"q\\"\\\\"': ('"q\\"\\\\"', None),
    '{"a": [1, "\\u00e9"]}': ('{"a": [1, "\\u00e9"]}', None),
    f'"{"x" * 2_000_000}"': (f'"{"x" * 2_000_000}"', None),
}
"""What is logged as a value, and what is stored: as JSON, and as a number where it is a finite one."""


def write_log(path: Path, values: list[str]) -> Path:
    """A log with one record per value, which is also its epoch."""
    lines = [
        f':::MLLOG {{"namespace": "", "time_ms": {1_600_000_000_000 + number}, "event_type": "POINT_IN_TIME", '
        f'"key": "custom", "value": {value}, "metadata": {{"file": "x.py", "lineno": 1}}}}'
        for number, value in enumerate(values)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_every_value_is_stored(tmp_path: Path, store: Path) -> None:
    """A value is stored as JSON that says what was logged, and as a number where it is a finite one."""
    log = write_log(tmp_path / "odd.log", [*VALUES])
    assert ingest_logs([str(log)], str(store)).complaints == ()
    found = ask(store, "SELECT value, value_number FROM events ORDER BY position")
    assert found == [*VALUES.values()]
    assert all(json.loads(value) is not None for value, _ in found if value is not None and value != "1e999")


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_bytes_are_stored_checked_and_exported(tmp_path: Path, store: Path, form: str) -> None:
    """Half characters, NUL, broken records and names made to deceive: never a traceback, and the store is whole."""
    log = tmp_path / "bad.log"
    record = b':::MLLOG {"namespace": %s, "time_ms": %s, "event_type": %s, "key": %s, "value": %s, "metadata": %s}\n'
    odd = [
        b'"\\ud800"',
        b'"\\u0000"',
        b"NaN",
        b"-Infinity",
        HUGE.encode(),
        b"[" * 300 + b"]" * 300,
        b'"\xff\xfe"',
        b"\0",
    ]
    keys = [
        b'"eval_accuracy"',
        b'"seed"',
        b'"submission_benchmark"',
        b'"run_start"',
        b'"global_batch_size"',
        *odd,
    ]
    content = b"".join(
        record
        % (
            odd[at % 8],
            odd[at % 7] if at % 3 else b"1",
            b'"POINT_IN_TIME"',
            key,
            value,
            b'{"epoch_num": %s}' % value,
        )
        for at, (key, value) in enumerate((key, value) for key in keys for value in odd)
    )
    log.write_bytes(content + b"\0\xff:::MLLOG {")
    assert ingest_logs([str(log)], str(store)).complaints == ()
    assert check_store(str(store)).faults == ()
    assert export_store(str(store), str(tmp_path / "tables"), form)["logs"] == 1
    assert len(open_store(store).submitted_runs()) == 1


def test_a_file_that_is_no_store_is_refused(tmp_path: Path, submission: Path) -> None:
    """Neither a text, nor an empty file, nor another database is read as a store, or overwritten."""
    text, empty, other = tmp_path / "text", tmp_path / "empty", tmp_path / "other.duckdb"
    text.write_text("hello " * 5_000, "utf-8")
    empty.touch()
    with duckdb.connect(str(other)) as connection:
        connection.execute("CREATE TABLE runs (x INTEGER)")
    for path, words in ((text, "not a DuckDB file"), (empty, "not a DuckDB file"), (other, "not a store")):
        held = path.read_bytes()
        with pytest.raises(StoreError, match=words):
            open_store(path)
        with pytest.raises(StoreError, match=words):
            ingest_logs([str(submission)], str(path))
        assert path.read_bytes() == held


@pytest.mark.parametrize(("step", "words"), [(1, "newer version"), (-1, "older version")])
def test_a_store_of_another_version_is_refused(submission: Path, store: Path, step: int, words: str) -> None:
    """A store whose tables are of another version is neither read nor written."""
    ingest_logs([str(submission)], str(store))
    with duckdb.connect(str(store)) as connection:
        connection.execute("UPDATE about SET value = ?", [f"mlperf-store/{SCHEMA_VERSION + step}"])
    for act in (lambda: open_store(store), lambda: ingest_logs([str(submission)], str(store))):
        with pytest.raises(StoreError, match=words):
            act()


def test_a_store_that_does_not_exist_is_told(tmp_path: Path) -> None:
    """Reading what is not there makes nothing, and says what would."""
    with pytest.raises(StoreError, match="mlperf store ingest"):
        open_store(tmp_path / "none.duckdb")
    assert [*tmp_path.iterdir()] == []


def test_a_damaged_store_is_found(submission: Path, store: Path) -> None:
    """Rows that are missing, or there twice, or in a damaged block are found by the check."""
    ingest_logs([str(submission)], str(store))
    damages = {
        "DELETE FROM events WHERE position = 1": "as many events",
        "INSERT INTO evaluations FROM evaluations LIMIT 1": "same log_id, run, ruleset, position",
        "DELETE FROM findings": "as many findings",
        "DELETE FROM places WHERE place LIKE '%result_0.txt'": "at no place",
        "DELETE FROM systems": "systems does not have",
        "UPDATE logs SET runs = 7": "as many runs",
    }
    for statement, words in damages.items():
        damaged = store.with_name("damaged.duckdb")
        damaged.write_bytes(store.read_bytes())
        with duckdb.connect(str(damaged)) as connection:
            connection.execute("DELETE FROM findings")
            connection.execute(
                "INSERT INTO findings (log_id, run, ruleset, position) SELECT log_id, run, ruleset, 1 FROM runs"
            )
            connection.execute("UPDATE runs SET errors = 1, warnings = 0")
        assert check_store(str(damaged)).faults == ()
        with duckdb.connect(str(damaged)) as connection:
            connection.execute(statement)
        assert any(words in fault.message for fault in check_store(str(damaged)).faults), statement
