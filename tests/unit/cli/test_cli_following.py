"""Following a log to the end of its run."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from mlperf_logging.cli import following
from mlperf_logging.cli.check import main
from mlperf_logging.cli.following import Follower
from mlperf_logging.cli.judging import LogJudge
from mlperf_logging.cli.tailing import Pace
from mlperf_logging.compliance import checking
from mlperf_logging.compliance.checking import check_runs
from mlperf_logging.compliance.finding_filter import FindingFilter
from mlperf_logging.compliance.findings import Finding
from tests.logs import mllog

PACE = Pace(look_every_s=0.005, grace_s=0.05)


@pytest.fixture(autouse=True)
def real_judge(fake_judge, monkeypatch):
    """Puts the real judge back."""
    monkeypatch.setattr(checking, "check_runs", check_runs)


def record(key: str, value: object = None, time_ms: int = 1, **metadata: object) -> bytes:
    """One line of a log."""
    return mllog(key, value, time_ms, file="a.py", lineno=1, **metadata)


BEGIN = record("cache_clear", True) + record("init_start") + b"noise\n"
MIDDLE = record("init_stop") + record("run_start") + record("opt_name", "none such")
TORN = b':::MLLOG {"key": "eval_accuracy", "val\n'
END = record("run_stop", status="success")


class Listener:
    """Keeps what a follower says."""

    def __init__(self, judge: LogJudge | None = None) -> None:
        self.found: list[Finding] = []
        self.notes: list[str] = []
        self.follower = Follower("log", judge or LogJudge(), self.found.append, self.notes.append, PACE)

    def marks(self) -> list[tuple[str, int | None]]:
        """Rule and line of each finding announced."""
        return [(finding.rule, finding.line) for finding in self.found]


def test_verdict_is_that_of_the_whole_log(folder):
    """The verdict at the end is the one that judging the file gives, and every finding was announced once."""
    Path("log").write_bytes(BEGIN + MIDDLE + TORN + END)
    listener = Listener()
    result = listener.follower.follow()
    assert [result.verdict] == check_runs("log")
    assert sorted(listener.marks(), key=str) == sorted(
        ((finding.rule, finding.line) for finding in result.verdict.findings), key=str
    )


def test_findings_come_before_the_end(folder):
    """A torn record is announced as soon as its line is there, while the run continues."""
    log = Path("log")
    log.write_bytes(BEGIN + TORN)
    seen_when_written: list[bool] = []

    def announce(finding: Finding) -> None:
        if finding.code.startswith("MLP0") and not seen_when_written:
            seen_when_written.append(b"run_stop" in log.read_bytes())
            with log.open("ab") as file:
                file.write(MIDDLE + END)

    Follower("log", LogJudge(), announce, lambda _: None, PACE).follow()
    assert seen_when_written == [False]


def test_file_is_waited_for(folder):
    """A file that is not there is waited for, and that is said once."""
    listener = Listener()
    log = Path("log")

    def note(sentence: str) -> None:
        listener.notes.append(sentence)
        log.write_bytes(BEGIN + END)

    follower = Follower("log", LogJudge(), listener.found.append, note, PACE)
    assert follower.follow().verdict.event_count == 3
    assert listener.notes == ["waiting for log"]


def test_log_that_continues_in_another_file(folder):
    """After a rotation the run continues: its end is judged with its beginning."""
    log = Path("log")
    log.write_bytes(BEGIN + MIDDLE + TORN)

    def announce(finding: Finding) -> None:
        listener.found.append(finding)
        if log.exists() and finding.code.startswith("MLP0"):
            log.rename("log.1")
            log.write_bytes(END)

    listener = Listener()
    follower = Follower("log", LogJudge(), announce, listener.notes.append, PACE)
    verdict = follower.follow().verdict
    assert verdict.event_count == 6
    assert verdict.run.status == "success"
    missing = {finding.key for finding in listener.found if "not logged" in finding.message}
    assert not missing & {"cache_clear", "init_start", "run_start", "run_stop"}
    assert any("replaced" in sentence for sentence in listener.notes)


def test_log_that_is_written_anew(folder):
    """When the same log is written once more, longer, no finding comes twice."""
    log = Path("log")
    log.write_bytes(BEGIN + TORN)
    done: list[Finding] = []

    def announce(finding: Finding) -> None:
        done.append(finding)
        if len(done) == 1:
            copy = Path("copy")
            copy.write_bytes(BEGIN + TORN + MIDDLE + END)
            copy.replace(log)

    verdict = Follower("log", LogJudge(), announce, lambda _: None, PACE).follow().verdict
    assert [verdict] == check_runs("log")
    marks = [(finding.rule, finding.line, finding.message) for finding in done]
    assert len(marks) == len(set(marks))


def test_another_run_in_the_same_file(folder):
    """When another run overwrites the log, it is judged by itself and its findings are announced again."""
    log = Path("log")
    log.write_bytes(BEGIN + TORN)
    done: list[Finding] = []
    notes: list[str] = []

    def announce(finding: Finding) -> None:
        done.append(finding)
        if len(done) == 1:
            beginning = record("cache_clear", True, 99) + record("init_start", None, 99)
            log.write_bytes(beginning + b"noise\n" + TORN + END)

    verdict = Follower("log", LogJudge(), announce, notes.append, PACE).follow().verdict
    assert [verdict] == check_runs("log")
    assert [finding.line for finding in done if finding.code.startswith("MLP0")] == [4, 4]
    assert any("another run" in sentence for sentence in notes)


def test_selection_holds_while_following(folder):
    """What is not selected is not announced."""
    Path("log").write_bytes(BEGIN + TORN + END)
    listener = Listener(LogJudge(findings=FindingFilter(("MLP0",), ())))
    result = listener.follower.follow()
    assert {finding.code[:4] for finding in listener.found} == {"MLP0"}
    assert len(result.verdict.findings) == len(listener.found)


@pytest.fixture
def quick(monkeypatch):
    """Makes the command's watching quick."""
    monkeypatch.setattr(following.Pace, "__new__", lambda cls, *_: tuple.__new__(cls, PACE))


