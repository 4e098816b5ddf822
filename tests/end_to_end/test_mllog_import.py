"""What importing the logging API brings along."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    *("numpy", "pandas", "tensorflow", "torch", "jax", "keras", "lightning", "transformers"),
    *("orjson", "lark", "yaml", "rich", "regex", "multiprocessing", "asyncio", "subprocess", "socket", "ssl"),
    *("dataclasses", "inspect", "typing", "pathlib", "ast", "unittest", "concurrent.futures", "select"),
)


def list_modules(code: str) -> set[str]:
    """Names of the modules that are loaded after some code."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_importing_mllog_loads_nothing_heavy() -> None:
    """Next to logging, json and the package itself, only this project's own few modules are loaded."""
    before = list_modules("import logging, json, mlperf_logging")
    after = list_modules("import logging, json, mlperf_logging\nfrom mlperf_logging import mllog")
    new = after - before
    assert new.isdisjoint(HEAVY)
    assert all(name.startswith("mlperf_logging.") for name in new), new
    assert not any(name.startswith(("mlperf_logging.compliance", "mlperf_logging.parsing")) for name in new)


def test_logging_an_event_loads_nothing_heavy() -> None:
    """The first event costs no import either."""
    code = "from mlperf_logging import mllog\nmllog.config(filename='/dev/null', stdout=False)\n"
    before = list_modules("import logging, json, mlperf_logging")
    after = list_modules(f"import mlperf_logging\n{code}mllog.event('key', 1.5, metadata={{'epoch_num': 1}})")
    assert (after - before).isdisjoint(HEAVY)
