"""What the checkout as a whole keeps to: no places of one machine, small rule data, complete packages."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import BUNDLED_RULES, PROJECT

MOST_RULE_LINES = 3_700
MACHINE_PATH = re.compile(rb"(?<![\w.$}\"*/-])/(?:work|root|home|Users|tmp)/[\w.-]+")
BUNDLED = ("compliance_rules", "reference_impls")
"""Folders of the repository that an installation has inside the package."""


def list_files() -> list[Path]:
    """Every file of the checkout that is tracked or about to be."""
    if shutil.which("git") is None or not (PROJECT / ".git").exists():
        pytest.skip("this is no git checkout, so it cannot be told which files belong to it")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    paths = [PROJECT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_no_file_names_a_place_of_one_machine() -> None:
    """No file speaks of folders that only its author's machine has."""
    found = {
        path.relative_to(PROJECT).as_posix(): matches
        for path in list_files()
        if (matches := MACHINE_PATH.findall(path.read_bytes())) and path != Path(__file__)
    }

    assert found == {}


def test_search_finds_places_of_a_machine() -> None:
    """The search sees absolute paths, and no relative ones or addresses."""
    text = b"cd /root/x; open('/tmp/a'); see https://host/home/page, ../some/place and $HOME/some/x"

    assert MACHINE_PATH.findall(text) == [b"/root/x", b"/tmp/a"]


def test_rule_data_is_small() -> None:
    """The rules of all rounds together stay within the lines that they may take."""
    lines = {
        path.relative_to(PROJECT).as_posix(): len(path.read_text("utf-8").splitlines())
        for path in (PROJECT / "compliance_rules").rglob("*.yaml")
        if path.parent.name != "rcp"  # measurements, not rules; test_reference_points.py bounds their size
    }

    assert len(lines) > 30
    assert sum(lines.values()) <= MOST_RULE_LINES


def test_installation_holds_every_file_of_the_packages(built: Path) -> None:
    """Grammars, schema, trainers and the typing marker come with the code, and of the rules their compiled form."""
    bundle = BUNDLED_RULES.parent
    wanted = {
        (bundle / name if name.parts[0] in BUNDLED else name).as_posix()
        for folder in ("mlperf_logging", *BUNDLED)
        for path in (PROJECT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        for name in (path.relative_to(PROJECT),)
    }
    there = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    rounds = {f"{usage}/{path.stem}" for usage, path in list_round_files()}

    assert "mlperf_logging/py.typed" in wanted
    assert {Path(name).suffix for name in wanted - there} == {".yaml", ".md", ".json"}
    assert {Path(name).name for name in wanted - there if name.endswith(".json")} == {"target.json"}
    compiled = (BUNDLED_RULES / "compiled").as_posix()
    shared = {
        f"{kind}/{name}"
        for kind in ("rcp", "systems")
        for name in json.loads((built / compiled / kind / "index.json").read_text("utf-8")).values()
    }
    indexes = {"index", "vocabulary", "rcp/index", "systems/index"}
    assert there - wanted == {f"{compiled}/{name}.json" for name in {*indexes, *rounds, *shared}}


def test_installation_holds_nothing_twice(built: Path) -> None:
    """No two installed files have the same content: rounds with equal data share a document."""
    files: dict[bytes, list[str]] = {}
    for path in sorted(built.rglob("*")):
        if path.is_file() and path.stat().st_size:
            files.setdefault(path.read_bytes(), []).append(path.relative_to(built).as_posix())
    assert [names for names in files.values() if len(names) > 1] == []


def list_round_files() -> list[tuple[str, Path]]:
    """Usage and file of each round."""
    files = (PROJECT / "compliance_rules").glob("*/*.yaml")
    return [(path.parent.name, path) for path in files if path.stem[:1].isdigit()]


def test_installation_judges_a_log(built: Path, tmp_path: Path) -> None:
    """The installed files alone, away from the checkout, are enough to judge a log."""
    log = shutil.copy(PROJECT / "examples" / "logs" / "compliant" / "0.5.0_resnet.txt", tmp_path)
    program = "import sys, mlperf_logging as m; print(m.__file__); print(m.check_log(sys.argv[1]).verdict)"
    answer = subprocess.run(
        [sys.executable, "-c", program, log],
        cwd=tmp_path,
        env={"PYTHONPATH": str(built)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.stdout.split() == [str(built / "mlperf_logging" / "__init__.py"), "pass"], answer.stderr
