"""What is wrong in a rule file is said with file, line, rule and mend, and is never the submitter's fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rule_faults import FAULTS, RECORD
from rule_folders import FIRST, SECOND, RuleFolder, compile_all, copy_rules

from mlperf_logging.compliance.checking import check_log
from mlperf_logging.compliance.example_search import find_example
from mlperf_logging.errors import RuleError
from mlperf_logging.rules.repository import load_ruleset

FILE = f"{SECOND}.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> RuleFolder:
    """A copy of the rule files, for a test to change."""
    return copy_rules(tmp_path / "rules")


@pytest.mark.parametrize("what", FAULTS)
def test_fault_is_reported_with_its_place(what: str, folder: RuleFolder) -> None:
    """A fault of a rule file is a RuleError that names the file, the line, the rule and what to do."""
    fault = FAULTS[what]
    if "extends:" in fault.text:
        folder.write(FILE, fault.text)
    else:
        folder.write_second(fault.text)
    error = folder.refuse()
    line = next(n for n, text in enumerate((folder.path / FILE).read_text().splitlines(), 1) if "#!" in text)
    assert re.search(fault.says, str(error))
    assert str(error).startswith(f"{FILE}:")
    near = {line, line + 1} if "YAML" in str(error) or "holds itself" in str(error) else {line}
    assert (error.path, error.line in near, error.rule) == (FILE, True, fault.rule)
    assert "\n" not in str(error)


def test_sound_second_round_is_not_refused(folder: RuleFolder) -> None:
    """The round that the faults are put into is right without them, so each test shows its own fault."""
    folder.write_second(RECORD)
    ruleset = folder.load()
    compile_all(ruleset)
    assert "seed-is-whole" in {rule.id for rule in ruleset.table("open", "knitting").rules}


def test_cycle_is_reported(folder: RuleFolder) -> None:
    """Two rounds that extend each other are an error, and both are named."""
    folder.write("trial/1.0.0.yaml", f"extends: 1.1.0\n{FIRST}")
    error = folder.refuse()
    assert "trial/1.1.0 and trial/1.0.0 extend each other; one of them must not" in str(error)
    assert (error.path, error.line) == ("trial/1.0.0.yaml", 1)


def test_same_fault_is_reported_again(folder: RuleFolder) -> None:
    """A faulty rule file is refused at each use, and is not kept as if it were sound."""
    folder.write_second("common:\n  run_start: null\n  eval_samples: null\n")
    assert str(folder.refuse()) == str(folder.refuse())


def test_misnamed_benchmark_is_reported(folder: RuleFolder) -> None:
    """A benchmark's file says the name that it is filed under."""
    folder.edit("benchmarks/knitting.yaml", "benchmark: knitting", "benchmark: weaving")
    error = folder.refuse()
    assert "says benchmark 'weaving' but the file is named 'knitting'" in str(error)
    assert error.path == "benchmarks/knitting.yaml"


def test_unknown_benchmark_to_extend_is_reported(folder: RuleFolder) -> None:
    """A benchmark extends one that the round before has."""
    folder.write("benchmarks/weaving.yaml", "benchmark: weaving\nextends: spinning\n")
    folder.write_second("benchmarks:\n  add: [weaving]\n")
    error = folder.refuse()
    assert "extends 'spinning', which is not a benchmark of the previous round" in str(error)
    assert (error.path, error.line) == ("benchmarks/weaving.yaml", 2)


def test_fault_in_a_benchmark_file_is_reported(folder: RuleFolder) -> None:
    """A fault in a benchmark's file is reported with the place in that file."""
    folder.edit("benchmarks/knitting.yaml", "value > 0", "sqrt(value) > 0")
    error = folder.refuse()
    assert "unknown function 'sqrt'" in str(error)
    place = ("benchmarks/knitting.yaml", 7, "knitting.closed.global_batch_size.value")
    assert (error.path, error.line, error.rule) == place


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("codes.yaml", "MLP101: text\n", "'MLP101' must be a mapping"),
        ("codes.yaml", "MLP101:\n  title: a\n", "'MLP101' needs 'text'"),
        ("codes.yaml", "", "a rule file is a mapping"),
        ("keys.yaml", "identity: [seed]\n", "'identity' must be a mapping"),
        ("keys.yaml", "- identity\n", "a rule file is a mapping"),
    ],
)
def test_fault_in_the_vocabulary_is_reported(file: str, text: str, says: str, folder: RuleFolder) -> None:
    """A fault in the files of codes and keys names that file and line."""
    folder.write(file, text)
    error = folder.refuse()
    assert says in str(error)
    assert (error.path, error.line) == (file, 1)


