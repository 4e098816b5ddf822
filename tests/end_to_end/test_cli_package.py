"""`mlperf package` on a good submission, on the same with one fault each, and on those of the corpus."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT
from commands import run_mlperf
from package_faults import BENCHMARK, DESCRIPTION, FAULTS, Found, converge_early, log, miss_target, replace

LAB = PROJECT / "examples" / "submission" / "Example_Lab"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission of one result in which nothing is wrong; no test changes it."""
    folder = tmp_path_factory.mktemp("made") / "Example_Lab"
    ignored = shutil.ignore_patterns("power")
    shutil.copytree(LAB / "results" / "example_8x", folder / "results" / "example_8x", ignore=ignored)
    (folder / "systems").mkdir()
    described = json.loads((LAB / DESCRIPTION).read_text())
    described["accelerator_model_name"] = "NVIDIA H200-SXM-141GB"
    (folder / DESCRIPTION).write_text(json.dumps(described, indent=2))
    return folder


@pytest.fixture
def good(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "Example_Lab"))


def check(folder: Path, *options: object, code: int | None = None) -> dict[str, Any]:
    """The document on a submission."""
    done = run_mlperf("package", "--format", "json", *options, folder)
    assert "Traceback" not in done.stderr
    assert code is None or done.returncode == code, done.stdout or done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def list_findings(document: dict[str, Any], folder: Path) -> Found:
    """Severity, rule and place of each finding."""
    return {
        (finding["severity"], finding["rule"], os.path.relpath(file["path"], folder))
        for file in document["files"]
        for finding in file["findings"]
    }


def test_nothing_is_found_in_a_good_submission(good: Path) -> None:
    """A submission without faults is acceptable, with its score and its convergence, and 0 says so."""
    document = check(good, code=0)

    assert list_findings(document, good) == set()
    (row,) = document["results"]
    assert (row["verdict"], row["runs"], row["runs_required"], row["rcp"]) == ("acceptable", 10, 10, "passed")
    assert row["score_minutes"] == pytest.approx(13.613, abs=0.001)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found_and_nothing_else(name: str, good: Path) -> None:
    """One fault in a good submission is one finding; errors give 1, warnings 0."""
    fault, found = FAULTS[name]
    fault(good)

    document = check(good)

    assert list_findings(document, good) == found
    failed = any(severity == "error" for severity, *_ in found)
    check(good, code=1 if failed else 0)
    outside = {place.partition("/")[0] for *_, place in found} == {"benchmarks"}
    if failed and not outside and "systems/." not in str(found) and "hosts" not in str(found):
        assert [row["verdict"] for row in document["results"]] == ["not acceptable"]


def test_one_run_may_fail(good: Path) -> None:
    """A run that misses its target counts as the slowest: what is wrong with it, and what follows from it, is a warning."""
    miss_target(3, good)

    document = check(good, code=0)

    failed = f"{BENCHMARK}/result_3.txt"
    assert list_findings(document, good) == {
        ("warning", "failure-accepted", failed),
        ("warning", "llama2_70b_lora.closed.eval_accuracy.target", failed),
        ("warning", "scaling-differs", f"{BENCHMARK}/scaling.json"),
    }


def test_two_runs_may_not_fail(good: Path) -> None:
    """With two such runs there is no result; which they are stands in one finding, and what is wrong at each log."""
    for number in (3, 7):
        miss_target(number, good)

    document = check(good, code=1)

    found = list_findings(document, good)
    logs = {f"{BENCHMARK}/result_3.txt", f"{BENCHMARK}/result_7.txt"}
    assert {rule for severity, rule, place in found if place == BENCHMARK} == {"too-many-failures"}
    assert {place for *_, place in found} == logs | {BENCHMARK}
    (row,) = document["results"]
    assert (row["rcp"], row["score_minutes"]) == ("not tested", None)


@pytest.mark.parametrize("text", ["rcp-bypass", "rcp-bypass\n", "seed-checker-bypass\r\nrcp-bypass"])
@pytest.mark.parametrize("place", ["", "results/example_8x", BENCHMARK])
def test_bypassed_checks_are_warnings(text: str, place: str, good: Path) -> None:
    """`package_checker_params` accepts failed convergence, with and without a newline, at each of its places."""
    converge_early(good)
    (good / place / "package_checker_params").write_text(text)

    document = check(good, code=0)

    assert list_findings(document, good) == {("warning", "convergence-not-accepted", BENCHMARK)}
    assert document["results"][0]["rcp"] == "failed, accepted"


def test_bypassed_seeds_are_warnings(good: Path) -> None:
    """The same for seeds."""
    replace(log(1, good), '"value": 3302', '"value": 3301')
    (good / "package_checker_params").write_text("seed-checker-bypass")

    assert list_findings(check(good, code=0), good) == {("warning", "seed-repeated", BENCHMARK)}


