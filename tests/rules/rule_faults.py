"""Faults that a rule file may have, and what must be said of each."""

from __future__ import annotations

import re
from typing import NamedTuple

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
    "a foreign tag": Fault("title: !!python/name:os.getcwd x #!\n", "not valid YAML"),
    "a cell that YAML takes for a tag": Fault(
        "common:\n  eval_samples: != 5 #!\n", "put text that begins with '!' in quotes"
    ),
    "a mapping that holds itself": Fault("common: &all #!\n  seed: *all\n", "contains itself"),
    "a key twice": Fault(
        "common:\n  eval_samples: logged\n  eval_samples: at least one #!\n",
        "'eval_samples' appears twice .first on line 3.; keep one",
    ),
    "a section twice": Fault("closed:\n  seed: null\nclosed: {} #!\n", "'closed' appears twice"),
    "an unknown section": Fault("comon: {} #!\n", "'comon' is not valid here; known: .*common"),
    "a section that is no mapping": Fault("common: [run_start] #!\n", "'common' must be a mapping, not"),
    "a clue that is no date": Fault(
        "clues: {from: 2025-01-01, until: 2025-02-01} #!\n", "must be dates such as .2001-12-31., in quotes"
    ),
    "a clue with one date": Fault(
        'clues: {until: "2025-02-01"} #!\n', "'from' and 'until' stand together, the earlier date first"
    ),
    "a clue of another kind": Fault("clues: {month: May} #!\n", "'month' is not valid here; known: from"),
    "an extension that is no text": Fault("state: text #!\n", "'state' must be a mapping, not 'text'"),
    "a benchmark's table that is empty": Fault("change:\n  knitting: #!\n", "'knitting' must be a mapping"),
    "a variant that is empty": Fault(
        "change:\n  knitting:\n    variants:\n      socks: #!\n", "'socks' must be a mapping"
    ),
    "a variant that never applies": Fault(
        "change:\n  knitting:\n    variants:\n      hats: #!\n        closed: {}\n",
        "'hats' does not say when it applies",
    ),
    "runs without all numbers": Fault(
        "change:\n  knitting:\n    runs: {required: 5, dropped_each_side: 1} #!\n",
        "'runs' must say 'non_converged_allowed'",
    ),
    "runs of which all are dropped": Fault(
        "change:\n  knitting:\n    runs: {required: 2, dropped_each_side: 1, non_converged_allowed: 1} #!\n",
        "'runs' must require more runs than are dropped",
    ),
    "runs that change nothing": Fault(
        "change:\n  knitting:\n    runs: {required: 5, dropped_each_side: 1, non_converged_allowed: 1} #!\n",
        "'runs' repeats what the extended round says",
    ),
    "an unreadable variant": Fault(
        "change:\n  knitting:\n    variants:\n      socks:\n        when: logged( #!\n",
        "cannot read the formula 'logged.'",
    ),
    "an unknown layer": Fault(
        "change:\n  knitting:\n    close: {} #!\n", "'close' is not valid here; known: .*closed"
    ),
    "an unknown strict layer": Fault("strict:\n  common: {} #!\n", "'common' is not valid here; known: both"),
    "state words that are no mapping": Fault("state:\n  run_stop: true #!\n", "'run_stop' must be a mapping"),
    "an unreadable state word": Fault(
        "state:\n  run_stop: {stopped: 'value =='} #!\n", "cannot read the formula"
    ),
    "a cell that is a number": Fault(
        "common:\n  eval_samples: 5 #!\n", "'eval_samples' must be a cell such as"
    ),
    "a cell that is a list": Fault("common:\n  eval_samples: [logged] #!\n", "must be a cell such as"),
    "an unreadable cell": Fault(
        "common:\n  eval_samples: logged; value => 5 #!\n",
        r"cannot read the cell 'logged; value => 5' at '=> 5' \(character 15\)",
        "common.eval_samples",
    ),
    "an empty cell": Fault(
        "common:\n  eval_samples: '' #!\n", "cannot read the cell ''", "common.eval_samples"
    ),
    "a cell that stops early": Fault(
        "common:\n  eval_samples: value > #!\n", "cannot read the cell 'value >'", "common.eval_samples"
    ),
    "Python in a cell": Fault(
        "common:\n  eval_samples: value.__class__() #!\n", "cannot read the cell", "common.eval_samples"
    ),
    "an unknown function": Fault(
        "common:\n  eval_samples: open(value) #!\n",
        "unknown function 'open'; known: abs, append, ceil",
        "common.eval_samples.value",
    ),
    "too few arguments": Fault(
        "common:\n  eval_samples: close(value) #!\n",
        r"close\(\) takes 2 arguments, not 1",
        "common.eval_samples.value",
    ),
    "too many arguments": Fault(
        "common:\n  eval_samples: integer(value, 1) #!\n",
        r"integer\(\) takes 1 argument, not 2",
        "common.eval_samples.value",
    ),
    "an unknown state word": Fault(
        "common:\n  eval_samples: state.run_begun #!\n",
        "state.run_begun is not a state word of this ruleset; known: run_started",
        "common.eval_samples.order",
    ),
    "an unknown event field": Fault(
        "common:\n  eval_samples: event.__class__ == 1 #!\n",
        "event.__class__ is not known; known: benchmark",
        "common.eval_samples.value",
    ),
    "an exponent beyond bounds": Fault(
        "common:\n  eval_samples: value < 2 ^ 65 #!\n",
        "the exponent 65 is beyond 64",
        "common.eval_samples.value",
    ),
    "a negative exponent beyond bounds": Fault(
        "common:\n  eval_samples: value < 2 ^ -65 #!\n",
        "the exponent -65 is beyond 64",
        "common.eval_samples.value",
    ),
    "a number too large": Fault(
        "common:\n  eval_samples: value < 1e999 #!\n", "the number 1e999 is too large", "common.eval_samples"
    ),
    "a whole number too large": Fault(
        f"common:\n  eval_samples: value < {'9' * 500} #!\n",
        "the number 9{20}… is too large",
        "common.eval_samples",
    ),
    "a division by zero": Fault(
        "common:\n  eval_samples: value / 0 > 1 #!\n", "divides by zero", "common.eval_samples.value"
    ),
    "a removal of what is not there": Fault(
        "common:\n  eval_samples: null #!\n",
        "removes 'eval_samples', which the extended round does not mention here",
    ),
    "a cell that changes nothing": Fault(
        "common:\n  run_start: exactly one #!\n",
        "'run_start' repeats what the extended round says; remove it",
    ),
    "a benchmark's cell that changes nothing": Fault(
        "change:\n  knitting:\n    closed:\n      global_batch_size: value > 0 #!\n",
        "repeats what the extended round says",
    ),
    "a strict cell that changes nothing": Fault(
        "change:\n  knitting:\n    strict: {closed: {global_batch_size: also value <= 4096}} #!\n",
        "repeats what the extended round says",
    ),
    "a list that changes nothing": Fault(
        "change:\n  knitting:\n    lists:\n      stitches: ['row_{1..3}/{knit,purl}'] #!\n",
        "'stitches' repeats what the extended round says; remove it",
    ),
    "a list that is text": Fault(
        "change:\n  knitting:\n    lists:\n      stitches: row_1 #!\n", "'stitches' must be a list of names"
    ),
    "a list of numbers": Fault(
        "change:\n  knitting:\n    lists:\n      stitches: [1] #!\n", "'stitches' must be a list of names"
    ),
    "a range that is none": Fault(
        "change:\n  knitting:\n    lists:\n      stitches: ['row_{a..b}'] #!\n",
        "'a..b' is not a range of whole numbers",
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
        "change:\n  knitting:\n    join: {key: pair, of: eval_accuracy, by: step_num} #!\n",
        "'join' needs 'name'",
    ),
    "progress that counts nothing known": Fault(
        "change:\n  knitting:\n    progress: {counts: stitches} #!\n",
        "'counts' is one of epochs, samples, tokens, not 'stitches'",
    ),
    "progress from nowhere": Fault(
        "change:\n  knitting:\n    progress: {counts: samples, from: 0} #!\n",
        "'from' must be a positive number, not 0",
    ),
    "an unknown field of progress": Fault(
        "change:\n  knitting:\n    progress: {epoch_size: 5} #!\n", "epoch_size"
    ),
    "an unknown field of a join": Fault(
        "change:\n  knitting:\n    join: {key: pair, of: eval_accuracy, bye: step_num, name: metric} #!\n",
        "'bye' is not valid here",
    ),
    "a change of a benchmark that is not there": Fault(
        "change:\n  weaving: {} #!\n", "changes 'weaving', which is not a benchmark of this round"
    ),
    "a table for a benchmark that has one": Fault(
        "tables:\n  knitting: {} #!\n", "'knitting' already has a table; use 'change'"
    ),
    "a removal of a benchmark that is not there": Fault(
        "benchmarks:\n  remove: [weaving] #!\n", "removes 'weaving', which the extended round does not have"
    ),
    "an addition of a benchmark that is there": Fault(
        "benchmarks:\n  add: [knitting] #!\n", "adds 'knitting', which the extended round already has"
    ),
    "an order that leaves benchmarks out": Fault(
        "benchmarks:\n  order: [weaving] #!\n", "must name each benchmark of the round once"
    ),
    "an addition of no file": Fault(
        "benchmarks: #!\n  add: [weaving]\n", "'weaving' has no file benchmarks/weaving.yaml; add one"
    ),
    "benchmarks that are text": Fault(
        "benchmarks:\n  add: knitting #!\n", "'add' must be a list, not 'knitting'"
    ),
    "a round that is not there": Fault("extends: 0.9.9 #!\n", "extends trial/0.9.9, which has no rule file"),
    "a round of another usage that is not there": Fault(
        "extends: hpc/0.1.0 #!\n", "extends hpc/0.1.0, which has no"
    ),
    "a round that extends itself": Fault("extends: 1.1.0 #!\n", "extend each other|extends itself"),
    "an unknown way of reading": Fault(
        "reading: {onec: true} #!\n", "'onec' is not valid here; known: once, order"
    ),
    "a dialect that is not there": Fault("dialect: mlog #!\n", "unknown dialect 'mlog'; known: .*mllog"),
    "a title that is no text": Fault("title: [a] #!\n", "'title' must be text"),
    "an amendment of no rule": Fault(
        "amend:\n  trial-stop-state: {severity: warning} #!\n",
        "there is no rule with this id to amend",
        "trial-stop-state",
    ),
    "an amendment that changes nothing": Fault(
        "amend:\n  trial-stop-status: {severity: error} #!\n",
        "this amendment changes nothing; remove it",
        "trial-stop-status",
    ),
    "an amendment of an unknown field": Fault(
        "amend:\n  trial-stop-status: {formula: value} #!\n", "'formula' is not valid here; known: cell"
    ),
    "an amendment that is no mapping": Fault(
        "amend:\n  trial-stop-status: value #!\n", "'trial-stop-status' must be a mapping"
    ),
    "an unreadable amendment": Fault(
        "amend:\n  trial-stop-status: {cell: present(} #!\n",
        "cannot read the cell 'present.'",
        "trial-stop-status",
    ),
    "an amendment of two clauses": Fault(
        "amend:\n  trial-stop-status: {cell: logged; value} #!\n", "states one clause", "trial-stop-status"
    ),
    "an amendment with an unknown code": Fault(
        "amend:\n  trial-stop-status: {code: MLP999} #!\n", "unknown code 'MLP999'", "trial-stop-status"
    ),
    "a drop of no rule": Fault(
        "drop: [trial-stop-state] #!\n",
        "drops 'trial-stop-state', which is not a rule here",
        "trial-stop-state",
    ),
    "rules that are no list": Fault("rules: {} #!\n", "'rules' must be a list"),
    "a rule that is text": Fault("rules: [text] #!\n", "a rule record is a mapping"),
    "an id used twice": Fault(
        RECORD.replace("- id: seed-is-whole", "- id: trial-stop-status #!"),
        "this id is already used in trial/1.0.0.yaml:15; choose another",
        "trial-stop-status",
    ),
    "an id that a cell has": Fault(
        RECORD.replace("- id: seed-is-whole", "- id: closed.seed #!"),
        "a record's id must be lowercase words joined by hyphens",
        "closed.seed",
    ),
    "a record with an unknown field": Fault(
        RECORD.replace("    why:", "    because: x #!\n    why:"), "'because' is not valid here; known: id"
    ),
    "a record with an unknown severity": Fault(
        RECORD.replace("    why:", "    severity: fatal #!\n    why:"),
        "the severity 'fatal' is neither 'error' nor 'warning'",
        "seed-is-whole",
    ),
    "a record with an unknown code": Fault(
        RECORD.replace("MLP304", "MLP999 #!"), "unknown code 'MLP999'", "seed-is-whole"
    ),
    "a record with an unknown layer": Fault(
        RECORD.replace("    why:", "    where: strict #!\n    why:"),
        "where 'strict' is not a layer",
        "seed-is-whole",
    ),
    "a record with an unreadable cell": Fault(
        RECORD.replace("integer(value)", "integer(value #!"),
        "cannot read the cell 'integer.value'",
        "seed-is-whole",
    ),
    "a record with two clauses": Fault(
        RECORD.replace("integer(value)", "value > 0; value < 5 #!"), "states one clause", "seed-is-whole"
    ),
    "a record with an example that is text": Fault(
        RECORD.replace("[seed=1]", "seed=1 #!"), "'pass' must be a list"
    ),
    "a record without id": Fault(
        RECORD.replace("- id: seed-is-whole", "- hint: none #!"), "a rule record needs 'id'"
    ),
    **{
        f"a record without {field}": Fault(
            re.sub(f"    {field}:.*\n", "", RECORD.replace("whole\n", "whole #!\n", 1)),
            f"a rule record needs {field!r}",
            "seed-is-whole",
        )
        for field in ("key", "cell", "code", "summary", "why", "pass", "fail")
    },
}
