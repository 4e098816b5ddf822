"""The public package's commands and names, as scripts in the field call them.

Each command runs in a process of its own in an empty working folder. What it must answer is written here; where
MLPERF_PEER_PYTHON names a Python that has the public package, that must answer the same.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import PROJECT
from drop_in_cases import (
    BENCHMARK,
    CASES,
    DROPPED,
    EXAMPLE,
    PACKAGE,
    RULES,
    abort_two,
    answer,
    call,
    complete,
    edit,
    fingerprint,
    rush,
    take_last,
)

PEER = os.environ.get("MLPERF_PEER_PYTHON")
FORGIVING = {"package_checker", "system_desc_checker", "repo_checker"}
"""Commands of the public package that end with 0 after errors."""


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    """A copy of the example submission."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "Example_Lab"))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty working folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", CASES)
def test_exit_code_and_last_lines(name: str, submission: Path, work: Path) -> None:
    """A command ends as the public one does, but with 1 after errors, and adds to a log file in the working folder."""
    spoil, (module, *arguments), expected = CASES[name]
    spoil(submission)
    before = fingerprint(submission)
    arguments = [each.format(submission) for each in arguments]
    expected = expected._replace(said=expected.said.format(module))
    assert answer(sys.executable, module, *arguments, folder=work) == expected
    told = take_last((work / f"{module}.log").read_text(encoding="utf-8"))
    assert told.partition(" : ")[0] == expected.logged.partition(" : ")[0]
    assert fingerprint(submission) == before
    if PEER is not None:
        code = 0 if module in FORGIVING else expected.code
        assert answer(PEER, module, *arguments, folder=work) == expected._replace(code=code)


MISSING = {
    "compliance_checker": ("--ruleset", "6.1.0", "nowhere.txt"),
    "rcp_checker": ("--rcp_version", "6.1.0", "nowhere"),
    "package_checker": ("nowhere", *RULES),
    "system_desc_checker": ("nowhere.json", *RULES),
    "result_summarizer": ("nowhere", *RULES),
    "result_summarizer.compute_score": (
        "--usage",
        "training",
        "--ruleset",
        "6.1.0",
        "--benchmark_folder",
        "nowhere",
    ),
}
"""Arguments that name nothing that exists."""


@pytest.mark.parametrize("module", MISSING)
def test_what_is_missing_is_one_sentence(module: str, work: Path) -> None:
    """Exit 1 as the public command, which ends in a traceback."""
    done = call(sys.executable, module, *MISSING[module], folder=work)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "nowhere" in done.stderr
    if PEER is not None:
        assert call(PEER, module, *MISSING[module], folder=work).returncode == 1


@pytest.mark.parametrize("module", MISSING)
def test_wrong_arguments_are_said_by_argparse(module: str, work: Path) -> None:
    """Exit 2, with the usage."""
    done = call(sys.executable, module, "--no-such-option", folder=work)
    assert (done.returncode, done.stderr.startswith("usage: ")) == (2, True)
    if PEER is not None:
        assert call(PEER, module, "--no-such-option", folder=work).returncode == 2


def test_package_words_stand_between_dividers(submission: Path, work: Path) -> None:
    """What people grep for is the last line but one."""
    complete(submission)
    good = call(sys.executable, *[each.format(submission) for each in PACKAGE], folder=work)
    assert good.stderr.splitlines()[-2] == "INFO - PACKAGE CHECKER FOUND NO ERRORS, SUCCESS !"
    (submission / BENCHMARK / "result_9.txt").unlink()
    bad = call(sys.executable, *[each.format(submission) for each in PACKAGE], folder=work)
    assert "FOUND ERRORS" in bad.stderr.splitlines()[-2]
    assert "MLP601 9 of 10 runs" in bad.stderr


