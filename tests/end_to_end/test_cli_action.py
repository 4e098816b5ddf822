"""The GitHub Action and the pre-commit hook that the repository offers."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

RECORDER = """#!/bin/sh
printf '%s\\n' "$@" > "$RECORD/call.$(ls "$RECORD" | wc -l | tr -d ' ')"
exit "${FAKE_CODE:-0}"
"""


@pytest.fixture(scope="module")
def action(project: Path) -> dict:
    """The composite action."""
    return yaml.safe_load((project / "action.yml").read_text())


@pytest.fixture
def run_step(action, tmp_path):
    """Runs the action's check step as the runner does, with a command that records its arguments."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    programs, record = tmp_path / "bin", tmp_path / "record"
    programs.mkdir()
    record.mkdir()
    program = programs / "mlperf-check"
    program.write_text(RECORDER)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    step = next(step for step in action["runs"]["steps"] if step.get("id") == "check")

    def run(code: int = 0, **inputs: str) -> tuple[int, list[list[str]], str]:
        values = {name: str(body.get("default", "")) for name, body in action["inputs"].items()} | {
            name.replace("_", "-"): value for name, value in inputs.items()
        }
        variables = {
            name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: values[found[1]], text)
            for name, text in step["env"].items()
        }
        output = tmp_path / "output"
        output.write_text("")
        system = {"PATH": f"{programs}:/usr/bin:/bin", "RECORD": str(record), "GITHUB_OUTPUT": str(output)}
        command = [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(
            command, env={**system, **variables, "FAKE_CODE": str(code)}, check=False, cwd=tmp_path
        )
        calls = [path.read_text().splitlines() for path in sorted(record.iterdir())]
        return done.returncode, calls, output.read_text()

    return run


def test_action_is_valid(action):
    """The action's file satisfies the public schema of GitHub actions."""
    import check_jsonschema

    path = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "github-actions.json"
    schema = json.loads(path.read_text())
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(action)] == []


def test_inputs_never_stand_in_a_script(action):
    """Inputs reach scripts as variables only, so that no text of a pull request runs as a command."""
    assert not [step for step in action["runs"]["steps"] if "${{" in step.get("run", "")]


def test_defaults(run_step):
    """Without inputs the whole checkout is checked, on all cores, as annotations."""
    code, calls, output = run_step()
    assert code == 0
    assert calls == [["--ruleset", "auto", "--jobs", "0", "--format", "github", "--", "."]]
    assert output == "exit-code=0\n"


def test_inputs_become_options(run_step):
    """Every input reaches the command; paths may hold spaces and shell signs."""
    _, calls, _ = run_step(
        paths="a b/*.txt\n$(touch hacked)\n",
        ruleset="9.9",
        usage="hpc",
        division="open",
        benchmark="x; y",
        strict="true",
        select="MLP3",
        ignore="a*",
        waivers="w.yaml",
        format="text",
        jobs="2",
    )
    assert calls == [
        [
            "--ruleset",
            "9.9",
            "--jobs",
            "2",
            "--usage",
            "hpc",
            "--division",
            "open",
            "--benchmark",
            "x; y",
            "--select",
            "MLP3",
            "--ignore",
            "a*",
            "--waivers",
            "w.yaml",
            "--strict",
            "--format",
            "text",
            "--",
            "a b/*.txt",
            "$(touch hacked)",
        ]
    ]


@pytest.mark.parametrize("code", [1, 2])
def test_exit_code_is_that_of_the_check(run_step, code):
    """The step fails as the check does, and says how."""
    assert run_step(code)[0] == code
    assert run_step(code)[2] == f"exit-code={code}\n"


@pytest.mark.parametrize(
    ("inputs", "file"),
    [({"sarif_file": "x/y.sarif"}, "x/y.sarif"), ({"upload_sarif": "true"}, "mlperf-check.sarif")],
)
def test_sarif_is_written_when_asked_for(run_step, inputs, file):
    """A SARIF report is written beside the annotations, also when the check fails."""
    code, calls, output = run_step(1, **inputs)
    assert code == 1
    assert calls[1][-7:] == ["--quiet", "--format", "sarif", "--output", file, "--", "."]
    assert output == f"sarif-file={file}\nexit-code=1\n"


def test_options_of_the_action_exist(run_step):
    """The command takes every option that the action may give it."""
    from mlperf_logging.cli.options import build_check_parser

    _, calls, _ = run_step(
        usage="u",
        division="open",
        benchmark="b",
        strict="true",
        select="s",
        ignore="i",
        waivers="w",
        sarif_file="f",
    )
    for call in calls:
        assert build_check_parser("mlperf-check").parse(call).paths == ["."]


def test_hook_takes_result_logs_only(project):
    """The hook runs on result logs, compressed ones too, not on power readings or other files."""
    (hook,) = yaml.safe_load((project / ".pre-commit-hooks.yaml").read_text())
    assert hook["id"] == hook["entry"] == "mlperf-check"
    assert hook["language"] == "python"

    def takes(path: str) -> bool:
        return bool(re.search(hook["files"], path)) and not re.search(hook["exclude"], path)

    assert takes("org/results/system/task/result_0.txt")
    assert takes("result_10.log.gz")
    assert not takes("results/system/task/power/result_0/node_0.txt")
    assert not takes("org/results/readme.txt")
    assert not takes("power/result_0.txt")
