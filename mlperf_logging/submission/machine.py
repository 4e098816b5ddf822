"""What this machine knows of itself: the fields of a system description that need no person.

Processors and memory come from py-cpuinfo and psutil, or from Linux alone, which also lists sockets, disks and networks. What
is not found is left out.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from typing import Any

from mlperf_logging.errors import UsageError
from mlperf_logging.installation import explain_missing
from mlperf_logging.submission.accelerators import RunTool, describe_accelerators, run_tool

FRAMEWORKS = {
    "torch": "PyTorch",
    "tensorflow": "TensorFlow",
    "tensorflow-cpu": "TensorFlow",
    "jax": "JAX",
    "keras": "Keras",
    "mxnet": "MXNet",
    "paddlepaddle": "PaddlePaddle",
    "tinygrad": "tinygrad",
}
"""Distributions of frameworks, and how people write them."""

LIBRARIES = (
    *(
        "apex",
        "deepspeed",
        "dgl",
        "flash-attn",
        "horovod",
        "jaxlib",
        "lightning",
        "megatron-core",
        "nemo-toolkit",
    ),
    *("numpy", "transformer-engine", "transformers", "triton", "xformers"),
)
_LIBRARY_PREFIXES = ("nvidia-", "rocm-", "intel-extension-")

_GIB, _GB = 1 << 30, 10**9
_SECTOR_BYTES = 512
_NO_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")
_VIRTUAL_DISKS = ("vd", "xvd")
_MBIT_PER_GBIT = 1000


def describe_machine(
    root: Path = Path("/"), run: RunTool = run_tool, *, use_libraries: bool = True
) -> dict[str, Any]:
    """The fields that this machine knows, as one node; ``other_software_stack`` is an object from name to version.

    Args:
        root: where Linux lists devices (`sys`) and processors (`proc`).
        run: runs nvidia-smi and rocm-smi.
        use_libraries: whether psutil and py-cpuinfo are asked, which know more than Linux alone but take seconds.

    Raises:
        UsageError: one of them is missing.
    """
    psutil, cpuinfo = map(_load_library, ("psutil", "cpuinfo")) if use_libraries else (None, None)
    accelerators = describe_accelerators(run)
    software = accelerators.pop("software", "")
    versions = {
        name: version for name, _, version in (each.partition("=") for each in software.split(";") if each)
    }
    installed = _list_versions()
    found = {
        **_describe_processors(psutil, cpuinfo.get_cpu_info() if cpuinfo is not None else {}, root),
        **accelerators,
        **_describe_disks(root),
        "number_of_nodes": "1",
        "host_memory_capacity": f"{_measure_memory(psutil) / _GIB:.0f} GiB",
        "host_networking": _describe_network(root),
        "operating_system": _describe_system(),
        "framework": _name_frameworks(installed),
    }
    return {
        **{name: value for name, value in found.items() if value},
        "other_software_stack": {
            **versions,
            "kernel": f"{platform.system()} {platform.release()}",
            "python": platform.python_version(),
            **{name: installed[name] for name in sorted(installed) if _is_library(name)},
        },
    }


def _load_library(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError:
        raise UsageError(explain_missing("describing this machine", [name], "submission")) from None


def name_processor(root: Path = Path("/")) -> str:
    """The model of the processors as Linux names it; empty where it does not."""
    return _read_first_processor(root).get("model name", "")


def _measure_memory(psutil: Any) -> int:
    if psutil is not None:
        return int(psutil.virtual_memory().total)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _describe_processors(psutil: Any, info: dict[str, Any], root: Path) -> dict[str, str]:
    """The processors, by py-cpuinfo and psutil as far as they are there, else as Linux describes the first one."""
    sockets, first = _count_sockets(root), _read_first_processor(root)
    cores = psutil.cpu_count(logical=False) if psutil is not None else None
    each = str(cores // sockets) if cores and sockets else first.get("cpu cores", "")
    threads, clock = os.cpu_count(), psutil.cpu_freq() if psutil is not None else None
    caches = [
        f"{name} {_show_bytes(info[key])}"
        for name, key in (("L1d", "l1_data_cache_size"), ("L2", "l2_cache_size"), ("L3", "l3_cache_size"))
        if isinstance(info.get(key), int)
    ]
    highest = f"{clock.max / 1000:.2f} GHz" if clock is not None and clock.max else ""
    measured = f"{first['cpu MHz']} MHz" if "cpu MHz" in first else ""
    return {
        "host_processor_model_name": str(info.get("brand_raw") or name_processor(root)),
        "host_processors_per_node": str(sockets) if sockets else "",
        "host_processor_core_count": each,
        "host_processor_vcpu_count": str(threads // sockets) if threads and sockets else "",
        "host_processor_frequency": highest or str(info.get("hz_advertised_friendly") or measured),
        "host_processor_caches": ", ".join(caches) or first.get("cache size", ""),
    }


def _read_first_processor(root: Path) -> dict[str, str]:
    lines = _read(root / "proc" / "cpuinfo").partition("\n\n")[0].splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _count_sockets(root: Path) -> int:
    found = root.glob("sys/devices/system/cpu/cpu[0-9]*/topology/physical_package_id")
    return len({_read(path) for path in found} - {""})


def _describe_disks(root: Path) -> dict[str, str]:
    kinds: dict[str, int] = {}
    for disk in sorted(root.glob("sys/block/*")):
        sectors = _read(disk / "size")
        if disk.name.startswith(_NO_DISKS) or not sectors.isdecimal() or not int(sectors):
            continue
        if _read(disk / "removable") == "1":
            continue
        size = f"{int(sectors) * _SECTOR_BYTES / _GB:,.0f} GB {_name_kind(disk)}".replace(",", "")
        kinds[size] = kinds.get(size, 0) + 1
    types = dict.fromkeys(size.partition(" GB ")[2] for size in kinds)
    return {
        "host_storage_type": ", ".join(types),
        "host_storage_capacity": ", ".join(f"{count}x {size}" for size, count in kinds.items()),
    }


def _name_kind(disk: Path) -> str:
    if disk.name.startswith("nvme"):
        return "NVMe SSD"
    if disk.name.startswith(_VIRTUAL_DISKS):
        return "virtual disk"
    return "SSD" if _read(disk / "queue" / "rotational") == "0" else "HDD"


def _describe_network(root: Path) -> str:
    fabrics = [_read(port) for port in sorted(root.glob("sys/class/infiniband/*/ports/*/rate"))]
    speeds = []
    for interface in sorted(root.glob("sys/class/net/*")):
        speed = _read(interface / "speed")
        # only what has a device below it is hardware
        if (interface / "device").exists() and speed.isdecimal() and int(speed):
            speeds.append(f"{int(speed) / _MBIT_PER_GBIT:g} Gb/s Ethernet")
    return ", ".join([*_count(f"InfiniBand {rate}" for rate in fabrics if rate), *_count(speeds)])


def _count(values: Iterable[str]) -> list[str]:
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return [f"{count}x {value}" for value, count in counts.items()]


def _describe_system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.platform(terse=True)


def _list_versions() -> dict[str, str]:
    """The installed distributions that a description may name, by name in small letters."""
    found = {str(each.metadata["Name"]).lower().replace("_", "-"): each.version for each in distributions()}
    return {name: version for name, version in found.items() if name in FRAMEWORKS or _is_library(name)}


def _is_library(name: str) -> bool:
    return name in LIBRARIES or name.startswith(_LIBRARY_PREFIXES)


def _name_frameworks(installed: dict[str, str]) -> str:
    named = {FRAMEWORKS[name]: installed[name] for name in FRAMEWORKS if name in installed}
    return ", ".join(f"{name} {version}" for name, version in named.items())


def _show_bytes(count: int) -> str:
    return f"{count / (1 << 20):g} MiB" if count >= 1 << 20 else f"{count / (1 << 10):g} KiB"


def _read(path: Path) -> str:
    """What a file of the operating system says; empty where it does not."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except (OSError, ValueError):
        return ""


def name_host() -> str:
    """The name by which other machines know this one."""
    return platform.node() or os.environ.get("HOSTNAME", "")
