"""Formats are found by the names of their modules: nothing else lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlperf_logging.errors import UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def list_modules(package: str) -> list[str]:
    """Names of a package's public modules, sorted."""
    import pkgutil
    from importlib import import_module

    modules = pkgutil.iter_modules(import_module(package).__path__)
    return sorted(module.name for module in modules if not module.ispkg and not module.name.startswith("_"))


def find_installed(package: str) -> dict[str, EntryPoint]:
    """What installed packages offer by entry points of the group named as the package, by name; nothing is loaded."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=package)}


def load_module(package: str, name: str) -> Any:
    """The module of a format, or what an entry point of this name, in the group named as the package, stands for."""
    from importlib import import_module

    path = f"{package}.{name}"
    if name.isidentifier() and not name.startswith("_"):
        try:
            found = import_module(path)
            if not hasattr(found, "__path__"):  # a folder is no format
                return found
        except ModuleNotFoundError as missing:
            if missing.name != path:  # the format is there; what it needs is not
                from mlperf_logging.installation import explain_missing

                message = explain_missing(f"--format {name}", [str(missing.name)], "analysis")
                raise UsageError(message) from None
    if name in (offered := find_installed(package)):
        try:
            return offered[name].load()
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"--format {name} names {offered[name].value!r}, which cannot be loaded: {error}"
            ) from None
    from mlperf_logging.suggestions import did_you_mean

    known = [*list_modules(package), *offered]
    meant = did_you_mean(name, known, f"choose from {', '.join(known)}")
    raise UsageError(f"no output format is called {name!r}; {meant}")
