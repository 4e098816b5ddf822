"""Starting, watching and stopping the processes of a run."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from reference_impls.harness.errors import TrainerError
from reference_impls.harness.run.process import INTERRUPTED
from reference_impls.harness.run.requests import RunRequest

_LOOK_EVERY_S = 0.05
_GRACE_S = 20.0


def launch_run(request: RunRequest, result_file: Path, workers: int = 1) -> None:
    """Run in processes of its own, and wait for their end.

    Args:
        request: the run.
        result_file: where the result is written.
        workers: number of processes that train together on this machine.

    Raises:
        TrainerError: a process failed, and its message is on standard error; or another command is still writing
            this run.
        KeyboardInterrupt: the run was interrupted; its log and its checkpoint are valid.
    """
    work = Path(request.work)
    work.mkdir(parents=True, exist_ok=True)
    module = [sys.executable, "-m", "reference_impls.harness.run.process"]
    processes = []
    with _lock(work) as lock:
        result_file.unlink(missing_ok=True)
        request_file = work / "request.json"
        request_file.write_text(request.to_json(), "utf-8")
        for number, environment in enumerate(make_environments(workers)):
            # Each process writes a result; the first one's counts.
            result = result_file if number == 0 else result_file.with_suffix(f".{number}.json")
            command = [*module, str(request_file), str(result), str(os.getpid())]
            processes.append(
                subprocess.Popen(command, env=environment, pass_fds=[lock])  # noqa: S603 - this interpreter, this package
            )
        with _stop_signals_end(processes):
            code = _wait(processes)
    if code in (INTERRUPTED, -signal.SIGINT, -signal.SIGTERM):
        raise KeyboardInterrupt
    if code:
        raise TrainerError(f"the run with seed {request.seed} failed (its process exited with {code})")


@contextmanager
def _lock(work: Path) -> Iterator[int]:
    """Hold the lock of a run's work folder; gives its file descriptor.

    The processes of the run inherit it, so the lock is free only when the last of them has ended, even if this
    process was killed before.
    """
    with (work / "lock").open("w") as file:
        deadline = time.monotonic() + _GRACE_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TrainerError(
                        f"another command is still writing the run in {work}; wait for its end or stop it"
                    ) from None
                time.sleep(_LOOK_EVERY_S)
        yield file.fileno()


def make_environments(workers: int) -> list[dict[str, str]]:
    """The environment variables of each of the processes that work together on this machine."""
    package = str(Path(__file__).parents[3])
    path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    common = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONPATH": path}
    if workers == 1:
        return [common]
    cluster = {"worker": [f"127.0.0.1:{port}" for port in _find_ports(workers)]}
    configs = [{"cluster": cluster, "task": {"type": "worker", "index": index}} for index in range(workers)]
    return [{**common, "TF_CONFIG": json.dumps(config)} for config in configs]


def _find_ports(number: int) -> list[int]:
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _wait(processes: list[subprocess.Popen[bytes]]) -> int:
    """Wait for all; if one fails, stop the others, which would wait for it forever. Returns the first failure."""
    try:
        while None in [
            process.poll() for process in processes
        ]:  # asks each of them, whichever is still running
            failed = [process.returncode for process in processes if process.returncode]
            if failed:
                _end(processes)
                return failed[0]
            time.sleep(_LOOK_EVERY_S)
    except KeyboardInterrupt:  # a terminal interrupts all of them; they finish their logs
        _end(processes, patience_s=_GRACE_S)
        raise
    return next((process.returncode for process in processes if process.returncode), 0)


def _end(processes: list[subprocess.Popen[bytes]], patience_s: float = 0.0) -> None:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and any(process.poll() is None for process in processes):
        time.sleep(_LOOK_EVERY_S)
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _stop_signals_end(processes: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """While the block runs, SIGTERM is passed on to the processes of the run."""

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        for process in processes:
            if process.poll() is None:
                process.terminate()
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, pass_on)
    except ValueError:  # not the main thread: the caller must stop it
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
