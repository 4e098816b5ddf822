"""The cache of resolved rules: never stale, never in the way, and nothing that could run code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rule_folders import RuleFolder, copy_rules

from mlperf_logging.errors import RuleError
from mlperf_logging.rules import cache
from mlperf_logging.rules.cache import RuleStore, cache_folder
from mlperf_logging.rules.rulesets import RULES_FOLDER, Ruleset

NAME = "trial/1.0.0"


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, in use."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("MLPERF_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(params=["fresh", "settled"])
def folder(
    tmp_path: Path, kept: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> RuleFolder:
    """Rule files that a test may change: told apart by their contents, or by their times as after a while."""
    if request.param == "settled":
        monkeypatch.setattr(cache, "_SETTLED_NS", -(10**18))
    return copy_rules(tmp_path / "rules")


def text_of(ruleset: Ruleset, rule: str = "knitting.closed.global_batch_size.value") -> str:
    """The text of one rule of the round for tests."""
    (found,) = (each for each in ruleset.table("closed", "knitting").rules if each.id == rule)
    return found.text


def test_second_reading_is_from_the_cache(
    folder: RuleFolder, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once resolved, a round is read without resolving anything."""
    first = folder.load(NAME)
    assert [file.name.partition("-")[0] for file in kept.iterdir()] == ["trial"]
    monkeypatch.setattr(RuleStore, "_resolver", lambda _: pytest.fail("was resolved again"))
    second = folder.load(NAME)
    assert text_of(second) == text_of(first) == "value > 0"


