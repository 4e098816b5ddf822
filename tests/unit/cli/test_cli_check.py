"""The command `mlperf-check`: exit codes, streams, options."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from pathlib import Path

import pytest

from mlperf_logging.cli.check import main
from mlperf_logging.cli.main import main as umbrella
from mlperf_logging.compliance import checking
from mlperf_logging.engines.local import LocalEngine


@pytest.fixture
def run(capfd):
    """Runs the command and gives exit code, output and error text."""

    def run_command(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        out, err = capfd.readouterr()
        return code, out, err

    return run_command


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["pass"], 0),
        (["warn"], 0),
        (["pass", "fail"], 1),
        (["fail", "unreadable"], 2),
        (["pass", "badrule"], 2),
        (["crash", "pass"], 2),
    ],
)
def test_exit_codes(write_logs, run, words, code):
    """0 when all are compliant, 1 when one is not, 2 when one could not be judged; every log is reported."""
    write_logs({f"{index}.txt": word for index, word in enumerate(words)})
    got, out, err = run(".")
    assert (got, err) == (code, "")
    assert all(f"./{index}.txt: " in out for index in range(len(words)))


def test_missing_path_does_not_stop_the_others(write_logs, run):
    """A path that is not there is one sentence and exit code 2; the others are judged."""
    write_logs({"a.txt": "pass"})
    code, out, err = run("none.txt", "a.txt")
    assert code == 2
    assert err == "mlperf-check: there is no file or folder called 'none.txt'\n"
    assert out.startswith("a.txt: compliant")


def test_nothing_to_judge(folder, run):
    """When no path gives a log, the exit code is 2, and JSON is still a whole document."""
    assert run("none.txt")[0:2] == (2, "")
    code, out, _ = run("none.txt", "--format", "json")
    assert code == 2
    assert json.loads(out)["totals"]["files"] == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "name at least one log"),
        (["--formt", "json", "a.txt"], "unknown option --formt; did you mean --format?"),
        (["--format", "jsn", "a.txt"], "did you mean 'json'"),
        (["--division", "ajar", "a.txt"], "--division"),
        (["--jobs", "two", "a.txt"], "'two' is not a number of processes"),
        (["--jobs", "-1", "a.txt"], "--jobs"),
        (["--format"], "--format"),
        (["--select", "MLP3", "--waivers", "none.yaml", "a.txt"], "none.yaml: cannot read"),
        (["--output", "no/such/folder/x", "a.txt"], "cannot write the report to 'no/such/folder/x'"),
        (["u.txt"], "unknown ruleset '9'"),
    ],
    ids=lambda value: None,
)
def test_mistakes_are_one_sentence(write_logs, run, arguments, word):
    """A mistake in the arguments is one line on the error stream, exit code 2, no traceback."""
    write_logs({"a.txt": "pass", "u.txt": "usage"})
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert word in err
    assert err.startswith("mlperf-check: ")
    assert err.count("\n") == 1


def test_options_may_stand_between_paths(write_logs, run):
    """Options and paths come in any order."""
    write_logs({"a.txt": "pass", "b.txt": "pass"})
    code, out, _ = run("a.txt", "--format", "jsonl", "b.txt")
    assert code == 0
    assert [json.loads(line)["path"] for line in out.splitlines()] == ["a.txt", "b.txt"]


def test_standard_input_is_named_by_a_dash(run):
    """A dash stands for standard input and comes out as a dash."""
    code, out, _ = run("-", "--format", "jsonl")
    assert (code, json.loads(out)["path"]) == (0, "-")


@pytest.mark.parametrize("jobs", ["1", "2", "0"])
def test_jobs_change_nothing_but_time(write_logs, run, jobs):
    """Any number of processes gives the same report."""
    write_logs({f"{index:03}.txt": ["pass", "fail", "warn"][index % 3] for index in range(60)})
    code, out, _ = run(".", "--jobs", jobs)
    assert code == 1
    assert out == run(".")[1]


def test_select_and_ignore(write_logs, run):
    """Ignoring the only error makes the log pass; selecting a code leaves the others out."""
    write_logs({"a.txt": "fail"})
    assert run("a.txt", "--ignore", "MLP304")[0] == 0
    code, out, _ = run("a.txt", "--select", "MLP3", "--format", "jsonl")
    assert code == 1
    assert [finding["code"] for finding in json.loads(out)["findings"]] == ["MLP304"]


def test_waivers(folder, write_logs, run):
    """A waived error does not fail the log; it is kept in JSON; an unused waiver is a warning."""
    write_logs({"a.txt": "fail"})
    entry = "- {{rule: {}, path: '*.txt', reason: agreed, expires: 2999-01-01}}\n"
    (folder / "w.yaml").write_text(entry.format("MLP304") + entry.format("MLP888"))
    code, out, err = run("a.txt", "--waivers", "w.yaml", "--format", "jsonl")
    assert code == 0
    findings = json.loads(out)["findings"]
    assert [(finding["code"], finding.get("waived")) for finding in findings] == [
        ("MLP103", None),
        ("MLP304", True),
    ]
    assert err == "mlperf-check: warning: w.yaml:2: the waiver of MLP888 covered nothing\n"
    assert "1 waived" in run("a.txt", "--waivers", "w.yaml")[1]


def test_expired_waiver(folder, write_logs, run):
    """An expired waiver stops the check."""
    write_logs({"a.txt": "pass"})
    (folder / "w.yaml").write_text("- {rule: MLP304, path: '*', reason: agreed, expires: 2001-01-01}\n")
    code, out, err = run("a.txt", "--waivers", "w.yaml")
    assert (code, out) == (2, "")
    assert "w.yaml:1: the waiver expired on 2001-01-01" in err


def test_waivers_are_written_from_findings(folder, write_logs, run):
    """Waivers for what is found are added to a file; the next check with it passes; this one says what was found."""
    write_logs({"a.txt": "fail", "b.txt": "pass"})
    arguments = ["--write-waivers", "w.yaml", "--reason", "agreed on", "--expires", "2999-01-01"]
    code, _, err = run(".", "--select", "MLP3", *arguments)
    assert (code, err) == (1, "mlperf-check: added 1 waiver to w.yaml\n")
    assert run(".", "--waivers", "w.yaml", "--quiet")[:2] == (
        0,
        "2 files: 2 compliant (1 warning, 1 waived)\n",
    )
    assert run(".", "--waivers", "w.yaml", *arguments)[2] == "mlperf-check: added 1 waiver to w.yaml\n"
    assert run(".", *arguments)[2] == "mlperf-check: nothing to waive; w.yaml is as it was\n"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--write-waivers", "w.yaml"], "needs --reason TEXT and --expires YYYY-MM-DD"),
        (["--write-waivers", "w.yaml", "--reason", " ", "--expires", "2999-01-01"], "needs --reason"),
        (["--write-waivers", "w.yaml", "--reason", "x", "--expires", "soon"], "must be a date such as"),
        (["--write-waivers", "w.yaml", "--reason", "x", "--expires", "2001-01-01"], "expired on 2001"),
        (["--reason", "x"], "those of --write-waivers"),
        (
            ["--follow", "--write-waivers", "w", "--reason", "x", "--expires", "2999-01-01"],
            "leave --follow out",
        ),
    ],
    ids=lambda value: None,
)
def test_new_waivers_need_reason_and_end(folder, write_logs, run, arguments, word):
    """A waiver without a reason or with no day to come is refused before anything is judged."""
    write_logs({"a.txt": "fail"})
    code, out, err = run("a.txt", *arguments)
    assert (code, out) == (2, "")
    assert word in err
    assert not (folder / "w.yaml").exists()


def test_quiet_and_statistics(write_logs, run):
    """Quiet leaves the totals; statistics follow the report for people and go aside for others."""
    write_logs({"a.txt": "fail", "b.txt": "pass"})
    totals = "2 files: 1 compliant, 1 not compliant (1 error, 1 warning)\n"
    assert run(".", "--quiet")[1] == totals
    _, out, err = run(".", "--quiet", "--statistics")
    assert out.startswith(f"{totals}\nverdict  files\n")
    assert err == ""
    _, out, err = run(".", "--statistics", "--format", "json")
    json.loads(out)
    assert "verdict  files" in err


def test_a_wrong_option_leaves_no_half_document(write_logs, run):
    """What is wrong with the options is said alone, or, where it shows later, after a document that readers take."""
    write_logs({"a.txt": "usage", "b.txt": "pass", "c.txt": "usage"})
    code, out, err = run("--format", "json", "a.txt", "b.txt")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    code, out, err = run("--format", "json", "b.txt", "c.txt")
    assert code == 2
    assert [file["path"] for file in json.loads(out)["files"]] == ["b.txt"]
    assert err.count("\n") == 1


def test_output_file_is_whole_or_untouched(folder, write_logs, run):
    """The report's file is replaced at the end; when the work is broken off, the old one stays."""
    write_logs({"logs/a.txt": "pass", "logs/u.txt": "usage"})
    (folder / "report.json").write_text("old")
    code, out, _ = run("logs/a.txt", "--format", "json", "--output", "report.json")
    assert (code, out) == (0, "")
    whole = (folder / "report.json").read_text()
    assert json.loads(whole)["totals"]["files"] == 1
    assert run("logs", "--format", "json", "--output", "report.json")[0] == 2
    assert (folder / "report.json").read_text() == whole
    assert sorted(path.name for path in folder.iterdir()) == ["logs", "report.json"]


