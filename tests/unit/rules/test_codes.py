"""The vocabulary of findings: codes, groups of keys, and how a rule gets its code."""

from __future__ import annotations

import re

import pytest

from mlperf_logging.parsing.diagnostics import KIND_OF_LABEL
from mlperf_logging.rules.codes import CONFLICTING, REPEATED, Vocabulary, choose_code
from mlperf_logging.rules.formula import parse_cell
from mlperf_logging.rules.repository import open_rules


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """The codes and keys that ship with the package."""
    return open_rules().vocabulary()


def test_codes_are_described_in_words(vocabulary: Vocabulary) -> None:
    """Each code has a name of the right form, a title, a text in sentences and a hint."""
    for code in vocabulary.codes.values():
        assert re.fullmatch(r"MLP[1-8]\d\d", code.code)
        assert code.title == code.title[0].lower() + code.title[1:].rstrip(".")
        assert code.text[0].isupper()
        assert code.text.endswith(".")
        assert code.hint.endswith(".")


def test_codes_of_form_are_separate(vocabulary: Vocabulary) -> None:
    """The codes of parse mistakes begin with MLP0, and those of rules do not."""
    forms = {mistake.code for mistake in KIND_OF_LABEL.values()}
    assert all(re.fullmatch(r"MLP0\d\d", code) for code in forms)
    assert not forms & set(vocabulary.codes)


def test_codes_for_repetition_exist(vocabulary: Vocabulary) -> None:
    """What is logged with other values, or again, has a code for each code of what is missing."""
    assert set(CONFLICTING) == set(REPEATED)
    assert {*CONFLICTING, *CONFLICTING.values(), *REPEATED.values()} <= set(vocabulary.codes)


def test_vocabulary_survives_compilation(vocabulary: Vocabulary) -> None:
    """The vocabulary is the same after a way through JSON values."""
    assert Vocabulary.from_json(vocabulary._asdict()) == vocabulary


def test_every_key_of_a_rule_has_a_meaning(vocabulary: Vocabulary) -> None:
    """The glossary says of each key that a rule asks for what it is."""
    asked: set[str] = set()
    for entry in open_rules().index():
        ruleset = open_rules().load(entry.name)
        for benchmark in ruleset.benchmarks:
            for division in ("closed", "open") if ruleset.has_divisions else (None,):
                table = ruleset.table(division, benchmark, tuple(ruleset.variants(benchmark)), strict=True)
                asked |= set(table.entries)
    assert asked - set(vocabulary.keys) == set()
    assert all(re.fullmatch(r"[A-Z0-9].*\.", sentence) for sentence in vocabulary.keys.values())


@pytest.mark.parametrize(
    ("key", "group"),
    [
        ("submission_org", "identity"),
        ("run_start", "lifecycle"),
        ("eval_accuracy", "evaluation"),
        ("eval_start|eval_stop", "lifecycle"),
        ("seed", "hyperparameter"),
        ("never_heard_of", "hyperparameter"),
    ],
)
def test_group_of_a_key(key: str, group: str, vocabulary: Vocabulary) -> None:
    """A key belongs to one group; one that is not known is taken for a hyperparameter."""
    assert vocabulary.group_of(key) == group


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("logged", ["MLP101", "MLP101", "MLP401", "MLP301"]),
        ("alternating with x", ["MLP203"] * 4),
        ("each meta.x once in names", ["MLP306"] * 4),
        ("value == 1", ["MLP104", "MLP108", "MLP405", "MLP304"]),
        ("value == logged(x)", ["MLP104", "MLP108", "MLP405", "MLP305"]),
        ("meta.x == previous(meta.x)", ["MLP104", "MLP108", "MLP404", "MLP305"]),
        ("present(meta.x)", ["MLP104", "MLP108", "MLP402", "MLP304"]),
        ("meta.x == 1", ["MLP104", "MLP108", "MLP404", "MLP304"]),
        ("reaches value > 1", ["MLP104", "MLP108", "MLP403", "MLP304"]),
        ("state.x", ["MLP201", "MLP201", "MLP204", "MLP201"]),
        ("minutes_since(first x) < 1", ["MLP202", "MLP202", "MLP405", "MLP202"]),
        ("end count(x) == 1", ["MLP104", "MLP108", "MLP405", "MLP305"]),
    ],
)
def test_code_follows_group_and_clause(cell: str, codes: list[str], vocabulary: Vocabulary) -> None:
    """The code of a cell's rule follows from the group of its key and from what the clause looks at."""
    ((kind, node, _),) = parse_cell(cell).clauses
    groups = ("identity", "lifecycle", "evaluation", "hyperparameter")
    assert [choose_code(group, kind, node) for group in groups] == codes
    assert set(codes) <= set(vocabulary.codes)


def test_rules_about_files_have_an_id_and_examples(vocabulary: Vocabulary) -> None:
    """Each code of a submission's folders, descriptions and power readings is one rule, with examples of both kinds."""
    about_files = {
        name: code for name, code in vocabulary.codes.items() if name[:4] in {"MLP6", "MLP7", "MLP8"}
    }
    assert about_files == {code.code: code for code in vocabulary.list_file_rules().values()}
    for code in about_files.values():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", code.rule)
        assert code.severity in {"error", "warning"}
        assert code.source
        assert code.passing
        assert code.failing
