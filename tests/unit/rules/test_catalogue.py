"""Asking the rules: lists, tables of keys, explanations, differences between rounds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from rule_folders import RuleFolder, copy_rules

from mlperf_logging.compliance.example_search import find_example, try_rule
from mlperf_logging.errors import UsageError
from mlperf_logging.parsing.diagnostics import KIND_OF_LABEL
from mlperf_logging.rules.catalogue import Difference, compare_rulesets, explain, list_rules, show_benchmark
from mlperf_logging.rules.examples import read_events
from mlperf_logging.rules.pages import write_pages
from mlperf_logging.rules.repository import RuleRepository, open_rules

SECOND = """\
benchmarks:
  add: [weaving]
common:
  run_stop: at least one
  seed: any number; first value > 0
closed:
  opt_name: null
change:
  knitting:
    both:
      eval_accuracy: at least one; reaches value >= 0.95
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RuleFolder:
    """The rule files for tests, with a second round that changes something of every kind."""
    folder = copy_rules(tmp_path_factory.mktemp("catalogue") / "rules")
    folder.write("benchmarks/weaving.yaml", "benchmark: weaving\nclosed:\n  warp: logged\n")
    folder.write_second(SECOND)
    return folder


@pytest.fixture(scope="module")
def book(folder: RuleFolder) -> RuleRepository:
    """The rule book of the folder."""
    return folder.book()


def test_rounds_are_listed_in_their_order(book: RuleRepository) -> None:
    """Rounds come by usage and then by number, with dialect and benchmarks."""
    entries = book.index()
    trial = [entry for entry in entries if entry.usage == "trial"]
    assert [(entry.round, entry.dialect, entry.benchmarks) for entry in trial] == [
        ("1.0.0", "mllog", ("knitting",)),
        ("1.1.0", "mllog", ("knitting", "weaving")),
    ]
    assert [entry.usage for entry in entries] == sorted(entry.usage for entry in entries)


def test_tenth_round_comes_after_the_second(folder: RuleFolder, tmp_path: Path) -> None:
    """Rounds are ordered by their numbers, not by their letters."""
    for version in ("10.0.0", "2.0.0", "2.10.0", "2.9.0"):
        (folder.path / f"order/{version}.yaml").parent.mkdir(exist_ok=True)
        (folder.path / f"order/{version}.yaml").write_text("dialect: mllog\n")
    found = [entry.round for entry in folder.book().index() if entry.usage == "order"]
    for file in (folder.path / "order").iterdir():
        file.unlink()
    assert found == ["2.0.0", "2.9.0", "2.10.0", "10.0.0"]


def test_rules_are_listed_once(book: RuleRepository) -> None:
    """All rules of a round, those of variants and strict ones included, but none that asks for nothing."""
    rules = [rule.id for rule in list_rules(book.load("trial/1.0.0"))]
    assert len(rules) == len(set(rules))
    assert {
        "common.run_start",
        "trial-stop-status",
        "closed.opt_name.value",
        "knitting.eval_accuracy.target",
        "knitting.socks.closed.opt_momentum",
        "strict.knitting.closed.global_batch_size.value",
    } <= set(rules)
    assert "common.seed" not in [rule.id for rule in list_rules(book.load("trial/1.1.0"))]
    assert "common.seed.first" in [rule.id for rule in list_rules(book.load("trial/1.1.0"))]


def test_rules_of_one_kind_of_run_are_listed(book: RuleRepository) -> None:
    """A division, a benchmark or the level leaves the others out."""
    ruleset = book.load("trial/1.0.0")
    open_rules = {rule.id for rule in list_rules(ruleset, "open", "knitting", strict=False)}
    assert open_rules == {
        "common.run_start",
        "common.run_stop",
        "common.run_stop.order",
        "trial-stop-status",
        "knitting.eval_accuracy",
        "knitting.eval_accuracy.target",
    }


