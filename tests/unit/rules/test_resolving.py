"""Rounds out of rule files: what a file says on top of the round that it extends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rule_folders import RuleFolder, copy_rules, write_round

from mlperf_logging.errors import UsageError
from mlperf_logging.rules.repository import RuleRepository, load_ruleset, open_rules
from mlperf_logging.rules.rule import Rule
from mlperf_logging.rules.rulesets import Ruleset

Round = Callable[..., Ruleset]


@pytest.fixture
def folder(tmp_path: Path) -> RuleFolder:
    """Rule files with a round 1.0.0 and a round 1.1.0 that extends it."""
    return copy_rules(tmp_path / "rules")


def rules_of(
    ruleset: Ruleset,
    division: str | None = None,
    benchmark: str | None = None,
    *variants: str,
    strict: bool = False,
) -> dict[str, Rule]:
    """The rules in force for one kind of run, by id."""
    return {rule.id: rule for rule in ruleset.table(division, benchmark, variants, strict=strict).rules}


def texts_of(ruleset: Ruleset, key: str, *kind: Any) -> list[str]:
    """The texts of one key's rules for one kind of run."""
    return [rule.text for rule in rules_of(ruleset, *kind).values() if rule.key == key]


LAYERED = {
    "text": "common:\n  seed: value > 1\nclosed:\n  seed: value > 2\nopen: {}\n",
    "knitting": (
        "both:\n  seed: value > 3\nclosed:\n  seed: value > 4\n"
        "variants:\n  socks: {when: logged(opt_name), both: {seed: value > 5}, closed: {seed: value > 6}}\n"
    ),
    "weaving": "closed:\n  seed: also value > 7\n",
}


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ((None, None), ["value > 1"]),
        (("open", None), ["value > 1"]),
        (("closed", None), ["value > 2"]),
        (("open", "knitting"), ["value > 3"]),
        (("closed", "knitting"), ["value > 4"]),
        (("open", "knitting", "socks"), ["value > 5"]),
        (("closed", "knitting", "socks"), ["value > 6"]),
        (("closed", "weaving"), ["value > 2", "value > 7"]),
        (("open", "weaving"), ["value > 1"]),
        ((None, "knitting"), ["value > 1"]),
        (("closed", "unknown"), ["value > 2"]),
    ],
)
def test_more_specific_cell_replaces_the_wider(
    kind: tuple[str | None, ...], texts: list[str], small_round: Round
) -> None:
    """Of a key the most specific layer's cell holds; one that begins with "also" adds to it."""
    ruleset = small_round(**LAYERED)
    assert texts_of(ruleset, "seed", *kind) == ["exactly one", *texts]


def test_cell_asks_for_one_event_unless_it_says(small_round: Round) -> None:
    """A cell means exactly one, unless it says how often or adds to a wider cell."""
    ruleset = small_round("common:\n  seed: value\n  opt_name: any number; value\n  max_steps: also value\n")
    assert texts_of(ruleset, "seed") == ["exactly one", "value"]
    assert texts_of(ruleset, "opt_name") == ["any number", "value"]
    assert texts_of(ruleset, "max_steps") == ["value"]


def test_strict_adds_to_every_layer(small_round: Round) -> None:
    """Strict cells add to what holds; how often a key is logged stays as the round says."""
    ruleset = small_round(
        "common:\n  seed: at least one\n"
        "strict:\n  both: {seed: value > 1, opt_name: logged}\n  closed: {seed: value > 2}\n",
        knitting="both: {seed: any number}\nstrict: {both: {seed: value > 3}}\n",
    )
    assert [rule.text for rule in rules_of(ruleset, "closed", strict=True).values()] == [
        "at least one",
        "value > 1",
        "value > 2",
        "exactly one",
    ]
    assert set(rules_of(ruleset, "closed")) == {"common.seed"}
    strict = rules_of(ruleset, "closed", "knitting", strict=True)
    assert [rule.text for rule in strict.values() if rule.key == "seed"] == [
        "any number",
        "value > 1",
        "value > 2",
        "value > 3",
    ]
    assert strict["strict.seed.value"].level == "strict"


