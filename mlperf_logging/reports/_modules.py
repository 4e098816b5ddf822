"""Formats are found by the names of their modules: nothing else lists them."""

from __future__ import annotations

from typing import Any

from mlperf_logging.errors import UsageError


def list_modules(package: str) -> list[str]:
    """Names of a package's public modules, sorted."""
    import pkgutil
    from importlib import import_module

    modules = pkgutil.iter_modules(import_module(package).__path__)
    return sorted(module.name for module in modules if not module.ispkg and not module.name.startswith("_"))


def load_module(package: str, name: str) -> Any:
    """The module of a format."""
    from importlib import import_module

    path = f"{package}.{name}"
    if name.isidentifier() and not name.startswith("_"):
        try:
            return import_module(path)
        except ModuleNotFoundError as missing:
            if missing.name != path:  # the format is there; what it needs is not
                raise UsageError(
                    f"--format {name} needs {missing.name}; install it with: pip install 'mlperf_logging[analysis]'"
                ) from None
    from mlperf_logging.suggestions import did_you_mean

    known = list_modules(package)
    meant = did_you_mean(name, known, f"choose from {', '.join(known)}")
    raise UsageError(f"no output format is called {name!r}; {meant}")
