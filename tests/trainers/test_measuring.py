"""How the targets of the mini scale are set, and what the tables say of broken models."""

from __future__ import annotations

import json
import math
import re
import shutil
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from checkout import PROJECT

from benchmarks import measured_targets
from reference_impls.harness import find_task

QUALITIES = {1001: (0.5, 0.61), 1002: (0.5, 0.62), 1003: (0.5, 0.66)}
"""Quality after each epoch, by seed."""


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what a target is written into, in place of the checkout."""
    for name in ("recommendation", "speech_recognition", "object_detection", "reinforcement_learning"):
        shutil.copytree(PROJECT / "reference_impls" / name, tmp_path / "reference_impls" / name)
    shutil.copytree(PROJECT / "compliance_rules" / "mini", tmp_path / "compliance_rules" / "mini")
    monkeypatch.setattr(measured_targets, "ROOT", tmp_path)
    monkeypatch.setattr(measured_targets, "RULES", tmp_path / "compliance_rules" / "mini" / "1.0.0.yaml")
    monkeypatch.setattr(measured_targets, "POINTS", tmp_path / "compliance_rules" / "rcp" / "mini-1.0.0.yaml")
    (tmp_path / "compliance_rules" / "rcp").mkdir()
    return tmp_path


def write_logs(output: Path, benchmark: str, qualities: Mapping[int, Sequence[Any]] = QUALITIES) -> None:
    """The logs of runs with these qualities."""
    folder = output / "reference" / "results" / "here" / benchmark
    folder.mkdir(parents=True)
    for number, (seed, course) in enumerate(qualities.items()):
        events = [
            ("seed", seed),
            ("global_batch_size", 8),
            ("numerical_precision", "float32"),
            ("opt_name", "sgd"),
        ]
        events += [("eval_accuracy", quality) for quality in course]
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
    measured_targets.write_target(find_task("recommendation"), copy / "out")

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
    measured_targets.write_target(find_task("speech_recognition"), copy / "out")

    last = [course[-1] for course in QUALITIES.values()]
    wanted = math.ceil((statistics.mean(last) + 2 * statistics.stdev(last)) * 1000) / 1000
    home = copy / "reference_impls" / "speech_recognition"
    assert json.loads((home / "target.json").read_text())["target"] == wanted
    assert f"target={wanted}," in (home / "config.py").read_text()
    assert "target=0.23," in (home / "config.py").read_text()  # that of the full scale
    assert f"| target | 0.23 | {wanted} |" in (home / "README.md").read_text()
    rules = (copy / "compliance_rules/mini/1.0.0.yaml").read_text()
    assert [rules.count(f"{text} <= {wanted}") for text in ("eval_target: value", "reaches value")] == [1, 2]


def test_each_of_several_qualities_gets_a_target(copy: Path) -> None:
    """Mask R-CNN's two targets follow from the last of their own values and are set where each of them stands."""
    pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
    pytest.importorskip("pycocotools", reason="object detection needs pycocotools (extra 'reference')")
    masks = {
        seed: [{"BBOX": each, "SEGM": each / 2} for each in course] for seed, course in QUALITIES.items()
    }
    write_logs(copy / "out", "maskrcnn", masks)
    measured_targets.write_target(find_task("object_detection"), copy / "out")

    last = [course[-1] for course in QUALITIES.values()]
    boxes = math.floor((statistics.mean(last) - 2 * statistics.stdev(last)) * 1000) / 1000
    masked = math.floor((statistics.mean(last) - 2 * statistics.stdev(last)) * 500) / 1000
    home = copy / "reference_impls" / "object_detection"
    record = json.loads((home / "target.json").read_text())
    assert record["target"] == {"BBOX": boxes, "SEGM": masked}
    assert record["standard_deviation"] == pytest.approx(
        {"BBOX": statistics.stdev(last), "SEGM": statistics.stdev(last) / 2}
    )
    config = (home / "config.py").read_text().partition("\nMINI = ")[2].partition("\nFULL = ")
    assert f" target={boxes}," in config[0]
    assert f" mask_target={masked}," in config[0]
    assert " target=0.377," in config[2]
    assert " mask_target=0.339," in config[2]
    assert f" | {boxes} BBOX and {masked} SEGM |" in (home / "README.md").read_text()
    rules = (copy / "compliance_rules/mini/1.0.0.yaml").read_text()
    assert rules.count(f"eval_target: value >= {boxes}\n") == 1
    assert rules.count(f"eval_mask_target: value >= {masked}\n") == 1
    assert rules.count(f"value.BBOX >= {boxes} and value.BBOX <= 1.0 and value.SEGM >= {masked} and") == 2


