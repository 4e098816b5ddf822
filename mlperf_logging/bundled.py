"""Where this copy of the package keeps what the repository has beside it: the rules and the reference trainers.

A checkout, and so an editable installation, has both as folders beside the package. A wheel holds them within the package:
an installation adds no global name but its own.
"""

from __future__ import annotations

from os import path

_PACKAGE = path.dirname(path.abspath(__file__))
BUNDLE = "_bundled"
"""Name of the folder in the package that the build fills."""
HOME = path.join(_PACKAGE, BUNDLE)
if not path.isdir(HOME):
    HOME = path.dirname(_PACKAGE)
RULES_FOLDER = path.join(HOME, "compliance_rules")
