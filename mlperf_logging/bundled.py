"""Where this copy of the package keeps what the repository has beside it: the rules and the reference trainers.

A checkout, and so an editable installation, has both as folders beside the package. A wheel holds them within the package:
an installation adds no global name but its own.
"""

from __future__ import annotations

from functools import cache
from os import path

_PACKAGE = path.dirname(path.abspath(__file__))
BUNDLE = "_bundled"
"""Name of the folder in the package that the build fills."""
HOME = path.join(_PACKAGE, BUNDLE)
if not path.isdir(HOME):
    HOME = path.dirname(_PACKAGE)
RULES_FOLDER = path.join(HOME, "compliance_rules")


@cache
def describe_version() -> str:
    """The version of this package; of a checkout, whose files may change without it, also a checksum of them."""
    from mlperf_logging import __version__

    if HOME.endswith(BUNDLE):
        return __version__
    from glob import glob
    from hashlib import sha256

    digest = sha256()
    for pattern in ("*.py", "*.lark"):
        for name in sorted(glob(path.join(_PACKAGE, "**", pattern), recursive=True)):
            with open(name, "rb") as file:
                digest.update(file.read())
    return f"{__version__}+{digest.hexdigest()[:16]}"
