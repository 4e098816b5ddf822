"""Rules that installed packages offer, found by their names."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from importlib.util import find_spec

from mlperf_logging.errors import UsageError
from mlperf_logging.suggestions import did_you_mean

GROUP = "mlperf_logging.rules"


def find_installed_rules(name: str) -> str:
    """The folder of the rules of a name; `UsageError` where no package offers them, or they are no folder."""
    offered = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    if name not in offered:
        meant = did_you_mean(name, offered, f"there are {', '.join(sorted(offered))}" if offered else "")
        raise UsageError(
            f"there is no folder {name!r}, and no installed package offers rules of this name"
            f"{meant and f'; {meant}'}"
        )
    package, *inner = offered[name].split(".")
    spec = find_spec(package) if package.isidentifier() else None
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = os.path.join(place, *inner)
        if os.path.isdir(folder):
            return folder
    raise UsageError(
        f"the rules {name!r} of an installed package name {offered[name]!r}, which is no package with a folder"
    )