@pytest.mark.usefixtures("quick")
class TestCommand:
    """`mlperf-check --follow`."""

    def test_text_shows_each_finding_once_and_the_verdict(self, folder, capfd):
        """Findings come first, each once, then the verdict and the totals."""
        Path("log").write_bytes(BEGIN + MIDDLE + TORN + END)
        assert main(["--follow", "log"]) == 1
        out = capfd.readouterr().out
        assert out.count("log:7:") == 1
        assert out.index("log:7:") < out.index("log: not compliant")
        assert out.splitlines()[-1].startswith("1 file: 1 not compliant")

    def test_compliant_run_exits_with_0(self, folder, capfd):
        """A run without findings that count ends with exit code 0."""
        Path("log").write_bytes(BEGIN + END)
        assert main(["--follow", "log", "--select", "MLP0"]) == 0
        assert "log: compliant" in capfd.readouterr().out

    def test_json_comes_at_the_end(self, folder, capfd):
        """Formats for programs give the document that the check of the whole log gives."""
        Path("log").write_bytes(BEGIN + TORN + END)
        main(["--follow", "log", "--format", "json"])
        followed = capfd.readouterr().out
        main(["log", "--format", "json"])
        assert followed == capfd.readouterr().out

    def test_github_annotations_come_once(self, folder, capfd):
        """Annotations are those of the whole log."""
        Path("log").write_bytes(BEGIN + TORN + END)
        main(["--follow", "log", "--format", "github", "--verbose"])
        followed = capfd.readouterr().out.splitlines()
        main(["log", "--format", "github", "--verbose"])
        assert sorted(followed) == sorted(capfd.readouterr().out.splitlines())

    @pytest.mark.parametrize("paths", [["a", "b"], ["."]])
    def test_only_one_log_can_be_followed(self, folder, capfd, paths):
        """Several logs, or a folder, are a mistake."""
        assert main(["--follow", *paths]) == 2
        assert "--follow takes one log" in capfd.readouterr().err


def test_level_cannot_be_followed(folder, capfd):
    """While a run continues all levels are judged; asking for one is a mistake."""
    assert main(["--follow", "log", "--level", "1"]) == 2
    assert "--level" in capfd.readouterr().err


def test_slow_writer(folder):
    """A log written in pieces that end anywhere gives the verdict of the whole."""
    content = BEGIN + MIDDLE + TORN + END
    log = Path("log")
    log.touch()

    def write() -> None:
        with log.open("ab", buffering=0) as file:
            for start in range(0, len(content), 37):
                file.write(content[start : start + 37])

    writer = Thread(target=write)
    writer.start()
    listener = Listener()
    result = listener.follower.follow()
    writer.join()
    assert [result.verdict] == check_runs("log")
    assert len(listener.found) == len(set(listener.found))