def test_parameters_that_name_the_round_are_known(good: Path) -> None:
    """The lines that choose the round, and other options of the public checker, are no findings."""
    (good / "package_checker_params").write_text("ruleset 6.1.0\nusage training\n\nquiet\n")

    document = check(good, code=0)

    assert list_findings(document, good) == set()
    assert "package_checker_params" in document["files"][0]["ruleset_reason"]


def test_submission_in_progress(good: Path) -> None:
    """With --partial, missing runs are warnings, and the table says how many are needed and how likely it is to pass."""
    log(8, good).unlink()
    log(9, good).unlink()

    document = check(good, "--partial", code=0)

    assert list_findings(document, good) == {("warning", "runs-missing", BENCHMARK)}
    (row,) = document["results"]
    assert row["verdict"] == "in progress"
    assert row["wrong"] == ["8 of 10 runs so far; 2 more are needed"]
    assert re.fullmatch(r"\d+% likely", row["rcp"])


def test_waivers_and_selection_work_as_for_logs(good: Path, tmp_path: Path) -> None:
    """A waiver accepts a finding on a folder, --select and --ignore choose by code, and --werror makes errors."""
    log(9, good).unlink()
    (good / BENCHMARK / "notes.md").write_text("to do")
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text(
        "- {rule: MLP601, path: '*/llama2_70b_lora', reason: agreed with reviewers, expires: 2099-01-01}\n"
    )

    document = check(good, "--waivers", waivers, code=0)
    assert [each["waived"] for file in document["files"] for each in file["findings"] if "waived" in each]
    assert document["results"][0]["verdict"] == "acceptable"
    check(good, "--ignore", "MLP601", code=0)
    check(good, "--select", "extra-file", code=0)
    check(good, "--ignore", "MLP601", "--werror", code=1)


def test_a_waived_run_counts(good: Path, tmp_path: Path) -> None:
    """What a waiver accepts in a log does not keep its run from counting."""
    for number in (3, 7):
        replace(log(number, good), '"key": "lora_rank", "value": 16', '"key": "lora_rank", "value": 17')
    check(good, code=1)
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("- {rule: MLP304, path: '*.txt', reason: agreed, expires: 2099-01-01}\n")

    document = check(good, "--waivers", waivers, code=0)

    assert document["results"][0]["score_minutes"] is not None


@pytest.mark.parametrize("form", ["text", "json", "jsonl", "sarif", "github", "gitlab", "junit", "concise"])
def test_every_format_shows_findings_on_folders(form: str, good: Path) -> None:
    """A finding on a folder is in every format of `mlperf-check`."""
    log(9, good).unlink()

    done = run_mlperf("package", "--format", form, good)

    assert done.returncode == 1
    assert "9 of 10 runs; 1 more is needed" in done.stdout


