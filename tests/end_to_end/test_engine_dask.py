"""Commands on the workers of a Dask cluster give what they give on this machine, and say what is wrong in a sentence."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from checkout import PROJECT
from commands import run_mlperf

from mlperf_logging.cli import report
from mlperf_logging.cli.judging import LogJudge
from mlperf_logging.engines import dask as dask_engine
from mlperf_logging.engines import dask_batches
from mlperf_logging.engines.dask import DaskEngine
from mlperf_logging.errors import MLPerfLoggingError, UsageError
from mlperf_logging.reports.html.material import Origin

if TYPE_CHECKING:
    from distributed import LocalCluster

LOGS = PROJECT / "examples" / "logs"
SUBMISSION = PROJECT / "examples" / "submission"
QUIET: dict[str, Any] = {"dashboard_address": "127.0.0.1:0", "silence_logs": logging.CRITICAL + 1}


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, **QUIET) as started:
        yield started


@pytest.fixture(scope="module")
def many_logs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A thousand and some logs, of a few lines each."""
    folder = tmp_path_factory.mktemp("many")
    log = (LOGS / "broken" / "half_a_line.txt").read_text("utf-8").splitlines(keepends=True)[:4]
    paths = [folder / f"{number}.txt" for number in range(1_040)]
    for path in paths:
        path.write_text("".join(log), "utf-8")
    return [str(path) for path in paths]


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--format", "json", "examples/logs"),
        ("check", "--statistics", "--verbose", "--ignore", "MLP3", "examples/logs"),
        ("score", "--runs", "examples/submission"),
        ("rcp", "examples/submission"),
        ("summary", "examples/submission"),
        ("package", "--format", "json", "examples/submission"),
        ("analyze", "examples/submission"),
    ],
    ids=" ".join,
)
def test_commands_give_the_same(cluster, arguments) -> None:
    """Output, messages and exit code are those of the local engine, byte for byte."""
    local = run_mlperf(*arguments)
    dask = run_mlperf(*arguments, "--engine", "dask", "--scheduler", cluster.scheduler_address)
    assert local.returncode in {0, 1}
    assert dask == local


def test_store_is_the_same(cluster, tmp_path) -> None:
    """What `mlperf store ingest` puts into tables is the same, and the connection serves for all its passes."""
    tables = []
    for name, engine in {
        "local": [],
        "dask": ["--engine", "dask", "--scheduler", cluster.scheduler_address],
    }.items():
        store = tmp_path / f"{name}.duckdb"
        done = run_mlperf("store", "ingest", "examples/submission", "--into", store, *engine)
        assert done.returncode == 0, done.stderr
        queries = [
            f"SELECT * FROM {table} ORDER BY ALL" for table in ("runs", "events", "findings", "scores")
        ]
        tables.append([run_mlperf("store", "query", store, query, "--format", "csv") for query in queries])
    assert tables[0] == tables[1]
    assert [table.returncode for table in tables[0]] == [0] * 4
    assert len(tables[0][1].stdout.splitlines()) > 1_000


@pytest.mark.slow
def test_page_is_the_same(cluster, tmp_path, monkeypatch) -> None:
    """The page of a report differs in nothing but in how it came about."""
    monkeypatch.setattr(
        report, "describe_origin", lambda *_: Origin("command", "folder", "host", "1", "today")
    )
    pages = [tmp_path / "local.html", tmp_path / "dask.html"]
    engines = [[], ["--engine", "dask", "--scheduler", cluster.scheduler_address]]
    for page, engine in zip(pages, engines, strict=True):
        assert run_mlperf("report", SUBMISSION, "-o", page, *engine).returncode == 0
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_own_cluster_gives_the_same() -> None:
    """Without a scheduler, a cluster of processes of this machine does the work and is gone afterwards."""
    from multiprocessing import active_children

    before = set(active_children())
    local = run_mlperf("check", "--format", "json", "examples/logs")
    assert (
        run_mlperf("check", "--format", "json", "examples/logs", "--engine", "dask", "--jobs", "1") == local
    )
    assert set(active_children()) <= before


def list_listening(processes: list[Any]) -> set[tuple[str, int]]:
    """Where processes wait for connections."""
    found = set()
    for process in processes:
        list_connections = getattr(process, "net_connections", None) or process.connections  # psutil before 6
        found |= {tuple(each.laddr) for each in list_connections() if each.status == "LISTEN"}
    return found


