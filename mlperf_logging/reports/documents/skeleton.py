"""The answer of `mlperf package init`: what was made, and what is left for a person to fill in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlperf_logging.submission.skeleton import list_marked
from mlperf_logging.tables import FLAG, PROSE, TEXT, Column, Document, make_table

if TYPE_CHECKING:
    from mlperf_logging.submission.description_fields import DescriptionFields
    from mlperf_logging.submission.skeleton import Skeleton

_COLUMNS = (
    Column("field", TEXT, "field of the system description", priority=0),
    Column("value", PROSE, "what the description says", priority=0),
    Column("to_fill_in", FLAG, "whether a person has to fill it in"),
    Column("meaning", PROSE, "what the field means"),
)


def describe_skeleton(
    skeleton: Skeleton, schema: DescriptionFields, made: Sequence[str], ruleset: str
) -> Document:
    """The fields of the description, those to be filled in last, and the files and folders that were made."""
    marked = list_marked(skeleton.description)
    records = [
        {
            "field": name,
            "value": "; ".join(f"{key} {each}" for key, each in value.items())
            if isinstance(value, dict)
            else value,
            "to_fill_in": name in marked,
            "meaning": schema.fields[name].meaning,
        }
        for name, value in skeleton.description.items()
    ]
    records.sort(key=lambda record: bool(record["to_fill_in"]))
    fields = {
        "ruleset": ruleset,
        "system": skeleton.system,
        "made": list(made),
        "description": skeleton.description,
    }
    left = (
        f"{len(marked)} fields are left to fill in: {', '.join(marked)}"
        if marked
        else "no field is left to fill in"
    )
    notes = (*[f"made {path}" for path in made], left)
    table = make_table("description", _COLUMNS, records)
    return Document(schema="mlperf-init/1", tables=(table,), fields=fields, notes=notes)