def test_repository_that_is_not_there(work: Path) -> None:
    """The public command passes a folder that does not exist; here that is an error."""
    done = call(sys.executable, "repo_checker", "nowhere", *RULES, folder=work)
    assert (done.returncode, take_last(done.stderr)) == (1, "INFO - CHECKS FAILED.")


def test_power_readings_without_gaps(submission: Path, work: Path) -> None:
    """Where a node's readings are missing between others, the package checker and `PowerChecker` say so."""
    complete(submission)
    power = submission / BENCHMARK / "power"
    (power / "result_4/node_0.txt").rename(power / "result_4/node_1.txt")
    done = call(sys.executable, *[each.format(submission) for each in PACKAGE], folder=work)
    assert done.returncode == 1
    assert "result_4: MLP802 node_0.txt is missing" in done.stderr


@pytest.mark.parametrize("parameters", ["rcp-bypass\nseed-checker-bypass\n", "quiet\nrcp-bypass"])
def test_verifying_script_passes_the_parameters(parameters: str, submission: Path, work: Path) -> None:
    """The example script runs the three checks in turn; options come from a file whose last line may lack its end."""
    rush(submission)
    script = PROJECT / "examples/verify_submission.sh"

    def verify(python: str, paths: dict[str, str]) -> subprocess.CompletedProcess[str]:
        command = ["bash", script, *RULES, submission]
        environment = {**os.environ, **paths, "PYTHON": python}
        return subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)

    own = {"PYTHONPATH": str(PROJECT)}
    before = fingerprint(submission)
    refused = verify(sys.executable, own)
    assert (refused.returncode, "FOUND ERRORS" in refused.stderr) == (1, True)
    assert fingerprint(submission) == before
    (submission / "package_checker_params").write_text(parameters)
    passed = verify(sys.executable, own)
    assert passed.returncode == 0, passed.stderr
    assert "FOUND NO ERRORS" in passed.stderr
    assert "Strong Scaling Scores:" in passed.stdout
    assert take_last(passed.stderr) == "INFO - ALL CHECKS PASSED."
    if PEER is not None:
        assert verify(PEER, {"PYTHONPATH": ""}).returncode == 0


def test_warnings_are_hidden_or_errors(submission: Path, work: Path) -> None:
    """A repeated key is a warning: told, hidden with --quiet, an error with --werror."""
    log = submission / BENCHMARK / "result_0.txt"
    line = next(each for each in log.read_text().splitlines(True) if '"global_batch_size"' in each)
    edit(log, lambda text: text.replace(line, line * 2))
    told = call(sys.executable, "compliance_checker", log, folder=work)
    hidden = call(sys.executable, "compliance_checker", "--quiet", log, folder=work)
    strict = call(sys.executable, "compliance_checker", "--werror", log, folder=work)
    assert (told.returncode, "WARNING - " in told.stderr) == (0, True)
    assert (hidden.returncode, "WARNING - " in hidden.stderr) == (0, False)
    assert (strict.returncode, take_last(strict.stderr)) == (1, "ERROR - FAILED")


@pytest.mark.parametrize("place", ["/dev/full", "nowhere/x.log"])
def test_log_file_that_takes_nothing_is_one_sentence(place: str, work: Path) -> None:
    """Exit 1 and no traceback where the log file cannot be opened, or a line cannot be written to it."""
    log = EXAMPLE / BENCHMARK / "result_0.txt"
    done = call(sys.executable, "compliance_checker", "--log_output", place, log, folder=work)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert take_last(done.stderr).startswith("mlperf_logging.compliance_checker: cannot ")


def test_foreign_texts_do_not_steer_the_terminal(work: Path) -> None:
    """Control characters in names are shown, not obeyed; in the log file, too."""
    done = call(sys.executable, "compliance_checker", "\x1b[31m.txt", folder=work)
    written = (work / "compliance_checker.log").read_text()
    assert done.returncode == 1
    assert "\x1b" not in done.stderr + done.stdout + written
    assert "\\x1b[31m.txt" in written