def test_ids_come_from_the_place(small_round: Round) -> None:
    """A cell's rules are named by layer, key and kind of clause, and numbered where that is not enough."""
    cell = (
        "value > 1; value < 9; present(meta.x); meta.x > 1; logged(opt_name); state.on; reaches value; "
        "first value; rest value; end count(seed)"
    )
    ruleset = small_round(
        f"state: {{run_start: {{on: true}}}}\ncommon:\n  seed: {cell}\nopen:\n  seed: logged\n",
        knitting="both: {seed: logged}\nclosed: {seed: logged}\n"
        "variants: {socks: {when: value, closed: {seed: logged}}}\nstrict: {open: {seed: value}}\n",
    )
    assert [name.removeprefix("common.seed") for name in rules_of(ruleset)] == [
        "",
        ".value",
        ".value2",
        ".complete",
        ".metadata",
        ".relation",
        ".order",
        ".target",
        ".first",
        ".rest",
        ".end",
    ]
    assert set(rules_of(ruleset, "open")) == {"open.seed"}
    assert set(rules_of(ruleset, "open", "knitting", strict=True)) == {
        "knitting.seed",
        "strict.knitting.open.seed.value",
    }
    assert set(rules_of(ruleset, "closed", "knitting", "socks")) == {"knitting.socks.closed.seed"}


def test_second_round_changes_what_it_says(folder: RuleFolder) -> None:
    """A cell of a later round takes the place of the former, null takes it away, all else stays."""
    folder.write_second(
        "title: Trial 1.1\ncommon:\n  run_start: at least one\n"
        "closed:\n  seed: null\n  opt_name: in {adam, lars}\n"
    )
    ruleset = folder.load()
    assert (ruleset.name, ruleset.title, ruleset.source) == ("trial/1.1.0", "Trial 1.1", "written for tests")
    rules = rules_of(ruleset, "closed", "knitting")
    assert "closed.seed" not in rules
    assert rules["common.run_start"].text == "at least one"
    assert rules["closed.opt_name.value"].text == "in {adam, lars}"
    assert rules["knitting.closed.global_batch_size.value"].text == "value > 0"
    assert "trial-stop-status" in rules


def test_history_is_kept(folder: RuleFolder) -> None:
    """A rule knows which round brought it and which rounds changed it."""
    folder.write_second(
        "common:\n  run_start: at least one\n  run_stop: at least one; state.run_started; value > 1\n"
        "amend:\n  trial-stop-status: {severity: warning}\n"
    )
    folder.write(
        "trial/1.2.0.yaml", "extends: 1.1.0\ncommon:\n  run_start: any number\n  eval_samples: logged\n"
    )
    rules = rules_of(folder.load("trial/1.2.0"), "closed", "knitting")
    first, second, third = "trial/1.0.0", "trial/1.1.0", "trial/1.2.0"
    history = {name: (rules[name].since, tuple(rules[name].changed)) for name in rules}
    assert history["common.run_start"] == (first, (second, third))
    assert history["common.run_stop"] == (first, ())
    assert history["common.run_stop.order"] == (first, ())
    assert history["common.run_stop.value"] == (second, ())
    assert history["trial-stop-status"] == (first, (second,))
    assert history["common.eval_samples"] == (third, ())
    assert history["closed.opt_name.value"] == (first, ())


def test_first_round_is_not_changed_by_the_second(folder: RuleFolder) -> None:
    """Resolving a later round, before or after, leaves the former as its file says."""
    alone = folder.load("trial/1.0.0")
    folder.write_second("closed:\n  seed: null\nchange:\n  knitting:\n    both: {eval_accuracy: logged}\n")
    book = folder.book()
    book.load("trial/1.1.0")
    assert rules_of(book.load("trial/1.0.0"), "closed", "knitting") == rules_of(alone, "closed", "knitting")


def test_record_stays_when_a_cell_of_its_key_changes(folder: RuleFolder) -> None:
    """A cell that changes or goes leaves the records about its key as they are."""
    for cell in ("at least one", "null"):
        folder.write_second(f"common:\n  run_stop: {cell}\n")
        assert "trial-stop-status" in rules_of(folder.load())


def test_record_adds_to_the_cells_of_wider_layers(small_round: Round) -> None:
    """A record in a division or a benchmark replaces no cell."""
    record = (
        "{{id: {0}, key: seed, cell: integer(value), code: MLP304, where: {1}, summary: s, why: w,"
        " pass: [seed=1], fail: [seed=1.5]}}"
    )
    ruleset = small_round(
        f"common:\n  seed: value > 0\nrules:\n  - {record.format('whole', 'open')}\n",
        knitting=f"rules:\n  - {record.format('knit-whole', 'closed')}\n",
    )
    assert set(rules_of(ruleset, "open")) == {"common.seed", "common.seed.value", "whole"}
    assert set(rules_of(ruleset, "closed", "knitting")) == {"common.seed", "common.seed.value", "knit-whole"}
    assert set(rules_of(ruleset, "closed")) == {"common.seed", "common.seed.value"}


