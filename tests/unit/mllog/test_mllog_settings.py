"""Configuration of the shared logger, by the script and by the environment."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging import mllog
from mlperf_logging.mllog.errors import ConfigError

pytestmark = pytest.mark.usefixtures("shared_logger")

SCRIPT = "from mlperf_logging import mllog\nmllog.event('key', 1)\n"


def read(path: Path) -> list[dict[str, Any]]:
    """Records of a log file."""
    return [json.loads(line[9:]) for line in path.read_text().splitlines()]


def test_the_shared_logger_is_one() -> None:
    """Every module gets the same logger, also under its public module name."""
    assert mllog.get_mllogger() is mllog.get_mllogger() is mllog.mllogger
    assert isinstance(mllog.mllogger, mllog.MLLogger)


def test_public_names_are_where_scripts_import_them_from() -> None:
    """The imports that scripts in the wild use give the same things."""
    from mlperf_logging.mllog import constants
    from mlperf_logging.mllog.constants import RUN_START
    from mlperf_logging.mllog.mllog import MLLogger, get_caller

    assert mllog.constants is constants is mllog.mllog.constants
    assert mllog.MLLogger is MLLogger is mllog.mllog.MLLogger
    assert mllog.mllog.get_caller is get_caller
    assert RUN_START == "run_start"


def test_unknown_attributes_are_errors() -> None:
    """A misspelled name of the module is an AttributeError, as anywhere."""
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = mllog.no_such_name  # type: ignore[attr-defined]


def test_options_change_the_shared_logger(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each option takes effect, and what is not given stays."""
    mllog.config(filename=str(tmp_path / "log.txt"), default_namespace="a")
    mllog.config(root_dir=str(Path(__file__).parent), default_clear_line=True)
    mllog.config(default_stack_offset=2)

    def wrapper() -> None:
        mllog.get_mllogger().event("key")

    wrapper()
    empty, record = (tmp_path / "log.txt").read_text().splitlines()
    assert (empty, json.loads(record[9:])["namespace"]) == ("", "a")
    assert json.loads(record[9:])["metadata"]["file"] == Path(__file__).name
    assert capsys.readouterr().out.count(":::MLLOG") == 1


def test_module_functions_name_their_caller(tmp_path: Path) -> None:
    """mllog.event, start, end and the named events give the script's line as the call site."""
    mllog.config(filename=tmp_path / "log.txt", stdout=False)
    code = (
        "mllog.event('key')\nmllog.start('key')\nmllog.end('key')\nmllog.seed(1)\n"
        "mllog.hyperparameters({'a': 1})\nwith mllog.interval('eval'): pass\n"
        "mllog.submission(benchmark='b', org='o', division='open', platform='p', status='onprem')\n"
        "mllog.bind(a=1).event('key')\nwith mllog.run(): pass\nmllog.event('key', stack_offset=1)\n"
    )
    exec(compile(code, "the_script.py", "exec"), {"mllog": mllog})  # noqa: S102 - the code is this test's own
    sites = [
        (record["metadata"]["file"], record["metadata"]["lineno"]) for record in read(tmp_path / "log.txt")
    ]
    lines = [1, 2, 3, 4, 5, 6, 6, 7, 7, 7, 7, 7, 8, 9, 9, 10]
    assert sites == [("the_script.py", line) for line in lines]


def test_the_same_file_is_not_written_twice(tmp_path: Path) -> None:
    """Configuring a file again, or with buffering, leaves one handler for it."""
    for buffer_seconds in (0.0, 0.0, 100.0):
        mllog.config(filename=str(tmp_path / "log.txt"), buffer_seconds=buffer_seconds)
    mllog.event("key")
    mllog.get_mllogger().end("run_stop")
    assert len(read(tmp_path / "log.txt")) == 2


def test_two_files_both_get_the_events(tmp_path: Path) -> None:
    """A second file is a second handler."""
    for name in ("a", "b"):
        mllog.config(filename=str(tmp_path / name))
    mllog.event("key")
    assert len(read(tmp_path / "a")) == len(read(tmp_path / "b")) == 1


def test_handlers_are_where_scripts_look_for_them(tmp_path: Path) -> None:
    """The file's handler comes after standard output's, is a FileHandler, and can be removed."""
    mllog.config(filename=str(tmp_path / "log.txt"))
    logger = mllog.mllogger.logger
    files = [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]
    assert logger.handlers.index(files[0]) > 0
    logger.removeHandler(files[0])
    mllog.event("key")
    assert (tmp_path / "log.txt").read_text() == ""