def test_cached_round_equals_the_resolved_one(folder: RuleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes out of the cache is what went in, for every kind of reading."""
    store = RuleStore(str(folder.path))
    written = store.resolved(NAME), store.index(), store.vocabulary()
    again = RuleStore(str(folder.path))
    assert (again.resolved(NAME), again.index(), again.vocabulary()) == written
    monkeypatch.setenv("MLPERF_CACHE_DIR", "")
    without = RuleStore(str(folder.path))
    assert (without.resolved(NAME), without.index(), without.vocabulary()) == written


def test_edit_of_the_same_size_and_time_is_seen(folder: RuleFolder) -> None:
    """A rule file that changes without changing its size or its time is read anew."""
    file = folder.path / "benchmarks/knitting.yaml"
    before = file.stat()
    assert text_of(folder.load(NAME)) == "value > 0"
    folder.edit("benchmarks/knitting.yaml", "value > 0", "value > 7")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert text_of(folder.load(NAME)) == "value > 7"
    folder.edit("benchmarks/knitting.yaml", "value > 7", "value > 0")
    assert text_of(folder.load(NAME)) == "value > 0"


def test_new_and_removed_files_are_seen(folder: RuleFolder) -> None:
    """A round that is added or taken away is known or unknown at once."""
    rounds = [name for name, *_ in RuleStore(str(folder.path)).index()]
    folder.write("trial/1.2.0.yaml", "extends: 1.1.0\ntitle: new\n")
    assert {name for name, *_ in RuleStore(str(folder.path)).index()} - set(rounds) == {"trial/1.2.0"}
    (folder.path / "trial/1.2.0.yaml").unlink()
    assert [name for name, *_ in RuleStore(str(folder.path)).index()] == rounds


def test_files_of_the_last_seconds_are_told_apart_by_contents(folder: RuleFolder) -> None:
    """Two edits that share every time and size are told apart while the files are fresh."""
    seen = set()
    for number in range(50):
        folder.write("benchmarks/knitting.yaml", f"benchmark: knitting\narea: {number:03}\n")
        seen.add(RuleStore(str(folder.path)).digest())
    if cache._SETTLED_NS > 0:
        assert len(seen) == 50
    folder.write("benchmarks/knitting.yaml", "benchmark: knitting\n")
    assert RuleStore(str(folder.path)).digest() not in seen


def test_untouched_files_keep_their_digest(folder: RuleFolder) -> None:
    """As long as nothing is touched, the cache is found again."""
    assert len({RuleStore(str(folder.path)).digest() for _ in range(3)}) == 1


def test_digest_of_settled_files_reads_none(folder: RuleFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that have not changed for a while are told apart without being read."""
    monkeypatch.setattr(cache, "_SETTLED_NS", -(10**18))
    monkeypatch.setattr("builtins.open", lambda *_, **__: pytest.fail("a file was read"))
    assert RuleStore(str(folder.path)).digest()


def test_renamed_file_is_seen(folder: RuleFolder) -> None:
    """The place of a rule file counts as well as what it holds."""
    digest = RuleStore(str(folder.path)).digest()
    (folder.path / "trial/1.1.0.yaml").rename(folder.path / "trial/1.3.0.yaml")
    assert RuleStore(str(folder.path)).digest() != digest


def test_new_code_does_not_read_what_old_code_wrote(
    folder: RuleFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code that resolves rules is part of the cache's names."""
    digest = RuleStore(str(folder.path)).digest()
    monkeypatch.setattr(cache, "_CODE", cache._CODE[1:])
    assert RuleStore(str(folder.path)).digest() != digest


def test_every_file_that_resolves_rules_is_part_of_the_digest(project: Path) -> None:
    """What resolving imports from the package's own folder is in the list of hashed code."""
    package = project / "mlperf_logging" / "rules"
    seen, waiting = {"cache.py"}, ["resolving.py", "binding.py"]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            for line in (package / name).read_text().splitlines():
                if line.startswith(("from mlperf_logging.rules.", "from mlperf_logging.rules import")):
                    words = line.removeprefix("from mlperf_logging.rules").split()
                    modules = (
                        [words[0][1:]]
                        if words[0].startswith(".")
                        else [word.strip(",") for word in words[1:]]
                    )
                    waiting += [f"{module}.py" for module in modules]
    assert seen <= {*cache._CODE}


@pytest.mark.parametrize("content", [b"", b"{", b'{"name": "tri', b"\x80\x04\x95", b"\xff\xfe", b"[" * 50])
def test_torn_cache_file_is_replaced(content: bytes, folder: RuleFolder, kept: Path) -> None:
    """A cache file that is no JSON is as good as none, and is written anew."""
    folder.load(NAME)
    (file,) = kept.iterdir()
    whole = file.read_bytes()
    file.write_bytes(content)
    assert text_of(folder.load(NAME)) == "value > 0"
    assert file.read_bytes() == whole


def test_cache_is_json_with_known_names_only(folder: RuleFolder, kept: Path) -> None:
    """The cache holds plain JSON, and a formula that someone put into it is refused when it is compiled."""
    folder.load(NAME)
    (file,) = kept.iterdir()
    content = json.loads(file.read_text())
    rules = content["tables"]["knitting"]["closed"]["global_batch_size"][1]
    rules[1][4] = ["call", "eval", ["string", "1"]]
    file.write_text(json.dumps(content))
    with pytest.raises(RuleError, match="there is no function 'eval'"):
        text_of(folder.load(NAME))


@pytest.mark.parametrize(
    "kind", ["a file", "below a file", "not writable", "a folder in the place of the file"]
)
def test_cache_that_cannot_be_written_is_no_error(
    kind: str, folder: RuleFolder, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be kept, rules are resolved each time."""
    if kind == "a file":
        kept.write_text("not a folder")
    elif kind == "below a file":
        kept.write_text("not a folder")
        monkeypatch.setenv("MLPERF_CACHE_DIR", str(kept / "below"))
    elif kind == "not writable":
        if not os.geteuid():
            monkeypatch.setenv("MLPERF_CACHE_DIR", "/proc/nowhere")
        else:
            kept.mkdir(mode=0o500)
    else:
        digest = RuleStore(str(folder.path)).digest()
        (kept / f"trial-1.0.0-{digest}.json").mkdir(parents=True)
    for _ in range(2):
        assert text_of(folder.load(NAME)) == "value > 0"


def test_no_half_written_file_stays(folder: RuleFolder, kept: Path) -> None:
    """Cache files are renamed into place, so that nothing temporary is left beside them."""
    folder.load(NAME)
    folder.book().index()
    assert {file.suffix for file in kept.iterdir()} == {".json"}


def test_empty_setting_turns_the_cache_off(
    folder: RuleFolder, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With MLPERF_CACHE_DIR set to nothing, nothing is written."""
    monkeypatch.setenv("MLPERF_CACHE_DIR", "")
    monkeypatch.setenv("HOME", str(kept))
    monkeypatch.setenv("XDG_CACHE_HOME", str(kept))
    assert text_of(folder.load(NAME)) == "value > 0"
    assert not kept.exists()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"MLPERF_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/mlperf_logging"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/mlperf_logging"),
        ({"HOME": "/h"}, "/h/.cache/mlperf_logging"),
        ({"MLPERF_CACHE_DIR": "", "HOME": "/h"}, None),
        ({}, None),
    ],
)
def test_place_of_the_cache(
    settings: dict[str, str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache is where its own setting says, else where the system keeps caches, else nowhere."""
    for name in ("MLPERF_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == expected


@pytest.mark.parametrize("setting", ["kept", ""])
def test_missing_folder_of_rules_is_told(
    setting: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of rule files that does not exist is told by name."""
    monkeypatch.setenv("MLPERF_CACHE_DIR", setting and str(tmp_path / setting))
    with pytest.raises(RuleError, match="cannot read the rule file") as caught:
        RuleStore(str(tmp_path / "nowhere")).index()
    assert "No such file or directory" in str(caught.value)


def test_shipped_rules_are_found() -> None:
    """The rule files that ship with the package are where the package looks for them."""
    assert len(RuleStore(RULES_FOLDER).index()) >= 18
