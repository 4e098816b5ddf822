"""Train the runs whose logs are examples, and copy their logs: ``make measure-mini`` calls this last.

Each log is made by one `mlperf train` command, which `examples/logs/trained/README.md` names.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.measured_logs import ROOT, find_logs
from reference_impls.harness import find_task

TRAINED = ROOT / "examples" / "logs" / "trained"
INTERRUPTED_AFTER = 3

RUNS = {
    "recommendation": {
        "ncf.txt": ("--seed", "10"),
        "ncf_open.txt": ("--seed", "3", "--division", "open"),
        "ncf_two_workers.txt": ("--seed", "1", "--workers", "2"),
    },
    "sentiment": {"sentiment.txt": ("--seed", "7"), "sentiment_open.txt": ("--division", "open")},
    "image_classification": {"resnet.txt": ("--seed", "2"), "resnet_open.txt": ("--division", "open")},
    "translation": {"transformer.txt": ("--seed", "3"), "transformer_open.txt": ("--division", "open")},
    "speech_recognition": {
        "deepspeech2.txt": ("--seed", "6"),
        "deepspeech2_open.txt": ("--division", "open"),
    },
    "object_detection": {"maskrcnn.txt": ("--seed", "6"), "maskrcnn_open.txt": ("--division", "open")},
    "reinforcement_learning": {"minigo.txt": ("--seed", "6"), "minigo_open.txt": ("--division", "open")},
}
"""Options of the runs by task and log."""


def train_examples(name: str, data: Path, output: Path) -> None:
    """Train a task's example runs, or what is missing of them, and copy their logs.

    Args:
        name: name of the task.
        data: folder of all data.
        output: folder of the results, one below it for each log.

    Raises:
        SystemExit: a run did not come to its end.
    """
    for log, options in RUNS[name].items():
        _train(name, data, output / Path(log).stem, options)
        shutil.copy(find_log(name, output / Path(log).stem), TRAINED / log)
    if name == "recommendation":
        _interrupt_and_resume(data, output / "ncf_interrupted")


def find_log(name: str, output: Path) -> Path:
    """The log of the only run of an output folder."""
    return find_logs(find_task(name), output)[0]


def _make_command(name: str, data: Path, output: Path, options: tuple[str, ...]) -> list[str]:
    places = ["--data", str(data), "--output", str(output), "--resume"]
    return [sys.executable, "-m", "mlperf_logging.cli.main", "train", name, *places, *options]


def _train(name: str, data: Path, output: Path, options: tuple[str, ...]) -> None:
    done = subprocess.run(_make_command(name, data, output, options), cwd=ROOT, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{name} {' '.join(options)}: exit code {done.returncode}")


def _interrupt_and_resume(data: Path, output: Path) -> None:
    """The run of ``ncf.txt``, interrupted as by Ctrl-C after some evaluations, then finished."""
    options = RUNS["recommendation"]["ncf.txt"]
    shutil.rmtree(output, ignore_errors=True)
    command = _make_command("recommendation", data, output, options)
    # In the background SIGINT may be ignored, which processes inherit; but not a custom handler.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        for line in process.stderr or ():
            if f"epoch {INTERRUPTED_AFTER}:" in line:
                os.killpg(process.pid, signal.SIGINT)  # a terminal interrupts all processes of the run
                break
        process.communicate()
    signal.signal(signal.SIGINT, before)
    shutil.copy(find_log("recommendation", output), TRAINED / "ncf_interrupted.txt")
    _train("recommendation", data, output, options)
    shutil.copy(find_log("recommendation", output), TRAINED / "ncf_resumed.txt")
