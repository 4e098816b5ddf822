"""`mlperf`: one name for all commands, each in a module of its own that is loaded when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from mlperf_logging.cli.running import CANNOT_WORK, COMPLIANT, print_error, run_guarded

PROGRAM = "mlperf"
COMMANDS = {
    "check": "judge logs by the rules of a round (the same as mlperf-check)",
    "score": "time to train, energy and cost of results; suites and speedups",
    "summary": "a round's results table: per system and benchmark the score and what it took",
    "rcp": "whether a submission converged like the reference",
    "package": "whether a submission is acceptable, and what to fix where",
    "report": "one page of it all, to open in a browser: verdicts, findings, curves, scores",
    "view": "the same page in a browser, made again when logs change",
    "train": "train a reference model to its target, and log it",
    "convert": "a log in another dialect or format, or the log inside a wrapped one",
    "store": "many logs in one file of DuckDB: read once, asked many times",
    "export": "runs in TensorBoard, MLflow or W&B",
    "watch": "running jobs: quality, findings, when they will converge",
    "rules": "what a round requires, what a rule means, what changed between rounds",
    "analyze": "tables of runs: time to quality, variance, scaling, comparison, hyperparameters",
    "plot": "pictures of runs: convergence, spread, time breakdown, scaling, power, energy, rcp",
    "completion": "the script by which a shell completes these commands",
    "help": "what a command does, with its options and examples; the manual page",
}
"""Name of each command, which is also that of its module here, and what it does."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the commands and give its exit code; 2 when there is no such command."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else "--help"
    if name in COMMANDS:
        command = import_module(f"mlperf_logging.cli.{name}")
        code: int = command.main(arguments[1:], f"{PROGRAM} {name}")
        return code
    if name in ("-h", "--help"):
        code = run_guarded(PROGRAM, _show_help)
        return code if arguments else CANNOT_WORK
    if name == "--version":
        from mlperf_logging.cli.check import main as check

        return check(["--version"], PROGRAM)
    from mlperf_logging.suggestions import did_you_mean

    meant = did_you_mean(name, COMMANDS, f"choose from {', '.join(COMMANDS)}")
    print_error(PROGRAM, f"unknown command {name!r}; {meant} ({PROGRAM} --help says more)")
    return CANNOT_WORK


def _show_help() -> int:
    from mlperf_logging.cli.output import Output

    width = max(len(name) for name in COMMANDS)
    lines = [f"usage: {PROGRAM} COMMAND …", "", "commands:"]
    lines += [f"  {name.ljust(width)}  {what}" for name, what in COMMANDS.items()]
    lines += ["", f"{PROGRAM} COMMAND --help shows the options and examples of one command."]
    with Output(None) as output:
        output.write("\n".join(lines) + "\n")
    return COMPLIANT


if __name__ == "__main__":
    sys.exit(main())
