"""Which benchmarks a round has, and how many runs each needs, under the public package's names."""

from __future__ import annotations

from mlperf_logging.errors import UsageError
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.rules.rounds import find_round


def get_allowed_benchmarks(usage: str, ruleset: str) -> list[str]:
    """The benchmarks of a round, in the order of its results table; ValueError where there is no such round."""
    rules = open_rules()
    try:
        return list(find_round(rules.index(), ruleset, usage).benchmarks)
    except UsageError as error:
        raise ValueError(str(error)) from None


def get_result_file_counts(usage: str) -> dict[str, int]:
    """Benchmark to the runs that a result needs, as the newest round that has it says."""
    rules = open_rules()
    rounds = [rules.load(entry.name) for entry in rules.index() if entry.usage == usage]
    return {name: each.facts(name)["runs"]["required"] for each in rounds for name in each.benchmarks}
