"""A log that the automatic round refuses: under which other rounds it is compliant."""

from __future__ import annotations

from pathlib import Path

import pytest
from logs import mllog
from rule_folders import RuleFolder, write_round

from mlperf_logging.cli.judging import LogJudge
from mlperf_logging.compliance.checking import check_log
from mlperf_logging.compliance.finding_filter import FindingFilter
from mlperf_logging.compliance.findings import OTHER_ROUND
from mlperf_logging.compliance.held_log import HeldLog
from mlperf_logging.compliance.judged_run import judge_run
from mlperf_logging.compliance.ruleset_selection import RuleSelection

START = mllog("submission_benchmark", "knitting") + mllog("submission_division", "closed")
OLD = START + mllog("seed", 7)
REASON = "the newest round that knows knitting in the mllog dialect"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """Six rounds: 1.0.0 wants an even seed, the next four any, and 3.0.0 also two more keys and a small seed."""
    folder = tmp_path / "rules"
    folder.mkdir()
    write_round(
        folder,
        "closed:\n  seed: value in {2, 4}\n",
        name="craft/1.0.0",
        knitting="both:\n  eval_accuracy: any number; value < 1\n",
    )
    written = RuleFolder(folder)
    written.write("craft/1.1.0.yaml", "extends: 1.0.0\ntitle: Craft 1.1\nclosed:\n  seed: logged\n")
    for name, former in (("1.2.0", "1.1.0"), ("2.0.0", "1.2.0"), ("2.1.0", "2.0.0")):
        written.write(f"craft/{name}.yaml", f"extends: {former}\ntitle: Craft {name}\n")
    newest = (
        "extends: 2.1.0\ntitle: Craft 3\nclosed:\n  seed: value < 6\n  opt_name: logged\n  yarn: logged\n"
    )
    written.write("craft/3.0.0.yaml", newest)
    return folder


def test_older_rounds_are_named_first(rules: Path) -> None:
    """The outcome stays that of the newest round; the first finding names the older ones, what differs, and what to do."""
    verdict = check_log(OLD, rules=rules)

    assert (verdict.verdict, verdict.ruleset, verdict.ruleset_reason) == ("fail", "3.0.0", REASON)
    assert verdict.compliant_under == ("2.1.0", "2.0.0", "1.2.0", "1.1.0")
    first, *others = verdict.findings
    assert (first.code, first.rule, first.severity, first.line) == ("MLP112", OTHER_ROUND, "warning", None)
    assert first.message == (
        "compliant under 2.1.0, 2.0.0, 1.2.0 and 1 older round, but not under 3.0.0 "
        "(2 keys that 2.1.0 does not require and 1 other rule that differs)"
    )
    assert first.hint == "Name your round, for example with --ruleset 2.1.0."
    assert [each.key for each in others] == ["seed", "opt_name", "yarn"]
    assert verdict.as_json()["compliant_under"] == ["2.1.0", "2.0.0", "1.2.0", "1.1.0"]


@pytest.mark.parametrize(
    ("log", "options"),
    [
        (OLD + mllog("opt_name", "sgd") + mllog("yarn", 1) + mllog("eval_accuracy", 5), {}),
        (OLD, {"ruleset": "3.0.0"}),
        (START, {}),
        (OLD + b":::MLLOG {broken\n", {}),
        (OLD + mllog("submission_ruleset", "craft/3.0.0"), {}),
    ],
    ids=["wrong in all", "asked for", "nothing in common", "unreadable", "named by the log"],
)
def test_nothing_is_said_where_no_other_round_helps(log: bytes, options: dict[str, str], rules: Path) -> None:
    """A round that was named is not questioned, and a log that is wrong in every round gets no such finding."""
    verdict = check_log(log, rules=rules, **options)  # type: ignore[arg-type]
    assert (verdict.verdict, verdict.compliant_under) == ("fail", ())
    assert OTHER_ROUND not in [each.rule for each in verdict.findings]


def test_compliant_log_is_judged_once(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other rounds are looked at only where the newest says no, and then without reading the log again."""
    good = START + mllog("seed", 4) + mllog("opt_name", "sgd") + mllog("yarn", 1)
    read = []
    original = HeldLog.__init__

    def note(self: HeldLog, *arguments: object) -> None:
        read.append(arguments)
        original(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(HeldLog, "__init__", note)
    assert (check_log(good, rules=rules).verdict, check_log(good, rules=rules).compliant_under) == (
        "pass",
        (),
    )
    assert check_log(OLD, rules=rules).compliant_under
    assert len(read) == 3


def test_long_log_is_tried_too(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is not held in memory is tried under other rounds like any other."""
    monkeypatch.setattr("mlperf_logging.compliance.held_log.HELD_ITEMS", 1)
    assert check_log(OLD, rules=rules).compliant_under == ("2.1.0", "2.0.0", "1.2.0", "1.1.0")


def test_judged_run_says_it_too(rules: Path) -> None:
    """Scores and analyses get the same verdict."""
    assert judge_run(OLD, rules=rules).verdict == check_log(OLD, rules=rules)


def test_it_goes_with_what_it_explains(rules: Path, tmp_path: Path) -> None:
    """Where selection leaves no error, the log is compliant, and there is nothing to explain."""
    path = tmp_path / "run.txt"
    path.write_bytes(OLD)
    (result,) = LogJudge(RuleSelection(rules=rules), findings=FindingFilter(ignore=("MLP3",))).judge(
        str(path)
    )
    assert (result.verdict.verdict, result.verdict.findings, result.verdict.compliant_under) == (
        "pass",
        (),
        (),
    )
