"""Rounds as differences: what resolving gives is what applying the differences by hand gives."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlperf_logging.errors import RuleError
from mlperf_logging.rules.codes import Vocabulary
from mlperf_logging.rules.files import RuleFiles
from mlperf_logging.rules.resolved import LAYER_NAMES, ResolvedRuleset
from mlperf_logging.rules.resolving import Resolver
from mlperf_logging.rules.rulesets import Ruleset, merge_layers

CELLS = {
    "logged": [("", "exactly one")],
    "at least one": [("", "at least one")],
    "value > 1": [("", "exactly one"), (".value", "value > 1")],
    "value > 2": [("", "exactly one"), (".value", "value > 2")],
    "at least one; value > 2; meta.x": [
        ("", "at least one"),
        (".value", "value > 2"),
        (".metadata", "meta.x"),
    ],
    "any number; reaches value > 3": [("", "any number"), (".target", "value > 3")],
    "also value > 4": [(".value", "value > 4")],
    "also first value > 4": [(".first", "value > 4")],
}
"""Cells to choose from, and the rules that each states: suffix of the id and text."""

LAYERS = ("common", "closed", "open", "knitting", "knitting.closed", "knitting.open")
KEYS = ("seed", "opt_name", "run_start")

Place = tuple[str, str]
Delta = dict[Place, str | None]
History = dict[str, tuple[str, tuple[str, ...]]]

places = st.tuples(st.sampled_from(LAYERS), st.sampled_from(KEYS))
deltas = st.dictionaries(places, st.one_of(st.none(), st.sampled_from(sorted(CELLS))), max_size=6)


def make_effective(delta: Delta, current: dict[Place, str]) -> Delta:
    """The part of a difference that changes something, since a rule file may hold no other."""
    return {
        place: cell
        for place, cell in delta.items()
        if cell != current.get(place, None if cell is None else "")
    }


def apply_by_hand(rounds: list[Delta]) -> tuple[list[Delta], dict[Place, str], dict[Place, History]]:
    """The differences as they can be written, and the cells and histories after the last."""
    current: dict[Place, str] = {}
    histories: dict[Place, History] = {}
    written = []
    for number, delta in enumerate(rounds):
        name = f"craft/{number}.0.0"
        effective = make_effective(delta, current)
        written.append(effective)
        for place, cell in effective.items():
            if cell is None:
                del current[place], histories[place]
                continue
            before, texts = histories.get(place, {}), dict(CELLS[current[place]]) if place in current else {}
            history: History = {}
            for suffix, text in CELLS[cell]:
                since, changed = before.get(suffix, (name, ()))
                renewed = suffix in before and texts[suffix] != text
                history[suffix] = since, (*changed, name) if renewed else changed
            current[place], histories[place] = cell, history
    return written, current, histories


def write_files(folder: Path, rounds: list[Delta], shuffle: random.Random) -> None:
    """Rule files of the rounds, the cells of each layer in any order."""
    (folder / "codes.yaml").write_text("MLP101: {title: t, text: x}\n")
    (folder / "keys.yaml").write_text("lifecycle: {run_start: The clock starts.}\n")
    (folder / "craft").mkdir()
    for number, delta in enumerate(rounds):
        record: dict[str, Any] = {"dialect": "mllog"} if number == 0 else {"extends": f"{number - 1}.0.0"}
        table: dict[str, Any] = {}
        items = list(delta.items())
        shuffle.shuffle(items)
        for (layer, key), cell in items:
            if layer.startswith("knitting"):
                table.setdefault(layer.partition(".")[2] or "both", {})[key] = cell
            else:
                record.setdefault(layer, {})[key] = cell
        record["tables" if number == 0 else "change"] = {"knitting": table}
        entries = list(record.items())
        shuffle.shuffle(entries)
        (folder / f"craft/{number}.0.0.yaml").write_text(json.dumps(dict(entries)))


def read_layers(draft: ResolvedRuleset) -> dict[Place, tuple[list[tuple[str, str]], History]]:
    """What each layer of a resolved round says of each key, with the history of each rule."""
    rules = draft.benchmarks["knitting"]
    parts = {
        **dict(zip(("common", "closed", "open"), draft.layers, strict=True)),
        **{
            f"knitting.{name}".removesuffix(".both"): layer
            for name, layer in zip(LAYER_NAMES, rules.layers, strict=True)
        },
    }
    found = {}
    for layer, layer_cells in parts.items():
        for key, cell in layer_cells.items():
            suffixes = [rule.id.removeprefix(f"{layer}.{key}") for rule in cell.rules]
            texts = [(suffix, rule.text) for suffix, rule in zip(suffixes, cell.rules, strict=True)]
            history = {
                suffix: (rule.since, rule.changed) for suffix, rule in zip(suffixes, cell.rules, strict=True)
            }
            found[layer, key] = texts, history
    return found


def merge_by_hand(cells: dict[Place, str], division: str) -> dict[str, list[str]]:
    """The texts in force for one division of the benchmark."""
    merged: dict[str, list[str]] = {}
    for layer in ("common", division, "knitting", f"knitting.{division}"):
        for key in KEYS:
            cell = cells.get((layer, key))
            if cell is not None:
                clauses = [(suffix in {".target", ".first"}, text) for suffix, text in CELLS[cell]]
                texts = [
                    f"{suffix} {text}" for (_, text), (suffix, _) in zip(clauses, CELLS[cell], strict=True)
                ]
                if not cell.startswith("also"):
                    merged[key] = texts
                else:
                    merged[key] = merged.get(key, []) + [
                        text for text in texts if text not in merged.get(key, [])
                    ]
    return merged


@given(st.lists(deltas, min_size=1, max_size=4), st.randoms())
def test_resolving_applies_the_differences(rounds: list[Delta], shuffle: random.Random) -> None:
    """Cells, their histories and the merged tables of the last round are those that the differences make."""
    written, cells, histories = apply_by_hand(rounds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, written, shuffle)
        resolver = Resolver(RuleFiles(folder))
        names = resolver.list_rulesets()
        assert names == [f"craft/{number}.0.0" for number in range(len(rounds))]
        asked = list(names)
        shuffle.shuffle(asked)
        drafts = {name: resolver.resolve(name) for name in asked}
        draft = drafts[names[-1]]
        vocabulary = Vocabulary.load(RuleFiles(folder))
    layers = read_layers(draft)
    assert layers == {place: (CELLS[cell], histories[place]) for place, cell in cells.items()}
    ruleset = Ruleset(ResolvedRuleset.from_json(json.loads(json.dumps(draft))), lambda: vocabulary)
    for division in ("closed", "open") if ruleset.has_divisions else ():
        merged = merge_layers(ruleset.layers(division, "knitting"), None)
        stated = {
            key: [f"{rule.id.rpartition(key)[2]} {rule.text}" for rule in rules]
            for key, rules in merged.items()
        }
        assert stated == merge_by_hand(cells, division)


@given(st.lists(deltas, min_size=2, max_size=4), st.randoms(), st.data())
def test_difference_that_changes_nothing_is_refused(
    rounds: list[Delta], shuffle: random.Random, data: st.DataObject
) -> None:
    """To say again what holds already, or to take away what is not there, is an error at that line."""
    written, cells, _ = apply_by_hand(rounds)
    place = data.draw(places)
    written.append({place: cells.get(place)})
    with tempfile.TemporaryDirectory() as name:
        write_files(Path(name), written, shuffle)
        with pytest.raises(RuleError, match=r"repeats|does not mention") as caught:
            Resolver(RuleFiles(name)).resolve(f"craft/{len(written) - 1}.0.0")
    assert caught.value.path == f"craft/{len(written) - 1}.0.0.yaml"
    assert repr(place[1]) in str(caught.value)
