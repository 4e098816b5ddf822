"""Where rules come from: rule files are read anew each time, compiled rules say the same, and neither is ever stale."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from checkout import BUNDLED_RULES
from rule_folders import RuleFolder, compile_all, copy_rules

from mlperf_logging.errors import RuleError
from mlperf_logging.rules.repository import RULES_FOLDER, RuleRepository
from mlperf_logging.scoring.rcp.files import load_reference_points

NAME = "trial/1.0.0"


@pytest.fixture
def folder(tmp_path: Path) -> RuleFolder:
    """Rule files that a test may change."""
    return copy_rules(tmp_path / "rules")


@pytest.fixture
def compiled(built: Path, tmp_path: Path) -> Path:
    """The compiled rules, for a test to change."""
    return Path(shutil.copytree(built / BUNDLED_RULES, tmp_path / "compiled_rules"))


def text_of(repository: RuleRepository, rule: str = "knitting.closed.global_batch_size.value") -> str:
    """The text of one rule of the round for tests."""
    (found,) = (each for each in repository.load(NAME).table("closed", "knitting").rules if each.id == rule)
    return found.text


def test_compiled_rules_are_those_of_the_files(built: Path) -> None:
    """Every round, the index, the vocabulary and the reference points are compiled to what the files resolve to."""
    compiled, files = RuleRepository(built / BUNDLED_RULES), RuleRepository()
    assert (compiled.is_compiled, files.is_compiled) == (True, False)

    assert compiled.index() == files.index()
    assert compiled.vocabulary() == files.vocabulary()
    rounds = [entry.name for entry in files.index()]
    assert len(rounds) >= 18
    differing = [
        name
        for name in rounds
        if vars(compiled.load(name))["_resolved"] != vars(files.load(name))["_resolved"]
        or load_reference_points(compiled, name) != load_reference_points(files, name)
    ]
    assert differing == []


def test_edit_of_the_same_size_and_time_is_seen(folder: RuleFolder) -> None:
    """A rule file that changes without changing its size or its time is read anew."""
    file = folder.path / "benchmarks/knitting.yaml"
    before = file.stat()
    assert text_of(folder.book()) == "value > 0"
    folder.edit("benchmarks/knitting.yaml", "value > 0", "value > 7")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert text_of(folder.book()) == "value > 7"


def test_new_and_removed_files_are_seen(folder: RuleFolder) -> None:
    """A round that is added or taken away is known or unknown at once."""
    rounds = folder.book().index()
    folder.write("trial/1.2.0.yaml", "extends: 1.1.0\ntitle: new\n")
    assert {entry.name for entry in folder.book().index()} == {
        "trial/1.2.0",
        *[entry.name for entry in rounds],
    }
    (folder.path / "trial/1.2.0.yaml").unlink()
    assert folder.book().index() == rounds


def test_rule_files_are_read_where_there_are_both(folder: RuleFolder, compiled: Path) -> None:
    """Compiled rules beside rule files, from wherever they came, are not looked at."""
    shutil.copytree(compiled / "compiled", folder.path / "compiled")
    repository = folder.book()
    assert not repository.is_compiled
    assert text_of(repository) == "value > 0"


def test_round_loads_only_what_it_extends(folder: RuleFolder) -> None:
    """A fault in a round that another does not extend is reported when that round is loaded, not before."""
    folder.write_second("common:\n  run_start: loged\n")
    repository = folder.book()
    assert text_of(repository) == "value > 0"
    with pytest.raises(
        RuleError, match=r"trial/1\.1\.0\.yaml:3: rule common\.run_start: cannot read the cell"
    ):
        repository.load("trial/1.1.0")


def test_compiled_rules_cannot_run_code(compiled: Path) -> None:
    """A formula that someone put into the compiled rules is refused when it is compiled to a closure."""
    name = RuleRepository(compiled).index()[-1].name
    file = compiled / "compiled" / f"{name}.json"
    evil = json.dumps(["call", "eval", ["string", "1"]])
    text = file.read_text("utf-8")
    assert '"every",["comparison",["value"],' in text
    start = text.index('"every",["comparison",["value"],') + len('"every",')
    _, length = json.JSONDecoder().raw_decode(text[start:])
    file.write_text(text[:start] + evil + text[start + length :], "utf-8")
    ruleset = RuleRepository(compiled).load(name)
    with pytest.raises(RuleError, match="unknown function 'eval'"):
        compile_all(ruleset)


def test_folder_without_rounds_is_reported(tmp_path: Path) -> None:
    """A folder that holds no round, or does not exist, is reported by name."""
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(RuleError, match=f"there is no round in the folder '{place}'"):
            RuleRepository(place).index()


def test_shipped_rules_are_found() -> None:
    """The rule files that ship with the package are where the package looks for them."""
    assert Path(RULES_FOLDER, "codes.yaml").is_file()
