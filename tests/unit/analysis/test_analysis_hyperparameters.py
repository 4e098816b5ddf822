"""Hyperparameters side by side, and what the rules let differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlperf_logging import load_ruleset
from mlperf_logging.analysis.hyperparameters import (
    HYPERPARAMETER_COLUMNS,
    list_key_rules,
    pivot_hyperparameters,
    tabulate_hyperparameters,
)
from mlperf_logging.analysis.reading import ReadingParameters
from mlperf_logging.analysis.tables import read_tables
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.rules.formula import parse_formula
from tests.small_runs import WriteRun

ROUND = ReadingParameters(RuleSelection(usage="training", ruleset="5.1.0"))
SETTINGS = {"opt_name": "adamw", "opt_adamw_beta_1": 0.9, "opt_base_learning_rate": 0.001, "lunch": "soup"}


@pytest.mark.parametrize(
    ("formula", "freedom"),
    [
        ("== 0.9", "required equal"),
        ('== "adamw"', "required equal"),
        ("in {sgd}", "required equal"),
        ("in {sgd, lars}", "one of a set"),
        ("value == 2e-05 or value == 3e-05", "one of a set"),
        ("value > 0", "free"),
        ('value != ""', "free"),
        ("integer(value) and value >= 0", "free"),
        ("value <= 4096", "bounded"),
        ("integer(value / 0.02)", "bounded"),
        ("value == 1200000 - logged(opt_learning_rate_warmup_steps)", "computed"),
        ("value > 0 and value == 3", "required equal"),
    ],
)
def test_freedom_that_a_formula_leaves(formula: str, freedom: str) -> None:
    """The strictest part of a rule says how free its value is."""
    from mlperf_logging.analysis.hyperparameters import _classify

    assert _classify(parse_formula(formula)) == freedom


def test_requirements_of_a_real_round() -> None:
    """What the closed rules of a language model fix, compute and leave free; strict rules count."""
    wanted = list_key_rules(load_ruleset("training/5.1.0"), "llama31_8b", "closed")

    assert wanted["opt_adamw_beta_1"] == ("required equal", "== 0.9")
    assert wanted["opt_learning_rate_decay_steps"].freedom == "computed"
    assert wanted["opt_base_learning_rate"] == ("free", "")
    assert wanted["opt_end_learning_rate"].freedom == "computed"
    open_division = list_key_rules(load_ruleset("training/5.1.0"), "llama31_8b", "open")
    assert "opt_adamw_beta_1" not in open_division


@pytest.fixture
def folder(write_run: WriteRun, tmp_path: Path) -> Path:
    """Two systems that differ in a free value, in a fixed one that one of them breaks, and in one of no rule."""
    for system, changes in (
        ("left", {}),
        ("right", {"opt_adamw_beta_1": 0.8, "opt_base_learning_rate": 0.002}),
    ):
        for index in range(2):
            settings = {**SETTINGS, **changes, "seed": index, "lunch": f"soup of {system} {index}"}
            name = f"Lab/results/{system}/llama31_8b/result_{index}.txt"
            write_run(name, {1000: 3.2}, benchmark="llama31_8b", unit="samples_count", settings=settings)
    return tmp_path


def test_differences_and_what_breaks_a_rule(folder: Path) -> None:
    """Each key has a row a system; what differs comes first, the strictest rules before the others."""
    table = tabulate_hyperparameters(read_tables(folder, ROUND).rows)
    rows = table.set_index(["key", "system"])

    assert list(table.columns) == list(HYPERPARAMETER_COLUMNS)
    assert table["key"].tolist()[:6:2] == ["opt_adamw_beta_1", "opt_base_learning_rate", "lunch"]
    assert "seed" not in table["key"].tolist()
    assert rows.loc[
        ("opt_adamw_beta_1", "right"), ["freedom", "value", "differs", "breaks_rule"]
    ].tolist() == ["required equal", "0.8", True, True]
    assert not rows.loc[("opt_adamw_beta_1", "left"), "breaks_rule"]
    assert rows.loc[("lunch", "left"), ["freedom", "value"]].tolist() == [
        "not in the rules",
        '"soup of left 0"; "soup of left 1"',
    ]
    assert not rows.loc[("opt_name", "left"), "differs"]


def test_pivot_has_a_column_a_system(folder: Path) -> None:
    """For people: one line a key, one column a system, a mark where a rule is broken."""
    table = tabulate_hyperparameters(read_tables(folder, ROUND).rows)
    wide = pivot_hyperparameters(table, "llama31_8b")

    assert wide.columns.tolist() == ["key", "freedom", "rule", "Lab left", "Lab right"]
    assert wide.iloc[0].tolist() == ["opt_adamw_beta_1", "required equal", "== 0.9", "0.9", "0.8 (!)"]
    assert len(pivot_hyperparameters(table, "llama31_8b", only_different=False)) > len(wide)


def test_whole_floats_are_whole_numbers(write_run: WriteRun, tmp_path: Path) -> None:
    """2 and 2.0 are the same value, in lists too."""
    write_run("A/results/x/resnet/result_0.txt", settings={"power": 2, "steps": [1, 2]})
    write_run("B/results/y/resnet/result_0.txt", settings={"power": 2.0, "steps": [1.0, 2.0]})
    table = tabulate_hyperparameters(read_tables(tmp_path).rows)

    assert not table["differs"].any()
