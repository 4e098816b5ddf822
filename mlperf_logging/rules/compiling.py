"""Compiling the rule files of a folder, as the build of the package does: one JSON document for each round."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from mlperf_logging.rules.beside import INDEX, RoundData
from mlperf_logging.rules.repository import COMPILED
from mlperf_logging.rules.resolving import Resolver


def compile_rules(resolver: Resolver, target: Path, kinds: Iterable[RoundData]) -> None:
    """Resolve all rounds and write them, their data of some kinds, their index and the vocabulary below ``compiled/``."""
    outlines = resolver.list_outlines()
    rounds = {name: resolver.resolve(name) for name, *_ in outlines}
    written = {"index": outlines, "vocabulary": resolver.vocabulary._asdict(), **rounds}
    for kind in kinds:
        first: dict[str, str] = {}  # by its text, the round that had this data first
        index = {}
        for name in rounds:
            data = kind.resolve(resolver.files, name)
            if not data:
                continue
            index[name] = first.setdefault(_encode(data), name)
            written[f"{kind.folder}/{index[name]}"] = data
        written[f"{kind.folder}/{INDEX}"] = index
    for name, document in written.items():
        path = target / COMPILED / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_encode(document), "utf-8")


def _encode(document: object) -> str:
    return json.dumps(document, separators=(",", ":"), allow_nan=False)