def test_own_cluster_is_for_its_command_alone(monkeypatch) -> None:
    """It listens on the loopback address only, answers nobody without its keys, and shows no page."""
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    import psutil

    monkeypatch.setattr(dask_engine, "_CONNECT_S", 1)
    engine, paths = DaskEngine(jobs=1), [str(number) for number in range(40)]
    here = psutil.Process()
    before = list_listening([here, *here.children(recursive=True)])
    with engine.kept_open():
        assert list(engine.map_logs(str.upper, paths)) == paths
        processes = [here, *here.children(recursive=True)]
        listening = list_listening(processes)
        assert len(listening - before) >= 4
        for ip, port in listening - before:
            assert ip in {"127.0.0.1", "::1"}
            with pytest.raises(UsageError, match="no Dask scheduler answers"):
                list(DaskEngine(f"tcp://{ip}:{port}").map_logs(str.upper, paths))
            for page in ("", "status", "info/main/workers.html"):
                with pytest.raises((HTTPError, URLError, ConnectionError)):
                    urlopen(f"http://{ip}:{port}/{page}", timeout=2)


def test_lost_worker_costs_nothing_but_time(cluster, many_logs) -> None:
    """A worker that is killed among a thousand logs changes no result."""
    judge = LogJudge().judge
    engine = DaskEngine(cluster.scheduler_address)
    results = engine.map_logs(judge, many_logs)
    lost = cluster.workers[0].process.pid
    got = [next(results)]  # all batches that fit are on their way, or done
    os.kill(lost, signal.SIGKILL)
    got += results
    assert cluster.workers[0].process.pid != lost
    assert got == [judge(path) for path in many_logs]


def _die_of(path: str, fatal: str) -> str:
    if path == fatal:
        os._exit(1)
    return path


def test_log_that_ends_workers_is_named(cluster, many_logs, monkeypatch) -> None:
    """A log with which every worker ends is named; the logs beside it are not blamed, and those before it are done."""
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    fatal = many_logs[70]
    results = DaskEngine(cluster.scheduler_address).map_logs(partial(_die_of, fatal=fatal), many_logs[:130])
    got = []
    with pytest.raises(MLPerfLoggingError, match="check that log alone, or leave it out") as raised:
        got.extend(results)
    assert fatal in str(raised.value)
    assert got == many_logs[: len(got)]
    assert len(got) >= 33


def _start_worker(cluster: Any, said: list[str], sentence: str) -> None:
    said.append(sentence)
    cluster.scale(1)


def test_workers_may_come_later(many_logs) -> None:
    """Where there is no worker yet, that is said, and the work begins when one comes."""
    from distributed import LocalCluster

    said: list[str] = []
    with LocalCluster(n_workers=0, threads_per_worker=1, processes=False, **QUIET) as empty:
        engine = DaskEngine(empty.scheduler_address, note=partial(_start_worker, empty, said))
        assert list(engine.map_logs(str.upper, many_logs[:100])) == [path.upper() for path in many_logs[:100]]
    assert said == ["the cluster has no worker; waiting for one (an interrupt ends this)"]


def test_lost_scheduler_is_one_sentence(many_logs, monkeypatch) -> None:
    """A cluster that ends during the work ends the work."""
    from distributed import LocalCluster

    monkeypatch.setattr(dask_engine, "_CONNECT_S", 1)
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, **QUIET) as ending:
        results = DaskEngine(ending.scheduler_address).map_logs(LogJudge().judge, many_logs)
        next(results)
        ending.close()
        with pytest.raises(MLPerfLoggingError, match="connection to the Dask scheduler is lost"):
            list(results)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "127.0.0.1:1", "nowhere", "nothing://x:1"])
def test_scheduler_that_does_not_answer_is_one_sentence(address, monkeypatch) -> None:
    """An address at which nothing listens, at which something else does, or that is none, is exit code 2."""
    from distributed import Client

    monkeypatch.setattr(dask_engine, "_CONNECT_S", 0.3)
    finalized: list[str] = []
    gc.collect()
    monkeypatch.setattr(Client, "__del__", lambda self: finalized.append(self.status))
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = address.format(port=other.getsockname()[1])
        done = run_mlperf("check", "examples/logs", "--engine", "dask", "--scheduler", place)
    gc.collect()
    assert set(finalized) <= {"closed"}  # a finalizer that has to close a connection may wait for itself
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"mlperf check: no Dask scheduler answers at '{place}': ")
    assert done.stderr.count("\n") == 1


