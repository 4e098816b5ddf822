"""Compiling the rule files of a folder, as the build of the package does: one JSON document for each round."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlperf_logging.rules.repository import COMPILED
from mlperf_logging.rules.resolving import Resolver


def compile_rules(resolver: Resolver, target: Path, documents: dict[str, Any]) -> None:
    """Resolve all rounds and write them, their index and the vocabulary below ``compiled/``."""
    outlines = resolver.list_outlines()
    rounds = {name: resolver.resolve(name) for name, *_ in outlines}
    written = {"index": outlines, "vocabulary": resolver.vocabulary._asdict(), **rounds, **documents}
    for name, document in written.items():
        path = target / COMPILED / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, separators=(",", ":"), allow_nan=False), "utf-8")
