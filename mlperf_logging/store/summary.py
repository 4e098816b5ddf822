"""What is in a store: how many logs, runs and results there are, and what the verdicts are."""

from __future__ import annotations

from typing import Any, NamedTuple

from mlperf_logging.rules.repository import open_rules
from mlperf_logging.store.asking import Store

_GROUPS = """\
SELECT ruleset, benchmark, division, count(*) AS runs, count(*) FILTER (verdict = 'pass') AS passed,
    count(*) FILTER (verdict = 'fail') AS failed, count(*) FILTER (verdict = 'error') AS unjudged,
    count(*) FILTER (counts) AS counting, coalesce(sum(errors), 0)::BIGINT AS errors,
    coalesce(sum(warnings), 0)::BIGINT AS warnings
FROM runs GROUP BY ALL"""
_RESULTS = """\
SELECT scores.ruleset, scores.benchmark, scores.division, count(*) AS folders,
    count(DISTINCT scores.submitter) AS submitters, count(scores.score_minutes) AS scores,
    count(*) FILTER (rcp.passed) AS converged, count(*) FILTER (NOT rcp.passed) AS not_converged
FROM scores LEFT JOIN rcp USING (folder) GROUP BY ALL"""
_TOTALS = """\
SELECT (SELECT count(*) FROM logs) AS logs, (SELECT count(*) FROM places) AS places,
    (SELECT coalesce(sum(bytes), 0)::BIGINT FROM logs) AS bytes, (SELECT count(*) FROM events) AS events,
    (SELECT count(*) FROM evaluations) AS evaluations, (SELECT count(*) FROM findings) AS findings,
    (SELECT count(*) FROM systems) AS systems"""
_GROUP = ("ruleset", "benchmark", "division")
_OF_RUNS = ("runs", "passed", "failed", "unjudged", "counting", "errors", "warnings")
_OF_RESULTS = ("folders", "submitters", "scores", "converged", "not_converged")


class StoreSummary(NamedTuple):
    """What is in a store.

    Attributes:
        totals: number of rows by table, and of bytes in logs.
        groups: one record per round, benchmark and division: runs by verdict, result folders by outcome.
    """

    totals: dict[str, int]
    groups: list[dict[str, Any]]


def summarize_store(store: Store, *, rules: str | None = None) -> StoreSummary:
    """What is in a store; rounds are in the order of the rules, the oldest first within a usage.

    Raises:
        StoreError: the store cannot be read.
    """
    (totals,) = store.read(_TOTALS).to_pylist()
    empty = dict.fromkeys((*_OF_RUNS, *_OF_RESULTS), 0)
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    for query in (_GROUPS, _RESULTS):
        for row in store.read(query).to_pylist():
            key = tuple(row[name] for name in _GROUP)
            groups.setdefault(key, {**dict(zip(_GROUP, key, strict=True)), **empty}).update(row)
    rounds = {entry.name: place for place, entry in enumerate(open_rules(rules).index())}
    keys = sorted(groups, key=lambda key: (rounds.get(key[0], -1), *[each or "" for each in key]))
    return StoreSummary(totals, [groups[key] for key in keys])
