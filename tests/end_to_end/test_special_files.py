"""Pipes, sockets and devices where a log is expected: below a folder they are none, named they are read to their end."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from checkout import PROJECT
from commands import chdir

from mlperf_logging import UnreadableLogError, check_log
from mlperf_logging.compliance import held_log

LOG = PROJECT / "examples/logs/compliant/6.1.0_flux1.txt"
RESULTS = PROJECT / "examples/submission/Example_Lab/results/example_8x/llama2_70b_lora"
PATIENCE_S = 120
"""A command that takes longer waits for something that never comes."""


def mlperf(
    *arguments: object, closed: int | None = None, **options: object
) -> subprocess.CompletedProcess[str]:
    """Run `mlperf` as a process of its own; `closed` is a standard stream that it does not have."""
    command = [sys.executable, "-m", "mlperf_logging.cli.main", *map(str, arguments)]
    if closed is not None:
        command = ["sh", "-c", f'exec "$@" {closed}<&-', "sh", *command]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=PATIENCE_S, cwd=PROJECT, **options
    )


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results with pipes, sockets and devices among logs, side files and readings, under names that count."""
    folder = tmp_path / "results/example_8x/llama2_70b_lora"
    shutil.copytree(RESULTS, folder)
    for place, name in ((folder, "result"), (folder / "power/result_0", "node")):
        os.mkfifo(place / f"{name}_97.txt")
        (place / f"{name}_98.txt").symlink_to("/dev/zero")
        (place / f"{name}_99.txt").symlink_to(f"{name}_97.txt")
        with socket.socket(socket.AF_UNIX) as bound, chdir(place):
            bound.bind(f"{name}_96.txt")
    (folder / "scaling.json").unlink()
    os.mkfifo(folder / "scaling.json")
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("check",),
        ("score",),
        ("rcp",),
        ("analyze",),
        ("plot", "spread", "--format", "json"),
        ("plot", "energy", "--format", "json"),
    ],
    ids=" ".join,
)
def test_special_files_below_a_folder_are_no_logs(command: tuple[str, ...], results: Path) -> None:
    """Each command reads the regular files of a folder, waits for no pipe and reads no endless device."""
    done = mlperf(*command, results)

    assert "Traceback" not in done.stderr
    assert not any(f"result_{number}.txt" in done.stdout for number in (96, 97, 98, 99))


def test_pattern_matches_no_pipe(results: Path) -> None:
    """A pattern stands for regular files and folders, as a folder does."""
    done = mlperf("check", f"{results}/result_*")

    assert done.returncode == mlperf("check", RESULTS).returncode
    assert "result_97" not in done.stdout


@pytest.mark.parametrize("options", [(), ("--follow",)], ids=["whole", "follow"])
def test_named_pipe_is_read_to_its_end(options: tuple[str, ...], tmp_path: Path) -> None:
    """A pipe that is named is a log that ends when its writer goes."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_bytes(LOG.read_bytes()), daemon=True)
    writer.start()

    assert mlperf("check", *options, pipe).returncode == 0
    writer.join(PATIENCE_S)


@pytest.mark.parametrize("options", [(), ("--follow",)], ids=["whole", "follow"])
def test_closed_standard_input_is_said(options: tuple[str, ...]) -> None:
    """Without a standard input, "-" cannot be read, and nothing waits for it."""
    done = mlperf("check", *options, "-", closed=0)

    assert done.returncode == 2
    assert "standard input is closed" in done.stdout + done.stderr


def test_endless_input_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read twice is kept up to a limit, and then refused."""
    monkeypatch.setattr(held_log, "MAX_SPOOL_BYTES", 4 << 20)
    for source in ("/dev/zero", io.BytesIO(b"noise\n" * (1 << 20))):
        with pytest.raises(UnreadableLogError, match="gives more than 4 MiB"):
            check_log(source)


def test_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room to keep what a pipe gives, the log is unreadable, not the command broken."""

    def refuse(**_: object) -> io.BytesIO:
        class Full(io.BytesIO):
            def write(self, _: object) -> int:
                raise OSError(28, "No space left on device")

        return Full()

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", refuse)
    with pytest.raises(UnreadableLogError, match="No space left on device"):
        check_log(io.BytesIO(b"noise\n"))