def test_several_reports_come_from_one_pass(folder, write_logs, run, monkeypatch):
    """Each format with an output after it is a report of its own; the logs are judged once."""
    write_logs({"a.txt": "fail", "b.txt": "pass"})
    judged = []
    judge = checking.check_runs
    monkeypatch.setattr(checking, "check_runs", lambda path, by: judged.append(path) or judge(path, by))
    reports = ["--format", "concise", "--format", "json", "-o", "r.json", "--format", "junit", "-o", "r.xml"]
    code, out, _ = run("a.txt", "b.txt", *reports)
    assert (code, judged) == (1, ["a.txt", "b.txt"])
    assert out.startswith("a.txt:1:1: ")
    assert json.loads((folder / "r.json").read_text())["totals"]["files"] == 2
    assert (folder / "r.xml").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--format", "json", "--format", "text"], "two reports go to standard output"),
        (["--format", "json", "-o", "x", "--format", "text", "-o", "x"], "two reports go to 'x'"),
        (["--format", "json", "-o", "x", "-o", "y"], "--output y has no format"),
        (["--format", "json", "-o", "x", "--format", "jsn"], "did you mean 'json'"),
        (
            ["--format", "json", "-o", "x", "--format", "text", "-o", "no/y"],
            "cannot write the report to 'no/y'",
        ),
    ],
    ids=lambda value: None,
)
def test_reports_that_get_in_each_other_s_way(folder, write_logs, run, arguments, word):
    """Reports without a place or format of their own are one sentence, and no file appears."""
    write_logs({"a.txt": "pass"})
    code, out, err = run("a.txt", *arguments)
    assert (code, out) == (2, "")
    assert word in err
    assert [path.name for path in folder.iterdir()] == ["a.txt"]


