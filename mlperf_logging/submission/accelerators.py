"""The accelerators of this machine, as nvidia-smi or rocm-smi tell of them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

RunTool = Callable[[Sequence[str]], str]
"""Runs a program and gives what it prints; empty where there is none or it fails."""

_NVIDIA_QUERY = (
    "name",
    "memory.total",
    "clocks.max.sm",
    "driver_version",
    "pcie.link.gen.max",
    "pcie.link.width.max",
)
_AMD_ARGUMENTS = ("--showproductname", "--showmeminfo", "vram", "--showdriverversion", "--json")
_MIB_PER_GIB, _BYTES_PER_GIB = 1 << 10, 1 << 30
_LONGEST_SECONDS = 60


def run_tool(command: Sequence[str]) -> str:
    """What a program prints; empty where there is none, it fails, or it does not end within a minute."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands, found as a person at this terminal would find them
            command, capture_output=True, check=True, timeout=_LONGEST_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")


def describe_accelerators(run: RunTool = run_tool) -> dict[str, str]:
    """The fields of a system description that tell of accelerators, as far as a tool tells them; 0 of them without a tool.

    ``software`` of it is no field: versions of the driver and its runtime, as ``NAME=VERSION`` separated by semicolons.
    """
    return _ask_nvidia(run) or _ask_amd(run) or {"accelerators_per_node": "0"}


def _ask_nvidia(run: RunTool) -> dict[str, str]:
    output = run(("nvidia-smi", f"--query-gpu={','.join(_NVIDIA_QUERY)}", "--format=csv,noheader,nounits"))
    rows = [[cell.strip() for cell in line.split(",")] for line in output.splitlines()]
    rows = [row for row in rows if len(row) == len(_NVIDIA_QUERY)]
    if not rows:
        return {}
    names, memories, clocks, drivers, generations, widths = zip(*rows, strict=True)
    found = {
        "accelerators_per_node": str(len(rows)),
        "accelerator_model_name": _join(names),
        "accelerator_memory_capacity": _join([_scale(each, _MIB_PER_GIB) for each in memories]),
        "accelerator_frequency": _join([f"{each} MHz" for each in clocks if each.isdecimal()]),
        "accelerator_host_interconnect": _join(
            [
                f"PCIe Gen{gen} x{width}"
                for gen, width in zip(generations, widths, strict=True)
                if gen.isdecimal()
            ]
        ),
        "software": f"nvidia_driver={_join(drivers)}",
    }
    cuda = re.search(r"CUDA Version\s*:\s*([\d.]+)", run(("nvidia-smi", "-q")))
    if cuda:
        found["software"] += f";cuda_driver={cuda[1]}"
    links = {int(count) for count in re.findall(r"\bNV(\d{1,3})\b", run(("nvidia-smi", "topo", "-m")))}
    if links:
        found["accelerator_interconnect"] = f"NVLink, {max(links)} links between accelerators"
    elif len(rows) > 1:
        found["accelerator_interconnect"] = "PCIe"
    return {name: value for name, value in found.items() if value}


def _ask_amd(run: RunTool) -> dict[str, str]:
    try:
        document = json.loads(run(("rocm-smi", *_AMD_ARGUMENTS)) or "null")
    except ValueError:
        return {}
    if not isinstance(document, dict):
        return {}
    cards = [
        _lower(card) for name, card in document.items() if name.startswith("card") and isinstance(card, dict)
    ]
    if not cards:
        return {}
    models = [
        card.get("card series") or card.get("market name") or card.get("card model", "") for card in cards
    ]
    memories = [_scale(card.get("vram total memory (b)", ""), _BYTES_PER_GIB) for card in cards]
    driver = _lower(document.get("system", {})).get("driver version", "")
    found = {
        "accelerators_per_node": str(len(cards)),
        "accelerator_model_name": _join(models),
        "accelerator_memory_capacity": _join(memories),
        "software": f"amd_driver={driver}" if driver else "",
    }
    return {name: value for name, value in found.items() if value}


def _lower(card: Any) -> dict[str, str]:
    """Names in small letters: versions of the tool write them differently."""
    return {str(name).lower(): str(value) for name, value in card.items()} if isinstance(card, dict) else {}


def _scale(text: str, per_gib: int) -> str:
    return f"{round(int(text) / per_gib)} GiB" if text.isdecimal() else ""


def _join(values: Sequence[str]) -> str:
    """The values, each once."""
    return ", ".join(dict.fromkeys(value for value in values if value))
