"""`mlperf train all` and `mlperf train data all`, with the trainers but little to train."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from commands import run_mlperf

from mlperf_logging.submission.checking import check_package
from reference_impls.harness import DataError, list_tasks
from reference_impls.harness.data import all_tasks, debian
from reference_impls.sentiment.config import MINI
from tests.trainers.conftest import TINY, run_in_this_process, write_tiny_ratings
from tests.trainers.test_sentiment import tiny_config, write_tiny_texts


def choose(task: str, settings: Mapping[str, object]) -> list[str]:
    """Arguments that set the settings of a task among all."""
    return [text for key, value in settings.items() for text in ("--set", f"{task}.{key}={value}")]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny data of recommendation and sentiment, damaged data of image classification, and none of the others."""
    folder = tmp_path_factory.mktemp("data")
    write_tiny_ratings(folder / "recommendation" / "mini")
    write_tiny_texts(folder / "sentiment" / "mini")
    (folder / "image_classification" / "mini").mkdir(parents=True)
    return folder


def test_series_of_all_tasks_make_one_submission(data: Path, tmp_path: Path) -> None:
    """Two tasks are trained; one whose data is damaged and those that have none are told; --resume keeps the finished runs."""
    reviews = {
        field.name: getattr(tiny_config(), field.name)
        for field in dataclasses.fields(tiny_config())
        if getattr(tiny_config(), field.name) != getattr(MINI, field.name)
    }
    chosen = [
        *choose("ncf", {**TINY, "max_epochs": 3, "target": 0.1}),
        *choose("sentiment", {**reviews, "max_epochs": 6}),
    ]
    command = ["train", "all", "--division", "open", "--runs", "2", "--data", data, "--output", "out"]
    command += ["--system", "here", "--format", "json", *chosen]
    with run_in_this_process():
        done = run_mlperf(*command, folder=tmp_path)
        again = run_mlperf(*command, "--resume", folder=tmp_path)

    assert done.returncode == again.returncode == 2, done.stderr
    document = json.loads(done.stdout)
    tasks = {task["task"]: task for task in document["tasks"]}
    assert set(tasks) == set(list_tasks())
    trained = [tasks.pop("recommendation"), tasks.pop("sentiment")]
    # Recommendation's target is below that of the rules; the texts are easy enough for sentiment's own.
    assert [(task["compliant"], task["verdict"]) for task in trained] == [(0, "fail"), (2, "pass")]
    assert [task["runs"] for task in trained] == [2, 2]
    assert [task["quality_minutes"] is not None for task in trained] == [False, True]
    damaged = tasks.pop("image_classification")
    assert (damaged["runs"], damaged["verdict"]) == (0, "error")
    assert damaged["problem"] == "the run with seed 1 failed (its process exited with 2)"
    for name, task in tasks.items():
        assert (task["runs"], task["verdict"]) == (0, "error")
        assert f"mlperf train data {name} --scale mini" in task["problem"]
        assert task["problem"] in done.stderr
    kept = [task for task in json.loads(again.stdout)["tasks"] if task["runs"]]
    assert [[run["is_new"] for run in task["results"]] for task in kept] == [[False, False]] * 2

    results = check_package(tmp_path / document["submission"]).results
    assert {(each.submission.submitter, each.folder.system) for each in results} == {("reference", "here")}
    assert {each.folder.benchmark: len(each.logs) for each in results if each.logs} == {
        "ncf": 2,
        "sentiment": 2,
    }


def test_default_system_is_described_without_contradiction(tiny_data: Path, tmp_path: Path) -> None:
    """The description of this machine, under its default name, agrees with the logs and lacks nothing."""
    chosen = [
        text for key, value in {**TINY, "max_epochs": 1}.items() for text in ("--set", f"{key}={value}")
    ]
    with run_in_this_process():
        run_mlperf(
            "train",
            "ncf",
            "--division",
            "open",
            "--data",
            tiny_data,
            "--output",
            "out",
            *chosen,
            folder=tmp_path,
        )
    check = check_package(tmp_path / "out" / "reference")

    about = [each for each in check.findings if "systems" in each.path]
    assert [each.finding.rule for each in about] == []


def test_data_that_is_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Intact data is only verified; missing data is got; with --verify nothing is."""
    calls: list[tuple[str, bool]] = []

    def make_script(name: str, *, is_there: bool) -> SimpleNamespace:
        def main(arguments: list[str]) -> int:
            assert arguments[:4] == ["--scale", "mini", "--data", str(tmp_path / name / "mini")]
            calls.append((name, "--verify" in arguments))
            return 0 if is_there or "--verify" not in arguments else 2

        return SimpleNamespace(main=main)

    scripts = {"a": make_script("a", is_there=True), "b": make_script("b", is_there=False)}
    tasks = {name: SimpleNamespace(name=name, scripts=name) for name in scripts}
    monkeypatch.setattr(all_tasks, "list_tasks", lambda: tasks)
    monkeypatch.setattr(all_tasks, "import_module", scripts.__getitem__)

    assert all_tasks.main(["--data", str(tmp_path)]) == 0
    assert calls == [("a", True), ("b", True), ("b", False)]
    calls.clear()
    assert all_tasks.main(["--data", str(tmp_path), "--verify"]) == 2
    assert calls == [("a", True), ("b", True)]


def test_data_of_every_task_is_named_where_it_is_missing(tmp_path: Path) -> None:
    """`mlperf train data all --verify` ends with 2 and one sentence per task, each with the command."""
    done = run_mlperf("train", "data", "all", "--verify", "--data", tmp_path, folder=tmp_path)

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == len(list_tasks())
    for name in list_tasks():
        assert f"mlperf train data {name} --scale mini --data {tmp_path / name / 'mini'}" in done.stderr


def test_package_is_unpacked_into_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is one of the caller's working folder, although the tools work in a temporary one."""
    commands: list[list[str]] = []

    def note(command: list[str], place: Path) -> str:
        assert place != tmp_path
        commands.append(command)
        return "it ends here"

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(debian, "_run", note)
    monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}")
    Path("some.deb").write_bytes(b"")
    with pytest.raises(DataError, match="it ends here"):
        debian.fetch_package("some", Path("data/some"), package=Path("some.deb"))

    assert commands == [["dpkg-deb", "-x", str(tmp_path / "some.deb"), str(tmp_path / "data/some")]]
    shutil.rmtree("data")
