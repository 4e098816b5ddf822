"""The package as users install it: the first run in a fresh environment, with an empty home that cannot be written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import BUNDLED_RULES, PROJECT

LOGS = PROJECT / "examples" / "logs"
sys.path.insert(0, str(PROJECT / "benchmarks"))

from harness import install_package  # noqa: E402 - a folder of scripts, not a package


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands that a wheel of the checkout installs."""
    return install_package(tmp_path_factory.mktemp("installation"))


def list_tree(folder: Path) -> dict[str, int]:
    """Every file and folder below a folder, with its time of change."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def run(command: Path, *arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run an installed command in a folder that is also its home, with no variables of this process."""
    return subprocess.run(
        [command, *arguments],
        cwd=home,
        env={"HOME": str(home), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )


def test_first_run_writes_nothing(commands: Path, tmp_path: Path) -> None:
    """The first check, score and listing of rules after installing work in a home that is empty and read-only."""
    tmp_path.chmod(0o500)
    before = list_tree(commands.parent)

    check = run(commands / "mlperf-check", LOGS / "compliant" / "6.1.0_llama31_8b.txt", home=tmp_path)
    assert (check.returncode, check.stderr) == (0, "")
    assert "1 file: 1 compliant" in check.stdout
    rounds = run(commands / "mlperf", "rules", "list", home=tmp_path)
    assert "training/6.1.0" in rounds.stdout, rounds.stderr
    example = PROJECT / "examples" / "submission" / "Example_Lab"
    score = run(commands / "mlperf", "score", example, home=tmp_path)
    assert score.returncode == 0, score.stderr

    assert list_tree(tmp_path) == {}
    assert list_tree(commands.parent) == before


def test_installation_adds_one_name(commands: Path) -> None:
    """Beside its metadata, the wheel installs one package: no folder of the repository becomes a global name."""
    (metadata,) = commands.parent.glob("lib/*/site-packages/mlperf_log_toolkit-*.dist-info")
    files = [line.split(",")[0] for line in (metadata / "RECORD").read_text("utf-8").splitlines()]
    names = {file.split("/")[0] for file in files if not file.startswith("..")}

    assert names == {"mlperf_logging", metadata.name}
    assert f"{BUNDLED_RULES.as_posix()}/schema.json" in files
    assert "mlperf_logging/_bundled/reference_impls/__init__.py" in files


def test_trainers_are_found_where_the_wheel_has_them(commands: Path, tmp_path: Path) -> None:
    """`mlperf train` lists the trainers of the wheel, and says which command gets the data of one."""
    listed = run(commands / "mlperf", "train", "--list", "--format", "json", home=tmp_path)
    names = [trainer["name"] for trainer in json.loads(listed.stdout)["trainers"]]
    assert "recommendation" in names, listed.stderr

    bare = run(commands / "mlperf", "train", "data", home=tmp_path)
    assert (bare.returncode, bare.stdout) == (2, "")
    assert "name a trainer first: mlperf train data BENCHMARK" in bare.stderr


def test_package_runs_as_a_module(commands: Path, tmp_path: Path) -> None:
    """``python -m mlperf_logging`` is the command `mlperf`."""
    module = run(commands / "python", "-m", "mlperf_logging", "--version", home=tmp_path)
    assert module.stdout == run(commands / "mlperf", "--version", home=tmp_path).stdout


def test_rule_files_can_take_the_place_of_compiled_rules(commands: Path, tmp_path: Path) -> None:
    """An installed command reads a folder of rule files, and a fault in it is reported with file and line."""
    log = LOGS / "compliant" / "6.1.0_llama31_8b.txt"
    good = run(commands / "mlperf-check", "--rules", PROJECT / "compliance_rules", log, home=tmp_path)
    assert (good.returncode, good.stderr) == (0, "")

    (tmp_path / "rules" / "training").mkdir(parents=True)
    for name in ("codes.yaml", "keys.yaml"):
        shutil.copy(PROJECT / "compliance_rules" / name, tmp_path / "rules")
    broken = "dialect: mllog\ncommon:\n  run_start: loged\n"
    (tmp_path / "rules" / "training" / "1.0.0.yaml").write_text(broken, "utf-8")
    bad = run(commands / "mlperf-check", "--rules", tmp_path / "rules", log, home=tmp_path)
    assert bad.returncode == 2
    assert (
        "training/1.0.0.yaml:3: rule common.run_start: cannot read the cell 'loged'"
        in bad.stderr + bad.stdout
    )
