"""What a machine knows of itself: processors, disks, networks, accelerators of both makers, and what is not there."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from mlperf_logging.errors import UsageError
from mlperf_logging.submission.accelerators import describe_accelerators, run_tool
from mlperf_logging.submission.machine import describe_machine, name_processor

NEEDS_LIBRARIES = pytest.mark.skipif(
    find_spec("cpuinfo") is None or find_spec("psutil") is None, reason="needs psutil and py-cpuinfo"
)

H100 = "NVIDIA H100 80GB HBM3, 81559, 1980, 535.129.03, 5, 16\n"
TOPOLOGY = "\tGPU0\tGPU1\nGPU0\t X \tNV18\nGPU1\tNV18\t X \n"
MI300 = {"Card Series": "AMD Instinct MI300X", "VRAM Total Memory (B)": "206141652992"}


def answer(answers: Mapping[str, str]) -> object:
    """A runner of tools that prints an answer for the beginning of a command, and nothing else."""

    def run(command: Sequence[str]) -> str:
        text = " ".join(command)
        return next((shown for begin, shown in answers.items() if text.startswith(begin)), "")

    return run


def put(root: Path, files: Mapping[str, str]) -> Path:
    """Files as the operating system shows them."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


def test_nvidia_accelerators_are_described() -> None:
    """Number, model, memory, clock, bus, links and versions come from nvidia-smi."""
    tools = {
        "nvidia-smi --query-gpu": H100 * 8,
        "nvidia-smi -q": "Driver Version : 535.129.03\nCUDA Version   : 12.2\n",
        "nvidia-smi topo": TOPOLOGY,
    }

    assert describe_accelerators(answer(tools)) == {  # type: ignore[arg-type]
        "accelerators_per_node": "8",
        "accelerator_model_name": "NVIDIA H100 80GB HBM3",
        "accelerator_memory_capacity": "80 GiB",
        "accelerator_frequency": "1980 MHz",
        "accelerator_host_interconnect": "PCIe Gen5 x16",
        "accelerator_interconnect": "NVLink, 18 links between accelerators",
        "software": "nvidia_driver=535.129.03;cuda_driver=12.2",
    }


def test_what_nvidia_smi_does_not_know_is_left_out() -> None:
    """Fields that the driver does not support are no values, and different models are all named."""
    rows = "NVIDIA A30, [N/A], [N/A], 550.1, [N/A], [N/A]\nNVIDIA A40, [N/A], [N/A], 550.1, [N/A], [N/A]\n"

    found = describe_accelerators(answer({"nvidia-smi --query-gpu": rows}))  # type: ignore[arg-type]

    assert found == {
        "accelerators_per_node": "2",
        "accelerator_model_name": "NVIDIA A30, NVIDIA A40",
        "accelerator_interconnect": "PCIe",
        "software": "nvidia_driver=550.1",
    }


@pytest.mark.parametrize("spell", [str, str.upper, str.lower])
def test_amd_accelerators_are_described(spell: type) -> None:
    """The fields of rocm-smi are found, whichever letters its version writes them in."""
    card = {spell(name): value for name, value in MI300.items()}
    document = {"card0": card, "card1": card, "system": {spell("Driver version"): "6.7.0"}}

    assert describe_accelerators(answer({"rocm-smi": json.dumps(document)})) == {  # type: ignore[arg-type]
        "accelerators_per_node": "2",
        "accelerator_model_name": "AMD Instinct MI300X",
        "accelerator_memory_capacity": "192 GiB",
        "software": "amd_driver=6.7.0",
    }


@pytest.mark.parametrize(
    "tools",
    [
        {},
        {"nvidia-smi": "No devices were found\n"},
        {"rocm-smi": "ERROR"},
        {"rocm-smi": "[]"},
        {"rocm-smi": "{}"},
    ],
)
def test_machine_without_accelerators_has_none(tools: dict[str, str]) -> None:
    """Tools that are missing, fail or find nothing mean none."""
    assert describe_accelerators(answer(tools)) == {"accelerators_per_node": "0"}  # type: ignore[arg-type]