def test_table_of_a_benchmark(book: RuleRepository) -> None:
    """The table has one row per key: how often, what it must satisfy, for which variant, since when."""
    rows = {
        (row.key, row.variant): row for row in show_benchmark(book.load("trial/1.1.0"), "knitting", "closed")
    }
    assert set(rows) == {
        ("run_start", ""),
        ("run_stop", ""),
        ("seed", ""),
        ("eval_accuracy", ""),
        ("global_batch_size", ""),
        ("opt_momentum", "socks"),
    }
    row = rows["eval_accuracy", ""]
    assert (row.occurs, row.requirements) == ("at least one", ("reaches value >= 0.95",))
    assert (row.since, row.changed) == ("trial/1.0.0", ("trial/1.1.0",))
    assert row.rules == ("knitting.eval_accuracy", "knitting.eval_accuracy.target")
    assert "Quality" in row.meaning
    assert rows["opt_momentum", "socks"].occurs == "exactly one"
    assert rows["seed", ""].requirements == ()
    assert rows["seed", ""].occurs == "exactly one"


def test_strict_table_marks_what_is_strict(book: RuleRepository) -> None:
    """Rows that only the written rules ask for are marked."""
    ruleset = book.load("trial/1.0.0")
    rows = {row.key: row for row in show_benchmark(ruleset, "knitting", "closed", strict=True)}
    assert rows["global_batch_size"].requirements == ("value > 0", "value <= 4096")
    assert rows["global_batch_size"].level == ""
    assert {row.level for row in rows.values()} == {""}
    shipped = show_benchmark(open_rules().load("training/1.0.0"), "bert", "closed", strict=True)
    strict_keys = {row.key for row in shipped if row.level == "strict"}
    assert strict_keys >= {"seed", "tracked_stats"}
    assert not strict_keys & {"run_stop", "global_batch_size"}


def test_table_of_an_unknown_benchmark_is_refused(book: RuleRepository) -> None:
    """A benchmark that the round does not have is the caller's mistake, with a near name."""
    with pytest.raises(UsageError, match="does not know the benchmark 'kniting'; did you mean 'knitting'"):
        show_benchmark(book.load("trial/1.0.0"), "kniting", "closed")


@pytest.mark.parametrize("name", ["MLP304", "mlp304"])
def test_code_is_explained(name: str, book: RuleRepository) -> None:
    """A code is explained in words, with the rules that give it."""
    explained = explain(name, find_example, book)
    assert (explained.code, explained.title) == ("MLP304", "hyperparameter out of bounds")
    assert "knitting.closed.global_batch_size.value" in explained.rules
    assert explained.wants
    assert explained.hint


def test_cell_is_explained(book: RuleRepository) -> None:
    """A rule of a cell is explained from its formula, its key and its code, with examples that show it."""
    explained = explain("knitting.closed.global_batch_size.value", find_example, book)
    assert explained.wants == "global_batch_size: each event satisfies `value > 0`"
    assert (explained.code, explained.severity, explained.since) == ("MLP304", "error", "trial/1.0.0")
    assert explained.why.startswith("Samples in one step over all accelerators.")
    assert (explained.place, explained.source) == ("benchmarks/knitting.yaml:7", "written for tests")
    ruleset = book.load("trial/1.0.0")
    (rule,) = (each for each in list_rules(ruleset) if each.id == explained.name)
    assert not try_rule(ruleset, rule, read_events(explained.passing))
    assert try_rule(ruleset, rule, read_events(explained.failing))


@pytest.mark.parametrize(
    ("rule", "wants"),
    [
        ("common.run_start", "run_start is logged exactly once"),
        ("common.run_stop", "run_stop is logged at least once"),
        ("knitting.eval_accuracy.target", "eval_accuracy: at least one event satisfies `value >= 0.95`"),
        ("common.seed.first", "seed: the first event satisfies `value > 0`"),
        ("trial-stop-status", "run_stop says how the run ended"),
    ],
)
def test_explanation_says_what_is_wanted(rule: str, wants: str, book: RuleRepository) -> None:
    """What a rule requires is said in words for each kind of clause."""
    assert explain(rule, find_example, book).wants == wants


def test_rule_is_explained_as_the_newest_round_has_it(book: RuleRepository) -> None:
    """A rule that changed is explained with its history."""
    explained = explain("knitting.eval_accuracy.target", find_example, book)
    assert (explained.since, explained.changed) == ("trial/1.0.0", ("trial/1.1.0",))
    assert explain("closed.opt_name.value", find_example, book).changed == ()


