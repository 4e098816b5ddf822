"""`mlperf package init`: the skeleton of a submission, from this machine or from files of several nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import run_mlperf

SMI = """#!/bin/sh
case "$1" in
--query-gpu*) for each in 1 2 3 4; do echo "NVIDIA H100 80GB HBM3, 81559, 1980, 535.129.03, 5, 16"; done ;;
topo) printf 'GPU0 X NV18\\n' ;;
*) echo "CUDA Version : 12.2" ;;
esac
"""


@pytest.fixture
def accelerated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with four accelerators, as far as a program called nvidia-smi tells."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(SMI)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")


def make(tmp_path: Path, *arguments: object) -> dict[str, Any]:
    """The document on a skeleton that was made."""
    done = run_mlperf("package", "init", "--format", "json", *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def write_node(path: Path, host: str, **fields: object) -> str:
    """The file of a node; gives its name."""
    known = {"accelerators_per_node": "8", "accelerator_model_name": "NVIDIA B200", "number_of_nodes": "1"}
    path.write_text(json.dumps({"schema": "mlperf-sysinfo/1", "host": host, "fields": known | fields}))
    return path.name


@pytest.mark.usefixtures("accelerated")
def test_skeleton_has_what_the_machine_knows_and_marks(tmp_path: Path) -> None:
    """The description holds the accelerators; the only errors of it are the marks, one for each field named."""
    document = make(tmp_path, "Lab", "--system", "box", "--benchmark", "flux1", "--ruleset", "6.1")
    checked = run_mlperf(
        "package", "--format", "json", "--ruleset", "6.1", "--partial", "Lab", folder=tmp_path
    )

    described = json.loads((tmp_path / "Lab" / "systems" / "box.json").read_text())
    assert described == document["description"]
    assert described["accelerators_per_node"] == "4"
    assert described["accelerator_model_name"] == "NVIDIA H100 80GB HBM3"
    assert described["other_software_stack"]["cuda_driver"] == "12.2"
    assert (tmp_path / "Lab" / "results" / "box" / "flux1").is_dir()
    assert (tmp_path / "Lab/benchmarks/flux1/implementations/box/README.md").is_file()
    marked = {name for name, value in described.items() if "FILL IN" in str(value)}
    findings = [finding for file in json.loads(checked.stdout)["files"] for finding in file["findings"]]
    errors = [finding for finding in findings if finding["severity"] == "error"]
    assert {finding["key"] for finding in errors if finding["rule"] == "description-placeholder"} == marked
    assert {finding["rule"] for finding in errors} == {"description-placeholder"}
    assert {"status", "cooling", "accelerator_on-chip_memories"} <= marked
    assert described["status"].startswith("FILL IN: one of Available on-premise; ")


@pytest.mark.usefixtures("accelerated")
def test_text_names_what_is_left(tmp_path: Path) -> None:
    """People read what was made, and which fields are left to fill in."""
    done = run_mlperf("package", "init", "Lab", folder=tmp_path)

    assert "made Lab/systems/4xNVIDIA-H100-80GB-HBM3.json" in done.stdout
    assert "fields are left to fill in: " in done.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A second system goes beside the first one, and one that is described already stays as it is."""
    make(tmp_path, "Lab", "--system", "box")
    description = tmp_path / "Lab" / "systems" / "box.json"
    description.write_text("mine")

    make(tmp_path, "Lab", "--system", "other")
    again = run_mlperf("package", "init", "Lab", "--system", "box", folder=tmp_path)

    assert again.returncode == 2
    assert "Lab/systems/box.json already exists" in again.stderr
    assert description.read_text() == "mine"
    assert (tmp_path / "Lab" / "systems" / "other.json").is_file()


def test_nodes_are_merged(tmp_path: Path) -> None:
    """What the nodes agree on is taken, what they do not is marked with what they say; their number is counted."""
    names = [
        write_node(
            tmp_path / "a.json", "a", host_memory_capacity="2048 GiB", other_software_stack={"cuda": "12"}
        ),
        write_node(
            tmp_path / "b.json", "b", host_memory_capacity="2048 GiB", other_software_stack={"cuda": "13"}
        ),
        write_node(
            tmp_path / "c.json", "c", host_memory_capacity="1024 GiB", other_software_stack={"cuda": "12"}
        ),
    ]

    document = make(tmp_path, "Lab", "--merge", *names)

    described = document["description"]
    assert document["system"] == "n3_8xNVIDIA-B200"
    assert described["number_of_nodes"] == "3"
    assert described["accelerator_model_name"] == "NVIDIA B200"
    assert described["host_memory_capacity"] == "FILL IN: the nodes differ: 2048 GiB (2), 1024 GiB (1)"
    assert described["other_software_stack"] == {"cuda": "FILL IN: the nodes differ: 12 (2), 13 (1)"}
    assert described["host_networking"].startswith("FILL IN")


def test_node_file_is_what_merge_reads(tmp_path: Path) -> None:
    """What --sysinfo writes describes a system of one node as this machine does."""
    run_mlperf("package", "init", "--sysinfo", "node.json", folder=tmp_path)
    shown = run_mlperf("package", "init", "--sysinfo", "-", folder=tmp_path)

    merged = make(tmp_path, "Lab", "--merge", "node.json", "--system", "merged")
    direct = make(tmp_path, "Lab", "--system", "direct")

    assert json.loads(shown.stdout)["schema"] == "mlperf-sysinfo/1"
    assert merged["description"] | {"system_name": ""} == direct["description"] | {"system_name": ""}


def test_scaled_usage_has_its_folder(tmp_path: Path) -> None:
    """In HPC, strong/ stands between system and benchmark."""
    make(tmp_path, "Lab", "--usage", "hpc", "--benchmark", "cosmoflow", "--system", "box")

    assert (tmp_path / "Lab" / "results" / "box" / "strong" / "cosmoflow").is_dir()


def test_marks_within_an_object_are_found(tmp_path: Path) -> None:
    """A version that nodes do not agree on is reported like any other mark."""
    names = [
        write_node(tmp_path / f"{host}.json", host, other_software_stack={"cuda": version})
        for host, version in (("a", "12"), ("b", "13"))
    ]
    make(tmp_path, "Lab", "--system", "box", "--merge", *names)

    done = run_mlperf("package", "--format", "concise", "--partial", "Lab", folder=tmp_path)

    assert "'other_software_stack' is not filled in" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "name the submitter"),
        (("a/b",), "is not valid as the name of a submitter's folder"),
        ((".hidden",), "is not valid as the name of a submitter's folder"),
        (("Lab", "--system", "../up"), "is not valid as the name of a system's folder"),
        (("Lab", "--benchmark", "flux2"), "did you mean 'flux1'?"),
        (("Lab", "--usage", "trainig"), "did you mean 'training'?"),
        (("Lab", "--merge", "nowhere.json"), "cannot read 'nowhere.json'"),
        (("Lab", "--merge", "text.json"), "is not JSON"),
        (("Lab", "--merge", "other.json"), "was not written by mlperf package init"),
        (("Lab", "--merge", "a.json", "a.json"), "the node 'a' is given twice"),
        (("Lab", "--sysinfo", "x.json"), "give it without submitter"),
        (("Lab", "--folder", "text.json"), "cannot write"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    """Wrong arguments are exit code 2 and a sentence, and nothing is made."""
    (tmp_path / "text.json").write_text("text")
    (tmp_path / "other.json").write_text('{"fields": []}')
    write_node(tmp_path / "a.json", "a")
    before = sorted(tmp_path.iterdir())

    done = run_mlperf("package", "init", *arguments, folder=tmp_path)

    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == before
