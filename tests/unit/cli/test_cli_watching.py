"""Logs that are watched while they grow, are rotated, vanish, or hold several runs."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import PROJECT

from mlperf_logging.cli.judging import LogJudge
from mlperf_logging.cli.overview import Overview
from mlperf_logging.cli.tailing import Pace
from mlperf_logging.cli.watching import WatchedLog
from mlperf_logging.compliance.checking import check_runs
from mlperf_logging.compliance.finding_filter import FindingFilter
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.events import Outcome
from mlperf_logging.parsing import read_log
from mlperf_logging.scoring.live_runs import EVALUATION, STOPPED, WAITING, RunObserver
from mlperf_logging.scoring.rcp.files import open_reference_points
from tests.logs import mllog

AT_ONCE = Pace(look_every_s=0.001, grace_s=0.0)
WHOLE = (PROJECT / "examples" / "logs" / "compliant" / "6.1.0_llama31_8b.txt").read_bytes()
LINES = WHOLE.splitlines(keepends=True)
CUT = len(LINES) * 3 // 4
BEGIN = b"".join(LINES[:CUT])
REST = WHOLE[len(BEGIN) :]
HOUR_MS = 3_600_000
FIND_TABLE = open_reference_points()


def shift(content: bytes, by_ms: int) -> bytes:
    """The same run, so much later."""
    for event in read_log(content).events:
        content = content.replace(
            b'"time_ms": %d,' % event.time_ms, b'"time_ms": <%d>,' % (event.time_ms + by_ms), 1
        )
    return content.replace(b"<", b"").replace(b">,", b",")


class Watcher:
    """A watched log called run.log, and what was said of it."""

    def __init__(self, judge: LogJudge | None = None) -> None:
        self.path = Path("run.log")
        self.found: list[Finding] = []
        self.log = WatchedLog(
            "run.log", judge or LogJudge(), lambda _, finding: self.found.append(finding), AT_ONCE
        )

    def append(self, content: bytes) -> None:
        """Write more, and look."""
        with self.path.open("ab") as file:
            file.write(content)
        self.look()

    def look(self) -> None:
        """Look at the file once."""
        self.log.poll()
        self.log.conclude()

    @property
    def counts(self) -> list[int]:
        """Events of each run."""
        return [run.observer.event_count for run in self.log.runs]

    @property
    def verdicts(self) -> list[Outcome | None]:
        """Verdict of each run."""
        return [run.outcome.result.verdict.verdict if run.outcome else None for run in self.log.runs]


@pytest.fixture
def watcher(folder: Path) -> Iterator[Watcher]:
    """A watcher in an empty folder."""
    watching = Watcher()
    yield watching
    watching.log.close()


def test_file_that_comes_and_grows(watcher: Watcher) -> None:
    """It is waited for, then read as it grows; at its end the verdict is that of the whole log."""
    watcher.look()
    assert watcher.log.trouble == "waiting for the file"
    watcher.append(BEGIN)
    assert (watcher.log.trouble, watcher.verdicts) == ("", [None])
    watcher.append(REST)

    assert watcher.verdicts == [check_runs("run.log")[0].verdict]
    assert watcher.log.run.outcome is not None
    assert watcher.log.run.outcome.scored.converged_at is not None
    assert watcher.found == []


def test_poll_says_whether_something_changed(watcher: Watcher) -> None:
    """What did not change need not be shown again."""
    watcher.path.write_bytes(BEGIN)

    assert watcher.log.poll()
    assert not watcher.log.poll()


@pytest.mark.parametrize("size", [1, 7, 100, 4_096])
def test_half_written_lines_are_waited_for(watcher: Watcher, size: int) -> None:
    """However the writer cuts its lines, the events are those of the whole, and nothing is found."""
    content = BEGIN[-6_000:] if size == 1 else BEGIN
    for start in range(0, len(content), size):
        watcher.append(content[start : start + size])

    assert watcher.counts == [len(read_log(content).events)]
    assert [finding.code for finding in watcher.found if finding.code.startswith("MLP0")] == []


def test_last_line_without_its_end(watcher: Watcher) -> None:
    """Shown once, a record that is being written counts when it is whole, and is no fault when it is not."""
    watcher.append(BEGIN.rstrip(b"\n"))
    watcher.log.conclude(is_last=True)
    assert watcher.counts == [len(read_log(BEGIN).events)]

    other = Watcher()
    other.path.write_bytes(BEGIN[:-20])
    other.look()
    other.log.conclude(is_last=True)
    assert other.counts == [len(read_log(BEGIN).events) - 1]
    assert other.found == []
    other.log.close()


def test_finding_comes_with_its_record(watcher: Watcher) -> None:
    """A record that breaks a rule is announced at once, and once."""
    watcher.append(BEGIN)
    watcher.append(mllog("opt_name", "none such", 1))
    watcher.append(b':::MLLOG {"key": "torn\n')
    watcher.append(REST)

    live = [finding.key for finding in watcher.found if finding.line is not None]
    assert "opt_name" in live
    marks = [(finding.rule, finding.line, finding.message) for finding in watcher.found]
    assert len(marks) == len(set(marks))
    assert watcher.verdicts == [Outcome.FAILED]
    assert watcher.log.run.error_count == len(watcher.log.run.findings)


def test_selection_of_findings_holds(folder: Path) -> None:
    """What is not selected is neither announced nor counted."""
    watching = Watcher(LogJudge(findings=FindingFilter(("MLP0",), ())))
    watching.append(BEGIN + mllog("opt_name", "none such", 1) + REST)

    assert watching.found == []
    assert watching.verdicts == [Outcome.PASSED]
    watching.log.close()


def test_truncated_file_that_goes_on(watcher: Watcher) -> None:
    """A log that was emptied while its run goes on (copied and truncated by a rotation) continues its run."""
    watcher.append(BEGIN)
    watcher.path.write_bytes(b"")
    watcher.look()
    watcher.append(REST)

    assert watcher.counts == [len(read_log(WHOLE).events)]
    assert watcher.log.run.has_stopped
    assert watcher.log.run.outcome is None  # the file alone is not the log
    assert watcher.log.run.is_judged


def test_rotated_file_that_goes_on(watcher: Watcher) -> None:
    """A log that was moved away: what is still written to it is read, then the new file, as one run."""
    watcher.append(BEGIN)
    watcher.path.rename("run.log.1")
    with Path("run.log.1").open("ab") as file:
        file.write(LINES[CUT])
    watcher.look()
    assert watcher.log.trouble == "the file is gone"
    watcher.append(b"".join(LINES[CUT + 1 :]))
    watcher.look()

    assert watcher.counts == [len(read_log(WHOLE).events)]
    assert watcher.log.trouble == ""


def test_vanished_file(watcher: Watcher) -> None:
    """A file that is gone leaves what was read of it, and is taken up again when it comes back."""
    watcher.append(BEGIN)
    watcher.path.unlink()
    watcher.look()
    assert watcher.log.trouble == "the file is gone"
    assert watcher.counts == [len(read_log(BEGIN).events)]
    watcher.append(WHOLE)
    watcher.look()

    assert watcher.counts == [len(read_log(WHOLE).events)]
    assert watcher.verdicts == [Outcome.PASSED]


def test_file_that_another_run_overwrites(watcher: Watcher) -> None:
    """Another run in the place of the former one is the only one that is shown."""
    watcher.append(BEGIN)
    watcher.path.write_bytes(shift(BEGIN, HOUR_MS))
    watcher.look()
    watcher.look()

    assert watcher.counts == [len(read_log(BEGIN).events)]


def test_relaunch_in_the_same_file(watcher: Watcher) -> None:
    """A job that fails and writes to the same log again is another run, with findings of its own."""
    watcher.append(BEGIN)
    again = shift(WHOLE, HOUR_MS)
    middle = again.index(b"run_start")
    watcher.append(again[:middle])
    watcher.append(again[middle:])

    assert watcher.counts == [len(read_log(BEGIN).events), len(read_log(WHOLE).events)]
    assert watcher.verdicts == [Outcome.FAILED, Outcome.PASSED]
    observed = [run.observer.observe("run.log", FIND_TABLE) for run in watcher.log.runs]
    assert [live.phase for live in observed] == [EVALUATION, STOPPED]


def test_run_after_a_finished_one(watcher: Watcher) -> None:
    """A second run after the end of the first one leaves the first as it was."""
    watcher.append(WHOLE)
    first = watcher.log.runs[0]
    watcher.append(shift(BEGIN, HOUR_MS))

    assert watcher.log.runs[0] is first
    assert watcher.verdicts == [Outcome.PASSED, None]


def test_slow_process_of_the_same_job_is_no_run(watcher: Watcher) -> None:
    """What looked like a relaunch and then stops twice was another process: its events go to the run before."""
    first = [("init_start", 1), ("run_start", 2), ("block_start", 3)]
    second = [("init_start", 4), ("run_start", 5), ("run_stop", 6)]
    for key, time_ms in (*first, *second):
        watcher.append(mllog(key, None, time_ms))
    assert len(watcher.log.runs) == 2
    watcher.append(mllog("run_stop", None, 7))

    assert watcher.counts == [7]


def test_compressed_log(watcher: Watcher) -> None:
    """A compressed log is read as a whole, and again once it has changed."""
    watcher.path.write_bytes(gzip.compress(BEGIN))
    watcher.look()
    assert watcher.counts == [len(read_log(BEGIN).events)]
    watcher.path.write_bytes(gzip.compress(WHOLE))
    watcher.look()

    assert watcher.counts == [len(read_log(WHOLE).events)]
    assert watcher.verdicts == [Outcome.PASSED]


def test_file_that_cannot_be_read(watcher: Watcher) -> None:
    """What cannot be opened is said, and tried again."""
    watcher.path.symlink_to("run.log")
    watcher.look()
    assert "cannot be" in watcher.log.trouble
    watcher.path.unlink()
    watcher.append(BEGIN)

    assert watcher.log.trouble == ""
    assert watcher.counts == [len(read_log(BEGIN).events)]


@pytest.fixture
def overview(folder: Path) -> Iterator[Overview]:
    """All logs below the folder runs."""
    Path("runs").mkdir()
    found = Overview(["runs", "named.log"], LogJudge(), FIND_TABLE, lambda _, __: None, AT_ONCE)
    yield found
    found.close()


def look_again(overview: Overview) -> None:
    """Poll until everything that is there was read."""
    overview._searched_at = float("-inf")
    for _ in range(3):
        overview.poll()


def test_new_logs_appear(overview: Overview) -> None:
    """Logs that come into a folder are found, by the order of their numbers; a named one is waited for."""
    look_again(overview)
    assert [log.path for log in overview.logs] == ["named.log"]
    for number in (10, 9):
        Path(f"runs/result_{number}.txt").write_bytes(BEGIN)
    look_again(overview)

    assert [log.path for log in overview.logs] == ["named.log", "runs/result_9.txt", "runs/result_10.txt"]
    assert [view.live.phase for view in overview.list_views()] == [WAITING, EVALUATION, EVALUATION]


def test_finished_runs_help_those_that_go_on(overview: Overview) -> None:
    """Runs of one folder, benchmark and batch size make a submission; finished ones tell the others."""
    for number in range(3):
        Path(f"runs/result_{number}.txt").write_bytes(WHOLE)
    Path("runs/result_3.txt").write_bytes(BEGIN)
    look_again(overview)
    last = overview.list_views()[-1]

    assert last.live.forecast is not None
    assert last.live.forecast.run_count == 3
    assert last.submission is not None
    assert (len(last.submission.converged_at), last.submission.running, last.submission.required) == (
        3,
        1,
        10,
    )
    assert last.submission.chance is not None
    assert overview.list_views()[-1].submission is last.submission  # nothing is simulated twice


def test_views_are_of_all_runs_of_a_file(overview: Overview) -> None:
    """A file's earlier runs are shown with it; only its last one belongs to the submission."""
    Path("runs/result_0.txt").write_bytes(BEGIN + shift(BEGIN, HOUR_MS))
    look_again(overview)
    first, second = [view for view in overview.list_views() if view.log.path == "runs/result_0.txt"]

    assert (first.is_last, first.submission) == (False, None)
    assert second.is_last
    assert second.submission is not None
    assert second.submission.running == 1


def test_end_of_all_runs(overview: Overview) -> None:
    """All is over when every log's run has ended and was judged."""
    shutil.copyfile(PROJECT / "examples" / "logs" / "compliant" / "6.1.0_flux1.txt", "named.log")
    Path("runs/result_0.txt").write_bytes(BEGIN)
    look_again(overview)
    assert not overview.is_over
    with Path("runs/result_0.txt").open("ab") as file:
        file.write(REST)
    look_again(overview)

    assert overview.is_over


def test_observers_of_one_log_have_the_same_rules(watcher: Watcher) -> None:
    """The selection of rules holds for live findings as it does for the verdict."""
    judge = LogJudge(RuleSelection(division="open"))
    other = Watcher(judge)
    other.append(BEGIN)

    assert isinstance(other.log.run.observer, RunObserver)
    assert other.log.run.observer.live.choice is not None
    assert other.log.run.observer.live.choice.division == "open"
    other.log.close()
