"""The page on many machines: its scripts and files are valid, and its commands are those of the package."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess

import yaml
from checkout import PROJECT

from mlperf_logging.cli.check import build_parser

PAGE = (PROJECT / "docs" / "engines.md").read_text("utf-8")


def list_blocks(language: str) -> list[str]:
    """The blocks of a language on the page."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def test_scripts_can_be_read() -> None:
    """The Python compiles, and the shell takes every script."""
    (script,) = list_blocks("python")
    ast.parse(script)
    for block in list_blocks("sh"):
        assert subprocess.run(["bash", "-n"], input=block, text=True, check=False).returncode == 0


def test_commands_take_their_options() -> None:
    """Each check on the page, in a shell, in the script and in the job, is one that the parser takes."""
    lines = re.findall(r"^mlperf check (.*?)(?: +#.*)?$", "".join(list_blocks("sh")), re.MULTILINE)
    (job,) = [each for each in yaml.safe_load_all(list_blocks("yaml")[0]) if each["kind"] == "Job"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    commands = [shlex.split(line) for line in lines] + [[*container["command"][2:], *container["args"]]]
    assert len(commands) >= 4
    for command in commands:
        options = build_parser("mlperf check").parse([*command, "--no-config"])
        assert options.engine == "dask"


def test_pods_see_the_same_files_at_the_same_place() -> None:
    """Scheduler, workers and job use one image and mount the logs alike; the policy lets the job in and names the cluster."""
    cluster, policy, job = yaml.safe_load_all(list_blocks("yaml")[0])
    specs = [
        cluster["spec"]["scheduler"]["spec"],
        cluster["spec"]["worker"]["spec"],
        job["spec"]["template"]["spec"],
    ]
    assert (
        len({str((spec["containers"][0]["image"], spec["containers"][0]["volumeMounts"])) for spec in specs})
        == 1
    )
    assert len({str(spec["volumes"]) for spec in specs}) == 1
    label = {"dask.org/cluster-name": cluster["metadata"]["name"]}
    assert policy["spec"]["podSelector"]["matchLabels"] == label
    assert (
        job["spec"]["template"]["metadata"]["labels"]
        == policy["spec"]["ingress"][0]["from"][1]["podSelector"]["matchLabels"]
    )
    address = f"tcp://{cluster['metadata']['name']}-scheduler:8786"
    assert address in specs[2]["containers"][0]["args"]
