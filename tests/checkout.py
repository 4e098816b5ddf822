"""Where the checkout is, for tests that need it before there are fixtures; else there is the fixture `project`."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
