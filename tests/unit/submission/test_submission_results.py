"""How many runs a result holds and may hold, which of them may fail, and what belongs in its folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from logs import mllog

from mlperf_logging.compliance.findings import Verdict
from mlperf_logging.events import Outcome
from mlperf_logging.runs.summary import RunSummary
from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.submission.findings import PlacedFinding
from mlperf_logging.submission.judging import JudgedResult
from mlperf_logging.submission.layout import Tree, find_submissions
from mlperf_logging.submission.results import check_failures, check_files
from tests.scores import make_scored_run


def make_result(top: Path, *names: str, place: str = "results/box/knitting") -> None:
    """Make a benchmark's folder with files of these names, all of them logs."""
    (top / place).mkdir(parents=True, exist_ok=True)
    for name in names:
        (top / place / name).write_bytes(mllog("run_start"))


def look(top: Path, requirement: Requirement, *, partial: bool = False) -> list[PlacedFinding]:
    """What is wrong with the files of the only benchmark's folder."""
    tree = Tree(top)
    ((folder,),) = [each.folders for each in find_submissions(tree)]
    return list(check_files(folder, requirement, tree, partial=partial))


def name_runs(count: int) -> list[str]:
    """Names of so many logs."""
    return [f"result_{number}.txt" for number in range(count)]


@pytest.mark.parametrize(
    ("place", "requirement", "count", "rules"),
    [
        ("results/box/knitting", Requirement(5), 5, []),
        ("results/box/knitting", Requirement(5), 4, ["runs-missing"]),
        ("results/box/knitting", Requirement(5), 6, ["too-many-runs"]),
        ("results/box/strong/knitting", Requirement(5), 6, ["too-many-runs"]),
        ("results/box/weak/knitting", Requirement(5), 4, ["runs-missing"]),
        ("results/box/weak/knitting", Requirement(5), 60, []),
        ("results/box/knitting", Requirement(5, attempts=8), 8, []),
        ("results/box/knitting", Requirement(5, attempts=8), 9, ["too-many-runs"]),
    ],
)
def test_number_of_runs(
    place: str, requirement: Requirement, count: int, rules: list[str], tmp_path: Path
) -> None:
    """A result has exactly the runs that are required, with weak scaling at least those, where attempts count up to them."""
    make_result(tmp_path, *name_runs(count), place=place)

    assert [each.finding.rule for each in look(tmp_path, requirement)] == rules


def test_missing_runs_are_counted(tmp_path: Path) -> None:
    """The finding says how many there are and are needed, and in a submission in progress what to add."""
    make_result(tmp_path, *name_runs(3))

    (found,) = look(tmp_path, Requirement(5))
    assert (found.finding.severity, found.finding.message) == ("error", "3 of 5 runs; 2 more are needed")
    (found,) = look(tmp_path, Requirement(5), partial=True)
    assert (found.finding.severity, found.finding.message) == (
        "warning",
        "3 of 5 runs so far; 2 more are needed",
    )
    assert found.finding.hint == "Add 2 more result_N.txt, each with a seed of its own."


@pytest.mark.parametrize("name", ["result4.txt", "run_4.log", "result_4.txt.gz", "result_4.log"])
def test_logs_under_other_names_count_where_they_are_renamed(name: str, tmp_path: Path) -> None:
    """A log under another name is one finding; the number of runs is then the one after it is renamed."""
    make_result(tmp_path, *name_runs(4), name)

    (found,) = look(tmp_path, Requirement(5))

    assert (found.finding.rule, Path(found.path).name) == ("wrong-file-name", name)


def test_other_files(tmp_path: Path) -> None:
    """What has its place in a benchmark's folder is no finding; other files and folders are, logs or not."""
    make_result(tmp_path, *name_runs(5))
    folder = tmp_path / "results" / "box" / "knitting"
    for name in ("scaling.json", "package_checker_params", "stdout.txt"):
        (folder / name).write_text("nothing that looks like an event")
    for name in ("power", "pruned_results", "more"):
        (folder / name).mkdir()

    found = look(tmp_path, Requirement(5))

    assert [(each.finding.rule, Path(each.path).name) for each in found] == [
        ("extra-file", "stdout.txt"),
        ("extra-file", "more"),
    ]


def judge(*outcomes: Outcome, status: str = "success") -> list[JudgedResult]:
    """Judged logs of these outcomes."""
    return [
        JudgedResult(
            make_scored_run(status=status, verdict=outcome)._replace(path=f"result_{number}.txt"),
            Verdict("", None, "", None, "", None, None, outcome, (), RunSummary(), 0),
        )
        for number, outcome in enumerate(outcomes)
    ]


def fail(logs: list[JudgedResult], requirement: Requirement, top: Path) -> list[tuple[str, str]]:
    """Rule and message of what is wrong with runs that do not count."""
    make_result(top)
    ((folder,),) = [each.folders for each in find_submissions(Tree(top))]
    found = check_failures(folder, logs, requirement)
    return [(each.finding.rule, each.finding.message) for each in found]


def test_failures_that_are_allowed(tmp_path: Path) -> None:
    """As many runs may fail as the rules say; each is a warning that says why and what follows."""
    passed, failed = Outcome.PASSED, Outcome.FAILED
    assert fail(judge(passed, passed), Requirement(5), tmp_path) == []
    assert fail(judge(passed, failed), Requirement(5), tmp_path) == [
        ("failure-accepted", "the run is not compliant; it counts as the slowest, which the mean drops")
    ]
    assert fail(judge(failed, passed, failed), Requirement(5), tmp_path) == [
        ("too-many-failures", "2 of 3 runs do not count (result_0.txt, result_2.txt); at most 1 may fail")
    ]
    assert fail(judge(failed, passed), Requirement(5, 1, 0), tmp_path) == [
        ("too-many-failures", "1 of 2 runs does not count (result_0.txt); at most 0 may fail")
    ]
    assert len(fail(judge(failed, failed, failed, failed), Requirement(40, 4, 4), tmp_path)) == 4
    assert fail(judge(passed, status="aborted"), Requirement(1, attempts=2), tmp_path) == [
        ("failure-accepted", "the run ended with status aborted; another takes its place")
    ]


def test_runs_that_could_not_be_judged_are_not_counted(tmp_path: Path) -> None:
    """Where a log could not be judged, nobody knows how many runs fail."""
    assert fail(judge(Outcome.UNJUDGED, Outcome.FAILED), Requirement(5), tmp_path) == []