def test_scaling_is_written_only_when_asked(submission: Path, work: Path) -> None:
    """The public command writes scaling.json by itself; here --set_scaling does."""
    folder = submission / BENCHMARK
    (folder / "scaling.json").unlink()
    call(sys.executable, "rcp_checker", folder, folder=work)
    assert not (folder / "scaling.json").exists()
    call(sys.executable, "rcp_checker", "--set_scaling", folder, folder=work)
    assert json.loads((folder / "scaling.json").read_text())["scaling_factor"] > 1


def test_own_reference_points(submission: Path, work: Path) -> None:
    """A file of the public form takes the place of the round's points."""
    points = {"mine": {"Benchmark": "llama2_70b_lora", "BS": 8, "samples to converge": [9000] * 10}}
    (work / "mine.json").write_text(json.dumps(points))
    done = call(
        sys.executable, "rcp_checker", "--custom_rcps", "mine.json", submission / BENCHMARK, folder=work
    )
    assert (done.returncode, take_last(done.stderr)) == (1, f"ERROR - RCP found, RCP test FAILED, {DROPPED}")


def test_summary_writes_the_tables_that_are_asked_for(submission: Path, work: Path) -> None:
    """CSV with the detailed table and JSON beside it, and a workbook; all of them in the working folder."""
    before = fingerprint(submission)
    arguments = (submission, *RULES, "--csv", "s.csv", "-xlsx", "s.xlsx", "--generate_private_ids")
    done = call(sys.executable, "result_summarizer", *arguments, folder=work)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Strong Scaling Scores:\n")
    assert sorted(path.name for path in work.iterdir()) == [
        "s.csv",
        "s.json",
        "s.xlsx",
        "s_detailed.csv",
        "s_detailed.json",
    ]
    assert [row["system"] for row in json.loads((work / "s.json").read_text())] == [
        "example_16x",
        "example_8x",
    ]
    assert fingerprint(submission) == before


def test_summary_of_a_submission_without_a_result_fails(submission: Path, work: Path) -> None:
    """Two runs that do not count are one too many: exit 1, where the public command ends with 0."""
    abort_two(submission)
    done = call(sys.executable, "result_summarizer", submission, *RULES, folder=work)
    assert done.returncode == 1
    assert f"ERROR: {submission}/{BENCHMARK}: 2 runs do not count" in done.stdout


@pytest.mark.parametrize("scaled", [False, True])
def test_score_of_one_folder(scaled: bool, submission: Path, work: Path) -> None:
    """The last line is the score; with --scale times what the test of convergence demands."""
    rules = ("--usage", "training", "--ruleset", "6.1.0", "--has_power")
    (submission / BENCHMARK / "scaling.json").unlink(missing_ok=True)
    scale = ["--scale"] if scaled else []
    arguments = ("--benchmark_folder", submission / BENCHMARK, *rules, *scale)
    done = call(sys.executable, "result_summarizer.compute_score", *arguments, folder=work)
    assert done.returncode == 0, done.stderr
    name, minutes = take_last(done.stdout).split(": ")
    assert name == "Score - Time to Train (minutes)"
    assert float(minutes) == pytest.approx(13.613 if scaled else 13.613 / 1.05115, rel=1e-4)
    assert "Energy (kJ): " in done.stdout


def test_dummy_example_logs_four_events(work: Path) -> None:
    """Start, batch size, quality, stop: on standard output and in a file."""
    done = call(sys.executable, "mllog.examples.dummy_example", folder=work)
    events = [json.loads(line.removeprefix(":::MLLOG ")) for line in done.stdout.splitlines() if line]
    assert [event["key"] for event in events] == [
        "run_start",
        "global_batch_size",
        "eval_accuracy",
        "run_stop",
    ]
    assert {event["metadata"]["file"] for event in events} == {"mllog/examples/dummy_example.py"}
    assert (work / "example_simple.log").read_text() == done.stdout
