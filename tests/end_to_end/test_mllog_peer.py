"""Scripts written for the public `mlperf-logging` package run unchanged and log the same lines.

The comparison needs that package: MLPERF_PEER_PYTHON names the Python of an environment that has it. Without,
the scripts are still run, and must log well-formed lines.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import PROJECT

PEER = os.environ.get("MLPERF_PEER_PYTHON")

BASIC = """
import os
from mlperf_logging import mllog
logger = mllog.get_mllogger()
mllog.config(filename="out.log")
mllog.config(default_namespace="worker1", default_stack_offset=1, default_clear_line=False,
             root_dir=os.path.normpath(os.path.dirname(os.path.realpath(__file__))))
logger.start(key=mllog.constants.RUN_START)
logger.event(key=mllog.constants.GLOBAL_BATCH_SIZE, value=1024)
logger.event(key=mllog.constants.EVAL_ACCURACY, value=0.99, clear_line=True)
logger.event(mllog.constants.EVAL_ACCURACY, {"BBOX": 0.3, "SEGM": [1, 2.5, None]}, {"epoch_num": 3})
logger.end(key=mllog.constants.RUN_STOP, metadata={mllog.constants.STATUS: mllog.constants.SUCCESS})
"""

OWN_LOGGER = """
import logging, sys
from mlperf_logging import mllog
target = logging.getLogger("custom")
target.propagate = False
target.setLevel(logging.DEBUG)
to_file = logging.FileHandler("out.log")
to_file.setLevel(logging.DEBUG)
target.addHandler(to_file)
to_stdout = logging.StreamHandler(stream=sys.stdout)
to_stdout.setLevel(logging.INFO)
to_stdout.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
target.addHandler(to_stdout)
mllog.config(logger=target)
logger = mllog.get_mllogger()
logger.start(key="init_start")
target.info("some text of the script")
logger.end(key="init_stop", time_ms=1234567890123)
target.setLevel(logging.ERROR)
logger.event("hidden")
"""

WRAPPED = """
from mlperf_logging import mllog
from mlperf_logging.mllog import constants
from mlperf_logging.mllog.constants import (SUBMISSION_BENCHMARK, SUBMISSION_DIVISION, SEED)
_LOGGER = mllog.get_mllogger()

def _log(method, *args, **kwargs):
    if "stack_offset" not in kwargs:
        kwargs["stack_offset"] = 3
    if "value" not in kwargs:
        kwargs["value"] = None
    method(*args, **kwargs)

def log_start(*args, **kwargs): _log(_LOGGER.start, *args, **kwargs)
def log_end(*args, **kwargs): _log(_LOGGER.end, *args, **kwargs)
def log_event(*args, **kwargs): _log(_LOGGER.event, *args, **kwargs)

mllog.config(filename="out.log")
_LOGGER.logger.propagate = False

def main():
    log_event(key=SUBMISSION_BENCHMARK, value=constants.RESNET)
    log_event(key=SUBMISSION_DIVISION, value=constants.CLOSED)
    log_event(key=SEED, value=12345)
    log_start(key=constants.INIT_START, metadata={"first_epoch_num": 1, "epoch_count": 4})
    log_end(key=constants.INIT_STOP, namespace="other", metadata={"text": "é \\u2028 \\"quoted\\"\\n"})

main()
"""

MODULE_LOGGER = """
import mlperf_logging.mllog.constants as mllog_constants
from mlperf_logging import mllog
MLLOGGER = mllog.get_mllogger()
mllog.config(filename="out.log")
MLLOGGER.start(key=mllog_constants.POWER_MEASUREMENT_START, time_ms=17)
MLLOGGER.event(key=mllog_constants.CONVERTION_EFF, value=1.0, metadata=dict(measurement="AC"), time_ms=18)
MLLOGGER.event(key=mllog_constants.POWER_READING, value=412.5, time_ms=19, metadata=dict(host="node_0"))
mllog.mllogger.logger.removeHandler(mllog.mllogger.logger.handlers[1])
MLLOGGER.event(key="only on standard output", value=True)
"""

OWN_INSTANCE = """
import logging
from mlperf_logging.mllog.mllog import MLLogger
from mlperf_logging import mllog
logging.basicConfig(format="root %(message)s", level=logging.INFO, filename="out.log")
logger = MLLogger(logging.getLogger("of.my.own"), default_namespace="n", default_stack_offset=2, root_dir="/")
class Trainer:
    def log(self, key, value=None, **metadata):
        logger.event(key, value, metadata=metadata, clear_line=bool(metadata))
