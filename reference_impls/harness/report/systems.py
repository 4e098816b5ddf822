"""The system description of this machine, as a submission has it."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

UNKNOWN = "not known"
NOT_APPLICABLE = "not applicable"
STATUSES = {
    "onprem": "Available on-premise",
    "cloud": "Available cloud",
    "research": "Research, Development, or Internal (RDI)",
    "preview": "Preview",
}
"""Status as logged, and as the system description spells it."""


def describe_system(submitter: str, name: str, division: str, status: str, nodes: int = 1) -> dict[str, str]:
    """The system description, as far as the operating system knows it.

    Args:
        submitter: the submitter.
        name: name of the system.
        division: ``closed`` or ``open``.
        status: availability as logged, one of `STATUSES`.
        nodes: number of machines.
    """
    processor = _read_processor()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    accelerators = list_accelerators()
    unknown = dict.fromkeys(
        (
            "accelerator_host_interconnect",
            "accelerator_frequency",
            "accelerator_on-chip_memories",
            "accelerator_memory_configuration",
            "accelerator_memory_capacity",
            "accelerator_interconnect",
            "accelerator_interconnect_topology",
        ),
        UNKNOWN if accelerators else NOT_APPLICABLE,
    )
    return {
        "submitter": submitter,
        "division": division,
        "status": STATUSES[status],
        "system_name": name,
        "number_of_nodes": str(nodes),
        "host_processors_per_node": processor["sockets"],
        "host_processor_model_name": processor["model"],
        "host_processor_core_count": processor["cores"],
        "host_processor_vcpu_count": str(os.cpu_count() or UNKNOWN),
        "host_processor_frequency": processor["frequency"],
        "host_processor_caches": processor["cache"],
        "host_processor_interconnect": UNKNOWN,
        "host_memory_capacity": f"{memory:.0f} GiB",
        "host_storage_type": UNKNOWN,
        "host_storage_capacity": UNKNOWN,
        "host_networking": NOT_APPLICABLE if nodes == 1 else UNKNOWN,
        "host_networking_topology": NOT_APPLICABLE if nodes == 1 else UNKNOWN,
        "host_memory_configuration": UNKNOWN,
        "accelerators_per_node": str(len(accelerators)),
        "accelerator_model_name": ", ".join(dict.fromkeys(accelerators)) or NOT_APPLICABLE,
        **unknown,
        "cooling": UNKNOWN,
        "hw_notes": "",
        "framework": ", ".join(_name_versions(("tensorflow", "tensorflow-cpu", "keras"))),
        "other_software_stack": ", ".join(
            [f"Python {platform.python_version()}", *([f"driver {read_driver()}"] if accelerators else [])]
        ),
        "operating_system": _read_operating_system(),
        "sw_notes": "",
    }


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
    """A name for this machine, made from its processor and valid as a folder name."""
    model = re.sub(r"\((R|TM)\)|CPU|Processor|@.*", " ", _read_processor()["model"])
    words = re.findall(r"[A-Za-z0-9.-]+", model)
    return "_".join([f"{os.cpu_count() or 1}x", *words[:4]])


def _read_processor() -> dict[str, str]:
    facts = dict.fromkeys(("model", "sockets", "cores", "frequency", "cache"), UNKNOWN)
    facts["model"] = platform.processor() or platform.machine() or UNKNOWN
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return facts
    pairs = [
        (name.strip(), value.strip())
        for name, _, value in (line.partition(":") for line in text.splitlines())
    ]
    first = dict(reversed(pairs))
    sockets = {value for name, value in pairs if name == "physical id"}
    facts["model"] = first.get("model name", facts["model"])
    facts["sockets"] = str(len(sockets) or 1)
    facts["cores"] = first.get("cpu cores", UNKNOWN)
    facts["cache"] = first.get("cache size", UNKNOWN)
    facts["frequency"] = f"{first['cpu MHz']} MHz" if "cpu MHz" in first else UNKNOWN
    return facts


def _read_operating_system() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return platform.platform()
    return f"{release.get('PRETTY_NAME', platform.system())}, {platform.system()} {platform.release()}"


def _name_versions(packages: tuple[str, ...]) -> list[str]:
    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return found


def list_packages() -> list[str]:
    """The installed packages with their versions, as ``pip freeze`` names them."""
    return sorted({f"{each.metadata['Name']}=={each.version}" for each in distributions()}, key=str.lower)
