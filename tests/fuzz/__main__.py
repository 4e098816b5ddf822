"""``python tests/fuzz``: see `fuzzing`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(1, str(Path(__file__).resolve().parents[1]))  # what all tests share
    os.environ.setdefault("MPLBACKEND", "agg")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        os.environ.pop(name, None)
    from fuzzing import main

    raise SystemExit(main())