def test_output_may_precede_the_only_format(folder, write_logs, run):
    """With one report, the order of format and output does not matter."""
    write_logs({"a.txt": "pass"})
    assert run("-o", "r.json", "a.txt", "--format", "json")[:2] == (0, "")
    assert json.loads((folder / "r.json").read_text())["totals"]["pass"] == 1


def test_warnings_may_count_as_errors(write_logs, run):
    """With --werror a warning fails the log, unless it is ignored."""
    write_logs({"a.txt": "warn"})
    code, out, _ = run("a.txt", "--werror", "--format", "jsonl")
    result = json.loads(out)
    assert (code, result["verdict"], result["findings"][0]["severity"]) == (1, "fail", "error")
    assert run("a.txt", "--werror", "--ignore", "MLP103")[0] == 0
    assert run("a.txt")[0] == 0


def test_violations_may_leave_the_exit_code(write_logs, run):
    """With --exit-zero violations are reported and the exit code is 0; what could not be judged still gives 2."""
    write_logs({"a.txt": "fail", "b.txt": "unreadable"})
    code, out, _ = run("a.txt", "--exit-zero")
    assert (code, "not compliant" in out) == (0, True)
    assert run("a.txt", "b.txt", "--exit-zero")[0] == 2


def test_output_to_a_device(write_logs, run):
    """A device is written to, not replaced."""
    write_logs({"a.txt": "pass"})
    assert run("a.txt", "--output", os.devnull)[0] == 0
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize(
    ("choice", "environment", "colored"),
    [
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
        ("auto", {}, False),
        ("auto", {"FORCE_COLOR": "1"}, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_color(write_logs, run, monkeypatch, choice, environment, colored):
    """Colors are as requested, else by terminal and environment; a pipe is not a terminal."""
    write_logs({"a.txt": "pass"})
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ("\033[" in run("a.txt", "--color", choice)[1]) is colored


def test_inside_github_actions(folder, write_logs, run, monkeypatch):
    """In GitHub Actions annotations come by themselves, it is said, and the job's page gets a summary."""
    write_logs({"a.txt": "fail"})
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "page.md"))
    (folder / "page.md").write_text("before\n")
    code, out, err = run("a.txt")
    assert code == 1
    assert out.startswith("::error file=a.txt,line=1,col=1,title=MLP304 round.opt_name::opt_name is wrong")
    assert "--format github" in err
    page = (folder / "page.md").read_text()
    assert page.startswith("before\n### mlperf-check: 0 of 1 file compliant")


def test_named_format_wins_in_github_actions(folder, write_logs, run, monkeypatch):
    """In GitHub Actions a format that is asked for is what one gets."""
    write_logs({"a.txt": "pass"})
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "page.md"))
    code, out, err = run("a.txt", "--format", "text")
    assert (code, err) == (0, "")
    assert out.startswith("a.txt: compliant")
    assert not (folder / "page.md").exists()


