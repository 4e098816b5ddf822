"""Fingerprints of rules: what changes them, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from rule_folders import RuleFolder, copy_rules

from mlperf_logging.rules.fingerprints import fingerprint_files, fingerprint_ruleset
from mlperf_logging.rules.repository import RuleRepository

FIRST, SECOND = "trial/1.0.0", "trial/1.1.0"


@pytest.fixture
def folder(tmp_path: Path) -> RuleFolder:
    """A copy of the rules, and the usage for tests."""
    return copy_rules(tmp_path / "rules")


def test_any_edited_file_changes_the_files(folder):
    """Every edit of a rule file changes the fingerprint of the files, and taking it back restores it."""
    before = fingerprint_files(folder.book())
    folder.edit("benchmarks/knitting.yaml", "value >= 0.9", "value >= 0.8")
    assert fingerprint_files(folder.book()) != before
    folder.edit("benchmarks/knitting.yaml", "value >= 0.8", "value >= 0.9")
    assert fingerprint_files(folder.book()) == before


def test_other_rounds_do_not_change_a_ruleset(folder):
    """A rule of one round changes that ruleset, those that extend it and all together, and no other."""
    names = [FIRST, SECOND, "hpc/3.0.0", None]
    before = [fingerprint_ruleset(folder.book(), name) for name in names]
    folder.write_second("title: Trial 1.1\nclosed: {opt_name: 'in {adam}'}\n")
    after = [fingerprint_ruleset(folder.book(), name) for name in names]

    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True, False]


def test_new_round_changes_all(folder):
    """Where there is another round, logs may choose it, so every ruleset's fingerprint changes."""
    before = fingerprint_ruleset(folder.book(), FIRST)
    folder.write("trial/1.2.0.yaml", "extends: 1.1.0\ntitle: Trial 1.2\n")

    assert fingerprint_ruleset(folder.book(), FIRST) != before


def test_extended_rules_count(tmp_path):
    """A folder that extends the package's rules has a fingerprint of both."""
    house = tmp_path / "house"
    (house / "training").mkdir(parents=True)
    (house / "training" / "99.0.0.yaml").write_text("extends: training/6.0.0\ntitle: House\n")
    rules = RuleRepository(house)
    base = rules.base
    assert base is not None
    alone = fingerprint_files(rules)
    rules.base = None

    assert fingerprint_files(rules) != alone
