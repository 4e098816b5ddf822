"""`mlperf store`: what is answered, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from checkout import PROJECT
from commands import run_mlperf

LOGS = PROJECT / "examples" / "submission" / "Example_Lab" / "results" / "example_16x" / "flux1"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of one result folder, ingested by the command."""
    path = tmp_path_factory.mktemp("stores") / "results.duckdb"
    done = run_mlperf("store", "ingest", LOGS, "--into", path, "--format", "json")
    summary = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (summary["logs"], summary["read"], summary["folders"], summary["complaints"]) == (6, 6, 1, [])
    return path


def query(store: Path, sql: str, *options: object) -> bytes:
    """The answer of a statement."""
    done = run_mlperf("store", "query", store, sql, *options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.output


def test_an_answer_is_the_same_in_all_formats(store: Path, tmp_path: Path) -> None:
    """Text, CSV, JSON and Parquet hold the same rows."""
    sql = "SELECT benchmark, runs, score_minutes FROM scores"
    answer = json.loads(query(store, sql, "--format", "json"))
    (row,) = answer["rows"]
    assert [column["name"] for column in answer["columns"]] == ["benchmark", "runs", "score_minutes"]
    (cells,) = csv.DictReader(io.StringIO(query(store, sql, "--format", "csv").decode()))
    assert {**cells, "runs": int(cells["runs"]), "score_minutes": float(cells["score_minutes"])} == row
    query(store, sql, "--format", "parquet", "-o", tmp_path / "answer.parquet")
    assert pq.read_table(tmp_path / "answer.parquet").to_pylist() == [row]
    assert row["benchmark"].encode() in query(store, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "COPY runs TO 'out.csv'",
        "EXPORT DATABASE 'out'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "DROP TABLE runs",
        "DELETE FROM runs",
        "CREATE TABLE mine AS SELECT 1",
        "PRAGMA database_list; SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT FROM",
        "SELECT nothing FROM runs",
        "FROM argv",
        "",
    ],
)
def test_a_statement_sees_the_store_and_nothing_else(store: Path, tmp_path: Path, sql: str) -> None:
    """Files, the network, settings and changes are refused with one sentence."""
    held = store.read_bytes()
    done = run_mlperf("store", "query", store, sql, folder=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "please report" not in done.stderr
    assert [*tmp_path.iterdir()] == []
    assert store.read_bytes() == held


def test_a_slow_answer_has_no_progress_bar(store: Path) -> None:
    """DuckDB's progress bar, which would stand among the answers, is switched off."""
    sql = "SELECT value FROM duckdb_settings() WHERE name = 'enable_progress_bar'"
    assert json.loads(query(store, sql, "--format", "json"))["rows"] == [{"value": "false"}]


def test_a_snapshot_answers_as_its_store(store: Path, tmp_path: Path) -> None:
    """A folder of Parquet is checked and asked as the store is, and sees no other file either."""
    folder = tmp_path / "tables"
    for _ in range(2):  # a former export is replaced
        assert run_mlperf("store", "export", store, folder, "--quiet").returncode == 0
    sql = "SELECT * EXCLUDE (stored_at) FROM places ORDER BY ALL"
    assert query(folder, sql) == query(store, sql)
    assert query(folder, "FROM submitted_runs ORDER BY path") == query(
        store, "FROM submitted_runs ORDER BY path"
    )
    assert run_mlperf("store", "check", folder).returncode == 0
    assert run_mlperf("store", "query", folder, "FROM read_text('/etc/passwd')").returncode == 2
    refused = run_mlperf("store", "ingest", LOGS, "--into", folder)
    assert (refused.returncode, "is a folder" in refused.stderr) == (2, True)
    (folder / "runs.parquet").write_bytes((folder / "logs.parquet").read_bytes())
    assert run_mlperf("store", "check", folder).returncode != 0


def test_an_export_replaces_nothing_else(store: Path, tmp_path: Path) -> None:
    """A folder that an export has not written stays as it is."""
    (tmp_path / "mine").write_text("mine", "utf-8")
    done = run_mlperf("store", "export", store, tmp_path)
    assert (done.returncode, [path.name for path in tmp_path.iterdir()]) == (2, ["mine"])


def test_a_check_says_what_is_there(store: Path) -> None:
    """A whole store is told so, also after its logs were read again."""
    answer = json.loads(run_mlperf("store", "check", store, "--files", "--format", "json").stdout)
    assert (answer["is_whole"], answer["faults"], answer["notes"]) == (True, [], [])
    assert answer["rows"]["logs"] == 6


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("ingst",),
        ("ingest", LOGS),
        ("ingest", "--into", "x.duckdb"),
        ("ingest", "-", "--into", "x.duckdb"),
        ("ingest", "nothing", "--into", "x.duckdb"),
        ("ingest", LOGS, "--into", "no/such/folder/x.duckdb"),
        ("ingest", LOGS, "--into", "x.duckdb", "--ruleset", "99.0"),
        ("ingest", LOGS, "--into", ""),
        ("ingest", LOGS, "--into", "x.duckdb", "--wait", "nan"),
        ("query", "none.duckdb", "SELECT 1"),
        ("check", "none.duckdb"),
        ("export", "none.duckdb", "out"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, arguments: tuple[object, ...]) -> None:
    """A wrong command line ends with 2, one sentence, and no store."""
    done = run_mlperf("store", *arguments, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "please report" not in done.stderr
    assert [*tmp_path.iterdir()] == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
def test_a_full_disk_is_one_sentence(store: Path, tmp_path: Path) -> None:
    """Where the store cannot grow, one sentence says so, and what was there before is whole."""
    script = (
        "import resource, sys; from mlperf_logging.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))\n"
        "sys.exit(main(['store', 'ingest', sys.argv[1], '--into', sys.argv[2]]))"
    )
    old, new = tmp_path / "old.duckdb", tmp_path / "new.duckdb"
    old.write_bytes(store.read_bytes())
    for path in (old, new):
        command = [sys.executable, "-c", script, str(LOGS.parent / "llama2_70b_lora"), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "please report" not in done.stderr
    assert run_mlperf("store", "check", old).returncode == 0
    assert query(old, "SELECT count(*) FROM logs") == query(store, "SELECT count(*) FROM logs")
    assert {path.name for path in tmp_path.iterdir()} <= {"old.duckdb", "old.duckdb.wal"}