def test_record_can_be_amended_and_dropped(folder: RuleFolder) -> None:
    """A record changes field by field, and goes when it is dropped."""
    folder.write_second(
        "amend:\n  trial-stop-status: {cell: 'meta.status == \"success\"', severity: warning, code: MLP408}\n"
    )
    rule = rules_of(folder.load())["trial-stop-status"]
    assert (rule.text, rule.severity, rule.code) == ('meta.status == "success"', "warning", "MLP408")
    assert rule.summary == "run_stop says how the run ended"
    folder.write_second("drop: [trial-stop-status]\n")
    assert "trial-stop-status" not in rules_of(folder.load())
    assert "common.run_stop" in rules_of(folder.load())


def test_cell_rule_can_be_amended_by_its_id(folder: RuleFolder) -> None:
    """Rules of cells can be amended too, for example to a warning."""
    folder.write_second("amend:\n  closed.seed: {severity: warning}\n")
    rule = rules_of(folder.load(), "closed")["closed.seed"]
    assert (rule.severity, rule.text, tuple(rule.changed)) == ("warning", "exactly one", ("trial/1.1.0",))


def test_open_as_closed(small_round: Round) -> None:
    """A benchmark's open division may be declared to be like its closed one, under its own ids."""
    ruleset = small_round(
        "closed: {seed: any number}\n", knitting="closed:\n  opt_name: == 1\nopen: as closed\n"
    )
    assert set(rules_of(ruleset, "open", "knitting")) == {
        "knitting.open.opt_name",
        "knitting.open.opt_name.value",
    }
    assert "knitting.closed.opt_name" in rules_of(ruleset, "closed", "knitting")


def test_benchmark_extends_another(folder: RuleFolder) -> None:
    """A benchmark may start from another's tables, under its own name; records keep their ids."""
    folder.edit(
        "benchmarks/knitting.yaml",
        "area: Handicraft\n",
        "area: Handicraft\nrules:\n  - {id: stitch-size, key: stitch, cell: value > 1, code: MLP304,"
        " summary: s, why: w, pass: [stitch=2], fail: [stitch=1]}\n",
    )
    folder.write(
        "benchmarks/crochet.yaml",
        "benchmark: crochet\nextends: knitting\nmodel: Hook\n"
        "closed:\n  global_batch_size: value > 8\n  hook: logged\n",
    )
    folder.write_second("benchmarks:\n  remove: [knitting]\n  add: [crochet]\n")
    ruleset = folder.load()
    assert ruleset.benchmarks == ("crochet",)
    rules = rules_of(ruleset, "closed", "crochet", "socks", strict=True)
    assert {
        "crochet.eval_accuracy",
        "crochet.closed.global_batch_size.value",
        "crochet.closed.hook",
        "stitch-size",
        "crochet.socks.closed.opt_momentum",
        "strict.crochet.closed.global_batch_size.value",
    } <= set(rules)
    assert not [name for name in rules if "knitting" in name]
    assert rules["crochet.closed.global_batch_size.value"].text == "value > 8"
    assert (ruleset.facts("crochet")["model"], ruleset.facts("crochet").get("area")) == ("Hook", None)


def test_removed_benchmark_is_gone(folder: RuleFolder) -> None:
    """A round knows no benchmark that it or a round before has removed; removing all is possible."""
    folder.write("benchmarks/weaving.yaml", "benchmark: weaving\n")
    folder.write_second("benchmarks:\n  remove: all\n  add: [weaving]\n")
    ruleset = folder.load()
    assert ruleset.benchmarks == ("weaving",)
    assert not [name for name in rules_of(ruleset, "closed", "knitting") if name.startswith("knitting")]


def test_round_extends_one_of_another_usage(folder: RuleFolder) -> None:
    """A usage may start from a round of another."""
    folder.write("other/1.0.0.yaml", "extends: trial/1.0.0\ntitle: Other\nclosed:\n  seed: at least one\n")
    ruleset = folder.load("other/1.0.0")
    assert rules_of(ruleset, "closed")["closed.seed"].text == "at least one"
    assert (ruleset.usage, ruleset.round) == ("other", "1.0.0")


