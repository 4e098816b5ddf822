"""The vocabulary: all public names, with their texts."""

from __future__ import annotations

import csv
from pathlib import Path

from mlperf_logging.mllog import constants


def test_all_public_constants_are_offered(shared: Path) -> None:
    """Each constant of the public API is there under its name and with its text."""
    with (shared / "facts" / "constants.csv").open(newline="") as file:
        wanted = {row["name"]: row["value"] for row in csv.DictReader(file)}
    assert wanted.items() <= vars(constants).items()


def test_names_are_unique() -> None:
    """No name is given twice: the number of assignments is the number of names."""
    source = Path(constants.__file__).read_text()
    names = [line.split(" = ")[0] for line in source.splitlines() if " = " in line]
    assert len(names) == len(set(names)) > 150
