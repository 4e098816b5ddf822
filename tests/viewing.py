"""`mlperf view` as a process of its own, for tests that ask it for pages."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from checkout import PROJECT

PATIENCE_S = 120


class View:
    """A running `mlperf view`, whose address was printed."""

    def __init__(self, *arguments: object, folder: Path = PROJECT) -> None:
        command = [sys.executable, "-m", "mlperf_logging.cli.main", "view", "--port", "0", "--no-open"]
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.told = self.process.stdout.readline()
        if not self.told:
            raise AssertionError(self.process.communicate()[1])
        self.address = self.told.split()[0]

    def get(self, target: str = "") -> str:
        """The answer to a request."""
        with urlopen(self.address + target, timeout=PATIENCE_S) as answer:  # noqa: S310 - the address of this machine
            return str(answer.read().decode())

    def wait(self, is_so: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        """Wait until what the server says of its edition is as wanted."""
        end_s = time.monotonic() + PATIENCE_S
        while not is_so(said := json.loads(self.get("version"))):
            assert time.monotonic() < end_s, said
            time.sleep(0.1)
        return said

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """Send a signal; gives exit code, and what came on both streams after the address."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err
