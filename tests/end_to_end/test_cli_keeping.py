"""`--store` of the commands that judge logs: the same output, and only changed logs are read again."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from checkout import PROJECT
from commands import Done, run_mlperf
from rule_folders import RuleFolder

from mlperf_logging.compliance import checking, judged_run
from mlperf_logging.errors import StoreError
from mlperf_logging.reports import list_formats
from mlperf_logging.rules import repository
from mlperf_logging.rules.repository import RULES_FOLDER
from mlperf_logging.store import outcome_keeper, outcomes

EXAMPLES = PROJECT / "examples" / "logs"
LAB = PROJECT / "examples" / "submission" / "Example_Lab"


MIXED = ("5.1.0_rgat", "0.5.0_resnet", "0.6.0_resnet", "wrong_hyperparameter")
"""Logs of three rounds, and one that fails."""


class Workplace:
    """A folder with logs and a store, and the commands that work on them.

    Attributes:
        folder: the folder; its logs are in ``logs/``.
        read: the logs that were read since the last command began, sorted.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.read: list[str] = []
        open_logs = checking.open_logs

        def note(source: Any, *arguments: Any, **more: Any) -> Any:
            self.read.append(Path(source).name)
            return open_logs(source, *arguments, **more)

        monkeypatch.setattr(checking, "open_logs", note)
        monkeypatch.setattr(judged_run, "open_logs", note)

    @property
    def store(self) -> Path:
        """The store."""
        return self.folder / "kept.duckdb"

    def run(self, *arguments: object) -> Done:
        """Run a command without the store."""
        self.read = []
        return run_mlperf(*arguments, folder=self.folder)

    def run_kept(self, *arguments: object) -> Done:
        """Run a command with the store; its output must be that without it."""
        expected = self.run(*arguments)
        self.read = []
        done = run_mlperf(*arguments, "--store", self.store, folder=self.folder)
        self.read.sort()
        assert (done.returncode, done.output) == (expected.returncode, expected.output)
        return done

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """What a statement gives, or changes, in the store."""
        with duckdb.connect(str(self.store)) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """Some logs: compliant ones, broken ones, one of several runs, a compressed one and an empty one."""
    place = Workplace(tmp_path, monkeypatch)
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in (
        *("compliant/5.1.0_rgat", "compliant/0.6.0_resnet", "compliant/0.5.0_resnet", "broken/relaunched"),
        *("broken/two_writers", "broken/wrong_hyperparameter", "broken/no_events", "broken/half_a_line"),
    ):
        shutil.copy(EXAMPLES / f"{name}.txt", logs)
    return place


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """A small submission."""
    shutil.copytree(LAB, tmp_path / "Lab", ignore=shutil.ignore_patterns("power", "example_8x"))
    return Workplace(tmp_path, monkeypatch)


@pytest.mark.parametrize("name", list_formats())
def test_check_in_every_format(work, name):
    """The first and the second check with a store print what one without prints; the second reads no log."""
    for _ in range(2):
        done = work.run_kept("check", "--format", name, "logs")
        assert done.stderr == ""
    assert work.read == []


@pytest.mark.parametrize(
    "options",
    [
        ("--strict",),
        ("--run", "each"),
        ("--werror",),
        ("--select", "MLP3"),
        ("-j", "2"),
        ("--ruleset", "5.1"),
    ],
)
def test_check_with_options(work, options):
    """What changes the verdict makes logs be read again, and what does not is applied to what is kept."""
    work.run_kept("check", "logs")
    for _ in range(2):
        work.run_kept("check", *options, "logs")
    assert work.read == []


def test_analyze(work):
    """Tables are the same, and the second time no log is read."""
    for _ in range(2):
        work.run_kept("analyze", "--format", "json", "--table", "runs,evaluations,hyperparameters", "logs")
    assert work.read == []


def test_analyze_reads_for_series(work):
    """Series are not kept: the command says so and reads all logs."""
    arguments = ("analyze", "--format", "csv", "--table", "series", "logs")
    for _ in range(2):
        assert "series are too long to be kept" in work.run_kept(*arguments).stderr
    assert len(work.read) == 8


def test_package_and_report(lab):
    """Package and report give the same answers, also as a page, and the second time no log is read."""
    for _ in range(2):
        lab.run_kept("package", "--format", "json", "Lab")
    assert lab.read == []
    pages = []
    log = "Lab/results/example_16x/flux1/result_0.txt"
    for store in (["--store", lab.store], [f"--store={lab.store}"]):
        lab.run("report", "-o", "page.html", *store, log)
        # Altair 5 counts the views of a process.
        text = re.sub(r'"view_\d+"', '"view"', (lab.folder / "page.html").read_text())
        pages.append([line for line in text.splitlines() if " UTC" not in line])
    assert pages[0] == pages[1]
    assert lab.read == []


