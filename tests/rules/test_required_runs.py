"""How many runs a result needs is what the shared facts say."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mlperf_logging.rules.repository import open_rules

WITHOUT_RULES = {("hpc", "0.7.0"), ("training", "0.6.0", "ncf")}
"""What the facts list and no round has rules of."""


@pytest.mark.corpus
def test_runs_are_those_of_the_facts(shared: Path) -> None:
    """Required runs, dropped runs and runs that may miss the target, for every benchmark of every round."""
    with (shared / "facts" / "benchmarks.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    book = open_rules()
    compared = 0
    for row in rows:
        usage, version, benchmark = row["usage"], row["ruleset"], row["benchmark"]
        if {(usage, version), (usage, version, benchmark)} & WITHOUT_RULES:
            continue
        expected = {
            "required": int(row["runs_required"]),
            "dropped_each_side": int(row["runs_dropped_each_side"]),
            "non_converged_allowed": int(row["non_converged_allowed"]),
        }
        assert book.load(f"{usage}/{version}").facts(benchmark)["runs"] == expected, row
        compared += 1
    assert compared >= len(rows) - 4


def test_every_benchmark_says_its_runs() -> None:
    """No round knows a benchmark without saying how it is scored."""
    book = open_rules()
    missing = [
        (entry.name, benchmark)
        for entry in book.index()
        for benchmark in entry.benchmarks
        if not book.load(entry.name).facts(benchmark).get("runs")
    ]

    assert missing == []


@pytest.mark.corpus
def test_benchmarks_are_in_the_order_of_the_facts(shared: Path) -> None:
    """Every round lists its benchmarks in the order that its results table has them in."""
    wanted: dict[str, dict[str, None]] = {}
    with (shared / "facts" / "benchmarks.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            wanted.setdefault(f"{row['usage']}/{row['ruleset']}", {})[row["benchmark"]] = None
    book = open_rules()
    for name in [entry.name for entry in book.index() if entry.name in wanted]:
        known = book.load(name).benchmarks
        assert [each for each in wanted[name] if each in known] == list(known), name
