"""What a log's place in a submission shows: the submitter, which system, how many accelerators it has."""

from __future__ import annotations

import math
import os
from functools import lru_cache
from typing import Any, NamedTuple

from mlperf_logging.parsing.sources import STANDARD_INPUT
from mlperf_logging.runs.evaluations import read_number
from mlperf_logging.runs.folders import describe_folder
from mlperf_logging.runs.side_files import read_side_json


class Place(NamedTuple):
    """What a log's place shows; None where it shows nothing.

    Attributes:
        submitter: name of the submitter.
        system: name of the system.
        nodes: number of its nodes.
        accelerators: number of its accelerators; of its nodes if it has none.
        accelerator_model: name of the accelerator.
        scaling: "strong" or "weak" where the folder says so.
    """

    submitter: str | None = None
    system: str | None = None
    nodes: float | None = None
    accelerators: float | None = None
    accelerator_model: str | None = None
    scaling: str | None = None


def place_log(path: str) -> Place:
    """What a log's place in a submission shows; standard input ("-") has no place."""
    if path == STANDARD_INPUT:
        return Place()
    return _place_folder(os.path.dirname(path) or ".")


@lru_cache(maxsize=4096)
def _place_folder(folder: str) -> Place:
    found = describe_folder(folder, ())
    description = _read_description(found.description) if found.description is not None else {}
    nodes = read_count(description.get("number_of_nodes"))
    each = read_count(description.get("accelerators_per_node"))
    model = description.get("accelerator_model_name")
    return Place(
        submitter=found.submitter,
        system=found.system,
        nodes=nodes,
        accelerators=nodes * max(each, 1) if nodes is not None and each is not None else None,
        accelerator_model=model.strip() or None if isinstance(model, str) else None,
        scaling=found.scaling,
    )


def _read_description(path: str) -> dict[str, Any]:
    """A system description; empty where it cannot be read, which is for the package checker to say."""
    try:
        description = read_side_json(path)
    except (OSError, ValueError):
        return {}
    return description if isinstance(description, dict) else {}


def read_count(value: Any) -> float | None:
    """A number of things, as descriptions write it: a number, or digits as text."""
    number = read_number(value)
    return None if number is None or not 0 <= number < math.inf else float(number)