def test_target_that_equals_that_of_the_full_scale_gets_its_own_rule(copy: Path) -> None:
    """Where mini rules leave a target to the rules that they extend, a series that sets another adds a rule."""
    pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
    pytest.importorskip("numba", reason="reinforcement learning needs numba (extra 'reference')")
    path = copy / "compliance_rules/mini/1.0.0.yaml"
    head, minigo, rest = path.read_text().partition("  minigo:\n")
    path.write_text(head + minigo + re.sub(r" +eval_target: .*\n", "", rest, count=1))
    shares = {
        seed: [{"agreement": each, "win_rate": each / 2} for each in course]
        for seed, course in QUALITIES.items()
    }
    write_logs(copy / "out", "minigo", shares)
    measured_targets.write_target(find_task("reinforcement_learning"), copy / "out")

    target = json.loads((copy / "reference_impls/reinforcement_learning/target.json").read_text())["target"]
    rules = (
        (copy / "compliance_rules/mini/1.0.0.yaml")
        .read_text()
        .partition("  minigo:\n")[2]
        .partition("  maskrcnn:\n")[0]
    )
    assert rules.count(f"      eval_target: value >= {target['agreement']}\n") == 1
    assert rules.count(f"      eval_win_target: value >= {target['win_rate']}\n") == 1
    assert rules.count(f"value.agreement >= {target['agreement']} and") == 2


def test_target_that_the_rules_do_not_know_is_refused(copy: Path) -> None:
    """A target that could not be written into the rules ends with the place, not with rules of an older one."""
    write_logs(copy / "out", "ncf")
    rules = copy / "compliance_rules/mini/1.0.0.yaml"
    rules.write_text(rules.read_text().replace("eval_target: value >= 0.64", "eval_target: value == 0.64"))
    with pytest.raises(SystemExit, match=r"ncf has no rule 'eval_target: value >= …'"):
        measured_targets.write_target(find_task("recommendation"), copy / "out")


@pytest.mark.parametrize(
    ("courses", "message"),
    [
        ({1001: (0.5, 0.7), 1002: (0.5,), 1003: (0.5, 0.7)}, "seeds 1002 ended before the others"),
        ({1001: (), 1002: ()}, "seeds 1001, 1002 ended before the others"),
    ],
)
def test_target_is_not_set_by_runs_that_failed(copy: Path, courses: Any, message: str) -> None:
    """Seeds that ended early, or too many that miss the target, change nothing."""
    write_logs(copy / "out", "ncf", courses)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with pytest.raises(SystemExit, match=message):
        measured_targets.write_target(find_task("recommendation"), copy / "out")
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_targets_that_too_many_seeds_miss_are_not_set(copy: Path) -> None:
    """Of two qualities, each may be missed by another seed; more than one of five in all change nothing."""
    pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
    pytest.importorskip("pycocotools", reason="object detection needs pycocotools (extra 'reference')")
    courses = {1001 + seed: [{"BBOX": 0.9, "SEGM": 0.9}] for seed in range(6)}
    courses |= {1003: [{"BBOX": 0.1, "SEGM": 0.9}], 1005: [{"BBOX": 0.9, "SEGM": 0.1}]}
    write_logs(copy / "out", "maskrcnn", courses)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with pytest.raises(SystemExit, match="seeds 1003, 1005 did not reach the target"):
        measured_targets.write_target(find_task("object_detection"), copy / "out")
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


