"""What is wrong in a rule file is said with file, line, rule and mend, and is never the submitter's fault."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from rule_folders import FIRST, SECOND, RuleFolder, compile_all, copy_rules

from mlperf_logging.compliance import check_log, load_ruleset
from mlperf_logging.compliance.examples import find_example
from mlperf_logging.errors import RuleError

FILE = f"{SECOND}.yaml"

RECORD = """\
rules:
  - id: seed-is-whole
    key: seed
    cell: integer(value)
    code: MLP304
    summary: the seed is whole
    why: So that it can be used again.
    pass: [seed=1]
    fail: [seed=1.5]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RuleFolder:
    """A copy of the rule files, with a cache of its own."""
    monkeypatch.setenv("MLPERF_CACHE_DIR", str(tmp_path / "cache"))
    return copy_rules(tmp_path / "rules")


class Fault(NamedTuple):
    """A second round with one fault, and what must be said about it.

    Attributes:
        text: the round's file after its first line; the faulty line ends with a comment ``#!``.
        says: what the message must hold, as a regular expression.
        rule: the rule that the message must name.
    """

    text: str
    says: str
    rule: str | None = None


FAULTS = {
    "bad YAML": Fault("common: {run_start: [ #!\n", "not valid YAML"),
    "a tab for indentation": Fault("common:\n\trun_start: logged #!\n", "not valid YAML"),
    "a foreign tag": Fault("title: !!python/object/apply:os.getcwd [] #!\n", "not valid YAML"),
    "a mapping that holds itself": Fault("common: &all #!\n  seed: *all\n", "holds itself"),
    "a key twice": Fault(
        "common:\n  eval_samples: logged\n  eval_samples: at least one #!\n",
        "'eval_samples' stands twice .first in line 3.; keep one",
    ),
    "a section twice": Fault("closed:\n  seed: null\nclosed: {} #!\n", "'closed' stands twice"),
    "an unknown section": Fault("comon: {} #!\n", "'comon' is not known here; known are .*common"),
    "a section that is no mapping": Fault("common: [run_start] #!\n", "'common' must be a mapping, not"),
    "an extension that is no text": Fault("state: text #!\n", "'state' must be a mapping, not 'text'"),
    "a benchmark's table that is empty": Fault("change:\n  knitting: #!\n", "'knitting' must be a mapping"),
    "a variant that is empty": Fault(
        "change:\n  knitting:\n    variants:\n      socks: #!\n", "'socks' must be a mapping"
    ),
    "a variant that never applies": Fault(
        "change:\n  knitting:\n    variants:\n      hats:\n        closed: {} #!\n", "'hats' does not say when it applies"
    ),
    "an unreadable variant": Fault(
        "change:\n  knitting:\n    variants:\n      socks:\n        when: logged( #!\n", "cannot read the formula 'logged.'"
    ),
    "an unknown layer": Fault("change:\n  knitting:\n    close: {} #!\n", "'close' is not known here; known are .*closed"),
    "an unknown strict layer": Fault("strict:\n  common: {} #!\n", "'common' is not known here; known are both"),
    "state words that are no mapping": Fault("state:\n  run_stop: true #!\n", "'run_stop' must be a mapping"),
    "an unreadable state word": Fault("state:\n  run_stop: {stopped: 'value =='} #!\n", "cannot read the formula"),
    "a cell that is a number": Fault("common:\n  eval_samples: 5 #!\n", "'eval_samples' must be a cell such as"),
    "a cell that is a list": Fault("common:\n  eval_samples: [logged] #!\n", "must be a cell such as"),
    "an unreadable cell": Fault(
        "common:\n  eval_samples: logged; value => 5 #!\n",
        r"cannot read the cell 'logged; value => 5' at '=> 5' \(character 15\)",
        "common.eval_samples",
    ),
    "an empty cell": Fault("common:\n  eval_samples: '' #!\n", "cannot read the cell ''", "common.eval_samples"),
    "a cell that stops early": Fault(
        "common:\n  eval_samples: value > #!\n", "cannot read the cell 'value >'", "common.eval_samples"
    ),
    "Python in a cell": Fault(
        "common:\n  eval_samples: value.__class__() #!\n", "cannot read the cell", "common.eval_samples"
    ),
    "an unknown function": Fault(
        "common:\n  eval_samples: open(value) #!\n",
        "there is no function 'open'; known are abs, append, ceil",
        "common.eval_samples.value",
    ),
    "too few arguments": Fault(
        "common:\n  eval_samples: close(value) #!\n", r"close\(\) takes 2 arguments, not 1", "common.eval_samples.value"
    ),
    "too many arguments": Fault(
        "common:\n  eval_samples: integer(value, 1) #!\n",
        r"integer\(\) takes 1 argument, not 2",
        "common.eval_samples.value",
    ),
    "an unknown state word": Fault(
        "common:\n  eval_samples: state.run_begun #!\n",
        "state.run_begun is not a state word of this ruleset; known are run_started",
        "common.eval_samples.order",
    ),
    "an unknown event field": Fault(
        "common:\n  eval_samples: event.__class__ == 1 #!\n",
        "event.__class__ is not known; known are benchmark",
        "common.eval_samples.value",
    ),
    "an exponent beyond bounds": Fault(
        "common:\n  eval_samples: value < 2 ^ 65 #!\n", "the exponent 65 is beyond 64", "common.eval_samples.value"
    ),
    "a negative exponent beyond bounds": Fault(
        "common:\n  eval_samples: value < 2 ^ -65 #!\n", "the exponent -65 is beyond 64", "common.eval_samples.value"
    ),
    "a number too large": Fault(
        "common:\n  eval_samples: value < 1e999 #!\n", "the number 1e999 is too large", "common.eval_samples"
    ),
    "a whole number too large": Fault(
        "common:\n  eval_samples: value < 99999999999999999999 #!\n", "is too large", "common.eval_samples"
    ),
    "a division by zero": Fault(
        "common:\n  eval_samples: value / 0 > 1 #!\n", "divides by zero", "common.eval_samples.value"
    ),
    "a removal of what is not there": Fault(
        "common:\n  eval_samples: null #!\n", "removes 'eval_samples', about which the extended round says nothing"
    ),
    "a cell that changes nothing": Fault(
        "common:\n  run_start: exactly one #!\n", "'run_start' says what the extended round says already; remove it"
    ),
    "a benchmark's cell that changes nothing": Fault(
        "change:\n  knitting:\n    closed:\n      global_batch_size: value > 0 #!\n", "says what the extended round says"
    ),
    "a strict cell that changes nothing": Fault(
        "change:\n  knitting:\n    strict:\n      closed:\n        global_batch_size: also value <= 4096 #!\n",
        "says what the extended round says",
    ),
    "a list that changes nothing": Fault(
        "change:\n  knitting:\n    lists:\n      stitches: ['row_{1..3}/{knit,purl}'] #!\n",
        "'stitches' says what the extended round says already; remove it",
    ),
    "a list that is text": Fault(
        "change:\n  knitting:\n    lists:\n      stitches: row_1 #!\n", "'stitches' must be a list of names"
    ),
    "a list of numbers": Fault(
        "change:\n  knitting:\n    lists:\n      stitches: [1] #!\n", "'stitches' must be a list of names"
    ),
    "a range that is none": Fault(
        "change:\n  knitting:\n    lists:\n      stitches: ['row_{a..b}'] #!\n", "'a..b' is not a range of whole numbers"
    ),
    "a range without end": Fault(
        "change:\n  knitting:\n    lists:\n      stitches: ['row_{0..999999999}'] #!\n", "too many names"
    ),
    "an unknown list": Fault(
        "change:\n  knitting:\n    closed:\n      weights_initialization: each meta.tensor once in rows #!\n",
        "there is no list 'rows' under 'lists'",
        "knitting.closed.weights_initialization.names",
    ),
    "an incomplete join": Fault(
        "change:\n  knitting:\n    join: {key: pair, of: eval_accuracy, by: step_num} #!\n", "'join' needs 'name'"
    ),
    "an unknown field of a join": Fault(
        "change:\n  knitting:\n    join: {key: pair, of: eval_accuracy, bye: step_num, name: metric} #!\n",
        "'bye' is not known here",
    ),
    "a change of a benchmark that is not there": Fault(
        "change:\n  weaving: {} #!\n", "changes 'weaving', which is not a benchmark of this round"
    ),
    "a table for a benchmark that has one": Fault(
        "tables:\n  knitting: {} #!\n", "'knitting' has a table already; use 'change'"
    ),
    "a removal of a benchmark that is not there": Fault(
        "benchmarks:\n  remove: [weaving] #!\n", "removes 'weaving', which the extended round does not have"
    ),
    "an addition of a benchmark that is there": Fault(
        "benchmarks:\n  add: [knitting] #!\n", "adds 'knitting', which the extended round has already"
    ),
    "an addition of no file": Fault(
        "benchmarks: #!\n  add: [weaving]\n", "'weaving' has no file benchmarks/weaving.yaml; add one"
    ),
    "benchmarks that are text": Fault("benchmarks:\n  add: knitting #!\n", "'add' must be a list, not 'knitting'"),
    "a round that is not there": Fault("extends: 0.9.9 #!\n", "extends trial/0.9.9, which has no rule file"),
    "a round of another usage that is not there": Fault("extends: hpc/0.1.0 #!\n", "extends hpc/0.1.0, which has no"),
    "a round that extends itself": Fault("extends: 1.1.0 #!\n", "extend each other|extends itself"),
    "an unknown way of reading": Fault("reading: {onec: true} #!\n", "'onec' is not known here; known are once, order"),
    "a dialect that is not there": Fault("dialect: mlog #!\n", "there is no dialect 'mlog'; known are .*mllog"),
    "a title that is no text": Fault("title: [a] #!\n", "'title' must be text"),
    "an amendment of no rule": Fault(
        "amend:\n  run-stop-state: {severity: warning} #!\n", "there is no rule with this id to amend", "run-stop-state"
    ),
    "an amendment that changes nothing": Fault(
        "amend:\n  run-stop-status: {severity: error} #!\n", "this amendment changes nothing; remove it", "run-stop-status"
    ),
    "an amendment of an unknown field": Fault(
        "amend:\n  run-stop-status: {formula: value} #!\n", "'formula' is not known here; known are cell"
    ),
    "an amendment that is no mapping": Fault("amend:\n  run-stop-status: value #!\n", "'run-stop-status' must be a mapping"),
    "an unreadable amendment": Fault(
        "amend:\n  run-stop-status: {cell: present(} #!\n", "cannot read the cell 'present.'", "run-stop-status"
    ),
    "an amendment of two clauses": Fault(
        "amend:\n  run-stop-status: {cell: logged; value} #!\n", "states one clause", "run-stop-status"
    ),
    "an amendment with an unknown code": Fault(
        "amend:\n  run-stop-status: {code: MLP999} #!\n", "there is no code 'MLP999'", "run-stop-status"
    ),
    "a drop of no rule": Fault("drop: [run-stop-state] #!\n", "drops 'run-stop-state', which is not a rule here"),
    "rules that are no list": Fault("rules: {} #!\n", "'rules' must be a list"),
    "a rule that is text": Fault("rules: [text] #!\n", "a rule record is a mapping"),
    "an id used twice": Fault(
        RECORD.replace("- id: seed-is-whole", "- id: run-stop-status #!"),
        "this id is used already in trial/1.0.0.yaml:15; choose another",
        "run-stop-status",
    ),
    "an id that a cell has": Fault(
        RECORD.replace("- id: seed-is-whole", "- id: closed.seed #!"),
        "this id is used already in trial/1.0.0.yaml:13; choose another",
        "closed.seed",
    ),
    "a record with an unknown field": Fault(
        RECORD.replace("    why:", "    because: x #!\n    why:"), "'because' is not known here; known are id"
    ),
    "a record with an unknown severity": Fault(
        RECORD.replace("    why:", "    severity: fatal #!\n    why:"),
        "the severity 'fatal' is neither 'error' nor 'warning'",
        "seed-is-whole",
    ),
    "a record with an unknown code": Fault(
        RECORD.replace("MLP304", "MLP999 #!"), "there is no code 'MLP999'", "seed-is-whole"
    ),
    "a record with an unknown layer": Fault(
        RECORD.replace("    why:", "    where: strict #!\n    why:"), "where 'strict' is not a layer", "seed-is-whole"
    ),
    "a record with an unreadable cell": Fault(
        RECORD.replace("integer(value)", "integer(value #!"), "cannot read the cell 'integer.value'", "seed-is-whole"
    ),
    "a record with two clauses": Fault(
        RECORD.replace("integer(value)", "value > 0; value < 5 #!"), "states one clause", "seed-is-whole"
    ),
    "a record with an example that is text": Fault(
        RECORD.replace("[seed=1]", "seed=1 #!"), "'pass' must be a list", "seed-is-whole"
    ),
    **{
        f"a record without {field}": Fault(
            "".join(line for line in RECORD.replace("- id", "- #!\n    id").splitlines(True) if f" {field}:" not in line),
            f"a rule record needs {field!r}",
        )
        for field in ("id", "key", "cell", "code", "summary", "why", "pass", "fail")
    },
}  # fmt: skip


