"""What `make suite` does, on results that are there already: all its commands but those that train."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest
from checkout import PROJECT
from commands import run_mlperf

from mlperf_logging.cli.plot import build_parser as build_plot_parser
from mlperf_logging.cli.train import build_parser as build_train_parser
from tests.mini_suite import SYSTEM, write_suite

SECONDS = (11.0, 13.0, 10.0, 14.0, 12.0)


@pytest.fixture
def script() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("train_suite", PROJECT / "examples" / "train_suite.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_script(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, output: Path, *arguments: str
) -> tuple[int, dict[str, tuple[int, str]]]:
    """Run it, without what trains: its exit code; and code and output of each command by its first words."""
    done: dict[str, tuple[int, str]] = {}

    def run(command: Sequence[str]) -> int:
        program, name, *rest = command
        assert program == "mlperf"
        if name == "train":
            build_train_parser("mlperf train").parse(rest if rest[0] != "data" else rest[1:])
            return 0
        found = run_mlperf(name, *rest)
        done[name] = (found.returncode, found.stdout)
        return found.returncode

    monkeypatch.setattr(script, "run", run)
    code = script.main(["--output", str(output), *arguments])
    return code, done


def test_results_are_checked_tested_scored_and_drawn(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every step works on the submission; the last lines name machine, time, page, picture and what failed."""
    write_suite(tmp_path, dict.fromkeys(("ncf", "sentiment"), SECONDS))
    code, done = run_script(script, monkeypatch, tmp_path, "--price", "36 USD/h")
    said = capsys.readouterr().out

    assert {name: found[0] for name, found in done.items()} == {
        "package": 1,  # the made-up system description lacks most fields
        "rcp": 0,
        "report": 0,
        "plot": 0,
        "score": 0,
    }
    assert code == 1
    assert "ncf" in done["score"][1]
    assert "mini: reference time over result" in done["score"][1]
    assert (tmp_path / "suite.png").read_bytes().startswith(b"\x89PNG")
    assert '<section id="suite"' in (tmp_path / "suite.html").read_text("utf-8")
    lines = said.splitlines()
    assert f"machine   {SYSTEM}, Made-up, 8 GiB, TensorFlow" in lines
    assert f"picture   {tmp_path / 'suite.png'}" in lines
    assert [line for line in lines if line.startswith("failed")] == [
        f"failed    mlperf package --strict {tmp_path / 'reference'}"
    ]


def test_training_comes_first_and_is_resumable(script: ModuleType) -> None:
    """Data is got, then every trainer trains with the seeds of the suite, and a repeated command resumes."""
    options = build_train_parser("mlperf train").parse(list(script.list_steps(_parse(script))[1][2:]))
    data, *_ = script.list_steps(_parse(script))

    assert data[:4] == ("mlperf", "train", "data", "all")
    assert (options.benchmark, options.scale, options.runs, options.resume) == ("all", "mini", 5, True)
    assert str(options.seed) == "1"


def test_picture_is_of_the_suite(script: ModuleType) -> None:
    """The picture that is drawn is that of the suite whose score is given."""
    (step,) = [each for each in script.list_steps(_parse(script)) if each[1] == "plot"]
    options = build_plot_parser("mlperf plot").parse(list(step[2:]))

    assert (options.kind, options.suite, options.output) == ("suite", "mini", "out/suite/suite.png")


def _parse(script: ModuleType) -> object:
    """The options without arguments."""
    return script.build_parser().parse_args([])
