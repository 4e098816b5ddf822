"""``--store`` of the commands that judge logs: what they made of a log is kept, and changed logs only are read again."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from mlperf_logging.cli.engines import open_engine
from mlperf_logging.cli.running import print_error

if TYPE_CHECKING:
    from mlperf_logging.compliance.ruleset_selection import RuleSelection
    from mlperf_logging.engines.engine import Engine

VERDICTS, RESULT, ROWS = "verdicts", "result", "rows"
"""Kinds of outcomes, as the store names them."""


def open_keeping_engine(
    options: Namespace, program: str, kind: str, selection: RuleSelection, **settings: Any
) -> Engine:
    """What works on the logs of a command: those alone that have changed, where ``--store`` names a store.

    Args:
        options: of the command line.
        program: what was called, for what is said of a store that is of no use.
        kind: name of the kind.
        selection: by which rules.
        settings: other fields of `OutcomeSettings`.

    Raises:
        UsageError: DuckDB is not installed, or as `open_engine` says.
    """
    engine = open_engine(options, program)
    if options.store is None:
        return engine
    from mlperf_logging.engines.keeping import KeepingEngine
    from mlperf_logging.store.opening import require_duckdb

    require_duckdb("--store")
    from mlperf_logging.store.outcome_keeper import OutcomeKeeper
    from mlperf_logging.store.outcome_kinds import KINDS, OutcomeSettings

    def complain(sentence: str) -> None:
        print_error(program, f"warning: {sentence}")

    keeper = OutcomeKeeper(options.store, KINDS[kind], OutcomeSettings(selection, **settings), complain)
    return KeepingEngine(engine, keeper)