def test_tool_that_fails_says_nothing(tmp_path: Path) -> None:
    """A program that is missing, ends with an error, or writes no text is no reason to stop."""
    failing = tmp_path / "failing"
    failing.write_text("#!/bin/sh\necho out\nexit 3\n")
    failing.chmod(0o755)

    assert run_tool(("no-such-program-anywhere",)) == ""
    assert run_tool((str(failing),)) == ""
    assert run_tool(("printf", r"\377")) == "�"


@NEEDS_LIBRARIES
def test_disks_networks_and_sockets_are_read_from_the_system(tmp_path: Path) -> None:
    """Disks by kind and size without those that are none, networks that are hardware, sockets that differ."""
    root = put(
        tmp_path,
        {
            "sys/devices/system/cpu/cpu0/topology/physical_package_id": "0",
            "sys/devices/system/cpu/cpu1/topology/physical_package_id": "1",
            "sys/devices/system/cpu/cpu2/topology/physical_package_id": "1",
            "sys/block/nvme0n1/size": "7501476528",
            "sys/block/nvme1n1/size": "7501476528",
            "sys/block/sda/size": "1875385008",
            "sys/block/sda/queue/rotational": "0",
            "sys/block/sdb/size": "1953525168",
            "sys/block/sdb/queue/rotational": "1",
            "sys/block/sdc/size": "60000000",
            "sys/block/sdc/removable": "1",
            "sys/block/loop0/size": "60000000",
            "sys/block/sr0/size": "0",
            "sys/class/infiniband/mlx5_0/ports/1/rate": "400 Gb/sec (4X NDR)",
            "sys/class/infiniband/mlx5_1/ports/1/rate": "400 Gb/sec (4X NDR)",
            "sys/class/net/eth0/speed": "10000",
            "sys/class/net/eth0/device/vendor": "0x15b3",
            "sys/class/net/docker0/speed": "10000",
            "sys/class/net/eth1/speed": "-1",
            "sys/class/net/eth1/device/vendor": "0x15b3",
        },
    )

    found = describe_machine(root, answer({}))  # type: ignore[arg-type]

    assert found["host_processors_per_node"] == "2"
    assert found["host_storage_type"] == "NVMe SSD, SSD, HDD"
    assert found["host_storage_capacity"] == "2x 3841 GB NVMe SSD, 1x 960 GB SSD, 1x 1000 GB HDD"
    assert found["host_networking"] == "2x InfiniBand 400 Gb/sec (4X NDR), 1x 10 Gb/s Ethernet"


@NEEDS_LIBRARIES
def test_this_machine_is_described() -> None:
    """Real libraries on a real machine give what every machine has; versions are an object."""
    found = describe_machine(run=answer({}))  # type: ignore[arg-type]

    assert int(found["host_memory_capacity"].removesuffix(" GiB")) >= 1
    assert found["number_of_nodes"] == "1"
    assert found["other_software_stack"]["python"].startswith(
        f"{sys.version_info.major}.{sys.version_info.minor}"
    )
    assert all(isinstance(value, (str, dict)) and value for value in found.values())


def test_libraries_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, one sentence says what to install."""
    monkeypatch.setitem(sys.modules, "cpuinfo", None)

    with pytest.raises(UsageError, match=r"needs cpuinfo, .* install .*\[submission\]"):
        describe_machine()


def test_linux_alone_knows_the_processors(tmp_path: Path) -> None:
    """Without the libraries, the first processor that Linux lists stands for all."""
    listed = (
        "processor\t: 0\nmodel name\t: Example 9000\ncpu MHz\t: 2000.5\ncache size\t: 512 KB\ncpu cores\t: 48"
    )
    root = put(
        tmp_path,
        {
            "proc/cpuinfo": f"{listed}\n\n{listed.replace('9000', '1')}",
            "sys/devices/system/cpu/cpu0/topology/physical_package_id": "0",
        },
    )

    found = describe_machine(root, answer({}), use_libraries=False)  # type: ignore[arg-type]

    assert name_processor(root) == found["host_processor_model_name"] == "Example 9000"
    assert found["host_processors_per_node"] == "1"
    assert found["host_processor_core_count"] == "48"
    assert found["host_processor_frequency"] == "2000.5 MHz"
    assert found["host_processor_caches"] == "512 KB"
    assert found["host_memory_capacity"].endswith(" GiB")
