"""What the rounds want beyond single cells: how their rules work together on a log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from checkout import PROJECT

from mlperf_logging import check_log
from mlperf_logging.rules.examples import read_events
from mlperf_logging.rules.repository import open_rules
from tests.judging import judge_events

Kind = tuple[str | None, str, tuple[str, ...]]


def find(name: str, kind: Kind, *events: str, missing: bool = False) -> list[str]:
    """Rules that events break, those about keys that are not logged at all only when asked for."""
    ruleset = open_rules().load(name)
    findings = judge_events(ruleset, ruleset.table(*kind), read_events(events))
    return [finding.rule for finding in findings if missing or finding.found != "logged 0 times"]


LARS_KEYS = (
    "lars_opt_learning_rate_decay_steps",
    "lars_opt_learning_rate_decay_poly_power",
    "lars_opt_weight_decay",
    "lars_epsilon",
)
SGD_KEY = "opt_learning_rate_decay_boundary_epochs"


@pytest.mark.parametrize(
    ("optimizer", "logged", "broken"),
    [
        ("lars", LARS_KEYS, ()),
        ("lars", LARS_KEYS[:3], LARS_KEYS[3:]),
        ("lars", (*LARS_KEYS, LARS_KEYS[0]), LARS_KEYS[:1]),
        ("lars", (*LARS_KEYS, SGD_KEY), (SGD_KEY,)),
        ("sgd", (SGD_KEY,), ()),
        ("sgd", (), (SGD_KEY,)),
        ("sgd", (SGD_KEY, LARS_KEYS[1]), LARS_KEYS[1:2]),
    ],
)
def test_optimizer_decides_which_keys_are_wanted(
    optimizer: str, logged: tuple[str, ...], broken: tuple[str, ...]
) -> None:
    """In round 0.6 resnet logs LARS's keys once each and no boundaries, with SGD the other way round."""
    events = [f'opt_name="{optimizer}"', *[f"{key}={[1] if 'boundary' in key else 1}" for key in logged]]
    found = find("training/0.6.0", (None, "resnet", ()), *events)
    assert found == [f"resnet.{key}.end" for key in broken]


def test_replaced_row_still_acts_on_the_state() -> None:
    """In round 0.6 minigo has its own rules on init_stop, which all the same ends initialization."""
    events = ("init_start", "init_stop", "run_start", "init_start")
    assert find("training/0.6.0", (None, "minigo", ()), *events) == [
        "common.init_start.order",
        "common.init_start.order2",
    ]


def test_evaluations_alternate_with_training() -> None:
    """In round 0.6 epochs, evaluations and blocks follow each other by number."""
    kind = (None, "ssd", ())
    start = ("init_start", "init_stop", "run_start")
    epochs = tuple(
        line
        for number in (1, 2)
        for line in (
            f'block_start {{"first_epoch_num": {number}, "epoch_count": 1}}',
            f'epoch_start {{"epoch_num": {number}}}',
            f'epoch_stop {{"epoch_num": {number}}}',
            f'eval_start {{"epoch_num": {number}}}',
            f'eval_accuracy=0.1 {{"epoch_num": {number}}}',
            f'eval_stop {{"epoch_num": {number}}}',
            f'block_stop {{"first_epoch_num": {number}}}',
        )
    )
    stop = ('run_stop {"status": "success"}',)
    assert find("training/0.6.0", kind, *start, *epochs, *stop) == []
    assert find("training/0.6.0", kind, *start, *epochs[:4], *epochs[5:], *stop) == [
        "common.block_stop.order2"
    ]
    assert find("training/0.6.0", kind, *start, *epochs[7:], *stop)[0].startswith("common.block_start.order")
    assert "common.run_stop.order2" in find("training/0.6.0", kind, *start, *epochs[:4], *stop)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("training/3.1.0", "step_num"),
        ("training/4.0.0", "samples_count"),
        ("training/5.0.0", "samples_count"),
    ],
)
def test_two_metrics_of_an_evaluation_are_judged_together(name: str, field: str) -> None:
    """From round 3.1 on stable_diffusion reaches its target when one evaluation's FID and CLIP both do."""

    def evaluate(count: int, fid: float, clip: float) -> tuple[str, str]:
        return (
            f'eval_accuracy={fid} {{"{field}": {count}, "metric": "FID"}}',
            f'eval_accuracy={clip} {{"{field}": {count}, "metric": "CLIP"}}',
        )

    kind = ("closed", "stable_diffusion", ())
    target = "stable_diffusion.closed.aggregated_eval_accuracy.target"
    assert find(name, kind, *evaluate(1, 95, 0.1), *evaluate(2, 80, 0.2)) == []
    assert find(name, kind, *evaluate(1, 80, 0.1), *evaluate(2, 95, 0.2)) == [target]
    once = find(name, kind, *evaluate(1, 80, 0.2), missing=True)
    assert "stable_diffusion.aggregated_eval_accuracy" in once


