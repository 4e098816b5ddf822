"""`mlperf package` on a system description alone: every format, waivers, selection, and the answer to --explain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from checkout import PROJECT
from commands import run_mlperf

SOURCE = PROJECT / "examples" / "submission" / "Example_Lab" / "systems" / "example_8x.json"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A description whose status, on line 4, is none that the round knows."""
    described = {name: str(value) for name, value in json.loads(SOURCE.read_text()).items()}
    described |= {"status": "onprem", "accelerator_model_name": "NVIDIA H100-SXM5-80GB"}
    path = tmp_path / "box.json"
    path.write_text(json.dumps(described, indent=2))
    return path


def test_place_and_fix_are_shown(box: Path) -> None:
    """The report names file, line and column, what is allowed, and counts."""
    done = run_mlperf("package", "box.json", folder=box.parent)

    assert done.returncode == 1
    assert "box.json:4:13" in done.stdout
    assert "error MLP711" in done.stdout
    assert done.stdout.endswith("box.json: 1 error\n")


def test_description_without_a_fault_is_said_to_be_so(box: Path) -> None:
    """Nothing to fix is exit code 0 and a line."""
    box.write_text(box.read_text().replace('"onprem"', '"Preview"'))

    done = run_mlperf("package", "box.json", folder=box.parent)

    assert (done.returncode, done.stdout) == (0, "box.json: nothing to fix\n")


@pytest.mark.parametrize(
    ("form", "part"),
    [
        ("concise", "box.json:4:13: MLP711"),
        ("github", "line=4,col=13,title=MLP711 description-value"),
        ("gitlab", '"check_name":"description-value"'),
        ("sarif", '"ruleId":"description-value"'),
        ("junit", 'type="MLP711"'),
        ("json", '"line":4,"column":13'),
        ("jsonl", '"line":4,"column":13'),
    ],
)
def test_every_format_has_the_finding(box: Path, form: str, part: str) -> None:
    """All formats of findings place it."""
    done = run_mlperf("package", "--format", form, "box.json", folder=box.parent)

    assert done.returncode == 1
    assert part in done.stdout


def test_round_says_what_is_allowed(box: Path) -> None:
    """A round in which the status was free has nothing against it."""
    assert run_mlperf("package", "--ruleset", "3.1", box).returncode == 0


def test_finding_can_be_waived_and_left_out(box: Path) -> None:
    """Waivers and --ignore mean a description's findings by code, rule and path, as they do those of logs."""
    waivers = box.parent / "waivers.yaml"
    waivers.write_text(
        "- {rule: description-value, path: 'box.json', reason: agreed with the review group, expires: 2999-12-31}\n"
    )

    waived = run_mlperf("package", "--waivers", "waivers.yaml", "box.json", folder=box.parent)
    ignored = run_mlperf("package", "--ignore", "MLP711", "box.json", folder=box.parent)

    assert (waived.returncode, ignored.returncode) == (0, 0)
    assert "1 waived" in waived.stdout


@pytest.mark.parametrize("name", ["MLP711", "description-value"])
def test_finding_is_explained(name: str) -> None:
    """--explain says what is required, how to fix it, and shows examples."""
    done = run_mlperf("package", "--explain", name)

    assert done.returncode == 0
    assert 'passes:\n  {"status": "Preview"}' in done.stdout
    assert 'fails:\n  {"status": "onprem"}' in done.stdout
