"""The skeleton of a submission: folders, and a description with what machines know and marks for what people know."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any, NamedTuple

from mlperf_logging.errors import UsageError
from mlperf_logging.runs.folders import RESULTS, SCALINGS, SYSTEMS
from mlperf_logging.runs.side_files import read_side_json
from mlperf_logging.submission.description_fields import SOFTWARE, DescriptionField, DescriptionFields
from mlperf_logging.submission.descriptions import MARK

SCHEMA = "mlperf-sysinfo/1"
"""Of the file that holds what one node knows."""

NOT_APPLICABLE = "N/A"
_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]{0,99}", re.ASCII)
_EMPTY_FIELDS = ("hw_notes", "sw_notes")
_README = "benchmarks/{benchmark}/implementations/{system}/README.md"


class NodeFacts(NamedTuple):
    """What one node knows of itself: its name, and the fields of `describe_machine`."""

    host: str
    fields: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The content of a node's file."""
        return {"schema": SCHEMA, "host": self.host, "fields": dict(self.fields)}


class Skeleton(NamedTuple):
    """What is to be made.

    Attributes:
        submitter: name of the submitter's folder.
        system: name of the system's folders.
        description: the system description.
        benchmarks: folders that are to be there for results.
        scaling: "strong" or "weak" between system and benchmark, or "".
    """

    submitter: str
    system: str
    description: dict[str, Any]
    benchmarks: tuple[str, ...] = ()
    scaling: str = ""


def read_node_file(path: str | PathLike[str]) -> NodeFacts:
    """What a node wrote of itself; `UsageError` if it is not such a file."""
    name = fspath(path)
    try:
        document = read_side_json(name)
    except OSError as error:
        raise UsageError(f"cannot read {name!r}: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{name!r} is not JSON; create it with mlperf package init --sysinfo FILE") from None
    fields = document.get("fields") if isinstance(document, dict) else None
    if not isinstance(fields, dict) or document.get("schema") != SCHEMA:
        raise UsageError(
            f"{name!r} was not written by mlperf package init; create it with mlperf package init --sysinfo FILE"
        )
    return NodeFacts(str(document.get("host") or name), fields)


def merge_nodes(nodes: Sequence[NodeFacts]) -> dict[str, Any]:
    """The fields of a system of several nodes; what they do not agree on is marked, with what each says.

    Raises:
        UsageError: there is no node, or one twice.
    """
    hosts = Counter(node.host for node in nodes)
    twice = next((host for host, count in hosts.items() if count > 1), None)
    if not nodes or twice is not None:
        raise UsageError(f"the node {twice!r} is given twice" if nodes else "no node is given")
    names = dict.fromkeys(name for node in nodes for name in node.fields)
    merged = {name: _merge([node.fields.get(name) for node in nodes]) for name in names}
    return {**merged, "number_of_nodes": str(len(nodes))}


def _merge(values: Sequence[Any]) -> Any:
    if all(isinstance(value, dict) for value in values):
        names = dict.fromkeys(name for value in values for name in value)
        return {name: _merge([value.get(name) for value in values]) for name in names}
    texts = Counter("nothing" if value is None else str(value) for value in values)
    if len(texts) == 1:
        return values[0]
    said = ", ".join(f"{text} ({count})" for text, count in texts.most_common())
    return f"{MARK}: the nodes differ: {said}"


def make_description(
    known: Mapping[str, Any], schema: DescriptionFields, *, submitter: str, system: str, division: str
) -> dict[str, Any]:
    """A description with all required fields: what is known, what does not apply, and marks for the rest."""
    known = {**known, "submitter": submitter, "system_name": system, "division": division}
    alone = known.get("number_of_nodes") == "1"
    bare = known.get("accelerators_per_node") == "0"
    description: dict[str, Any] = {}
    for name, field in schema.fields.items():
        if field.optional:
            continue
        if known.get(name):
            description[name] = known[name]
        elif name in _EMPTY_FIELDS:
            description[name] = ""
        elif (alone and name.startswith("host_networking")) or (bare and name.startswith("accelerator_")):
            description[name] = NOT_APPLICABLE
        else:
            description[name] = _mark(field)
    return description


def _mark(field: DescriptionField) -> str:
    wanted = f"one of {'; '.join(field.values)}" if field.values else field.meaning
    return f"{MARK}: {wanted}" + (" (or one text for each)" if field.kind == SOFTWARE else "")


def list_marked(description: Mapping[str, Any]) -> list[str]:
    """The fields that a person has to fill in."""
    return [name for name, value in description.items() if MARK in json.dumps(value)]


def suggest_system_name(known: Mapping[str, Any]) -> str:
    """A name for the system, made of what it consists of, that a folder can have."""
    each, nodes = str(known.get("accelerators_per_node", "0")), str(known.get("number_of_nodes", "1"))
    model = str(known.get("accelerator_model_name", "")) if each != "0" else ""
    if not model:
        each = str(known.get("host_processors_per_node", "1"))
        model = str(known.get("host_processor_model_name", "system"))
    words = re.findall(r"[A-Za-z0-9]+", re.sub(r"\((R|TM)\)|CPU|Processor|@.*", " ", model))
    name = f"{each}x{'-'.join(words[:6])}"
    return f"n{nodes}_{name}" if nodes != "1" else name


def write_skeleton(folder: str | PathLike[str], skeleton: Skeleton) -> list[str]:
    """Make the folders and files of a submission below a folder.

    Returns:
        What was made, with the folder before it.

    Raises:
        UsageError: a name is not valid for a folder, the system is already described, or the folder cannot be written.
    """
    for what, name in (("submitter", skeleton.submitter), ("system", skeleton.system)):
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is not valid as the name of a {what}'s folder; use letters, digits, -, _, . and +"
            )
    top = os.path.normpath(os.path.join(folder, skeleton.submitter))
    description = os.path.join(top, SYSTEMS, f"{skeleton.system}.json")
    if os.path.lexists(description):
        raise UsageError(
            f"{description} already exists; name another system with --system NAME, or remove it"
        )
    made = []
    try:
        results = os.path.join(top, RESULTS, skeleton.system, skeleton.scaling)
        for path in [os.path.join(results, name) for name in skeleton.benchmarks] or [results]:
            os.makedirs(path, exist_ok=True)
            made.append(os.path.join(path, ""))
        _write(description, json.dumps(skeleton.description, indent=4, ensure_ascii=False) + "\n")
        made.append(description)
        for name in skeleton.benchmarks:
            readme = os.path.join(top, *_README.format(benchmark=name, system=skeleton.system).split("/"))
            if not os.path.lexists(readme):
                _write(
                    readme, f"# {name} on {skeleton.system}\n\n{MARK}: how to get the data, and how to run.\n"
                )
                made.append(readme)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename!r}: {error.strerror}") from None
    return made


def choose_scaling(usage: str) -> str:
    """The folder between system and benchmark; only usages that scale in two ways have one."""
    return SCALINGS[0] if usage == "hpc" else ""


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "x", encoding="utf-8") as file:
        file.write(text)
