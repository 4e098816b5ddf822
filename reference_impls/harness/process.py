"""The process of one run: ``python -m reference_impls.harness.process REQUEST RESULT``, files of JSON.

Each run has a process of its own, so that every run begins alike and pays for its own start.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from mlperf_logging import MLPerfLoggingError
from reference_impls.harness.requests import RunRequest

CANNOT_WORK, INTERRUPTED = 2, 130


def main(arguments: list[str]) -> int:
    """Do the run that a file asks for, and write its result into another.

    Args:
        arguments: the two files.

    Returns:
        0: the run came to its end; 2: it could not work, and standard error says why; 130: interrupted.
    """
    request = RunRequest.from_json(Path(arguments[0]).read_text("utf-8"))
    try:
        from reference_impls.harness.training import train  # noqa: PLC0415 - loads TensorFlow

        result = train(request)
    except MLPerfLoggingError as trouble:
        sys.stderr.write(f"{request.task}: {trouble}\n")
        return CANNOT_WORK
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{request.task}: interrupted\n")
        return INTERRUPTED
    Path(arguments[1]).write_text(json.dumps(asdict(result)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