@pytest.mark.parametrize("what", FAULTS)
def test_fault_is_told_with_its_place(what: str, folder: RuleFolder) -> None:
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
    """The rounds that the faults are put into are right without them, so that each test shows its own fault."""
    folder.write_second(RECORD)
    ruleset = folder.load()
    compile_all(ruleset)
    assert "seed-is-whole" in {rule.id for rule in ruleset.table("closed", "knitting").rules}


def test_cycle_is_told(folder: RuleFolder) -> None:
    """Two rounds that extend each other are an error, and both are named."""
    folder.write("trial/1.0.0.yaml", f"extends: 1.1.0\n{FIRST}")
    error = folder.refuse()
    assert "trial/1.1.0 and trial/1.0.0 extend each other; one of them must not" in str(error)
    assert (error.path, error.line) == ("trial/1.0.0.yaml", 1)


def test_same_fault_is_told_again(folder: RuleFolder) -> None:
    """A faulty rule file is refused at each use, and is not kept as if it were sound."""
    folder.write_second("common:\n  run_start: null\n  eval_samples: null\n")
    assert str(folder.refuse()) == str(folder.refuse())


def test_misnamed_benchmark_is_told(folder: RuleFolder) -> None:
    """A benchmark's file says the name that it is filed under."""
    folder.edit("benchmarks/knitting.yaml", "benchmark: knitting", "benchmark: weaving")
    error = folder.refuse()
    assert "says benchmark 'weaving' where the file is named 'knitting'" in str(error)
    assert error.path == "benchmarks/knitting.yaml"