def test_a_script_may_bring_its_own_logger(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Events go to the handlers of a logger that the script configures, and only there."""
    logger = logging.getLogger("my.own.logger")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    handler = logging.FileHandler(tmp_path / "own.txt")
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.addHandler(handler)
    mllog.config(logger=logger)
    mllog.event("key")
    handler.close()
    assert (tmp_path / "own.txt").read_text().startswith("INFO :::MLLOG {")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "options",
    [
        {"logger": "name"},
        {"filename": 3},
        {"default_namespace": 0},
        {"default_stack_offset": "1"},
        {"default_clear_line": 1},
        {"root_dir": 5},
        {"ranks": "first"},
        {"on_violation": "panic"},
        {"mode": "w"},
        {"barrier": "horovod"},
        {"check": "training/no-such-round"},
    ],
)
def test_wrong_options_are_refused_before_anything_changes(options: dict[str, Any], tmp_path: Path) -> None:
    """A wrong type or value is a ValueError that names the option; nothing was configured then."""
    (name,) = options
    with pytest.raises(ValueError, match=name if name != "check" else "no-such-round"):
        mllog.config(**{"filename": str(tmp_path / "log.txt"), **options})
    assert not list(tmp_path.iterdir())


def test_the_default_logger_cannot_be_its_own_replacement() -> None:
    """A logger with the name of the one in use is refused, with the way out."""
    with pytest.raises(ConfigError, match="give it another name"):
        mllog.config(logger=logging.getLogger("mllog_default"))


def test_unknown_options_are_warned_of() -> None:
    """An option that does not exist changes nothing but is not silently passed over."""
    with pytest.warns(UserWarning, match="unknown option file_name"):
        mllog.config(file_name="log.txt")


def test_stdout_can_be_switched_off_and_on(capsys: pytest.CaptureFixture[str]) -> None:
    """stdout=False holds for later instances too; stdout=True brings the output back once."""
    mllog.config(stdout=False)
    mllog.MLLogger().event("hidden")
    mllog.config(stdout=True)
    mllog.config(stdout=True)
    mllog.event("seen")
    out = capsys.readouterr().out
    assert (out.count(":::MLLOG"), "hidden" in out) == (1, False)


def test_environment_configures(tmp_path: Path, run_script: Callable[..., Any]) -> None:
    """The variables set file, namespace, root and output of a script that configures nothing."""
    done = run_script(
        SCRIPT,
        env={
            "MLLOG_FILE": str(tmp_path / "log_{rank}.txt"),
            "MLLOG_RANK": "3",
            "MLLOG_STDOUT": "0",
            "MLLOG_NAMESPACE": "worker",
            "MLLOG_ROOT_DIR": str(tmp_path),
            "MLLOG_BUFFER_SECONDS": "5",
        },
    )
    (record,) = read(tmp_path / "log_3.txt")
    assert (done.stdout, done.stderr) == ("", "")
    assert (record["namespace"], record["metadata"]["file"]) == ("worker", "script.py")


def test_what_the_script_says_wins_over_the_environment(
    tmp_path: Path, run_script: Callable[..., Any]
) -> None:
    """What config says comes after the variables; the same file given by both is written once."""
    done = run_script(
        "from mlperf_logging import mllog\n"
        "mllog.config(filename='log.txt', default_namespace='script')\nmllog.event('key')\n",
        env={"MLLOG_FILE": "log.txt", "MLLOG_NAMESPACE": "environment"},
    )
    assert [record["namespace"] for record in read(tmp_path / "log.txt")] == ["script"]
    assert done.stdout.count(":::MLLOG") == 1


def test_variables_name_the_rules_of_a_check(run_script: Callable[..., Any], tmp_path: Path) -> None:
    """MLLOG_RULES is the folder of rules for MLLOG_CHECK."""
    (tmp_path / "rules/acme").mkdir(parents=True)
    (tmp_path / "rules/acme/1.0.0.yaml").write_text("extends: training/5.1.0\ncommon:\n  key: value == 7\n")
    done = run_script(SCRIPT, env={"MLLOG_CHECK": "acme/1.0.0", "MLLOG_RULES": str(tmp_path / "rules")})
    assert (done.returncode, "common.key.value" in done.stderr) == (0, True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MLLOG_RANKS", "zero"),
        ("MLLOG_BUFFER_SECONDS", "soon"),
        ("MLLOG_CHECK", "training/no-such-round"),
        ("MLLOG_ON_VIOLATION", "panic"),
    ],
)
def test_wrong_variables_do_not_stop_training(run_script: Callable[..., Any], name: str, text: str) -> None:
    """A variable that cannot be understood is reported on standard error; the script runs."""
    env = {"MLLOG_FILE": "log.txt", name: text}
    if name == "MLLOG_ON_VIOLATION":
        env["MLLOG_CHECK"] = "training/no-such-round"
    done = run_script(SCRIPT, env=env)
    assert (done.returncode, done.stdout.count(":::MLLOG")) == (0, 1)
    assert name in done.stderr


@pytest.mark.parametrize(
    ("ranks", "env", "logs"),
    [
        ("all", {"RANK": "7"}, True),
        ("0", {"RANK": "0"}, True),
        ("0", {"RANK": "7"}, False),
        ("0,4-7", {"SLURM_PROCID": "6"}, True),
        ("0", {}, True),
        ("0", {"MLLOG_RANK": "1", "RANK": "0"}, False),
    ],
)
def test_ranks_choose_who_logs(
    run_script: Callable[..., Any], ranks: str, env: dict[str, str], logs: bool
) -> None:
    """Only the chosen ranks log; a process that knows no rank counts as rank 0."""
    by_environment = run_script(SCRIPT, env={**env, "MLLOG_RANKS": ranks})
    by_script = run_script(
        SCRIPT.replace("mllog.event", f"mllog.config(ranks={ranks!r})\nmllog.event"), env=env
    )
    assert by_environment.stdout.count(":::MLLOG") == by_script.stdout.count(":::MLLOG") == int(logs)
