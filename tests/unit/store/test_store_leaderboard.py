"""The best results of a store, of made-up scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlperf_logging.errors import UsageError
from mlperf_logging.store.asking import open_store
from mlperf_logging.store.leaderboard import Leaderboard, rank_results
from mlperf_logging.store.opening import opened_for_writing

RESULT = {
    "benchmark": "resnet",
    "division": "closed",
    "ruleset": "training/3.1.0",
    "submitter": "Lab",
    "system": "big",
    "runs": 5,
    "runs_required": 5,
    "accelerators": 8,
    "score_minutes": 10.0,
}


def rank(path: Path, *results: dict[str, Any], **choice: Any) -> Leaderboard:
    """Rank results that differ in some columns from a usual one; "passed" is that of the test of convergence."""
    with opened_for_writing(str(path)) as connection:
        for number, result in enumerate(results):
            passed = result.pop("passed", None)
            row = {"folder": str(number), "description_place": "systems/big.json", **RESULT, **result}
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO scores ({', '.join(row)}) VALUES ({marks})", list(row.values()))
            connection.execute("INSERT INTO rcp (folder, passed) VALUES (?, ?)", [row["folder"], passed])
        connection.execute(
            "INSERT INTO systems (description_place, accelerator_model) VALUES ('systems/big.json', 'Chip')"
        )
    return rank_results(open_store(path), **choice)


def test_best_of_each_number_of_accelerators(store):
    """Of each benchmark and number of accelerators the fastest result is there, with what the description says."""
    board = rank(
        store,
        {"score_minutes": 12.0},
        {"score_minutes": 11.0, "submitter": "Winner"},
        {"accelerators": 64, "score_minutes": 2.0},
        {"benchmark": "bert", "score_minutes": 99.0},
        ruleset="3.1",
    )
    assert [(each.benchmark, each.accelerators, each.score_minutes) for each in board.places] == [
        ("bert", 8, 99.0),
        ("resnet", 8, 11.0),
        ("resnet", 64, 2.0),
    ]
    assert (board.places[1].submitter, board.places[1].accelerator_model) == ("Winner", "Chip")
    assert {each.speedup for each in board.places} == {None}


def test_what_does_not_count(store):
    """Results without a score, with too few runs, of failed convergence or of many models are counted, not ranked."""
    board = rank(
        store,
        {"score_minutes": None},
        {"runs": 4, "score_minutes": 1.0},
        {"passed": False, "score_minutes": 2.0},
        {"score_minutes": None, "models_per_minute": 3.0},
        {"division": "open", "score_minutes": 3.0},
        {"passed": True, "score_minutes": 4.0},
    )
    assert [each.score_minutes for each in board.places] == [4.0]
    assert board.left_out == {"without_score": 1, "too_few_runs": 1, "not_converged": 1, "many_models": 1}


def test_other_division(store):
    """The open division has a ranking of its own."""
    board = rank(store, {"score_minutes": 1.0}, {"division": "open", "score_minutes": 3.0}, division="open")
    assert [each.score_minutes for each in board.places] == [3.0]


def test_speedup_over_rounds(store):
    """Over rounds, each best result is compared with that of the first round on as many accelerators."""
    board = rank(
        store,
        {"ruleset": "training/4.0.0", "score_minutes": 4.0},
        {"ruleset": "training/2.0.0", "score_minutes": 12.0},
        {"ruleset": "training/2.0.0", "score_minutes": 13.0},
        {"ruleset": "training/4.0.0", "accelerators": 64, "score_minutes": 1.0},
        {"ruleset": "training/4.0.0", "accelerators": None, "score_minutes": 0.5},
    )
    assert [(each.accelerators, each.ruleset, each.since, each.speedup) for each in board.places] == [
        (None, "training/4.0.0", None, None),
        (8, "training/2.0.0", "training/2.0.0", 1.0),
        (8, "training/4.0.0", "training/2.0.0", 3.0),
        (64, "training/4.0.0", "training/4.0.0", 1.0),
    ]


def test_other_task_under_the_same_name(store):
    """Where a benchmark got another model or target, its times are compared only with those since then."""
    rounds = ("1.0.0", "2.0.0", "3.1.0")  # the second has another model under the name of the first
    board = rank(
        store,
        *[
            {"benchmark": "ssd", "ruleset": f"training/{name}", "score_minutes": float(minutes)}
            for name, minutes in zip(rounds, (10, 80, 40), strict=True)
        ],
        benchmark="ssd",
    )
    assert [(each.since, each.speedup) for each in board.places] == [
        ("training/1.0.0", 1.0),
        ("training/2.0.0", 1.0),
        ("training/2.0.0", 2.0),
    ]


def test_unknown_names(store):
    """A benchmark that is not in the store, and a round that is in no rules, are errors that name what is near."""
    with pytest.raises(UsageError, match="did you mean 'resnet'"):
        rank(store, {}, benchmark="resnot")
    with pytest.raises(UsageError, match="unknown ruleset"):
        rank_results(open_store(store), "99.9")
