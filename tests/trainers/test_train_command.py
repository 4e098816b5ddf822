"""`mlperf train`, run as people run it, on tiny made-up ratings."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from commands import run_mlperf as run_here

from mlperf_logging import check_log
from reference_impls.harness.run import launching
from tests.trainers.conftest import MLPERF, environment, read_events, read_qualities, run_mlperf, settings

NEVER = {"target": 1.5}


def train(data: Path, *options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Train recommendation on the data, into `out` below the folder."""
    place = ["--data", str(data), "--output", "out", "--system", "here"]
    return run_mlperf("train", "recommendation", *place, *options, folder=folder)


@pytest.fixture(scope="module")
def series(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """The output of two runs of three epochs, and the document about them."""
    folder = tmp_path_factory.mktemp("series")
    done = train(
        tiny_data,
        "--runs",
        "2",
        "--seed",
        "7",
        "--format",
        "json",
        *settings(max_epochs=3, target=0.1),
        folder=folder,
    )
    assert done.returncode == 1, done.stderr
    return folder / "out", json.loads(done.stdout)


def results(output: Path) -> Path:
    """Folder of the logs."""
    return output / "reference" / "results" / "here" / "ncf"


def test_series_has_the_shape_of_a_submission(series):
    """Logs, system description and implementation lie where a submission has them; checkpoints do not stay."""
    output, document = series
    files = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    home = "reference"
    assert {name for name in files if name.startswith(home)} == {
        f"{home}/results/here/ncf/result_0.txt",
        f"{home}/results/here/ncf/result_1.txt",
        f"{home}/systems/here.json",
        f"{home}/benchmarks/ncf/implementations/here/README.md",
        f"{home}/benchmarks/ncf/implementations/here/config.json",
        f"{home}/benchmarks/ncf/implementations/here/packages.json",
    }
    assert not [name for name in files if "checkpoint" in name]
    system = json.loads((output / home / "systems/here.json").read_text())
    assert system["system_name"] == "here"
    assert all(isinstance(value, str) for value in system.values())
    assert document["schema"] == "mlperf-train/1"
    assert [(run["log"], run["seed"]) for run in document["runs"]] == [
        ("result_0.txt", 7),
        ("result_1.txt", 8),
    ]


def test_log_tells_the_run_in_order(series):
    """A log holds identity, seed, hyperparameters and the course of the run, in the order of the rules."""
    output, _ = series
    events = read_events(results(output) / "result_0.txt")
    keys = [event["key"] for event in events]
    values = {event["key"]: event["value"] for event in events}
    assert keys[:2] == ["cache_clear", "init_start"]
    assert keys.index("init_stop") + 1 == keys.index("run_start")
    assert keys[keys.index("run_start") + 1 :] == [
        "epoch_start",
        "tracked_stats",
        "epoch_stop",
        "eval_start",
        "eval_accuracy",
        "eval_stop",
        "run_stop",
    ]
    assert values["submission_ruleset"] == "mini/1.0.0"
    assert (values["submission_benchmark"], values["submission_division"]) == ("ncf", "open")
    assert (values["seed"], values["global_batch_size"], values["numerical_precision"]) == (7, 70, "float32")
    assert set(values["tracked_stats"]) == {"throughput", "steps", "loss", "cross_entropy", "gradient_norm"}
    assert values["tracked_stats"]["throughput"] > 0
    # In which folder of a machine the trainer lies is nobody's business.
    sites = {event["metadata"]["file"] for event in events}
    assert {Path(site).parts[0] for site in sites} == {"reference_impls"}


def test_only_the_changed_settings_are_found(series):
    """The log breaks the closed rules where the settings differ from the reference's, and nowhere else."""
    output, document = series
    verdict = check_log(results(output) / "result_0.txt", division="closed")
    assert verdict.ruleset == "1.0.0"
    assert verdict.ruleset_reason == "the round that the log names"
    found = {finding.key for finding in verdict.findings}
    assert found == {
        "train_samples",
        "eval_samples",
        "eval_target",
        "data_checksum",
        "data_users",
        "data_items",
        "eval_negatives",
        "model_factors",
        "model_mlp_layers",
        "eval_accuracy",
    }
    assert {run["verdict"] for run in document["runs"]} == {"fail"}
    assert {run["status"] for run in document["runs"]} == {"success"}


def test_results_are_not_overwritten(series, tiny_data):
    """A series does not write over results that are there, and says what to do."""
    output, _ = series
    done = train(tiny_data, folder=output.parent)
    assert done.returncode == 2
    assert "holds result_0.txt already; add --resume" in done.stderr


def test_finished_runs_are_kept(series, tiny_data):
    """--resume keeps finished runs as they are and does those that are missing."""
    output, _ = series
    before = (results(output) / "result_1.txt").read_bytes()
    done = train(
        tiny_data,
        "--runs",
        "3",
        "--seed",
        "7",
        "--format",
        "json",
        "--resume",
        *settings(max_epochs=3, target=0.1),
        folder=output.parent,
    )
    runs = json.loads(done.stdout)["runs"]
    assert [(run["seed"], run["is_new"]) for run in runs] == [(7, False), (8, False), (9, True)]
    assert (results(output) / "result_1.txt").read_bytes() == before


def test_interrupted_run_resumes(tiny_data, tmp_path):
    """A run that is told to stop leaves a log that is not successful, and resumes with the same values."""
    command = [
        "train",
        "recommendation",
        "--data",
        str(tiny_data),
        "--seed",
        "3",
        "--system",
        "here",
        *settings(max_epochs=12, **NEVER),
    ]
    log = results(tmp_path / "out") / "result_0.txt"
    with subprocess.Popen(
        [*MLPERF, *command, "--output", "out"],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stderr or ():
            if "epoch 3:" in line:
                process.send_signal(signal.SIGTERM)
                break
        process.communicate(timeout=60)
    assert process.returncode == 130
    verdict = check_log(log)
    assert (verdict.verdict, verdict.run.status) == ("fail", "aborted")
    assert "MLP408" in {finding.code for finding in verdict.findings}
    interrupted = read_qualities(log)
    assert 3 <= len(interrupted) < 12

    done = run_mlperf(*command, "--output", "out", "--resume", folder=tmp_path)
    assert "resumed after epoch" in done.stderr
    keys = [event["key"] for event in read_events(log)]
    assert [keys.count(key) for key in ("run_start", "run_stop", "seed", "training_resumed")] == [1, 1, 1, 1]
    times = [event["time_ms"] for event in read_events(log)]
    assert times == sorted(times)
    (after_break,) = [event for event in read_events(log) if event["key"] == "training_resumed"]
    assert after_break["metadata"]["run_environment"]["strategy"] == "OneDeviceStrategy"

    run_mlperf(*command, "--output", "whole", folder=tmp_path)
    whole = read_qualities(results(tmp_path / "whole") / "result_0.txt")
    assert read_qualities(log) == whole
    assert [epoch for epoch, _ in whole] == list(range(1, 13))
    assert whole[: len(interrupted)] == interrupted


def test_killed_run_starts_from_its_checkpoint(tiny_data, tmp_path):
    """A run whose processes are killed without warning leaves a log without an end, and can be finished."""
    command = ["train", "ncf", "--data", str(tiny_data), "--system", "here", "--output", "out"]
    command += settings(max_epochs=300, **NEVER)
    with subprocess.Popen(
        [*MLPERF, *command],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        for line in process.stderr or ():
            if "epoch 4:" in line:
                break
        os.killpg(process.pid, signal.SIGKILL)
    log = results(tmp_path / "out") / "result_0.txt"
    deadline = time.monotonic() + 10
    while "run_stop" in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert check_log(log).run.status is None
    work = tmp_path / "out" / ".work" / "here" / "ncf" / "result_0"
    epoch = json.loads((work / "checkpoint" / "latest.json").read_text())["epoch"]
    assert epoch >= 3

    other = run_mlperf(*command, "--resume", "--set", "learning_rate=0.5", folder=tmp_path)
    assert other.returncode == 2
    assert "is of a run with another config" in other.stderr
    shutil.rmtree(work / "checkpoint" / f"epoch_{epoch}")
    lost = run_mlperf(*command, "--resume", folder=tmp_path)
    assert lost.returncode == 2
    assert "cannot be read" in lost.stderr


def test_killed_parent_ends_the_run_and_resume_waits_for_it(tiny_data, tmp_path):
    """When only the command is killed its run ends too; --resume given at once waits, so a log has one writer."""
    command = ["train", "ncf", "--data", str(tiny_data), "--system", "here", "--output", "out"]
    command += settings(max_epochs=400, checkpoint_every_epochs=1, **NEVER)
    with subprocess.Popen(
        [*MLPERF, *command], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr or ():
            if "epoch 4:" in line:
                break
        process.kill()
        resumed = subprocess.Popen(
            [*MLPERF, *command, "--resume"],
            cwd=tmp_path,
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in resumed.stderr or ():
            if "epoch 7:" in line:
                break
        resumed.send_signal(signal.SIGTERM)
        resumed.communicate(timeout=120)
    events = read_events(results(tmp_path / "out") / "result_0.txt")
    epochs = [event["metadata"]["epoch_num"] for event in events if event["key"] == "epoch_start"]
    assert epochs == list(range(1, len(epochs) + 1))
    keys = [event["key"] for event in events]
    assert [keys.count(key) for key in ("run_start", "training_resumed", "run_stop")] == [1, 1, 1]
    aside = list((tmp_path / "out" / ".work" / "here" / "ncf" / "result_0").glob("*.interrupted"))
    (interrupted,) = [read_events(path) for path in aside]
    assert (interrupted[-1]["key"], interrupted[-1]["metadata"]["status"]) == ("run_stop", "aborted")


def test_second_writer_is_refused(tiny_data, tmp_path, monkeypatch):
    """A run that another command is writing is left alone."""
    monkeypatch.setattr(launching, "_GRACE_S", 0.2)
    work = tmp_path / "out" / ".work" / "here" / "ncf" / "result_0"
    work.mkdir(parents=True)
    command = ["train", "ncf", "--data", tiny_data, "--system", "here", "--output", "out", "--resume"]
    with (work / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = run_here(*command, *settings(), folder=tmp_path)
    assert done.returncode == 2
    assert "another command is still writing the run" in done.stderr
    assert not (results(tmp_path / "out") / "result_0.txt").exists()


def test_same_seed_gives_the_same_values(series, tiny_data, tmp_path):
    """A seed decides every evaluation; another seed gives others."""
    output, _ = series
    train(tiny_data, "--seed", "7", *settings(max_epochs=3, target=0.1), folder=tmp_path)
    again = read_events(results(tmp_path / "out") / "result_0.txt")
    first, other = (read_events(results(output) / f"result_{number}.txt") for number in (0, 1))

    def course(events: list) -> list:
        stats = [event["value"]["loss"] for event in events if event["key"] == "tracked_stats"]
        return stats + [event["value"] for event in events if event["key"] == "eval_accuracy"]

    assert course(again) == course(first)
    assert course(again) != course(other)


def test_two_workers_write_one_log(tiny_data, tmp_path):
    """Two processes on the loopback interface train one model, and one log with the whole run comes out."""
    done = train(
        tiny_data, "--workers", "2", "--format", "json", *settings(max_epochs=30, target=0.8), folder=tmp_path
    )
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["status"], run["quality"] >= 0.8) == ("success", True)
    logs = list((tmp_path / "out" / "reference").rglob("*.txt"))
    assert logs == [results(tmp_path / "out") / "result_0.txt"]
    keys = [event["key"] for event in read_events(logs[0])]
    assert keys.count("run_start") == keys.count("run_stop") == 1
    assert keys.count("eval_accuracy") == run["epochs"]


def test_diverged_run_ends_at_once(tiny_data, tmp_path):
    """A loss that is not a number ends the run in the epoch where it occurs; the log says why, and is not compliant."""
    done = train(
        tiny_data,
        "--runs",
        "2",
        "--format",
        "json",
        *settings(max_epochs=5, learning_rate=1e30),
        folder=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    assert "training has diverged" in done.stderr
    runs = json.loads(done.stdout)["runs"]
    assert [(run["status"], run["verdict"], run["epochs"]) for run in runs] == [("aborted", "fail", 1)] * 2
    log = results(tmp_path / "out") / "result_0.txt"
    events = read_events(log)
    assert events[-1]["key"] == "run_stop"
    assert "training has diverged" in events[-1]["metadata"]["reason"]
    assert not [event for event in events if event["key"] == "eval_accuracy"]


def test_log_says_what_ran(series):
    """The header holds the data's checksum, the devices, threads and versions, and that caches were cleared."""
    output, _ = series
    values = {event["key"]: event["value"] for event in read_events(results(output) / "result_0.txt")}
    assert len(values["data_checksum"]) == 64
    environment = values["run_environment"]
    assert (environment["strategy"], environment["processes"]) == ("OneDeviceStrategy", 1)
    assert environment["deterministic"] is True
    assert environment["tensorflow"].count(".") >= 1
    packages = output / "reference/benchmarks/ncf/implementations/here/packages.json"
    assert any(each.startswith("numpy==") for each in json.loads(packages.read_text()))


def test_missing_data_is_reported_with_the_command(tmp_path):
    """Without data nothing is begun; one sentence names the command that gets it."""
    done = run_mlperf("train", "recommendation", "--data", "none", folder=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert (
        "python -m reference_impls.recommendation.download --scale mini --data none/recommendation/mini"
        in line
    )
    assert not (tmp_path / "out").exists()


def test_damaged_data_is_reported_with_the_command(tiny_data, tmp_path):
    """Data that is not what was prepared is reported, and the log says that the run did not succeed."""
    shutil.copytree(tiny_data, tmp_path / "data")
    path = tmp_path / "data" / "recommendation" / "mini" / "prepared.npz"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    done = run_mlperf(
        "train", "recommendation", "--system", "here", "--output", "out", *settings(), folder=tmp_path
    )
    assert done.returncode == 2
    assert "prepared.npz is damaged" in done.stderr
    assert "python -m reference_impls.recommendation.download" in done.stderr
    assert check_log(results(tmp_path / "out") / "result_0.txt").run.status == "aborted"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name a trainer:"),
        (["recomendation"], "did you mean 'recommendation'?"),
        (["ncf", "--set", "learing_rate=1"], "did you mean 'learning_rate'?"),
        (["ncf", "--set", "max_epochs=many"], "'many' is not of the kind int"),
        (["ncf", "--set", "max_epochs"], "write key=value"),
        (["ncf", "--runs", "0"], "'0' is not a positive number"),
        (["ncf", "--sed", "1"], "did you mean --seed?"),
        (["ncf", "--set", "precision=int1"], "precision must be one of float32, mixed_bfloat16"),
        (["ncf", "--set", "global_batch_size=0"], "global_batch_size must be at least 1, not 0"),
        (["ncf", "--set", "dropout=1.5"], "dropout must be at least 0 and below 1, not 1.5"),
        (["ncf", "--set", "target=nan"], "target must be finite, not nan"),
        (["ncf", "--set", "eval_every_epochs=0"], "eval_every_epochs must be at least 1, not 0"),
        (["ncf", "--set", "mlp_layers="], "mlp_layers must hold at least one value"),
        (["ncf", "--set", "learning_rate=-1"], "learning_rate must be above 0, not -1.0"),
        (["ncf", "--set", "top=50"], "the closed division does not allow top=50 (the rules want == 10)"),
        (["ncf", "--set", "target=0.1"], "the closed division does not allow target=0.1"),
        (["ncf", "--set", "eval_seed=2"], "the closed division does not allow eval_seed=2"),
        (["resnet", "--set", "image_size=14"], "the closed division does not allow image_size=14"),
        (["sentiment", "--set", "units=7"], "the closed division does not allow units=7"),
    ],
)
def test_mistakes_are_answered_with_a_sentence(arguments, says, tmp_path):
    """A wrong argument is answered in one sentence, before anything is loaded or written."""
    done = run_mlperf("train", *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_trainers_and_settings_are_listed(tmp_path):
    """--list shows the trainers with the names that logs have, --show the settings of one."""
    listed = json.loads(run_mlperf("train", "--list", "--format", "json", folder=tmp_path).stdout)
    names = {trainer["name"]: trainer["benchmark"] for trainer in listed["trainers"]}
    assert names.items() >= {"recommendation": "ncf", "sentiment": "sentiment"}.items()
    shown = run_mlperf("train", "ncf", "--show", "--set", "factors=5", folder=tmp_path)
    assert "factors" in shown.stdout
    document = run_mlperf("train", "ncf", "--show", "--set", "factors=5", "--format", "json", folder=tmp_path)
    assert json.loads(document.stdout)["settings"]["factors"] == 5