@pytest.mark.parametrize(
    ("name", "division", "minutes", "kept"),
    [
        ("training/0.7.0", "closed", 19.9, True),
        ("training/0.7.0", "closed", 20, False),
        ("training/1.1.0", "open", 29.9, True),
        ("training/1.1.0", "open", 30, False),
        ("training/2.0.0", "closed", 30, False),
        ("training/2.0.0", "open", 239.9, True),
        ("training/6.1.0", "open", 240, False),
    ],
)
def test_limit_of_initialization(name: str, division: str, minutes: float, kept: bool) -> None:
    """Initialisation takes less than 20 minutes, from 1.0 on 30, from 2.0 on 240 in the open division."""
    events = (f'submission_division="{division}"', "init_start @0s", f"init_stop @{minutes * 60:.0f}s")
    found = find(name, (division, "bert", ()), *events)
    assert ("init-within-limit" not in found) is kept


@pytest.mark.parametrize(
    ("batch", "accuracy", "kept"),
    [(8191, 0.711, False), (8191, 0.712, True), (8192, 0.706, True), (8192, 0.7, False)],
)
def test_target_depends_on_the_batch_size(batch: int, accuracy: float, kept: bool) -> None:
    """In round 0.7 bert's target is lower for large batches."""
    events = (f"global_batch_size={batch}", f'eval_accuracy={accuracy} {{"epoch_num": 1}}')
    found = find("training/0.7.0", ("closed", "bert", ()), *events)
    assert ("bert.closed.eval_accuracy.target" not in found) is kept


@pytest.mark.parametrize(
    ("optimizer", "variant", "wanted"), [("lars", "lars", "lars_epsilon"), ("sgd", "sgd", "sgd_opt_momentum")]
)
def test_variant_adds_its_keys(optimizer: str, variant: str, wanted: str) -> None:
    """From round 0.7 on resnet's optimizer brings keys of its own, in the closed division only."""
    events = (f'opt_name="{optimizer}"',)
    with_it = find("training/2.1.0", ("closed", "resnet", (variant,)), *events, missing=True)
    assert f"resnet.{variant}.closed.{wanted}" in with_it
    assert not [
        rule
        for rule in find("training/2.1.0", ("open", "resnet", (variant,)), missing=True)
        if wanted in rule
    ]


def test_staging_is_judged_in_hpc() -> None:
    """HPC rounds time the staging of data: it begins after the run, and stops after it began."""
    kind = ("closed", "cosmoflow", ())
    start = ("init_start", "init_stop", "run_start")
    assert find("hpc/1.0.0", kind, *start, "staging_start", "staging_stop") == []
    assert find("hpc/1.0.0", kind, "staging_start") == ["common.staging_start.order"]
    assert find("hpc/2.0.0", kind, *start, "staging_stop") == ["common.staging_stop.order"]
    assert find("hpc/3.0.0", kind, "staging_start", "staging_stop") == []


def test_first_evaluation_of_the_oldest_round() -> None:
    """Round 0.5 wants an evaluation at epoch 0, but for two benchmarks that evaluate at set epochs."""
    late = 'eval_accuracy={"epoch": 3, "value": 0.1}'
    first = 'eval_accuracy={"epoch": 0, "value": 0.1}'
    kind = (None, "gnmt", ())
    assert find("training/0.5.0", kind, f"{late} of gnmt") == ["accuracy-from-the-start"]
    assert find("training/0.5.0", kind, f"{late} of gnmt", f"{first} of gnmt") == []
    assert find("training/0.5.0", (None, "ssd", ()), f"{late} of ssd") == []


COMPLIANT = sorted((PROJECT / "examples" / "logs" / "compliant").glob("*.txt"))
QUALITY = rb'((?:eval_accuracy|eval_error|averaged_validation_loss)[^\n]*?"value": ?)[-+.0-9e]+'


@pytest.mark.parametrize("path", COMPLIANT, ids=lambda path: path.stem)
@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-1e999"])
def test_quality_that_is_not_finite_is_rejected_when_strict(path: Path, value: bytes) -> None:
    """In every round, a run with one evaluation that is infinite or not a number breaks the written rules."""
    log, count = re.subn(QUALITY, rb"\g<1>" + value, path.read_bytes(), count=1)

    assert count == 1
    assert "MLP405" in {finding.code for finding in check_log(log, strict=True).findings}