def test_job_summary_of_github_begins_with_the_table(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of a CI job shows the results before the files."""
    log(9, good).unlink()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "page.md"))

    run_mlperf("package", "--format", "github", good)

    page = (tmp_path / "page.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert "1 not acceptable" in page.splitlines()[0]
    assert rows[0].startswith("| submitter | system | benchmark |")
    assert "9 of 10 runs; 1 more is needed" in rows[1]


def test_strict_check_looks_for_code(good: Path) -> None:
    """With --strict, a benchmark without an implementation is a warning."""
    place = "benchmarks/llama2_70b_lora"
    only = ("--strict", "--select", "code-missing")
    assert list_findings(check(good, *only, code=0), good) == {("warning", "code-missing", place)}
    assert list_findings(check(good, code=0), good) == set()

    (good / place / "implementations" / "ours").mkdir(parents=True)

    assert list_findings(check(good, *only, code=0), good) == set()


def test_text_says_first_what_is_wrong(good: Path) -> None:
    """The table comes first, with the results that are not acceptable above the others; then errors, then warnings."""
    bad = good.parent / "Zeta_Lab"
    shutil.copytree(good, bad)
    log(9, bad).unlink()
    (bad / BENCHMARK / "notes.md").write_text("to do")

    lines = run_mlperf("package", good.parent).stdout.splitlines()

    places = [
        next(index for index, line in enumerate(lines) if word in line)
        for word in ("Zeta_Lab", "Example_Lab", "error MLP601", "warning MLP604", "2 results in ")
    ]
    assert places == sorted(places)
    assert lines[-1] == f"2 results in {good.parent}: 1 not acceptable, 1 acceptable (1 error, 1 warning)"


def test_parts_of_a_submission_can_be_checked(good: Path) -> None:
    """A system's folder or a benchmark's gives the same row as the whole submission, from wherever it is named."""
    (whole,) = check(good, code=0)["results"]
    for part in ("results", "results/example_8x", BENCHMARK):
        (row,) = check(good / part, code=0)["results"]
        assert {**row, "path": ""} == {**whole, "path": ""}
    inside = json.loads(run_mlperf("package", "--format", "json", ".", folder=good / BENCHMARK).stdout)
    assert {**inside["results"][0], "path": ""} == {**whole, "path": ""}


@pytest.mark.parametrize("jobs", [1, 2])
def test_nothing_is_changed(jobs: int, good: Path) -> None:
    """The submission is the same after the check, to the byte."""

    def digest() -> list[tuple[str, int, str]]:
        return [
            (str(path), path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(good.rglob("*"))
            if path.is_file()
        ]

    (good / BENCHMARK / "scaling.json").unlink()
    before = digest()
    check(good, "--jobs", jobs)
    run_mlperf("package", good, "--partial")

    assert digest() == before


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    """A path that holds no submission, does not exist or is a file gives 2 and one sentence; so does no path."""
    (tmp_path / "log.txt").write_text("")
    for argument in (tmp_path, tmp_path / "nowhere", tmp_path / "log.txt"):
        done = run_mlperf("package", argument)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert run_mlperf("package").stderr.count("\n") == 1


def test_codes_are_explained(good: Path) -> None:
    """A code and its rule's id are explained here and by `mlperf-check`, with both examples."""
    for command in ("package", "check"):
        for name in ("MLP601", "runs-missing"):
            text = run_mlperf(command, "--explain", name).stdout
            assert "runs-missing (MLP601): runs missing" in text
            assert "passes:" in text
            assert "fails:" in text


def test_a_log_that_cannot_be_read_is_no_verdict(good: Path) -> None:
    """A log that the tool cannot read gives 2, and its result is not judged."""
    log(3, good).write_bytes(b"\x1f\x8b\x08 cut short")

    document = check(good, code=2)

    assert document["results"][0]["verdict"] == "not judged"


def test_what_is_no_file_is_never_read(good: Path) -> None:
    """Pipes, folders and circles of links where files belong are findings, whatever they stand for."""
    side_files = ("scaling.json", "package_checker_params", "result_9.txt")
    for name in side_files:
        (good / BENCHMARK / name).unlink(missing_ok=True)
        os.mkfifo(good / BENCHMARK / name)
    (good / DESCRIPTION).unlink()
    (good / DESCRIPTION).symlink_to("example_8x.json")
    (good / "results" / "package_checker_params").mkdir()
    deep = good.joinpath("benchmarks", *["deep"] * 90)
    deep.mkdir(parents=True)

    found = list_findings(check(good, code=1), good)

    assert {("error", "special-file", f"{BENCHMARK}/{name}") for name in side_files} < found
    assert ("error", "runs-missing", BENCHMARK) in found
    assert {("error", "dangling-link", DESCRIPTION), ("error", "description-missing", DESCRIPTION)} < found


def test_names_of_any_bytes(good: Path) -> None:
    """Names that hold control characters or are not UTF-8 are findings, and are shown without harm."""
    names = (b"new\nline", b"color\x1b[31m", b"\xff\xfe")
    for name in names:
        Path(os.fsdecode(bytes(good / "systems") + b"/" + name)).touch()

    for form in ("text", "json", "sarif", "junit"):
        done = run_mlperf("package", "--format", form, good)
        assert done.returncode == 1
        assert "\x1b" not in done.stdout
        assert done.stdout.count("name-not-portable") >= 1


SUBMISSIONS = {
    "5.1/MiTAC": ("5.1.0", set()),
    "5.1/Verda": ("5.1.0", {("warning", "description-status")}),
    "4.0/tinycorp": (
        "4.0.0",
        {
            ("error", "description-value"),
            ("warning", "failure-accepted"),
            ("warning", "common.run_stop"),
            ("warning", "resnet.eval_accuracy.target"),
        },
    ),
    "3.1/CTuning": ("3.1.0", set()),
    "2.0/Krai": ("2.0.0", set()),
    "1.0/Fujitsu": ("1.0.0", set()),
}


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_whole_submissions(name: str, shared: Path) -> None:
    """Real submissions have the verdict of the public tool, by their round as named and as found."""
    version, found = SUBMISSIONS[name]
    folder = shared / "corpus" / "logs" / name
    code = int(any(severity == "error" for severity, _ in found))

    for options in ([], ["--ruleset", version, "--usage", "training"]):
        document = check(folder, *options, code=code)
        assert {each[:2] for each in list_findings(document, folder)} == found
        assert all(row["score_minutes"] for row in document["results"])
