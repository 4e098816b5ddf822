"""Imports go in one direction, and a log check starts without heavy libraries."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import PROJECT

import mlperf_logging

LOGS = PROJECT / "examples" / "logs"
HEAVY = {
    "numpy",
    "pandas",
    "matplotlib",
    "scipy",
    "tensorflow",
    "lark",
    "rich",
    "yaml",
    "click",
    "multiprocessing",
}
CHECK = """
import json, sys
from mlperf_logging.cli.check import main
code = main([sys.argv[1], "--output", sys.argv[2]])
json.dump({"code": code, "modules": sorted(sys.modules)}, sys.stdout)
"""


def check_in_new_process(log: Path, folder: Path, package: Path = PROJECT) -> tuple[int, set[str]]:
    """Judge a log in a new process; give the exit code and the top-level modules that were loaded."""
    answer = subprocess.run(
        [sys.executable, "-c", CHECK, str(log), str(folder / "report.txt")],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(package)},
        capture_output=True,
        check=True,
    )
    told = json.loads(answer.stdout)
    return told["code"], {name.partition(".")[0] for name in told["modules"]}


@pytest.mark.parametrize(
    ("log", "code"),
    [
        ("compliant/6.1.0_llama31_8b.txt", 0),
        ("compliant/0.6.0_resnet.txt", 0),
        ("compliant/0.5.0_resnet.txt", 0),
        ("broken/wrong_hyperparameter.txt", 1),
    ],
)
def test_check_loads_nothing_heavy(log: str, code: int, built: Path, tmp_path: Path) -> None:
    """With the rules that the build has compiled, judging a log needs none of the heavy libraries, parsers among them."""
    found, modules = check_in_new_process(LOGS / log, tmp_path, built)

    assert found == code
    assert "mlperf_logging" in modules
    assert modules & HEAVY == set()


def test_check_by_rule_files_loads_the_parsers(tmp_path: Path) -> None:
    """A checkout reads its rule files, which shows that the list of modules is a real one."""
    _, modules = check_in_new_process(LOGS / "compliant" / "6.1.0_flux1.txt", tmp_path)

    assert {"lark", "yaml"} <= modules


def test_package_itself_loads_nothing(tmp_path: Path) -> None:
    """Importing the package loads none of its parts; the public names load when they are used."""
    loaded = "[name for name in sys.modules if name.startswith('mlperf_logging.')]"
    answer = subprocess.run(
        [sys.executable, "-c", f"import sys, mlperf_logging; print({loaded})"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout.strip() == "[]"


def test_type_checkers_know_what_loads() -> None:
    """Each public name is imported for type checkers from the module that it is loaded from, and no other is."""
    tree = ast.parse(Path(mlperf_logging.__file__).read_text("utf-8"))
    imported = {
        alias.asname: f"{node.module}".removeprefix("mlperf_logging.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("mlperf_logging.")
        for alias in node.names
    }

    assert imported == mlperf_logging._MODULES


def test_every_public_name_loads() -> None:
    """Each name that the package offers can be had."""
    missing = [name for name in mlperf_logging.__all__ if getattr(mlperf_logging, name, None) is None]

    assert missing == []


def test_imports_keep_their_direction() -> None:
    """The import contracts of pyproject.toml hold."""
    lint_imports = Path(sys.executable).parent / "lint-imports"
    answer = subprocess.run(
        [lint_imports, "--no-cache"], cwd=PROJECT, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stdout[-3000:]
    assert " 0 broken" in answer.stdout