def test_changed_byte(work):
    """One changed byte makes that log, and no other, be read again."""
    work.run_kept("check", "logs")
    log = work.folder / "logs" / "5.1.0_rgat.txt"
    log.write_bytes(log.read_bytes().replace(b"adam", b"adan", 1))
    work.run_kept("check", "logs")

    assert work.read == ["5.1.0_rgat.txt"]


def test_changed_rule(work):
    """A changed rule makes those logs be read again that it may concern: of its rounds, and failing ones, which try all."""
    shutil.copytree(RULES_FOLDER, work.folder / "rules")
    arguments = ("check", "--rules", "rules", *(f"logs/{name}.txt" for name in MIXED))
    assert work.run_kept(*arguments).returncode == 1
    RuleFolder(work.folder / "rules").edit("benchmarks/gnn.yaml", "value >= 0.72", "value >= 0.99")
    repository._open_once.cache_clear()  # as a new process does
    done = work.run_kept(*arguments)

    assert "0.99" in done.stdout
    assert work.read == ["5.1.0_rgat.txt", "wrong_hyperparameter.txt"]
    for _ in range(2):
        work.run_kept(*arguments)
        assert work.read == []


def test_changed_waiver(lab):
    """A waiver that covers a finding makes its log be read again where waivers are part of what is kept."""
    lab.run_kept("package", "Lab")
    waiver = lab.folder / "waivers.yaml"
    for reason, read in (("agreed", ["result_3.txt"]), ("agreed again", ["result_3.txt"])):
        waiver.write_text(
            f'- {{rule: MLP, path: "flux1/result_3.txt", reason: {reason}, expires: 2999-01-01}}\n'
        )
        lab.run_kept("package", "--waivers", waiver, "Lab")
        assert lab.read == read
    lab.run_kept("check", "Lab")
    lab.run_kept("check", "--waivers", waiver, "Lab")  # there they are applied to what is kept
    assert lab.read == []


def test_changed_version(work, monkeypatch):
    """Another version of the toolkit reads all logs again."""
    work.run_kept("check", "logs")
    monkeypatch.setattr(outcome_keeper, "describe_version", lambda: "another")
    work.run_kept("check", "logs")
    assert len(work.read) == 8


def test_changed_round(work):
    """Another round reads all logs again, and each round has outcomes of its own."""
    for ruleset in ("5.1", "6.0"):
        work.run_kept("check", "--ruleset", ruleset, "logs")
        assert len(work.read) == 8
    work.run_kept("check", "--ruleset", "5.1", "logs")
    assert work.read == []


def test_folder_that_names_a_round(work):
    """Where the folders of a log name another round than before, the log is read again."""
    work.run_kept("check", "logs")
    target = work.folder / "training_results_v5.0"
    (work.folder / "logs").rename(target)
    work.run_kept("check", target)
    assert len(work.read) == 8


def test_moved_logs(work):
    """Logs that only stand elsewhere are not read again, and are shown under their new paths."""
    for command in ("check", "analyze"):
        work.run_kept(command, "logs", "--format", "json")
    (work.folder / "logs").rename(work.folder / "elsewhere")
    for command in ("check", "analyze"):
        work.run_kept(command, "elsewhere", "--format", "json")
        assert work.read == []


def test_changed_description(lab):
    """Where a system's description says something else, the rows of its runs are made again."""
    from mlperf_logging.analysis import places

    lab.run_kept("analyze", "--format", "json", "--table", "runs", "Lab")
    everything = lab.read
    path = lab.folder / "Lab" / "systems" / "example_16x.json"
    description = json.loads(path.read_text())
    path.write_text(json.dumps(description | {"accelerator_model_name": "another"}))
    places._place_folder.cache_clear()  # as a new process does
    lab.run_kept("analyze", "--format", "json", "--table", "runs", "Lab")
    assert lab.read == everything


def damage(statement: str) -> Callable[[Workplace], None]:
    """Changes what is kept."""
    return lambda work: void(work.query(statement))


def void(_: object) -> None:
    """Nothing."""


@pytest.mark.parametrize(
    "change",
    [
        damage("UPDATE outcomes SET payload = replace(payload, '\"pass\"', '\"fail\"')"),
        damage("UPDATE outcomes SET payload = NULL"),
        damage("UPDATE outcomes SET version = NULL, checksum = ''"),
    ],
)
def test_damaged_outcomes(work, change):
    """What does not have its checksum is not used: its log is read again, and that is said once."""
    work.run_kept("check", "logs/5.1.0_rgat.txt", "logs/0.6.0_resnet.txt")
    change(work)
    done = work.run_kept("check", "logs/5.1.0_rgat.txt", "logs/0.6.0_resnet.txt")
    assert work.read == ["0.6.0_resnet.txt", "5.1.0_rgat.txt"]
    work.run_kept("check", "logs/5.1.0_rgat.txt", "logs/0.6.0_resnet.txt")
    assert work.read == []
    assert done.stderr.count("\n") == 1