trainer = Trainer()
trainer.log("epoch_start", 1)
trainer.log("epoch_stop", 1.0, epoch_num=1)
logger.default_namespace = ""
logger.default_stack_offset = 1
logger.event("a", (1, 2), namespace="x")
logger.event("b", {1: None, True: 2}, stack_offset=1, metadata={})
logger.event(7, "key that is a number", metadata=None)
"""

NUMPY = """
import numpy as np
from mlperf_logging import mllog
logger = mllog.get_mllogger()
for value in (np.int32(4), np.float32(0.1), np.float64(0.1), np.arange(6).reshape(2, 3), [np.int64(1)]):
    logger.event("value", value, metadata={"epoch_num": value})
"""

OVERRIDES = """
from mlperf_logging import mllog
logger = mllog.get_mllogger()
logger.event("a", 1, metadata={"lineno": 7, "x": 1})
logger.event("b", 2, metadata={"file": "elsewhere.py"})
logger.event("c", 3, metadata=["no dictionary"])
"""

MOCKED = """
import time
from unittest import mock
from mlperf_logging import mllog
mllog.mllog.get_caller = mock.MagicMock(return_value={"file": "mine.py", "lineno": 42})
mllog.mllog.MLLogger._do_log = mock.Mock(side_effect=lambda level, text, clear_line=False: print(level, text))
time.time = mock.MagicMock(return_value=1234567890.123)
mllog.get_mllogger().start("run_start", None)
mllog.get_mllogger().event("eval_accuracy", 0.99, clear_line=True)
"""

SCRIPTS = {
    "basic": BASIC,
    "own logger": OWN_LOGGER,
    "wrapped": WRAPPED,
    "module logger": MODULE_LOGGER,
    "own instance": OWN_INSTANCE,
    "numpy": NUMPY,
    "overrides": OVERRIDES,
    "mocked": MOCKED,
}


def run_script(python: str, source: str, folder: Path, *, own: bool) -> tuple[list[str], list[str]]:
    """Run a script; its lines on standard output and in ``out.log``, with the clock masked."""
    script = folder / "script.py"
    script.write_text(source)
    (folder / "out.log").unlink(missing_ok=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MLLOG_"))}
    if own:
        env["PYTHONPATH"] = str(PROJECT)
    done = subprocess.run(
        [python, str(script)], capture_output=True, text=True, cwd=folder, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    log = (folder / "out.log").read_text() if (folder / "out.log").exists() else ""
    return mask(done.stdout), mask(log)


def mask(text: str) -> list[str]:
    """Lines with the current time masked, and of warnings, which each package words itself, the place."""
    times = re.sub(r'"time_ms": 1[6-9]\d{11}', '"time_ms": now', text)
    return [
        "a warning" if line and ":::MLLOG" not in line and "script" not in line else line
        for line in times.split("\n")
    ]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_run_unchanged(tmp_path: Path, name: str) -> None:
    """A script written for the public package runs, and every event line is well formed."""
    if name == "numpy":
        pytest.importorskip("numpy")
    out, log = run_script(sys.executable, SCRIPTS[name], tmp_path, own=True)
    events = [line.partition(":::MLLOG ")[2] for line in out + log if ":::MLLOG" in line]
    assert events
    for event in events:
        assert list(json.loads(event.replace(": now", ": 0"))) == [
            *("namespace", "time_ms", "event_type", "key", "value", "metadata")
        ]


@pytest.mark.skipif(PEER is None, reason="MLPERF_PEER_PYTHON does not name a Python with the public package")
@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_log_the_same_lines_as_with_the_public_package(tmp_path: Path, name: str) -> None:
    """Output and log file are the same to the letter, but for the clock and the words of warnings."""
    assert PEER is not None
    if name == "numpy":
        pytest.importorskip("numpy")
    theirs = run_script(PEER, SCRIPTS[name], tmp_path, own=False)
    ours = run_script(sys.executable, SCRIPTS[name], tmp_path, own=True)
    assert ours == theirs


@pytest.mark.skipif(PEER is None, reason="MLPERF_PEER_PYTHON does not name a Python with the public package")
@pytest.mark.parametrize("file", ["test_mllog.py", "examples/dummy_example.py", "examples/parallelism.py"])
def test_the_public_packages_own_scripts_run(tmp_path: Path, file: str) -> None:
    """The public package's own test of its logger and its examples run with this package in its place."""
    assert PEER is not None
    where = "import os, mlperf_logging.mllog as m; print(os.path.dirname(m.__file__))"
    folder = subprocess.run(
        [PEER, "-c", where], capture_output=True, text=True, cwd=tmp_path, env={}, check=True
    ).stdout.strip()
    script = Path(folder) / file
    if not script.exists():
        pytest.skip(f"this version of the public package has no {file}")
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ":::MLLOG" in done.stdout or "OK" in done.stderr
