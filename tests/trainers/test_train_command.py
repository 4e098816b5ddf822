"""`mlperf train` on tiny made-up ratings, with the runs in the test's process."""

from __future__ import annotations

import fcntl
import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from commands import Done, run_mlperf

from mlperf_logging import __version__, check_log
from reference_impls.harness.run import launching
from tests.trainers.conftest import read_events, result_logs, run_in_this_process, settings

pytestmark = pytest.mark.usefixtures("runs_here")


def train(data: Path, *options: object, folder: Path) -> Done:
    """Train recommendation on the data, into `out` below the folder."""
    place = ["--data", data, "--output", "out", "--system", "here", "--format", "json"]
    done = run_mlperf("train", "recommendation", *place, *options, folder=folder)
    assert "Traceback" not in done.stderr, done.stderr
    return done


SERIES = ["--seed", "7", *settings(max_epochs=3, target=0.1)]


@pytest.fixture(scope="module")
def series(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """The output of two runs of up to three epochs, and the document about them."""
    folder = tmp_path_factory.mktemp("series")
    with run_in_this_process():
        done = train(tiny_data, "--runs", "2", *SERIES, folder=folder)
    assert done.returncode == 1, done.stderr
    return folder / "out", json.loads(done.stdout)


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
    versions = system.pop("other_software_stack")
    assert all(isinstance(value, str) for value in [*system.values(), *versions.values()])
    readme = (output / home / "benchmarks/ncf/implementations/here/README.md").read_text()
    assert (
        "mlperf train recommendation --scale mini --division open --seed 7 --runs 2 --set users=60" in readme
    )
    assert f"`reference_impls.recommendation` of mlperf-log-toolkit {__version__}" in readme
    assert document["schema"] == "mlperf-train/1"
    assert [(run["log"], run["seed"]) for run in document["runs"]] == [
        ("result_0.txt", 7),
        ("result_1.txt", 8),
    ]


def test_log_tells_the_run_in_order(series):
    """A log holds identity, seed, hyperparameters and the course of the run, in the order of the rules."""
    output, _ = series
    events = read_events(result_logs(output) / "result_0.txt")
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
        "weights_checksum",
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
    verdict = check_log(result_logs(output) / "result_0.txt", division="closed")
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
        "eval_draws",
        "eval_negatives",
        "max_epochs",
        "model_factors",
        "model_mlp_layers",
        "eval_accuracy",
    }
    assert {run["verdict"] for run in document["runs"]} == {"fail"}
    assert {run["status"] for run in document["runs"]} == {"success"}


def test_log_says_what_ran(series):
    """The header holds the data's checksum, the devices, threads and versions, and that caches were cleared."""
    output, _ = series
    values = {event["key"]: event["value"] for event in read_events(result_logs(output) / "result_0.txt")}
    assert len(values["data_checksum"]) == 64
    environment = values["run_environment"]
    assert (environment["strategy"], environment["processes"]) == ("OneDeviceStrategy", 1)
    assert environment["deterministic"] is True
    assert environment["tensorflow"].count(".") >= 1
    packages = output / "reference/benchmarks/ncf/implementations/here/packages.json"
    assert any(each.startswith("numpy==") for each in json.loads(packages.read_text()))


def test_same_seed_gives_the_same_values(series, tiny_data, tmp_path):
    """A seed decides every evaluation; another seed gives others."""
    output, _ = series
    train(tiny_data, *SERIES, folder=tmp_path)
    again = read_events(result_logs(tmp_path / "out") / "result_0.txt")
    first, other = (read_events(result_logs(output) / f"result_{number}.txt") for number in (0, 1))

    def course(events: list) -> list:
        stats = [event["value"]["loss"] for event in events if event["key"] == "tracked_stats"]
        return stats + [event["value"] for event in events if event["key"] == "eval_accuracy"]

    assert course(again) == course(first)
    assert course(again) != course(other)


def test_results_are_not_overwritten(series, tiny_data):
    """A series does not write over results that are there, and says what to do."""
    output, _ = series
    done = train(tiny_data, folder=output.parent)
    assert done.returncode == 2
    assert "holds result_0.txt already; add --resume" in done.stderr


def test_finished_runs_are_kept(series, tiny_data):
    """--resume keeps finished runs as they are and does those that are missing."""
    output, _ = series
    before = (result_logs(output) / "result_1.txt").read_bytes()
    done = train(tiny_data, "--runs", "3", "--resume", *SERIES, folder=output.parent)
    runs = json.loads(done.stdout)["runs"]
    assert [(run["seed"], run["is_new"]) for run in runs] == [(7, False), (8, False), (9, True)]
    assert (result_logs(output) / "result_1.txt").read_bytes() == before


def test_finished_runs_of_other_settings_are_not_kept(series, tiny_data):
    """--resume with other seeds or settings than the finished runs have says which, and changes nothing."""
    output, _ = series
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    for options, what in (
        (["--seed", "8", *SERIES[2:]], "seed"),
        ([*SERIES, "--set", "learning_rate=0.5"], "config"),
    ):
        done = train(tiny_data, "--runs", "3", "--resume", *options, folder=output.parent)
        assert done.returncode == 2
        assert (
            f"result_0.txt is a finished run with a different {what}; give the options of that series"
            in done.stderr
        )
    assert {path: path.read_bytes() for path in output.rglob("*") if path.is_file()} == before


