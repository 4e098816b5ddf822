"""How the targets of the mini scale are set, and what the tables say of broken models."""

from __future__ import annotations

import json
import math
import shutil
import statistics
from pathlib import Path

import pytest
from checkout import PROJECT

from benchmarks import measure_trainers
from reference_impls.harness import find_task

QUALITIES = {1001: (0.5, 0.61), 1002: (0.5, 0.62), 1003: (0.5, 0.66)}
"""Quality after each epoch, by seed."""


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what a target is written into, in place of the checkout."""
    for name in ("recommendation", "speech_recognition"):
        shutil.copytree(PROJECT / "reference_impls" / name, tmp_path / "reference_impls" / name)
    shutil.copytree(PROJECT / "compliance_rules" / "mini", tmp_path / "compliance_rules" / "mini")
    monkeypatch.setattr(measure_trainers, "ROOT", tmp_path)
    monkeypatch.setattr(measure_trainers, "RULES", tmp_path / "compliance_rules" / "mini" / "1.0.0.yaml")
    return tmp_path


def write_logs(output: Path, benchmark: str) -> None:
    """The logs of runs with these qualities."""
    folder = output / "reference" / "results" / "here" / benchmark
    folder.mkdir(parents=True)
    for number, (seed, course) in enumerate(QUALITIES.items()):
        events = [("seed", seed)] + [("eval_accuracy", quality) for quality in course]
        lines = [
            f":::MLLOG {json.dumps({'key': key, 'value': value, 'time_ms': 86_400_000})}\n"
            for key, value in events
        ]
        (folder / f"result_{number}.txt").write_text("".join(lines))
    systems = output / "reference" / "systems"
    systems.mkdir()
    facts = ("host_processor_model_name", "host_processor_vcpu_count", "host_memory_capacity", "framework")
    (systems / "here.json").write_text(json.dumps(dict.fromkeys(facts, "x")))


def test_target_is_the_mean_less_two_deviations(copy: Path) -> None:
    """The last quality of each seed counts; configuration, README and both divisions' rules get the target."""
    write_logs(copy / "out", "ncf")
    measure_trainers.write_target(find_task("recommendation"), copy / "out")

    last = [course[-1] for course in QUALITIES.values()]
    wanted = int((statistics.mean(last) - 2 * statistics.stdev(last)) * 1000) / 1000
    home = copy / "reference_impls" / "recommendation"
    record = json.loads((home / "target.json").read_text())
    assert (record["target"], record["epochs"], record["date"]) == (wanted, 2, "1970-01-02")
    assert record["qualities_by_seed"] == {str(seed): list(course) for seed, course in QUALITIES.items()}
    assert f"target={wanted}," in (home / "config.py").read_text()
    assert "target=0.635," in (home / "config.py").read_text()  # that of the full scale
    assert f"| target | 0.635 | {wanted} |" in (home / "README.md").read_text()
    rules = (copy / "compliance_rules/mini/1.0.0.yaml").read_text()
    assert [rules.count(f"{text} >= {wanted}") for text in ("eval_target: value", "reaches value")] == [1, 2]


def test_target_of_an_error_rate_is_the_mean_plus_two_deviations(copy: Path) -> None:
    """Where less is better, the target lies above the mean and is rounded up; the rules ask for no more than it."""
    pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
    pytest.importorskip("soundfile", reason="speech recognition needs soundfile (extra 'reference')")
    pytest.importorskip("jiwer", reason="speech recognition needs jiwer (extra 'reference')")
    write_logs(copy / "out", "deepspeech2")
    measure_trainers.write_target(find_task("speech_recognition"), copy / "out")

    last = [course[-1] for course in QUALITIES.values()]
    wanted = math.ceil((statistics.mean(last) + 2 * statistics.stdev(last)) * 1000) / 1000
    home = copy / "reference_impls" / "speech_recognition"
    assert json.loads((home / "target.json").read_text())["target"] == wanted
    assert f"target={wanted}," in (home / "config.py").read_text()
    assert "target=0.23," in (home / "config.py").read_text()  # that of the full scale
    assert f"| target | 0.23 | {wanted} |" in (home / "README.md").read_text()
    rules = (copy / "compliance_rules/mini/1.0.0.yaml").read_text()
    assert [rules.count(f"{text} <= {wanted}") for text in ("eval_target: value", "reaches value")] == [1, 2]


def test_table_says_which_broken_models_reach_the_target() -> None:
    """Of each model the best quality of its seeds, and how many of them reach the target."""
    record = {
        "target": 0.6,
        "epochs": 2,
        "qualities_by_seed": {"1001": [0.61, 0.6], "1002": [0.3, 0.62]},
        "qualities_by_break": {"layer zeroed": {"1": [0.5, 0.59], "2": [0.6, 0.5]}},
    }
    assert measure_trainers.describe_breaks(record).splitlines()[2:] == [
        "| intact | 2 | 0.6100 to 0.6200 | 2 of 2 |",
        "| layer zeroed | 2 | 0.5900 to 0.6000 | 1 of 2 |",
    ]
    assert measure_trainers.describe_breaks({**record, "qualities_by_break": {}}) == ""


def test_table_of_an_error_rate_takes_the_least() -> None:
    """Where less is better, the best quality is the least, and the target is reached below it."""
    record = {
        "target": 0.1,
        "epochs": 2,
        "qualities_by_seed": {"1001": [0.2, 0.09], "1002": [0.3, 0.1]},
        "qualities_by_break": {"layer zeroed": {"1": [0.9, 0.4], "2": [0.05, 0.5]}},
    }
    assert measure_trainers.describe_breaks(record, "min").splitlines()[2:] == [
        "| intact | 2 | 0.0900 to 0.1000 | 2 of 2 |",
        "| layer zeroed | 2 | 0.0500 to 0.4000 | 1 of 2 |",
    ]
