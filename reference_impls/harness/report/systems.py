"""The system description of this machine, as a submission has it."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from mlperf_logging.rules.repository import open_rules
from mlperf_logging.rules.rounds import find_newest
from mlperf_logging.submission.description_fields import load_description_fields
from mlperf_logging.submission.machine import describe_machine, name_processor
from mlperf_logging.submission.skeleton import list_marked, make_description

SOURCES = Path(__file__).resolve().parents[3]
"""The folder that the trainers' code is in: a checkout, or where it is installed."""

UNKNOWN = "not known"
_TOLD_APART_BY = ("host_processor_model_name", "host_processor_vcpu_count")
STATUSES = {
    "onprem": "Available on-premise",
    "cloud": "Available cloud",
    "research": "Research, Development, or Internal (RDI)",
    "preview": "Preview",
}
"""Status as logged, and as the system description spells it."""


def describe_system(submitter: str, name: str, division: str, status: str, nodes: int = 1) -> dict[str, Any]:
    """The system description, as far as the operating system knows it.

    Args:
        submitter: the submitter.
        name: name of the system.
        division: ``closed`` or ``open``.
        status: availability as logged, one of `STATUSES`.
        nodes: number of machines.
    """
    known = describe_machine(use_libraries=False)
    models = list_accelerators()
    if models and known["accelerators_per_node"] == "0":  # the driver is there, though not its tool
        known |= {
            "accelerators_per_node": str(len(models)),
            "accelerator_model_name": ", ".join(dict.fromkeys(models)),
        }
    known |= {"number_of_nodes": str(nodes), "status": STATUSES[status]}
    schema = load_description_fields(open_rules(), find_newest(open_rules().index()).name)
    description = make_description(known, schema, submitter=submitter, system=name, division=division)
    return description | dict.fromkeys(list_marked(description), UNKNOWN)


def list_accelerators() -> list[str]:
    """Model names of this machine's accelerators, as NVIDIA's driver lists them; no framework is loaded."""
    models = []
    for path in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        found = re.search(r"^Model:\s*(.+)$", path.read_text("utf-8", "replace"), re.MULTILINE)
        models.append(found[1].strip() if found else UNKNOWN)
    return models


def read_driver() -> str:
    """Version of the accelerators' driver; empty without one."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text("utf-8", "replace")
    except OSError:
        return ""
    found = re.search(r"\d+\.\d[\d.]*", text)
    return found[0] if found else UNKNOWN


def name_system() -> str:
    """A name for this machine, made from its processor and valid as a folder name.

    It does not begin with a number and an x, which in names of systems counts nodes.
    """
    model = re.sub(r"\((R|TM)\)|CPU|Processor|@.*", " ", name_processor() or platform.machine())
    words = re.findall(r"[A-Za-z0-9.-]+", model)
    return "_".join([*words[:4], f"{os.cpu_count() or 1}_cores"])


def find_system_name(folder: Path) -> str | None:
    """The name under which this machine is described.

    Args:
        folder: of system descriptions.

    Returns:
        The name; None where none of the descriptions has this machine's processors, or several have.
    """
    paths = sorted(folder.glob("*.json"))
    known = describe_machine(use_libraries=False) if paths else {}
    names = []
    for path in paths:
        try:
            described = json.loads(path.read_text("utf-8"))
            is_this = all(described[name] == (known[name] or UNKNOWN) for name in _TOLD_APART_BY)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # the check of the submission says what is wrong with it
        names += [path.stem] if is_this else []
    return names[0] if len(names) == 1 else None


def list_packages() -> list[str]:
    """The installed packages with their versions, as ``pip freeze`` names them."""
    return sorted({f"{each.metadata['Name']}=={each.version}" for each in distributions()}, key=str.lower)


def read_commit(folder: Path) -> str:
    """The git commit of a checkout, with ``+`` where files have been changed; empty outside a checkout."""
    command = ["git", "-C", str(folder), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
    if not (folder / ".git").exists():
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603 - fixed command
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
