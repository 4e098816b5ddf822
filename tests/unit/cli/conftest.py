"""A judge that reads its verdict from the log, so that the command line is tested apart from the rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlperf_logging.compliance import checking
from mlperf_logging.compliance.findings import Finding, Verdict
from mlperf_logging.compliance.ruleset_selection import RuleSelection
from mlperf_logging.errors import RuleError, UnreadableLogError, UsageError
from mlperf_logging.runs.summary import RunSummary

ERROR = Finding("MLP304", "round.opt_name", "error", "opt_name", 1, 1, "opt_name is wrong", "== 1", "2")
WARNING = Finding("MLP103", "round.seed", "warning", "seed", 2, 1, "seed is logged twice")


def judge_by_first_word(source: str, selection: RuleSelection) -> list[Verdict]:
    """The verdict that the log's first word asks for."""
    word = "pass" if source == "-" else Path(source).read_text().split()[0]
    if word == "unreadable":
        raise UnreadableLogError(source, "the gzip data breaks off")
    if word == "badrule":
        raise RuleError("unknown word", path="rules.yaml", line=3)
    if word == "usage":
        raise UsageError("unknown ruleset '9'; did you mean '9.9'?")
    if word == "crash":
        raise ZeroDivisionError("boom")
    findings = {"pass": (), "warn": (WARNING,), "fail": (ERROR, WARNING)}[word]
    frame = ("mllog", str(selection.usage), selection.ruleset, "asked for", "closed", "knitting")
    outcome = "fail" if word == "fail" else "pass"
    return [Verdict(source, *frame, outcome, findings, RunSummary(0, 60_000, "success", 1.0), 3)]


@pytest.fixture(autouse=True)
def fake_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the judge by first word in the place of the real one, and takes CI's variables away."""
    monkeypatch.setattr(checking, "check_runs", judge_by_first_word)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write_logs(folder: Path) -> Callable[..., None]:
    """Writes logs, given as path = verdict asked for."""

    def write(logs: dict[str, str]) -> None:
        for name, word in logs.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(word + "\n")

    return write
