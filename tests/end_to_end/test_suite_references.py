"""The reference results of the suite at mini scale, from a folder of results, and scores by them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import run_mlperf

from benchmarks import suite_references
from mlperf_logging import RuleError
from mlperf_logging.scoring.suites import load_suite
from tests.mini_suite import BENCHMARKS, SYSTEM, write_log, write_suite

SECONDS = (11.25, 13.5, 10.0, 14.0, 12.0)


@pytest.fixture
def suite_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the suite that the command writes into."""
    path = tmp_path / "mini.yaml"
    shutil.copy(suite_references.SUITE, path)
    text = path.read_text("utf-8")
    path.write_text(
        text[: text.index("benchmarks:")]
        + "benchmarks:\n"
        + "".join(f"  {name}: {{reference_seconds: null}}\n" for name in load_suite("mini").benchmarks)
    )
    monkeypatch.setattr(suite_references, "SUITE", path)
    return path


def write_references(folder: Path, suite_file: Path) -> dict[str, str]:
    """Measure and write; what is wrong."""
    entries, problems = suite_references.measure_references(folder, suite_file)
    suite_references.write_references(entries, suite_file)
    return problems


def test_references_are_the_seconds_of_the_seeds(suite_file: Path, tmp_path: Path) -> None:
    """Seconds in the order of the seeds, whatever that of the logs, with machine and day; other seeds are left out."""
    home = write_suite(tmp_path / "out", {"ncf": (*SECONDS, 99.0)})
    folder = home / "results" / SYSTEM / "ncf"
    (folder / "result_0.txt").rename(folder / "result_9.txt")
    head = suite_file.read_text().splitlines()[0]

    assert write_references(tmp_path / "out", suite_file) == {}
    entry = load_suite(str(suite_file)).benchmarks["ncf"]
    assert entry.reference_seconds == SECONDS
    assert entry.reference_minutes == pytest.approx(12 / 60)
    assert (entry.creator, entry.platform) == (
        "reference trainers, seeds 1 to 5",
        "Made-up, 2 cores, 8 GiB of memory, TensorFlow",
    )
    assert suite_file.read_text().splitlines()[0] == head
    assert load_suite(str(suite_file)).benchmarks["minigo"].reference_minutes is None


def test_benchmark_without_all_its_seeds_stays_as_it_is(suite_file: Path, tmp_path: Path) -> None:
    """A missing seed, one that is there twice, and a run that is not compliant leave the reference result alone."""
    home = write_suite(tmp_path / "out", {"ncf": SECONDS})
    write_references(tmp_path / "out", suite_file)
    logs = home / "results" / SYSTEM / "ncf"
    (logs / "result_4.txt").unlink()
    assert write_references(tmp_path / "out", suite_file) == {"ncf": "no runs with seed 5"}
    write_log(logs / "result_4.txt", "ncf", 4, 1.0)
    assert write_references(tmp_path / "out", suite_file) == {"ncf": "2 runs with seed 4"}
    write_log(logs / "result_4.txt", "ncf", 5, 1.0)
    text = (logs / "result_4.txt").read_text()
    (logs / "result_4.txt").write_text(text.replace('"status": "success"', '"status": "aborted"'))
    (problem,) = write_references(tmp_path / "out", suite_file).values()
    assert problem.startswith("the run with seed 5 does not count")

    assert load_suite(str(suite_file)).benchmarks["ncf"].reference_seconds == SECONDS


def test_command_says_what_it_wrote_and_what_is_missing(
    suite_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line per benchmark, and which have none yet; 1 where a benchmark of the folder makes none."""
    write_suite(tmp_path / "out", {"ncf": SECONDS, "resnet": SECONDS[:4]})

    assert suite_references.main([str(tmp_path / "out")]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "ncf: 11.25, 13.5, 10.0, 14.0, 12.0 s"
    assert said[1] == "resnet: no runs with seed 5; its reference result stays as it is"
    assert said[2].startswith("no reference result yet: resnet, ")
    assert "ncf" not in said[2]


def test_score_by_the_written_references(suite_file: Path, tmp_path: Path) -> None:
    """Twice as fast in all benchmarks that have references: each normalizes to 2, and so does their mean, but not the suite."""
    write_suite(tmp_path / "slow", dict.fromkeys(BENCHMARKS, SECONDS))
    write_references(tmp_path / "slow", suite_file)
    write_suite(tmp_path / "fast", {name: [each / 2 for each in SECONDS] for name in BENCHMARKS})
    weights = ",".join(f"{name}=1" for name in BENCHMARKS)
    command = ("score", "--suite", suite_file, "--format", "json", "--price", "36/h", tmp_path / "fast")
    four = json.loads(run_mlperf(*command, "--weights", weights).stdout)["suite"][0]
    seven = json.loads(run_mlperf(*command).stdout)["suite"][0]

    assert four["normalized"] == pytest.approx(dict.fromkeys(BENCHMARKS, 2.0), rel=1e-3)
    assert four["score"] == pytest.approx(2.0, rel=1e-3)
    assert four["minutes"] == pytest.approx(4 * 6 / 60)
    assert four["cost"]["median_run"] == pytest.approx(4 * 6 / 100)
    assert four["cost"]["all_runs"] == pytest.approx(4 * sum(SECONDS) / 2 / 100, rel=1e-3)
    text = run_mlperf(*command[:3], "--price", "36 USD/h", tmp_path / "fast", "--weights", weights).stdout
    assert f"{four['cost']['all_runs']:.2f} USD of all runs together" in text
    assert seven["score"] is None
    assert set(seven["missing"]) == set(seven["unreferenced"]) == {"maskrcnn", "minigo", "deepspeech2"}


def test_faulty_suite_file_is_named(suite_file: Path, tmp_path: Path) -> None:
    """A suite that is damaged is not written over."""
    write_suite(tmp_path / "out", {"ncf": SECONDS})
    suite_file.write_text("title: broken\n")
    with pytest.raises(RuleError, match="a suite needs 'benchmarks'"):
        write_references(tmp_path / "out", suite_file)
    assert suite_file.read_text() == "title: broken\n"
