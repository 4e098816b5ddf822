"""The process of one run: ``python -m reference_impls.harness.run.process REQUEST RESULT PARENT``.

Each run has a process of its own, so that every run starts from the same state and pays for its own start.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from mlperf_logging import MLPerfLoggingError
from reference_impls.harness.run.requests import RunRequest

CANNOT_WORK, INTERRUPTED = 2, 130
_PR_SET_PDEATHSIG = 1
_NOTICE = re.compile(rb"[IW]\d{4} |\d{4}-\d\d-\d\d [\d:.]+ ?: [IW] |WARNING: All log messages before absl")


@contextmanager
def without_notices() -> Iterator[None]:
    """Suppress the notices that TensorFlow's native code prints to standard error while it loads; keep the rest."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            kept.seek(0)
            os.write(2, b"".join(line for line in kept if not _NOTICE.match(line)))


def end_with_parent(parent: int) -> None:
    """Get SIGTERM when the parent process dies (Linux only), so that no run continues unattended.

    Args:
        parent: the parent's process id; if it has died already, this process ends at once.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(INTERRUPTED)


def main(arguments: list[str]) -> int:
    """Do the run that one file requests, and write its result into another.

    Args:
        arguments: the two files, and the id of the process to end with.

    Returns:
        0: the run ended; 2: it could not work, and standard error says why; 130: interrupted.
    """
    end_with_parent(int(arguments[2]))
    return do_run(Path(arguments[0]), Path(arguments[1]))


def do_run(request_file: Path, result_file: Path) -> int:
    """Do a run in this process.

    Args:
        request_file: holds the request.
        result_file: gets the result.

    Returns:
        As `main`.
    """
    request = RunRequest.from_json(request_file.read_text("utf-8"))
    try:
        with without_notices():
            from reference_impls.harness.run.training import train  # noqa: PLC0415 - loads TensorFlow

        result = train(request, sys.stderr)
    except MLPerfLoggingError as error:
        sys.stderr.write(f"{request.task}: {error}\n")
        return CANNOT_WORK
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{request.task}: interrupted\n")
        return INTERRUPTED
    result_file.write_text(json.dumps(asdict(result)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