def test_connection_is_kept_where_that_is_asked_for(cluster) -> None:
    """Several passes share one connection within `kept_open`, also where that is asked for twice."""
    from distributed import Client

    engine = DaskEngine(cluster.scheduler_address)
    before = set(Client._instances)
    with engine.kept_open(), engine.kept_open():
        for _ in range(2):
            assert list(engine.map_logs(str.upper, ["a", "b", "c"])) == ["A", "B", "C"]
        assert len(set(Client._instances) - before) == 1


def test_scheduler_file_names_the_scheduler(cluster, tmp_path) -> None:
    """A scheduler file, as jobs of a cluster write it, is as good as an address."""
    import json

    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": cluster.scheduler_address}))
    assert list(DaskEngine(str(file)).map_logs(str.upper, ["a", "b", "c"])) == ["A", "B", "C"]


def test_versions_must_match(cluster, monkeypatch) -> None:
    """Another version of this package at a worker, or of Dask at the scheduler, is one sentence that names both."""
    from distributed import Client

    engine = DaskEngine(cluster.scheduler_address)
    with monkeypatch.context() as patch:
        patch.setattr(dask_engine, "__version__", "0.0.9")
        with pytest.raises(
            MLPerfLoggingError, match=r"^the worker at tcp.* has mlperf-log-toolkit .* has 0\.0\.9"
        ):
            list(engine.map_logs(str.upper, ["a", "b"]))
    told = Client.get_versions

    def tell_older(self: Client) -> Any:
        versions = told(self)
        versions["scheduler"]["packages"]["distributed"] = "2023.1.0"
        return versions

    monkeypatch.setattr(Client, "get_versions", tell_older)
    with pytest.raises(
        MLPerfLoggingError, match=r"^the scheduler at .* has distributed 2023\.1\.0, and this command"
    ):
        list(engine.map_logs(str.upper, ["a", "b"]))


def test_logs_that_workers_cannot_see_are_one_sentence(cluster, monkeypatch) -> None:
    """Where the workers have not the same files, the command says so and ends with 2."""
    made = dask_batches.make_batch
    monkeypatch.setattr(
        dask_batches, "make_batch", lambda paths, sizes: made(paths, sizes)._replace(folder="/no/such/folder")
    )
    scheduler = cluster.scheduler_address
    done = run_mlperf(
        "check", "--format", "json", "examples/logs", "--engine", "dask", "--scheduler", scheduler
    )
    assert done.returncode == 2
    assert (
        "has no folder '/no/such/folder'; the workers must see the logs under the same paths" in done.stderr
    )
    assert done.stderr.count("\n") == 1


def test_missing_library_and_stray_address_are_one_sentence(monkeypatch) -> None:
    """Without Dask the message says how to install it; an address without the engine is a mistake."""
    done = run_mlperf("check", "examples/logs", "--scheduler", "tcp://127.0.0.1:8786")
    assert done.returncode == 2
    assert "--scheduler names that of a Dask cluster; add --engine dask" in done.stderr
    monkeypatch.setattr(dask_engine, "_LIBRARIES", ("no_such_library",))
    done = run_mlperf("score", "examples/submission", "--engine", "dask")
    assert done.returncode == 2
    assert "--engine dask needs no_such_library, which is not installed; install it with: " in done.stderr
    with pytest.raises(UsageError, match="needs no_such_library"):
        list(DaskEngine("tcp://127.0.0.1:8786").map_logs(str.upper, ["a"]))


@pytest.mark.corpus
@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "--format", "json"),
        ("check", "--group-by", "file"),
        ("score", "--runs", "--format", "json"),
        ("rcp", "--format", "json"),
        ("summary", "--format", "csv"),
        ("package", "--partial", "--format", "json"),
        ("analyze", "--format", "json"),
    ],
    ids=" ".join,
)
def test_all_real_logs_give_the_same(shared, arguments, tmp_path) -> None:
    """With every real log, each command gives the same bytes on a cluster of this machine."""
    place = tmp_path / "round" if arguments[0] == "package" else shared / "corpus" / "logs"
    if arguments[0] == "package":
        shutil.copytree(shared / "corpus" / "logs" / "4.0", place)
    local = run_mlperf(*arguments, place)
    assert local.returncode in {0, 1}, local.stderr
    assert run_mlperf(*arguments, place, "--engine", "dask") == local