def test_foreign_outcomes(work):
    """A payload that is no outcome, although its checksum is right, is not used, and that is said once."""
    arguments = ("check", "logs/5.1.0_rgat.txt", "logs/0.6.0_resnet.txt")
    work.run_kept(*arguments)
    table = outcomes.OutcomeTable(str(work.store))
    keys = [outcomes.OutcomeKey(*row) for row in work.query("SELECT content, kind, settings FROM outcomes")]
    rows = table.look_up(keys).rows.values()
    table.write([row._replace(payload='[["another tool"]]') for row in rows])
    done = work.run_kept(*arguments)

    assert work.read == ["0.6.0_resnet.txt", "5.1.0_rgat.txt"]
    assert done.stderr.count("\n") == 1


@pytest.fixture
def locked(work: Workplace) -> Iterator[Workplace]:
    """The store, open in another process."""
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(work.store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield work
        holder.communicate()


def test_locked_store(locked, monkeypatch):
    """Where another process keeps the store open, the command works without it and says so once."""
    monkeypatch.setattr(outcomes, "PATIENCE_S", 0.1)
    done = locked.run_kept("check", "logs")
    assert done.stderr.count("\n") == 1
    assert "all logs are read" in done.stderr


@pytest.mark.parametrize("kind", ["text", "folder"])
def test_unusable_store(work, kind):
    """What is no store is left as it is; the command works without it and says so once."""
    if kind == "text":
        work.store.write_text("a text, no store\n" * 100)
    else:
        work.store.mkdir()
    done = work.run_kept("check", "logs")
    assert done.stderr.count("\n") == 1
    if kind == "text":
        assert work.store.read_text() == "a text, no store\n" * 100


def test_read_only_store(work, monkeypatch):
    """A store that can only be read is used; that new outcomes cannot be kept is said once, and only then."""
    work.run_kept("check", "logs")

    @contextmanager
    def refuse(path: str, _: float) -> Iterator[None]:
        raise StoreError(f"cannot write the store {path}: it is read-only")
        yield

    monkeypatch.setattr(outcomes, "opened_for_writing", refuse)
    assert (work.run_kept("check", "logs").stderr, work.read) == ("", [])
    shutil.copy(EXAMPLES / "broken" / "strict_only.txt", work.folder / "logs")
    done = work.run_kept("check", "logs")
    assert work.read == ["strict_only.txt"]
    assert done.stderr.count("is not kept") == done.stderr.count("\n") == 1


def test_place_that_cannot_be_written(work):
    """Where no store can be made, the command works and says so once."""
    done = work.run("check", "logs", "--store", "no/such/folder/kept.duckdb")
    assert done.returncode == 1
    assert done.stderr.count("what logs give is not kept") == 1


def test_two_checks_at_once(work):
    """Checks that share a store at the same time give what one gives, and lose nothing that they keep."""
    expected = work.run("check", "--format", "json", "logs").output
    command = [sys.executable, "-m", "mlperf_logging", "check", "--format", "json", "logs"]
    runs = [
        subprocess.Popen(
            [*command, "--store", str(work.store)],
            cwd=work.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    assert [run.communicate() for run in runs] == [(expected, b"")] * 3
    work.run_kept("check", "logs")
    assert work.read == []


def test_unjudged_log_is_tried_again(work):
    """A log that could not be judged is read each time: what kept it from being judged may be gone."""
    (work.folder / "logs" / "cut.txt").write_bytes(b"\x1f\x8b" + b"x" * 50)
    for _ in range(2):
        work.run_kept("check", "logs")
    assert work.read == ["cut.txt"]


def test_follow_takes_no_store(work):
    """A log that is being written is kept nowhere."""
    done = work.run("check", "--follow", "logs/5.1.0_rgat.txt", "--store", "kept.duckdb")
    assert (done.returncode, "leave --store out" in done.stderr) == (2, True)


@pytest.mark.corpus
def test_real_logs(work, corpus_logs):
    """Of real logs of all rounds, nothing is read the second time, and the output is the same."""
    logs = corpus_logs[::80]
    for command in (("check", "--format", "json"), ("analyze", "--format", "csv", "--table", "runs")):
        for _ in range(2):
            work.run_kept(*command, *logs)
        assert work.read == []
