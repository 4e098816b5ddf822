"""Small rounds and the judge at work on events in the notation of the rule files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rule_folders import write_round

from mlperf_logging.compliance.findings import Finding
from mlperf_logging.events import Event
from mlperf_logging.rules.examples import read_events
from mlperf_logging.rules.rulesets import Ruleset
from tests import judging

Round = Callable[..., Ruleset]


@pytest.fixture
def small_round(tmp_path: Path) -> Round:
    """Makes a round of the given text, see `write_round`."""

    def make(text: str, **options: str) -> Ruleset:
        return write_round(tmp_path, text, **options)

    return make


@pytest.fixture
def judge_events(small_round: Round) -> Callable[..., list[Finding]]:
    """Judges events (or their notation) by the common cells of a small round."""

    def judge(cells: str, *events: str | Event, more: str = "") -> list[Finding]:
        lines = "".join(f"  {line.strip()}\n" for line in cells.strip().splitlines())
        ruleset = small_round(f"common:\n{lines}{more}")
        read = [read_events((event,))[0] if isinstance(event, str) else event for event in events]
        log = [event._replace(line=number) for number, event in enumerate(read, 1)]
        return judging.judge_events(ruleset, ruleset.table(None, None), log)

    return judge
