"""What tests of system descriptions share: a good one, and changes to it in the notation of the codes' examples."""

from __future__ import annotations

import json
from pathlib import Path

from mlperf_logging.rules.examples import read_events
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.runs.run import Run, RunNotes
from mlperf_logging.submission.description_fields import load_description_fields

ROUND = open_rules().index()[-1].name if open_rules().index()[-1].usage == "training" else ""
NEWEST = ROUND or [entry.name for entry in open_rules().index() if entry.usage == "training"][-1]
GOOD = {
    "division": "closed",
    "status": "Available on-premise",
    "number_of_nodes": "1",
    "host_processors_per_node": "2",
    "accelerators_per_node": "8",
    "accelerator_model_name": "NVIDIA H100-SXM5-80GB",
}


def make_description() -> dict[str, str]:
    """A description without a fault: all required fields of the newest round of training."""
    fields = load_description_fields(open_rules(), NEWEST).fields.values()
    return {field.name: GOOD.get(field.name, "stated") for field in fields if not field.optional}


def write_example(path: Path, example: str) -> list[Run]:
    """Write the description that an example means; gives the runs that it adds."""
    text, closing, rest = example.partition("} ") if example.startswith("{") else ("", "", example)
    if not closing and not example.startswith("without"):
        text, rest = example, ""
    if example[:1] in '["' and not closing:
        path.write_text(example, "utf-8")
        return []
    inner = text.strip().removeprefix("{").removesuffix("}")
    dropped = rest.removeprefix("without ") if rest.startswith("without") else ""
    kept = {
        name: value
        for name, value in make_description().items()
        if name != dropped and f'"{name}"' not in inner
    }
    others = json.dumps(kept, indent=1).strip("{}")
    path.write_text("{" + (f"{inner}," if inner else "") + others + "}", "utf-8")
    return [make_run(rest)] if rest and not dropped else []


def make_run(*notation: str) -> Run:
    """A run whose log holds some events, in short notation."""
    events = read_events(notation)
    notes = RunNotes()
    notes.note(events)
    return notes.make_run("result_0.txt", None, {event.key: event for event in events})
