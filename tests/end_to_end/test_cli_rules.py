"""`mlperf rules`, on the rules that ship with the package."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from rule_folders import FIRST, KNITTING, RULES_FOLDER, RuleFolder

from mlperf_logging.cli.check import main as check
from mlperf_logging.cli.main import main
from mlperf_logging.rules.pages import HEADER
from mlperf_logging.rules.repository import open_rules


@pytest.fixture
def ask(capsys):
    """Runs `mlperf rules` and gives exit code, output and error text."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(["rules", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture(scope="module")
def rounds():
    """The rounds that the package knows."""
    return open_rules().index()


def test_list_names_every_round(ask, rounds):
    """The list holds every round with its dialect and benchmarks, as text and as JSON."""
    code, out, _ = ask("list")
    assert code == 0
    assert all(entry.name in out for entry in rounds)
    answer = json.loads(ask("list", "--format", "json")[1])
    assert answer["schema"] == "mlperf-rules/1"
    assert [entry["name"] for entry in answer["rulesets"]] == [entry.name for entry in rounds]


def test_show_is_the_table_of_the_newest_round(ask, rounds):
    """Without a round, the table is that of the newest that knows the benchmark, closed division."""
    benchmark = rounds[-1].benchmarks[0]
    answer = json.loads(ask("show", benchmark, "--format", "json")[1])
    assert (answer["ruleset"], answer["division"]) == (rounds[-1].name, "closed")
    assert {"run_start", "run_stop"} <= {row["key"] for row in answer["keys"]}
    _, out, _ = ask("show", benchmark)
    assert all(row["key"].partition("|")[0] in out for row in answer["keys"])


def test_show_of_a_named_round_and_division(ask, rounds):
    """A round and a division that are named are those that are shown, and they differ."""
    entry = rounds[-2]
    arguments = (
        "show",
        entry.benchmarks[0],
        "--ruleset",
        entry.round,
        "--usage",
        entry.usage,
        "--format",
        "json",
    )
    closed = json.loads(ask(*arguments)[1])
    opened = json.loads(ask(*arguments, "--division", "open")[1])
    assert closed["ruleset"] == opened["ruleset"] == entry.name
    assert closed["keys"] != opened["keys"]


def test_explain_a_code_and_a_rule(ask):
    """A code is explained with its rules, a rule with its examples; `--explain` says the same."""
    answer = json.loads(ask("explain", "MLP304", "--format", "json")[1])["explanation"]
    assert answer["title"]
    rule = answer["rules"][0]
    code, out, _ = ask("explain", rule)
    assert code == 0
    assert out.startswith(f"{rule} (MLP304): ")
    assert "\npasses:\n" in out
    assert "\nfails:\n" in out


def test_explain_in_mlperf_check(ask, capsys):
    """`mlperf-check --explain` prints what `mlperf rules explain` prints."""
    _, out, _ = ask("explain", "MLP101")
    assert check(["--explain", "MLP101"]) == 0
    assert capsys.readouterr().out == out


def test_list_rules_in_mlperf_check(capsys, rounds):
    """`mlperf-check --list-rules` lists the newest rounds' rules, or those of the round that is named."""
    assert check(["--list-rules", "--format", "json"]) == 0
    newest = json.loads(capsys.readouterr().out)
    assert rounds[-1].name in newest["rulesets"]
    assert all(rule["rule"] and rule["code"].startswith("MLP") and rule["wants"] for rule in newest["rules"])
    assert check(["--list-rules", "--ruleset", rounds[-3].name, "--format", "json"]) == 0
    older = json.loads(capsys.readouterr().out)
    assert older["rulesets"] == [rounds[-3].name]
    assert older["rules"] != newest["rules"]
    assert check(["--list-rules"]) == 0
    assert newest["rules"][0]["rule"] in capsys.readouterr().out


def test_diff_between_rounds(ask, rounds):
    """What two rounds differ in is listed; a round does not differ from itself."""
    before, after = rounds[-2].name, rounds[-1].name
    answer = json.loads(ask("diff", before, after, "--format", "json")[1])
    gone = set(rounds[-2].benchmarks) - set(rounds[-1].benchmarks)
    assert gone <= {each["scope"] for each in answer["differences"]}
    assert json.loads(ask("diff", before, before, "--format", "json")[1])["differences"] == []
    _, out, _ = ask("diff", before, after)
    assert f"from {before} to {after}" in out


def test_pages_are_written_and_found_stale(ask, tmp_path):
    """The catalogue is written once; a changed, missing or left-over page makes it stale."""
    rules, folder = tmp_path / "rules", tmp_path / "pages"
    rules.mkdir()
    written = RuleFolder(rules)
    written.write("trial/1.0.0.yaml", FIRST)
    written.write("benchmarks/knitting.yaml", KNITTING)
    for vocabulary in ("codes.yaml", "keys.yaml"):
        shutil.copy(Path(RULES_FOLDER) / vocabulary, rules)
    where = ["docs", str(folder), "--rules", str(rules)]
    assert ask(*where, "--check")[0] == 1
    assert ask(*where)[0] == 0
    assert ask(*where, "--check") == (0, "", "")
    (folder / "index.md").write_text(f"{HEADER}old")
    (folder / "stray.md").write_text(HEADER)
    code, _, err = ask(*where, "--check")
    assert code == 1
    assert "index.md is stale" in err
    assert "stray.md is stale" in err
    assert err.count("is stale") == 2
    assert ask(*where)[0] == 0
    assert ask(*where, "--check") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "QUESTION"),
        (["shwo"], "shwo"),
        (["show"], "BENCHMARK"),
        (["show", "zzzz"], "no round knows the benchmark 'zzzz'"),
        (["explain", "MLP999"], "unknown code or rule 'MLP999'"),
        (["diff", "1.0.0", "99"], "99"),
        (["list", "--rules", "no/such/folder"], "no/such/folder"),
        (["list", "--frmat", "json"], "--frmat"),
    ],
    ids=lambda value: None,
)
def test_mistakes_are_one_sentence(ask, arguments, word):
    """A wrong question is one line on the error stream and exit code 2."""
    code, out, err = ask(*arguments)
    assert (code, out) == (2, "")
    assert word in err
    assert err.count("\n") == 1
