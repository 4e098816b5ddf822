"""How this copy of the package was installed, for messages that say how to install what is missing."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote, urlsplit

from mlperf_logging.errors import UsageError

DISTRIBUTION = "mlperf-log-toolkit"
"""Name of the package for installers. It is not the import name, since the public package's is that, too."""


def require_libraries(purpose: str, libraries: Sequence[str], extra: str) -> None:
    """Check that libraries are installed.

    Args:
        purpose: what needs them, for example ``--plot``.
        libraries: their import names.
        extra: the extra of this package that installs them.

    Raises:
        UsageError: some are not; the message is that of `explain_missing`.
    """
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise UsageError(explain_missing(purpose, missing, extra))


def explain_missing(purpose: str, missing: Sequence[str], extra: str) -> str:
    """What is missing for a purpose, and the command that installs it, as one sentence."""
    named = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
    are, them = ("are", "them") if len(missing) > 1 else ("is", "it")
    return f"{purpose} needs {named}, which {are} not installed; install {them} with: {name_install_command(extra)}"


def name_install_command(extra: str) -> str:
    """The command that adds an extra to this copy, with the installer and from the place that it came from."""
    for found in distributions(name=DISTRIBUTION):
        if found.read_text(
            "INSTALLER"
        ):  # a source tree on the path has metadata, too, but nobody installed it
            return f"{_name_installer(found)} {_name_source(found, extra)}"
    return f"pip install {_quote(f'{DISTRIBUTION}[{extra}]')}"


def _name_installer(found: Distribution) -> str:
    if os.path.isfile(os.path.join(sys.prefix, "pipx_metadata.json")):
        return "pipx install --force"
    if os.path.isfile(os.path.join(sys.prefix, "uv-receipt.toml")):
        return "uv tool install"
    return "uv pip install" if (found.read_text("INSTALLER") or "").strip() == "uv" else "pip install"


def _name_source(found: Distribution, extra: str) -> str:
    by_name = f"{DISTRIBUTION}[{extra}]"
    origin = _read_origin(found)
    address = str(origin.get("url", ""))
    if "vcs_info" in origin:
        version = origin["vcs_info"]
        return _quote(f"{by_name} @ {version.get('vcs')}+{address}@{version.get('commit_id')}")
    place = unquote(urlsplit(address).path) if address.startswith("file:") else ""
    if os.path.isdir(place):
        here = "." if os.path.realpath(place) == os.path.realpath(os.curdir) else place
        option = "--editable " if origin.get("dir_info", {}).get("editable") else ""
        return f"{option}{_quote(f'{here}[{extra}]')}"
    return _quote(f"{by_name} @ {address}" if os.path.isfile(place) else by_name)


def _read_origin(found: Distribution) -> dict[str, Any]:
    """Where the distribution came from if not from an index, as installers note it (PEP 610)."""
    try:
        origin = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return origin if isinstance(origin, dict) else {}


def _quote(requirement: str) -> str:
    return shlex.quote(requirement)
