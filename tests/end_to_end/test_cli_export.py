"""`mlperf export`: exit codes, the answer, many logs, several runs in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT

from tests.commands import run_mlperf
from tests.exports_read_back import read_tensorboard

LOGS = PROJECT / "examples" / "logs"
GOOD, EMPTY, SEVERAL = (
    LOGS / "compliant" / "4.0.0_resnet.txt",
    LOGS / "broken" / "no_events.txt",
    LOGS / "broken" / "relaunched.txt",
)


def export(*arguments: object) -> tuple[int, Any, str]:
    """Export to TensorBoard; the exit code, the answer, and the error stream."""
    done = run_mlperf("export", "tensorboard", *arguments, "--format", "json")
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def list_files(place: Path) -> dict[str, bytes]:
    """The files below a folder and what is in them."""
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_the_answer_says_what_became_of_each_run(tmp_path: Path) -> None:
    """Each run has its outcome, its name in the tool, and how much was written; a log without events is exit code 1."""
    code, answer, _ = export(GOOD, EMPTY, "-o", tmp_path)

    assert code == 1
    assert answer["schema"] == "mlperf-export/1"
    assert answer["runs"] == [
        {
            "log": str(GOOD),
            "outcome": "new",
            "run": "resnet/Example Lab/1x example-node-8x-accelerator/4.0.0_resnet",
            "metrics": 6,
            "values": 9,
            "note": None,
        },
        {
            "log": str(EMPTY),
            "outcome": "empty",
            "run": None,
            "metrics": 0,
            "values": 0,
            "note": "the file contains no event in a known log dialect",
        },
    ]
    assert answer["totals"] == {
        "runs": 2,
        "new": 1,
        "updated": 0,
        "unchanged": 0,
        "empty": 1,
        "failed": 0,
        "values": 9,
    }


def test_everything_there_is_exit_code_zero(tmp_path: Path) -> None:
    """The command may be repeated: nothing is written twice, whatever the number of processes."""
    assert export(LOGS / "compliant", "-o", tmp_path)[0] == 0
    before = list_files(tmp_path)
    code, answer, _ = export(LOGS / "compliant", "-o", tmp_path, "--jobs", "2")

    assert (code, answer["totals"]["unchanged"], len(answer["runs"])) == (0, 13, 13)
    assert list_files(tmp_path) == before


def test_processes_change_nothing(tmp_path: Path) -> None:
    """Two processes write what one does."""
    for jobs in (1, 2):
        export(LOGS / "compliant", "-o", tmp_path / str(jobs), "--jobs", jobs)

    assert list_files(tmp_path / "1") == list_files(tmp_path / "2")


def test_a_bad_log_does_not_end_the_command(tmp_path: Path) -> None:
    """What cannot be read is said, and the others are exported."""
    broken = tmp_path / "broken.txt.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00 not gzip at all" * 4)
    code, answer, errors = export(broken, tmp_path / "missing.txt", "-", GOOD, "-o", tmp_path / "place")
    outcomes = [run["outcome"] for run in answer["runs"]]

    assert (code, outcomes) == (2, ["failed", "failed", "new"])
    assert "can be read only once" in errors
    assert "missing.txt" in errors


def test_a_run_that_cannot_be_written_does_not_end_the_command(tmp_path: Path) -> None:
    """A link that leads out of the folder stops one run, not the others."""
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "resnet").symlink_to(tmp_path)
    code, answer, errors = export(GOOD, LOGS / "compliant" / "5.1.0_rgat.txt", "-o", tmp_path / "place")

    assert (code, [run["outcome"] for run in answer["runs"]]) == (2, ["failed", "new"])
    assert "it cannot be written" in errors


def test_several_runs_in_a_file_need_a_choice(tmp_path: Path) -> None:
    """Without `--run` the file holds nothing to export; with it, each run has its own name."""
    code, answer, _ = export(SEVERAL, "-o", tmp_path)
    (run,) = answer["runs"]
    assert (code, run["outcome"]) == (1, "empty")
    assert "--run says which to read" in run["note"]

    code, answer, _ = export(SEVERAL, "-o", tmp_path, "--run", "each")
    names = [run["run"] for run in answer["runs"]]
    assert [name.rpartition("/")[2] for name in names] == ["relaunched-run1", "relaunched-run2"]
    assert all(read_tensorboard(tmp_path / name) for name in names)
    assert export(SEVERAL, "-o", tmp_path, "--run", "2")[1]["totals"]["unchanged"] == 1


def test_the_rules_are_those_asked_for(tmp_path: Path) -> None:
    """Another verdict of the same log replaces the export."""
    export(GOOD, "-o", tmp_path)
    code, answer, _ = export(GOOD, "-o", tmp_path, "--division", "open")

    assert (code, answer["totals"]["updated"]) == (0, 1)


def test_the_experiment_may_be_named(tmp_path: Path) -> None:
    """It takes the place of the benchmark; a name that leads elsewhere does not."""
    _, answer, _ = export(GOOD, "-o", tmp_path / "place", "--experiment", "../tuning")

    assert answer["runs"][0]["run"].startswith("_/tuning/Example Lab/")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("tensorboard", GOOD), "-o"),
        (("excel", GOOD, "-o", "x"), "invalid choice"),
        (("tensorboard", GOOD, "-o", GOOD), "cannot make the folder"),
        (("tensorboard", GOOD, "-o", "x", "--ruleset", "77"), "77"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: tuple[object, ...], sentence: str) -> None:
    """Exit code 2, and no traceback."""
    done = run_mlperf("export", *arguments)

    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_quiet_prints_the_totals(tmp_path: Path) -> None:
    """A round has hundreds of runs: the totals and what went wrong are enough."""
    done = run_mlperf("export", "tensorboard", GOOD, EMPTY, "-q", "-o", tmp_path)

    said = f"1 new, 1 empty; 9 values to look at it: tensorboard --logdir {tmp_path}"
    assert done.stdout.split() == said.split()  # a long path is on a line of its own
    assert "no_events.txt: the file contains no event" in done.stderr
