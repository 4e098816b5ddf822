"""Judging many logs in one process and in several."""

from __future__ import annotations

import pickle
from datetime import date

import pytest

from mlperf_logging.cli.judging import LogJudge
from mlperf_logging.compliance import checking
from mlperf_logging.compliance.finding_filter import FindingFilter
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.compliance.waivers import Waiver
from mlperf_logging.engines.local import LocalEngine
from mlperf_logging.errors import MLPerfLoggingError, UsageError


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_come_in_the_order_of_the_paths(write_logs, jobs):
    """However many processes there are, the results stand in the order of the paths."""
    words = ["pass", "fail", "warn", "unreadable"]
    logs = {f"{index}.txt": words[index % 4] for index in range(150)}
    write_logs(logs)
    results = [result for (result,) in LocalEngine(jobs).map_logs(LogJudge().judge, list(logs))]
    assert [result.verdict.path for result in results] == list(logs)
    kinds = {"pass": "pass", "warn": "pass", "fail": "fail", "unreadable": "error"}
    assert [result.verdict.verdict for result in results] == [kinds[word] for word in logs.values()]


def test_options_reach_the_judge(write_logs, monkeypatch):
    """What was requested is what the judge is asked."""
    seen = {}

    def note(source, selection):
        seen.update(selection._asdict(), source=source)
        raise UsageError("stop")

    monkeypatch.setattr(checking, "check_runs", note)
    judge = LogJudge(RuleSelection("hpc", "1.2", "open", "knitting", strict=True, level=1, rules="r", run=2))
    with pytest.raises(UsageError):
        judge.judge("a.txt")
    assert seen == {
        "source": "a.txt",
        "usage": "hpc",
        "ruleset": "1.2",
        "division": "open",
        "benchmark": "knitting",
        "strict": True,
        "level": 1,
        "run": 2,
        "rules": "r",
    }


@pytest.mark.parametrize(
    ("word", "rule", "text"),
    [
        ("unreadable", "unreadable-log", "the gzip data breaks off"),
        ("badrule", "broken-rules", "rules.yaml:3: unknown word"),
        ("crash", "internal-fault", "ZeroDivisionError: boom (conftest.py:"),
    ],
)
def test_what_cannot_be_judged_is_a_verdict(write_logs, word, rule, text):
    """An unreadable log, a broken rule file and a fault of the checker give a verdict that says so."""
    write_logs({"a.txt": word})
    verdict = LogJudge().judge("a.txt")[0].verdict
    assert (verdict.path, verdict.verdict) == ("a.txt", "error")
    assert verdict.findings[0].rule == rule
    assert text in verdict.findings[0].message


@pytest.mark.parametrize("jobs", [1, 2])
def test_wrong_arguments_stop_everything(write_logs, jobs):
    """A mistake in the arguments is reported once, not for each log, in other processes too."""
    logs = {f"{index}.txt": "usage" if index > 3 else "pass" for index in range(100)}
    write_logs(logs)
    with pytest.raises(UsageError, match=r"did you mean '9\.9'"):
        list(LocalEngine(jobs).map_logs(LogJudge().judge, list(logs)))


def test_waivers_come_before_the_selection(write_logs):
    """A waiver counts as used although its finding is not selected for show."""
    write_logs({"a.txt": "fail"})
    waiver = Waiver("MLP304", "a.txt", "agreed", "2999-01-01", 1)
    shown = LogJudge(waivers=(waiver,), findings=FindingFilter(("MLP",), ())).judge("a.txt")[0]
    assert [each.waiver for each in shown.waived] == [waiver]
    assert shown.verdict.verdict == "pass"
    hidden = LogJudge(waivers=(waiver,), findings=FindingFilter(("MLP1",), ())).judge("a.txt")[0]
    assert hidden.waived == ()
    assert hidden.verdict.verdict == "pass"


def test_worker_that_dies_is_reported(write_logs, monkeypatch):
    """A worker ended from outside is one sentence, not an endless wait."""
    import os

    parent = os.getpid()
    real = checking.check_runs

    def die(source, selection):
        if os.getpid() != parent and source == "50.txt":
            os._exit(9)
        return real(source, selection)

    monkeypatch.setattr(checking, "check_runs", die)
    logs = {f"{index}.txt": "pass" for index in range(100)}
    write_logs(logs)
    with pytest.raises(MLPerfLoggingError, match="worker process was killed"):
        list(LocalEngine(2).map_logs(LogJudge().judge, list(logs)))


def test_judge_can_be_sent_to_another_process():
    """The judge with its waivers and selection is a plain value."""
    waiver = Waiver("MLP3", "*", "agreed", date(2999, 1, 1).isoformat(), 1)
    judge = LogJudge(waivers=(waiver,), findings=FindingFilter(("MLP3",), ()))
    assert pickle.loads(pickle.dumps(judge)) == judge  # noqa: S301 - our own bytes
