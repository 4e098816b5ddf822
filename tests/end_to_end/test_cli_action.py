"""The GitHub Action and the pre-commit hook that the repository offers."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

RECORDER = """#!/bin/sh
if [ "$2" != -m ]; then exec {python} "$@"; fi
printf '%s\\n' "$@" > "$RECORD/call.$(ls "$RECORD" | wc -l | tr -d ' ')"
for each in "$@"; do
  if [ "$last" = --output ]; then cp "$ANSWER" "$each"; fi
  last="$each"
done
exit "${FAKE_CODE:-0}"
"""
ANSWER = {
    "totals": {"files": 3, "pass": 1, "fail": 2, "error": 0},
    "files": [
        {"findings": [{"severity": "error"}, {"severity": "error", "waived": True}]},
        {"findings": [{"severity": "warning"}, {"severity": "error"}]},
        {"findings": []},
    ],
}
COUNTS = "files=3\ncompliant=1\nnot-compliant=2\nnot-judged=0\nerrors=2\nwarnings=1\n"


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
    temporary, record, answer = tmp_path / "temp", tmp_path / "record", tmp_path / "answer.json"
    programs = temporary / "mlperf-check" / "bin"
    programs.mkdir(parents=True)
    record.mkdir()
    answer.write_text(json.dumps(ANSWER))
    program = programs / "python"
    program.write_text(RECORDER.replace("{python}", sys.executable))
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
        system = {"PATH": "/usr/bin:/bin", "RECORD": str(record), "ANSWER": str(answer)}
        system |= {"GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(temporary)}
        command = [bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(
            command, env={**system, **variables, "FAKE_CODE": str(code)}, check=False, cwd=tmp_path
        )
        calls = [path.read_text().splitlines() for path in sorted(record.iterdir())]
        calls = [[word.replace(str(temporary), "$TEMP") for word in call] for call in calls]
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


START = ["-I", "-m", "mlperf_logging.cli.check"]
JSON = ["--format", "json", "--output", "$TEMP/mlperf-check.json"]


def test_defaults(run_step):
    """Without inputs the whole checkout is checked once, on all cores, as annotations, and counts come out."""
    code, calls, output = run_step()
    assert code == 0
    assert calls == [[*START, "--jobs", "0", "--format", "github", *JSON, "--", "."]]
    assert output == f"{COUNTS}exit-code=0\n"


def test_inputs_become_options(run_step):
    """Every input reaches the command; paths may hold spaces and shell signs."""
    _, calls, _ = run_step(
        paths="a b/*.txt\r\n$(touch hacked)\n",
        ruleset="9.9",
        usage="hpc",
        division="open",
        benchmark="x; y",
        rules="house",
        strict="true",
        werror="true",
        select="MLP3",
        ignore="a*",
        waivers="w.yaml",
        format="text",
        jobs="2",
    )
    assert calls == [
        [
            *START,
            "--jobs",
            "2",
            "--ruleset",
            "9.9",
            "--usage",
            "hpc",
            "--division",
            "open",
            "--benchmark",
            "x; y",
            "--rules",
            "house",
            "--select",
            "MLP3",
            "--ignore",
            "a*",
            "--waivers",
            "w.yaml",
            "--strict",
            "--werror",
            "--format",
            "text",
            *JSON,
            "--",
            "a b/*.txt",
            "$(touch hacked)",
        ]
    ]


@pytest.mark.parametrize("code", [1, 2])
def test_exit_code_is_that_of_the_check(run_step, code):
    """The step fails as the check does, and says how."""
    assert run_step(code)[0] == code
    assert run_step(code)[2] == f"{COUNTS}exit-code={code}\n"


@pytest.mark.parametrize(
    ("inputs", "file"),
    [({"sarif_file": "y.sarif"}, "y.sarif"), ({"upload_sarif": "true"}, "mlperf-check.sarif")],
)
def test_sarif_is_written_when_asked_for(run_step, inputs, file):
    """A SARIF report is written by the same call as the annotations, also when the check fails."""
    code, calls, output = run_step(1, **inputs)
    assert code == 1
    assert len(calls) == 1
    assert calls[0][-6:] == ["--format", "sarif", "--output", file, "--", "."]
    assert output == f"sarif-file={file}\n{COUNTS}exit-code=1\n"


def test_actions_are_pinned(action):
    """Each action that this one uses is named by a commit, which nobody can move."""
    used = [step["uses"] for step in action["runs"]["steps"] if "uses" in step]
    assert len(used) == 2
    assert [each for each in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each)] == []


def test_scripts_keep_to_the_bash_of_macos(action):
    """No script changes the case of letters in an expansion, reads into arrays, or has other things newer than bash 3.2."""
    newer = re.compile(r"\$\{\w+(\^|,|@)|mapfile|readarray|declare -A|local -n|\|&|&>>|coproc")
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert [found for script in scripts for found in newer.findall(script)] == []


def test_python_is_isolated_from_the_checkout(action):
    """Every call of Python in the scripts is isolated, so that no module of the checkout is imported."""
    lines = [line for step in action["runs"]["steps"] for line in step.get("run", "").splitlines()]
    calls = [line for line in lines if re.search(r'"\$(python|program|PROGRAM)" -', line)]
    assert len(calls) >= 5
    assert [line for line in calls if not re.search(r'"\$\w+" -I ', line)] == []


def test_constraints_fit_what_the_package_needs(project):
    """The action pins every library that the package itself needs, to a version that it accepts."""
    config = configparser.ConfigParser()
    config.read(project / "setup.cfg")
    lines = (project / "constraints.txt").read_text().splitlines()
    pinned = dict(line.partition(";")[0].lower().split("==") for line in lines if not line.startswith("#"))
    needed = config["options"]["install_requires"] + config["options.extras_require"]["zstd"]
    for text in needed.strip().splitlines():
        name, least = text.partition(";")[0].split(" >= ")
        assert [*map(int, pinned[name.lower()].split("."))] >= [*map(int, least.split("."))], name


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
        assert build_check_parser("mlperf-check").parse(call[len(START) :]).paths == ["."]


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


def test_hook_and_folder_agree_on_power_readings(project, tmp_path):
    """Of the result logs in a tree, the hook takes those that judging the folder takes, whatever resembles `power/`."""
    from mlperf_logging.runs.paths import find_logs

    (hook,) = yaml.safe_load((project / ".pre-commit-hooks.yaml").read_text())
    folders = ["", "power/", "a/power/", "a/power/b/", "powerful/", "a/my_power/", "a/power.d/", "Power/"]
    names = ["result_0.txt", "result_1.log.gz", "result_power.out"]
    paths = [f"{folder}{name}" for folder in folders for name in names]
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    taken = [
        each for each in paths if re.search(hook["files"], each) and not re.search(hook["exclude"], each)
    ]
    found = [str(Path(each).relative_to(tmp_path)) for each in find_logs([str(tmp_path)]).paths]
    assert sorted(taken) == sorted(found)
    assert len(taken) == 15