@pytest.mark.parametrize("mistake", KIND_OF_LABEL.values(), ids=KIND_OF_LABEL)
def test_mistake_of_form_is_explained(mistake: object, book: RuleRepository) -> None:
    """A mistake that the reader finds is explained under its label."""
    explained = explain(mistake.label, find_example, book)  # type: ignore[attr-defined]
    assert (explained.code, explained.severity) == (mistake.code, mistake.severity)  # type: ignore[attr-defined]
    assert explained.wants
    assert explained.why
    assert explained.hint
    assert "{" not in explained.wants


def test_unknown_name_is_refused(book: RuleRepository) -> None:
    """A name that is neither code nor rule is the caller's mistake, with a near name."""
    with pytest.raises(
        UsageError, match="unknown code or rule 'common\\.run_strat'; did you mean 'common\\.run_start'"
    ):
        explain("common.run_strat", find_example, book)
    with pytest.raises(UsageError, match="'nothing like it'; --list-rules lists them"):
        explain("nothing like it", find_example, book)


def test_rounds_are_compared(book: RuleRepository) -> None:
    """What a later round changes comes as one line a key, with benchmarks that came or went."""
    before, after = book.load("trial/1.0.0"), book.load("trial/1.1.0")
    started, status = "state.run_started", "present(meta.status)"
    reaches = "at least one; reaches value >= "
    assert compare_rulesets(before, after) == [
        Difference("weaving", "", "", "benchmark"),
        Difference("common", "run_stop", f"at least one; {started}; {status}", f"at least one; {status}"),
        Difference("closed", "opt_name", "exactly one; in {adam, sgd}", ""),
        Difference("knitting", "eval_accuracy", f"{reaches}0.9", f"{reaches}0.95"),
        Difference("common", "seed", "", "first value > 0"),
    ]
    assert compare_rulesets(before, before) == []


def test_rounds_are_compared_for_one_benchmark(book: RuleRepository) -> None:
    """For one benchmark only what concerns its logs is reported."""
    before, after = book.load("trial/1.0.0"), book.load("trial/1.1.0")
    scopes = {(each.scope, each.key) for each in compare_rulesets(before, after, "knitting")}
    assert ("knitting", "eval_accuracy") in scopes
    assert ("weaving", "") not in scopes
    new = compare_rulesets(before, after, "weaving")
    assert Difference("weaving.closed", "warp", "", "exactly one") in new
    with pytest.raises(UsageError, match=r"neither .* nor .* knows the benchmark 'pottery'"):
        compare_rulesets(before, after, "pottery")


def assert_every_rule_is_named(pages: dict[str, str], book: RuleRepository) -> None:
    """The pages of all rounds hold the ids of their rules; that of the codes holds each code and mistake of form."""
    missing = {
        entry.name: [
            rule.id
            for rule in list_rules(book.load(entry.name))
            if rule.id not in pages[f"{entry.name.replace('/', '-')}.md"]
        ]
        for entry in book.index()
    }
    assert {name: ids for name, ids in missing.items() if ids} == {}
    assert [
        name for name in (*book.vocabulary().codes, *KIND_OF_LABEL) if name not in pages["codes.md"]
    ] == []
    assert all(text.startswith("<!-- Generated") and text.endswith("\n") for text in pages.values())


def test_pages_name_every_rule(folder: RuleFolder, tmp_path: Path) -> None:
    """The pages written for a small usage hold all its rules, and come out the same each time."""
    shipped = ("training", "hpc", "mini", "original", "rcp", "suites")
    shutil.copytree(folder.path, tmp_path / "rules", ignore=shutil.ignore_patterns(*shipped))
    book = RuleRepository(tmp_path / "rules")

    pages = write_pages(book, find_example)

    assert set(pages) == {"index.md", "codes.md", "trial-1.0.0.md", "trial-1.1.0.md"}
    assert_every_rule_is_named(pages, book)
    assert write_pages(book, find_example) == pages


def test_shipped_pages_name_every_rule(project: Path) -> None:
    """The pages in docs hold each rule of each round that ships; `make check` says whether they are current."""
    pages = {path.name: path.read_text("utf-8") for path in (project / "docs" / "rules").iterdir()}

    assert_every_rule_is_named(pages, open_rules())
