"""Outcomes as text: everything comes back as it was, and nothing else is taken for an outcome."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT

from mlperf_logging.analysis.reading import read_runs
from mlperf_logging.compliance.checking import check_runs
from mlperf_logging.compliance.ruleset_selection import AUTOMATIC
from mlperf_logging.events import Outcome
from mlperf_logging.runs.summary import RunSummary
from mlperf_logging.store.outcome_codec import OutcomeCodec
from mlperf_logging.store.outcome_kinds import KINDS, RESULT, ROWS, VERDICTS
from mlperf_logging.submission.judging import judge_result

LOGS = sorted(str(path) for path in (PROJECT / "examples" / "logs").glob("*/*.txt"))


@pytest.mark.parametrize("path", LOGS, ids=[Path(path).name for path in LOGS])
def test_outcomes_come_back(path):
    """What commands keep of the example logs comes back with equal values of equal types, under another path too."""
    for kind, outcome in (
        (VERDICTS, check_runs(path)),
        (RESULT, judge_result(path, AUTOMATIC, with_rows=True)),
        (ROWS, read_runs(path)),
    ):
        text = kind.codec.write(kind.move(outcome, path, ""))

        assert path not in text
        back = kind.move(kind.codec.read(text), "", path)
        assert repr(back) == repr(outcome)  # unlike ==, it tells 1 from 1.0 and NaN from nothing


@pytest.mark.parametrize(
    "value", [10**30, -0.0, math.inf, 1, 1.0, True, None, "\ud800", {"a": [1, {"b": None}]}, 0.1]
)
def test_json_values_come_back(value):
    """Whole numbers of any size, infinity, halves of characters and nested values are kept as they are."""
    codec = OutcomeCodec(dict[str, Any])

    assert repr(codec.read(codec.write({"value": value}))) == repr({"value": value})


def test_nan_comes_back():
    """NaN is a number that is kept, too."""
    assert math.isnan(OutcomeCodec(float).read(OutcomeCodec(float).write(math.nan)))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("verdicts", ""),
        ("verdicts", "{"),
        ("verdicts", "{}"),
        ("verdicts", "[[]]"),
        ("verdicts", "[" * 100_000),
        (
            "verdicts",
            '[["", null, "", null, "", null, null, "perhaps", [], [null, null, null, null], 0, [], []]]',
        ),
        (
            "verdicts",
            '[["", null, "", null, "", null, null, "pass", [], [null, null, null, "1"], 0, [], []]]',
        ),
        (
            "verdicts",
            '[["", null, "", null, "", null, null, "pass", [], [null, null, null, true], 0, [], []]]',
        ),
        ("verdicts", '[["", null, "", null, "", null, null, "pass", [], [null, null, null], 0, [], [], 1]]'),
        ("result", "[]"),
        ("rows", '[[{}, {}, {}, [], null, null, [], ["", [], false], null]]'),
        ("rows", '[[{}, [], {}, [], null, null, [], ["", [], false], 7]]'),
    ],
)
def test_other_texts_are_refused(kind, text):
    """A text that is no outcome of its kind raises, whatever it is."""
    with pytest.raises((ValueError, TypeError)):
        KINDS[kind].codec.read(text)


def test_verdict_that_is_accepted():
    """The same text with values of the right kinds is an outcome."""
    text = '[["", null, "", null, "", null, null, "pass", [], [null, null, null, 1], 0, [], []]]'
    (verdict,) = KINDS["verdicts"].codec.read(text)

    assert (verdict.verdict, verdict.run) == (Outcome.PASSED, RunSummary(minutes=1))


@pytest.mark.parametrize("value", [(1,), {1: "a"}, b"", {"a": {1}}, object()])
def test_what_json_does_not_have_is_not_written(value):
    """What would come back as something else, such as a tuple, is refused when it is written."""
    with pytest.raises(ValueError, match=r"no JSON value|no text"):
        OutcomeCodec(dict[str, Any]).write({"value": value})


def test_texts_are_ascii():
    """Payloads are ASCII, whatever logs hold."""
    assert json.loads(OutcomeCodec(str).write("ü")) == "ü"
    assert OutcomeCodec(str).write("ü").isascii()