def test_unknown_benchmark_to_extend_is_told(folder: RuleFolder) -> None:
    """A benchmark extends one that the round before has."""
    folder.write("benchmarks/weaving.yaml", "benchmark: weaving\nextends: spinning\n")
    folder.write_second("benchmarks:\n  add: [weaving]\n")
    error = folder.refuse()
    assert "extends 'spinning', which is not a benchmark of the round before" in str(error)
    assert (error.path, error.line) == ("benchmarks/weaving.yaml", 2)


def test_fault_in_a_benchmark_file_is_told(folder: RuleFolder) -> None:
    """A fault in a benchmark's file is told with the place in that file."""
    folder.edit("benchmarks/knitting.yaml", "value > 0", "sqrt(value) > 0")
    error = folder.refuse()
    assert "there is no function 'sqrt'" in str(error)
    place = ("benchmarks/knitting.yaml", 6, "knitting.closed.global_batch_size.value")
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
def test_fault_in_the_vocabulary_is_told(file: str, text: str, says: str, folder: RuleFolder) -> None:
    """A fault in the files of codes and keys names that file and line."""
    folder.write(file, text)
    error = folder.refuse()
    assert says in str(error)
    assert (error.path, error.line) == (file, 1)


def test_missing_vocabulary_is_told(folder: RuleFolder) -> None:
    """A folder without the file of codes cannot be used, and the message says which file is missing."""
    (folder.path / "codes.yaml").unlink()
    error = folder.refuse()
    assert "cannot read the rule file: No such file" in str(error)
    assert error.path == "codes.yaml"


