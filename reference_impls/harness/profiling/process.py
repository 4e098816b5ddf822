"""The process of one profile: ``python -m reference_impls.harness.profiling.process REQUEST RESULT PARENT``.

Each task is profiled in a process of its own, so that none finds what another has loaded or compiled.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mlperf_logging import MLPerfLoggingError
from reference_impls.harness.errors import DataError, TrainerError
from reference_impls.harness.profiling.requests import Profile, ProfileRequest
from reference_impls.harness.run.launching import make_environments
from reference_impls.harness.run.process import CANNOT_WORK, INTERRUPTED, end_with_parent, without_notices


def profile_task(request: ProfileRequest) -> Profile:
    """Profile a task in a process of its own, and wait for its end.

    Args:
        request: what to profile.

    Raises:
        TrainerError: there is no data, or the process failed, and its message is on standard error.
        KeyboardInterrupt: it was interrupted.
    """
    if not Path(request.data).is_dir():
        raise DataError(f"there is no data at {request.data}; get it with: {request.data_command}")
    with tempfile.TemporaryDirectory(prefix="mlperf-profile-") as folder:
        request_file, result_file = Path(folder, "request.json"), Path(folder, "result.json")
        request_file.write_text(request.to_json(), "utf-8")
        program = [sys.executable, "-m", "reference_impls.harness.profiling.process"]
        (environment,) = make_environments(1)
        done = subprocess.run(  # noqa: S603 - this interpreter, this package
            [*program, str(request_file), str(result_file), str(os.getpid())], env=environment, check=False
        )
        if done.returncode == INTERRUPTED:
            raise KeyboardInterrupt
        if done.returncode:
            raise TrainerError(f"{request.task} was not profiled (its process exited with {done.returncode})")
        return Profile.from_json(result_file.read_text("utf-8"))


def do_profile(request_file: Path, result_file: Path) -> int:
    """Take a profile in this process.

    Args:
        request_file: holds the request.
        result_file: gets the profile.

    Returns:
        0: it was taken; 2: it could not be taken, and standard error says why; 130: interrupted.
    """
    request = ProfileRequest.from_json(request_file.read_text("utf-8"))
    try:
        with without_notices():
            import tensorflow as tf  # noqa: PLC0415 - takes seconds

            from reference_impls.harness.profiling.profiles import take_profile  # noqa: PLC0415 - loads TensorFlow

        # TensorFlow tells developers that its count of floating-point operations was made for its version 1.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        # Only the host's operations are traced: on an accelerator their times would be those of launching kernels.
        tf.config.set_visible_devices([], "GPU")
        profile = take_profile(request, result_file.parent / "scratch")
    except MLPerfLoggingError as error:
        sys.stderr.write(f"{request.task}: {error}\n")
        return CANNOT_WORK
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{request.task}: interrupted\n")
        return INTERRUPTED
    result_file.write_text(profile.to_json(), "utf-8")
    return 0


if __name__ == "__main__":
    end_with_parent(int(sys.argv[3]))
    sys.exit(do_profile(Path(sys.argv[1]), Path(sys.argv[2])))