def test_missing_vocabulary_is_reported(folder: RuleFolder) -> None:
    """A folder without the file of codes cannot be used, and the message says which file is missing."""
    (folder.path / "codes.yaml").unlink()
    error = folder.refuse()
    assert "cannot read the rule file: No such file" in str(error)
    assert error.path == "codes.yaml"


def test_file_that_is_not_text_is_reported(folder: RuleFolder) -> None:
    """Bytes that are not UTF-8 in a rule file are told with its name."""
    (folder.path / FILE).write_bytes(b"extends: 1.0.0\ntitle: \xff\xfe\n")
    error = folder.refuse()
    assert "not valid YAML" in str(error)
    assert error.path == FILE


def test_round_without_dialect_is_reported(folder: RuleFolder) -> None:
    """A round says which dialect its logs are written in."""
    folder.edit("trial/1.0.0.yaml", "dialect: mllog\n", "")
    error = folder.refuse()
    assert "does not say its dialect" in str(error)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("pass: [seed=1]", "pass: [seed=1.5]", "its passing example .*seed=1.5.* does not"),
        ("fail: [seed=1.5]", "fail: [seed=1]", "its failing example .*seed=1.* does not"),
        ("fail: [seed=1.5]", "fail: ['seed = 1.5']", "not the notation of an event: 'seed = 1.5'"),
        ("fail: [seed=1.5]", "fail: ['seed={1}']", "not the notation of an event"),
    ],
)
def test_example_must_show_what_it_claims(old: str, new: str, says: str, folder: RuleFolder) -> None:
    """A written example that the rule judges otherwise is an error of the rule file, with its place."""
    folder.write_second(RECORD.replace(old, new))
    ruleset = folder.load()
    (rule,) = (rule for rule in ruleset.table(None, None).rules if rule.id == "seed-is-whole")
    with pytest.raises(RuleError, match=says) as caught:
        find_example(ruleset, rule)
    assert (caught.value.path, caught.value.line, caught.value.rule) == (FILE, 3, "seed-is-whole")


def test_rule_without_any_example_is_reported(folder: RuleFolder) -> None:
    """A rule that nothing can break needs written examples, and says so."""
    folder.write_second("common:\n  eval_samples: value == value or true\n")
    ruleset = folder.load()
    (rule,) = (rule for rule in ruleset.table(None, None).rules if rule.id == "common.eval_samples.value")
    with pytest.raises(RuleError, match="write examples under 'pass' and 'fail': none were found"):
        find_example(ruleset, rule)


def test_fault_in_a_shipped_round_is_reported(folder: RuleFolder) -> None:
    """The rounds that ship are read as strictly: a slip in one of them is reported with its place."""
    folder.edit("training/0.7.0.yaml", "  run_start: logged\n", "  run_start: loged\n")
    with pytest.raises(
        RuleError, match=r"training/0\.7\.0\.yaml:\d+: rule common\.run_start: cannot read the cell"
    ):
        load_ruleset("training/6.1.0", rules=folder.path)
    with pytest.raises(RuleError, match=r"training/0\.7\.0\.yaml"):
        check_log(b"", rules=folder.path)


def test_same_words_for_other_events_are_a_change(folder: RuleFolder) -> None:
    """A cell that says the same of other events, or adds where it replaced, is a change and not refused."""
    folder.write_second("closed:\n  opt_name: first value in {adam, sgd}\n  seed: also logged\n")
    rules = {rule.id: rule for rule in folder.load().table("closed", None).rules}
    assert rules["closed.opt_name.first"].on == "first"
