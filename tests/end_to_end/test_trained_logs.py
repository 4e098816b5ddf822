"""The logs of the reference trainers' own runs: real runs, with the verdicts that their README promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from checkout import PROJECT

from mlperf_logging import check_log, start_judge
from mlperf_logging.parsing import read_log
from tests.logs import read_records

TRAINED = PROJECT / "examples" / "logs" / "trained"
BENCHMARKS = ("deepspeech2", "maskrcnn", "minigo", "ncf", "resnet", "sentiment", "transformer")


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_closed_run_is_compliant(benchmark: str) -> None:
    """A run of the closed division passes the rules that it names, without a warning."""
    verdict = check_log(TRAINED / f"{benchmark}.txt")

    assert (verdict.verdict, [finding.message for finding in verdict.findings]) == ("pass", [])
    assert (verdict.usage, verdict.ruleset, verdict.division) == ("mini", "1.0.0", "closed")
    assert verdict.benchmark == benchmark


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_open_run_passes_the_open_rules_only(benchmark: str) -> None:
    """A run of the open variant reached the target, and its optimizer is one that the closed division forbids."""
    path = TRAINED / f"{benchmark}_open.txt"

    assert [finding.message for finding in check_log(path).findings] == []
    closed = check_log(path, division="closed")
    assert closed.verdict == "fail"
    assert "opt_name" in {finding.key for finding in closed.findings}


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_followed_run_is_judged_by_the_rules_that_it_names(benchmark: str) -> None:
    """Event by event the rules are those of the whole log, although it names them after its benchmark."""
    judge = start_judge()
    found = [each for event in read_log(TRAINED / f"{benchmark}.txt").events for each in judge.feed(event)]

    assert [*found, *judge.finish()] == []
    assert judge.choice is not None
    assert judge.choice.ruleset.name == "mini/1.0.0"


def test_interrupted_run_is_not_successful() -> None:
    """A run that was interrupted says so, and its verdict is that it did not succeed."""
    verdict = check_log(TRAINED / "ncf_interrupted.txt")

    assert verdict.run.status == "aborted"
    assert {"MLP403", "MLP408"} <= {finding.code for finding in verdict.findings}


def test_resumed_run_is_one_log_of_one_run() -> None:
    """The same run, resumed: compliant, and its evaluations are those of a run without a break."""
    resumed, whole = (
        read_records((TRAINED / name).read_text("utf-8")) for name in ("ncf_resumed.txt", "ncf.txt")
    )

    def list_quality(records: list[dict[str, object]]) -> list[object]:
        return [record["value"] for record in records if record["key"] == "eval_accuracy"]

    assert [finding.message for finding in check_log(TRAINED / "ncf_resumed.txt").findings] == []
    assert [record["key"] for record in resumed].count("run_stop") == 1
    assert "training_resumed" in {record["key"] for record in resumed}
    assert list_quality(resumed) == list_quality(whole)


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_run_with_a_loss_that_is_not_finite_is_rejected(benchmark: str, tmp_path: Path) -> None:
    """A run that claims success although a loss was not a number is not compliant."""
    lines = (TRAINED / f"{benchmark}.txt").read_text("utf-8").splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if '"key": "tracked_stats"' in line)
    lines[number] = re.sub(r'"loss": [^,}]+', '"loss": NaN', lines[number])
    (tmp_path / "run.txt").write_text("".join(lines), "utf-8")

    verdict = check_log(tmp_path / "run.txt")
    assert verdict.run.status == "success"
    assert "original-losses-finite" in {finding.rule for finding in verdict.findings}


def test_run_of_two_workers_is_one_log() -> None:
    """Two processes that trained together wrote one compliant log."""
    path = TRAINED / "ncf_two_workers.txt"

    assert [finding.message for finding in check_log(path).findings] == []
    assert [record["key"] for record in read_records(path.read_text("utf-8"))].count("run_start") == 1


@pytest.mark.parametrize("path", sorted(TRAINED.glob("*.txt")), ids=lambda path: path.stem)
def test_call_sites_are_within_the_packages(path: Path) -> None:
    """No log tells in which folder of a machine the trainer lay."""
    sites = {str(record["metadata"]["file"]) for record in read_records(path.read_text("utf-8"))}

    assert {site.partition("/")[0] for site in sites} <= {"reference_impls", "mlperf_logging"}
