"""The build: what setup.cfg says, and the rule files compiled into package data."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithRules(build_py):
    """Copies the packages and compiles the rules; an editable installation reads the rule files themselves."""

    def run(self) -> None:
        """Build into ``build_lib``."""
        if self.editable_mode:
            super().run()
            return
        target = Path(self.build_lib, "compliance_rules")
        shutil.rmtree(target, ignore_errors=True)  # what an earlier build left behind
        super().run()
        sys.path.insert(0, str(ROOT))
        # Of this source, not of an installed package.
        from mlperf_logging.rules.compiling import compile_rules  # noqa: PLC0415
        from mlperf_logging.rules.files import RuleFiles  # noqa: PLC0415
        from mlperf_logging.rules.resolving import Resolver  # noqa: PLC0415
        from mlperf_logging.scoring.rcp.files import POINTS  # noqa: PLC0415
        from mlperf_logging.submission.description_fields import DESCRIPTIONS  # noqa: PLC0415

        resolver = Resolver(RuleFiles(ROOT / "compliance_rules"))
        compile_rules(resolver, target, (POINTS, DESCRIPTIONS))


setup(cmdclass={"build_py": BuildWithRules})
