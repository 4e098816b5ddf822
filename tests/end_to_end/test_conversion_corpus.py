"""Real logs of the first rounds in today's dialect, and real logs without paths and hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlperf_logging.conversion.events import convert_events
from mlperf_logging.conversion.writing import write_records
from mlperf_logging.parsing import read_log
from mlperf_logging.runs.run import read_run
from tests.commands import run_mlperf
from tests.unit.conversion.test_conversion_events import list_figures

pytestmark = pytest.mark.corpus


def test_figures_of_the_first_rounds_stay(corpus_logs: list[Path]) -> None:
    """Minutes, status, epochs and evaluations of each log of the first two rounds are those of the original."""
    compared = evaluations = 0
    for log in corpus_logs:
        if {"0.5", "0.6"}.isdisjoint(log.parts):
            continue
        events = read_log(str(log)).events
        if not events:
            continue
        converted = b"".join(write_records(convert_events(events)))
        run = read_run(str(log))
        assert list_figures(read_run(converted))[:3] == list_figures(run)[:3], log
        assert read_log(converted).problems == []
        compared, evaluations = compared + 1, evaluations + len(run.evaluations)

    assert compared == 101
    assert evaluations == 1_004


@pytest.mark.parametrize("every", [pytest.param(10, marks=pytest.mark.slow), 70])
def test_anonymous_logs_are_judged_as_before(every: int, corpus_logs: list[Path], tmp_path: Path) -> None:
    """The command refuses to write a log whose verdict changes; of real logs it writes all that hold an event."""
    logs = [log for log in corpus_logs if {"0.5", "0.6"}.isdisjoint(log.parts)][::every]
    refused = [
        log
        for log in logs
        if run_mlperf("convert", "--anonymize", "-q", log, tmp_path / "hidden.txt").returncode
        and read_log(str(log)).events
    ]

    assert len(logs) > 1_300 / every
    assert refused == []