def test_points_are_where_the_seeds_of_the_target_reach_it(copy: Path) -> None:
    """The first epoch that reaches the target counts; a seed that never does is left out."""
    courses = {
        1001: (0.5, 0.7),
        1002: (0.7, 0.7),
        1003: (0.5, 0.7),
        1004: (0.5, 0.7),
        1005: (0.5, 0.7),
        1006: (0.5, 0.6),
    }
    write_logs(copy / "out", "ncf", courses)
    task = find_task("recommendation")
    measured_targets.write_target(task, copy / "out")
    target = json.loads((copy / "reference_impls/recommendation/target.json").read_text())["target"]
    assert 0.5 < target < 0.7
    measured_targets.write_points(task, copy / "out")

    wanted = [
        next((epoch for epoch, quality in enumerate(course, 1) if quality >= target), None)
        for course in courses.values()
    ]
    points = yaml.safe_load(measured_targets.POINTS.read_text())["benchmarks"]["ncf"]["points"]
    assert points[8]["converged_at"] == [each for each in wanted if each]
    assert points[8]["creator"] == "reference trainer recommendation, seeds 1001 to 1006"
    assert points[8]["hyperparameters"] == {"opt_name": "sgd"}


def test_too_many_missing_seeds_make_no_points(copy: Path) -> None:
    """Where more than one of five seeds misses the target, no reference convergence points are written."""
    write_logs(copy / "out", "ncf")
    task = find_task("recommendation")
    measured_targets.write_target(task, copy / "out")
    path = copy / "reference_impls/recommendation/target.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "target": 0.63}))
    with pytest.raises(SystemExit, match="seeds 1001, 1002 did not reach the target"):
        measured_targets.write_points(task, copy / "out")
    assert not measured_targets.POINTS.exists()


def test_table_says_which_broken_models_reach_the_target() -> None:
    """Of each model the best quality of its seeds, and how many of them reach the target."""
    record = {
        "target": 0.6,
        "epochs": 2,
        "qualities_by_seed": {"1001": [0.61, 0.6], "1002": [0.3, 0.62]},
        "qualities_by_break": {"layer zeroed": {"1": [0.5, 0.59], "2": [0.6, 0.5]}},
    }
    assert measured_targets.describe_breaks(record).splitlines()[2:] == [
        "| intact | 2 | 0.6100 to 0.6200 | 2 of 2 |",
        "| layer zeroed | 2 | 0.5900 to 0.6000 | 1 of 2 |",
    ]
    assert measured_targets.describe_breaks({**record, "qualities_by_break": {}}) == ""


def test_table_of_an_error_rate_takes_the_least() -> None:
    """Where less is better, the best quality is the least, and the target is reached below it."""
    record = {
        "target": 0.1,
        "epochs": 2,
        "qualities_by_seed": {"1001": [0.2, 0.09], "1002": [0.3, 0.1]},
        "qualities_by_break": {"layer zeroed": {"1": [0.9, 0.4], "2": [0.05, 0.5]}},
    }
    assert measured_targets.describe_breaks(record, "min").splitlines()[2:] == [
        "| intact | 2 | 0.0900 to 0.1000 | 2 of 2 |",
        "| layer zeroed | 2 | 0.0500 to 0.4000 | 1 of 2 |",
    ]


def test_table_of_several_qualities_asks_for_all_at_once() -> None:
    """Each quality has its best; the target counts as reached only by an epoch that reaches all of its parts."""
    record = {
        "target": {"BBOX": 0.5, "SEGM": 0.4},
        "mean": {"BBOX": 0.54, "SEGM": 0.45},
        "standard_deviation": {"BBOX": 0.02, "SEGM": 0.025},
        "deviations_below_mean": 2,
        "epochs": 2,
        "qualities_by_seed": {"1001": [{"BBOX": 0.3, "SEGM": 0.2}, {"BBOX": 0.6, "SEGM": 0.5}]},
        "qualities_by_break": {
            "masks zeroed": {"1": [{"BBOX": 0.6, "SEGM": 0.3}, {"BBOX": 0.4, "SEGM": 0.4}]}
        },
    }
    assert measured_targets.describe_breaks(record).splitlines() == [
        "| model | seeds | best BBOX within 2 epochs | best SEGM within 2 epochs | target reached |",
        "|---|---|---|---|---|",
        "| intact | 1 | 0.6000 to 0.6000 | 0.5000 to 0.5000 | 1 of 1 |",
        "| masks zeroed | 1 | 0.6000 to 0.6000 | 0.4000 to 0.4000 | 0 of 1 |",
    ]
    assert measured_targets.describe_target(record).startswith(
        "The targets, 0.5 (BBOX) and 0.4 (SEGM), are the mean of 1 seeds (1001 to 1001) after 2 epochs, 0.5400 (BBOX) and "
    )
