"""Where things are in the checkout and in an installation, for tests that need it before there are fixtures."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BUNDLED_RULES = Path("mlperf_logging", "_bundled", "compliance_rules")
"""Where an installation has the compiled rules, below its folder of packages."""