def test_closed_pipe_is_silent(write_logs, monkeypatch, capfd):
    """When the reader goes away there is no message."""

    class ClosedPipe(io.BytesIO):
        def write(self, data: object) -> int:
            raise BrokenPipeError

    write_logs({"a.txt": "pass"})
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(ClosedPipe()))
    assert main(["a.txt"]) == 141
    assert capfd.readouterr().err == ""


def test_full_disk_is_one_sentence(write_logs, capfd):
    """A report that cannot be written is one sentence and exit code 2."""
    write_logs({"a.txt": "pass"})
    assert main(["a.txt", "--output", "/dev/full"]) == 2
    assert "cannot write the report" in capfd.readouterr().err


def test_interrupt(write_logs, run, monkeypatch):
    """An interrupt ends with one line and the exit code that shells know."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    write_logs({"a.txt": "pass"})
    monkeypatch.setattr(LocalEngine, "map_logs", interrupt)
    code, _, err = run("a.txt")
    assert code == 130
    assert err == "mlperf-check: interrupted; the report is not complete\n"


def test_help_lists_formats_and_examples(run):
    """The help page names every format and shows examples."""
    code, out, _ = run("--help")
    assert code == 0
    assert re.search(r"^  sarif +SARIF", out, re.MULTILINE)
    assert "examples:" in out


def test_version(run):
    """The version is that of the installed package."""
    code, out, _ = run("--version")
    assert code == 0
    assert re.fullmatch(r"mlperf-check \d+\.\d+\S*\n", out)


def test_umbrella_command_is_the_same(write_logs, run, capfd):
    """`mlperf check` gives what `mlperf-check` gives, under its own name."""
    write_logs({"a.txt": "fail"})
    _, out, _ = run("a.txt")
    assert umbrella(["check", "a.txt"]) == 1
    assert capfd.readouterr().out == out
    assert umbrella(["check"]) == 2
    assert capfd.readouterr().err.startswith("mlperf check: name at least one log")


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--help"], 0, "check"),
        ([], 2, "check"),
        (["chekc"], 2, "did you mean 'check'"),
        (["zz"], 2, "choose from check"),
    ],
)
def test_umbrella_help_and_mistakes(capfd, arguments, code, word):
    """The umbrella command lists its commands and suggests one for a misspelled name."""
    assert umbrella(arguments) == code
    assert word in "".join(capfd.readouterr())