def test_second_writer_is_refused(tiny_data, tmp_path, monkeypatch):
    """A run that another command is writing is left alone."""
    monkeypatch.setattr(launching, "_GRACE_S", 0.2)
    work = tmp_path / "out" / ".work" / "here" / "ncf" / "result_0"
    work.mkdir(parents=True)
    with (work / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = train(tiny_data, "--resume", *settings(), folder=tmp_path)
    assert done.returncode == 2
    assert "another command is still writing the run" in done.stderr
    assert not (result_logs(tmp_path / "out") / "result_0.txt").exists()


def test_diverged_run_ends_at_once(tiny_data, tmp_path):
    """A loss that is not a number ends the run in the epoch where it occurs; the log says why, and is not compliant."""
    options = ["--runs", "2", *settings(max_epochs=5, learning_rate=1e30)]
    done = train(tiny_data, *options, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "training has diverged" in done.stderr
    runs = json.loads(done.stdout)["runs"]
    assert [(run["status"], run["verdict"], run["epochs"]) for run in runs] == [("aborted", "fail", 1)] * 2
    events = read_events(result_logs(tmp_path / "out") / "result_0.txt")
    assert events[-1]["key"] == "run_stop"
    assert "training has diverged" in events[-1]["metadata"]["reason"]
    assert not [event for event in events if event["key"] == "eval_accuracy"]


def test_missing_data_is_reported_with_the_command(tmp_path):
    """Without data nothing is begun; one sentence names the command that gets it."""
    done = run_mlperf("train", "recommendation", "--data", "none", folder=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "mlperf train data recommendation --scale mini --data none/recommendation/mini" in line
    assert not (tmp_path / "out").exists()


def test_damaged_data_is_reported_with_the_command(tiny_data, tmp_path):
    """Data that is not what was prepared is reported, and the log says that the run did not succeed."""
    shutil.copytree(tiny_data, tmp_path / "data")
    path = tmp_path / "data" / "recommendation" / "mini" / "prepared.npz"
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    done = train(Path("data"), *settings(), folder=tmp_path)
    assert done.returncode == 2
    assert "prepared.npz is damaged" in done.stderr
    assert "mlperf train data recommendation" in done.stderr
    assert check_log(result_logs(tmp_path / "out") / "result_0.txt").run.status == "aborted"


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
        (
            ["ncf", "--set", "precision=int1"],
            "precision must be one of float32, mixed_bfloat16, mixed_float16",
        ),
        (["ncf", "--set", "global_batch_size=0"], "global_batch_size must be at least 1, not 0"),
        (["ncf", "--set", "dropout=1.5"], "dropout must be at least 0 and below 1, not 1.5"),
        (["ncf", "--set", "target=nan"], "target must be finite, not nan"),
        (["ncf", "--set", "eval_every_epochs=0"], "eval_every_epochs must be at least 1, not 0"),
        (["ncf", "--set", "mlp_layers="], "mlp_layers must hold at least one value"),
        (["ncf", "--set", "learning_rate=-1"], "learning_rate must be above 0, not -1.0"),
        (["ncf", "--set", "top=50"], "the closed division does not allow top=50 (the rules require == 10)"),
        (["ncf", "--set", "target=0.1"], "the closed division does not allow target=0.1"),
        (["ncf", "--set", "eval_seed=2"], "the closed division does not allow eval_seed=2"),
        (["resnet", "--set", "image_size=14"], "the closed division does not allow image_size=14"),
        (["sentiment", "--set", "units=7"], "the closed division does not allow units=7"),
    ],
)
def test_mistakes_are_answered_with_a_sentence(arguments, says, tmp_path):
    """A wrong argument is answered in one sentence, before anything is written."""
    done = run_mlperf("train", *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_trainers_and_settings_are_listed(tmp_path):
    """--list shows the trainers with the names that logs have, --show the settings of one."""
    listed = json.loads(run_mlperf("train", "--list", "--format", "json", folder=tmp_path).stdout)
    names = {trainer["name"]: trainer["benchmark"] for trainer in listed["trainers"]}
    assert names.items() >= {"recommendation": "ncf", "sentiment": "sentiment"}.items()
    show = ["train", "ncf", "--show", "--set", "factors=5"]
    assert "factors" in run_mlperf(*show, folder=tmp_path).stdout
    document = run_mlperf(*show, "--format", "json", folder=tmp_path)
    assert json.loads(document.stdout)["settings"]["factors"] == 5


def test_precision_and_accumulation_are_logged(tiny_data, tmp_path):
    """Half precision and accumulation steps train to the target, and the log says so."""
    chosen = settings(precision="mixed_float16", gradient_accumulation_steps=5, target=0.1)
    assert train(tiny_data, *chosen, folder=tmp_path).returncode == 1  # not the target of the rules
    values = {
        event["key"]: event["value"] for event in read_events(result_logs(tmp_path / "out") / "result_0.txt")
    }
    assert values["numerical_precision"] == "mixed_float16"
    assert values["gradient_accumulation_steps"] == 5
    assert values["global_batch_size"] == 70


def test_batch_that_does_not_divide_into_parts_is_a_sentence(tiny_data, tmp_path):
    """Accumulation steps that do not divide the batch end the run before it begins."""
    done = train(tiny_data, *settings(gradient_accumulation_steps=4), folder=tmp_path)
    assert done.returncode == 2
    assert "global_batch_size=70 cannot be divided into 4 parts" in done.stderr