def test_list_of_benchmarks_is_that_of_the_round(folder: RuleFolder) -> None:
    """A rule on the round's benchmarks follows the round's list without being restated."""
    folder.edit("trial/1.0.0.yaml", "common:\n", "common:\n  submission_benchmark: in benchmarks\n")
    folder.write("benchmarks/weaving.yaml", "benchmark: weaving\n")
    folder.write_second("benchmarks:\n  add: [weaving]\n")
    for name, known in (("trial/1.0.0", ["knitting"]), ("trial/1.1.0", ["knitting", "weaving"])):
        rule = rules_of(folder.load(name))["common.submission_benchmark.value"]
        assert rule.node[2:] == [["string", benchmark] for benchmark in known]


def test_state_joins_and_lists_are_inherited(folder: RuleFolder) -> None:
    """State words, joins and lists of the former round hold until they are changed."""
    folder.edit(
        "benchmarks/knitting.yaml",
        "closed:\n  global",
        "join: {key: pair, of: eval_accuracy, by: step, name: metric}\nclosed:\n  global",
    )
    folder.write_second(
        "state:\n  run_stop: {run_stopped: true}\nchange:\n  knitting:\n    join: {by: samples}\n"
        "    lists: {yarn: [wool]}\n    closed:\n"
        "      weights_initialization: each meta.tensor once in stitches\n"
    )
    ruleset = folder.load()
    assert set(ruleset.state.on) == {"run_start", "run_stop"}
    assert ruleset.join("knitting") == {
        "key": "pair",
        "of": "eval_accuracy",
        "by": "samples",
        "name": "metric",
    }
    rule = rules_of(ruleset, "closed", "knitting")["knitting.closed.weights_initialization.names"]
    assert len(rule.node[3]) == 6


def test_facts_of_a_benchmark(folder: RuleFolder) -> None:
    """Area, data, model and runs of a benchmark can be asked for."""
    assert folder.load("trial/1.0.0").facts("knitting") == {
        "area": "Handicraft",
        "runs": {"required": 5, "dropped_each_side": 1, "non_converged_allowed": 1},
    }
    facts = open_rules().load("training/1.0.0").facts("unet3d")
    assert facts["runs"] == {"required": 40, "dropped_each_side": 4, "non_converged_allowed": 4}


def test_tables_are_shared(small_round: Round) -> None:
    """The compiled rules of one kind of run are made once and shared by all logs of that kind."""
    ruleset = small_round("common:\n  seed: logged\nopen: {seed: any number}\n")
    assert ruleset.table("closed", None) is ruleset.table("closed", None)
    assert ruleset.table("closed", None) is not ruleset.table("open", None)


def test_unknown_round_is_refused(tmp_path: Path) -> None:
    """A round that does not exist is the caller's mistake; the message lists those that there are."""
    write_round(tmp_path, "common: {}\n")
    with pytest.raises(
        UsageError, match=r"unknown ruleset 'trial/2\.0\.0'; the newest known round of trial is 1\.0\.0"
    ):
        load_ruleset("trial/2.0.0", rules=tmp_path)


def test_book_is_opened_once(tmp_path: Path) -> None:
    """Within a process a folder's rule book is opened once, and a round loaded once."""
    write_round(tmp_path, "common: {}\n")
    book = open_rules(tmp_path)
    assert open_rules(str(tmp_path)) is book
    assert book.load("trial/1.0.0") is load_ruleset("trial/1.0.0", rules=tmp_path)
    assert isinstance(book, RuleRepository)


def test_progress_is_kept_and_may_be_changed(folder: RuleFolder) -> None:
    """What ``epoch_num`` counts goes from round to round; saying it again is refused, saying another is a change."""
    counting = "change:\n  knitting:\n    progress: {counts: samples, from: 50}\n"
    folder.write_second(counting)
    folder.write("trial/1.2.0.yaml", "extends: 1.1.0\n")
    folder.write("trial/1.3.0.yaml", f"extends: 1.2.0\n{counting.replace('50', '60')}")
    folder.write("trial/1.4.0.yaml", f"extends: 1.2.0\n{counting}")

    assert folder.load("trial/1.2.0").facts("knitting")["progress"] == {"counts": "samples", "from": 50}
    assert folder.load("trial/1.3.0").facts("knitting")["progress"]["from"] == 60
    assert "'progress' repeats what the extended round says" in str(folder.refuse("trial/1.4.0"))