def test_file_that_is_not_text_is_told(folder: RuleFolder) -> None:
    """Bytes that are not UTF-8 in a rule file are told with its name."""
    (folder.path / FILE).write_bytes(b"extends: 1.0.0\ntitle: \xff\xfe\n")
    error = folder.refuse()
    assert "not valid YAML" in str(error)
    assert error.path == FILE


def test_round_without_dialect_is_told(folder: RuleFolder) -> None:
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
    """A written example that the rule judges otherwise is an error of the rule file, with the rule's place."""
    folder.write_second(RECORD.replace(old, new))
    ruleset = folder.load()
    (rule,) = (rule for rule in ruleset.table(None, None).rules if rule.id == "seed-is-whole")
    with pytest.raises(RuleError, match=says) as caught:
        find_example(ruleset, rule)
    assert (caught.value.path, caught.value.line, caught.value.rule) == (FILE, 3, "seed-is-whole")


def test_rule_without_any_example_is_told(folder: RuleFolder) -> None:
    """A rule that nothing can break needs written examples, and says so."""
    folder.write_second("common:\n  eval_samples: value == value or true\n")
    ruleset = folder.load()
    (rule,) = (rule for rule in ruleset.table(None, None).rules if rule.id == "common.eval_samples.value")
    with pytest.raises(RuleError, match="write examples under 'pass' and 'fail': none were found"):
        find_example(ruleset, rule)


def test_fault_in_a_shipped_round_is_told(folder: RuleFolder) -> None:
    """The rounds that ship are read as strictly: a slip in one of them is found where it is, through the API."""
    folder.edit("training/0.7.0.yaml", "  run_start: logged\n", "  run_start: loged\n")
    with pytest.raises(RuleError, match=r"training/0\.7\.0\.yaml:\d+: rule common\.run_start: cannot read the cell"):
        load_ruleset("training/6.1.0", rules=folder.path)
    with pytest.raises(RuleError, match=r"training/0\.7\.0\.yaml"):
        check_log(b"", rules=folder.path)


def test_same_words_for_other_events_are_a_change(folder: RuleFolder) -> None:
    """A cell that says the same of other events, or adds where it replaced, is a change and not refused."""
    folder.write_second("closed:\n  opt_name: first value in {adam, sgd}\n  seed: also logged\n")
    rules = {rule.id: rule for rule in folder.load().table("closed", None).rules}
    assert rules["closed.opt_name.first"].on == "first"
