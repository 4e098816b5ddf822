"""The standard output sink: the stream of the moment, order with prints, closed pipes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging import mllog
from mlperf_logging.mllog.sinks import StdoutSink


@pytest.mark.usefixtures("shared_logger")
def test_events_go_to_standard_output_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without any configuration an event is a line on standard output."""
    mllog.get_mllogger().event("key", 1)
    assert capsys.readouterr().out.startswith(':::MLLOG {"namespace": "", "time_ms": ')


@pytest.mark.usefixtures("shared_logger")
def test_redirected_output_is_followed() -> None:
    """Whatever sys.stdout is when the event happens gets it."""
    mllog.event("before")
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        mllog.event("inside")
    mllog.event("after")
    assert [json.loads(line[9:])["key"] for line in stream.getvalue().splitlines()] == ["inside"]


@pytest.mark.usefixtures("shared_logger")
def test_several_loggers_print_an_event_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Further instances share the output instead of doubling it."""
    first, second = mllog.MLLogger(), mllog.MLLogger()
    mllog.get_mllogger()
    first.event("key", 1)
    second.event("key", 2)
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.usefixtures("shared_logger")
def test_set_stream_is_respected(capsys: pytest.CaptureFixture[str]) -> None:
    """A handler that was given a stream keeps to it."""
    stream = io.StringIO()
    (handler,) = (one for one in mllog.get_mllogger().logger.handlers if isinstance(one, StdoutSink))
    handler.setStream(stream)
    mllog.event("key")
    assert (len(stream.getvalue().splitlines()), capsys.readouterr().out) == (1, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_order_with_prints_is_kept(run_script: Callable[..., Any], unbuffered: str) -> None:
    """Text printed before an event comes before it, also into a pipe."""
    done = run_script(
        "from mlperf_logging import mllog\n"
        "for n in range(3):\n    print('text', n)\n    mllog.event('key', n)\nprint('end')\n",
        env={"PYTHONUNBUFFERED": unbuffered},
    )
    kinds = ["event" if line.startswith(":::MLLOG") else line for line in done.stdout.splitlines()]
    assert kinds == ["text 0", "event", "text 1", "event", "text 2", "event", "end"]


def test_a_closed_pipe_does_not_stop_training(tmp_path: Path) -> None:
    """When nobody reads standard output any more, events go to standard error and the script ends well."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom mlperf_logging import mllog\n"
        "mllog.event('first')\nsys.stdin.readline()\n"
        "for n in range(3):\n    mllog.event('key', n)\n"
        "sys.stderr.write('trained\\n')\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert '"first"' in process.stdout.readline()
    process.stdout.close()
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait() == 0, err
    assert err.count("mllog: cannot write to standard output: Broken pipe") == 1
    assert err.count(":::MLLOG") == 3
    assert err.endswith("trained\n")
    process.stdin.close()
    process.stderr.close()


@pytest.mark.parametrize("stream", ["None", "open(os.devnull)", "io.StringIO()"])
def test_odd_standard_outputs_do_not_stop_training(run_script: Callable[..., Any], stream: str) -> None:
    """No stream, a read-only one or a closed one: the event is on standard error, the script ends well."""
    done = run_script(
        "import io, os, sys\nfrom mlperf_logging import mllog\n"
        f"sys.stdout = {stream}\n"
        "if isinstance(sys.stdout, io.StringIO): sys.stdout.close()\n"
        "mllog.event('key')\n"
        "sys.stdout = sys.__stdout__\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(":::MLLOG") == 1


def test_a_full_disk_under_standard_output(tmp_path: Path) -> None:
    """Redirected to a disk that runs full and is freed, no line is glued to the half of another."""
    script = tmp_path / "script.py"
    script.write_text(
        "import resource\nfrom mlperf_logging import mllog\n"
        "_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))\n"
        "for n in range(9): mllog.event('key', n)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))\n"
        "for n in range(9, 12): mllog.event('key', n)\n"
    )
    with (tmp_path / "out.txt").open("w") as out:
        done = subprocess.run(
            [sys.executable, str(script)], stdout=out, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    lines = [line for line in (tmp_path / "out.txt").read_text().splitlines() if line.endswith("}}")]
    on_stderr = [line for line in done.stderr.splitlines() if line.startswith(":::MLLOG")]
    values = [json.loads(line[9:])["value"] for line in lines[:-3] + on_stderr + lines[-3:]]
    assert values == list(range(12))
    assert len(on_stderr) > 2


def test_a_stream_that_only_writes_will_do(monkeypatch: pytest.MonkeyPatch, recorder: Any) -> None:
    """A stand-in for standard output without flush gets the event, once."""
    parts: list[str] = []

    class Tee:
        def write(self, text: str) -> None:
            parts.append(text)

    monkeypatch.setattr(sys, "stdout", Tee())
    recorder.target.handlers[:] = [StdoutSink()]
    recorder.logger.event("key")
    assert len("".join(parts).splitlines()) == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_that_does_not_block_gets_every_line(tmp_path: Path, unbuffered: str) -> None:
    """A non-blocking pipe that is full is waited for; no line is cut or lost."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os\nfrom mlperf_logging import mllog\nos.set_blocking(1, False)\n"
        "for n in range(600):\n    mllog.event('key', n, metadata={'text': 'x' * 200})\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )
    assert process.stdout is not None
    values = [json.loads(line[9:])["value"] for line in process.stdout]
    process.stdout.close()
    assert (process.wait(), values) == (0, list(range(600)))
