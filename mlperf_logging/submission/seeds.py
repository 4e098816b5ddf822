"""Findings on the seeds of a result's runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlperf_logging.events import Severity
from mlperf_logging.scoring.seeds import LoggedSeed, find_repeated_seeds, list_logs
from mlperf_logging.submission.findings import PlacedFinding, place_finding
from mlperf_logging.submission.judging import JudgedResult


def check_seeds(folder: str, logs: Sequence[JudgedResult], bypass: str | None) -> Iterator[PlacedFinding]:
    """What is wrong with the seeds of the runs whose rules ask for one.

    Args:
        folder: the benchmark's folder.
        logs: its runs.
        bypass: the file that spares the check: what would be an error is a warning; None where there is none.
    """
    severity = Severity.WARNING if bypass is not None else None
    spared = f" (accepted because of {bypass})" if bypass is not None else ""
    asked = [log for log in logs if log.needs_seed]
    for log in asked:
        path, logged = log.run.path, log.run.logged_seeds
        if logged.is_missing:
            yield place_finding("seed-missing", path, f"the run logs no seed{spared}", severity=severity)
        wrong = next((seed for seed in logged.seeds if not _is_whole(seed)), None)
        if wrong is not None:
            readable = _reads_as_whole(wrong)
            accepted = "; the public check reads it as one" if readable else ""
            message = f"the seed is {_name_kind(wrong)}, not a whole number{accepted}{spared}"
            yield place_finding(
                "seed-not-a-number",
                path,
                message,
                severity=Severity.WARNING if readable else severity,
                key="seed",
                line=wrong.log_line,
                expected="a whole number",
                found=repr(wrong.value),
            )
        if len(logged.seeds) > 1:
            values = ", ".join(str(seed.value) for seed in logged.seeds[:5])
            more = ", …" if len(logged.seeds) > 5 else ""
            yield place_finding(
                "several-seeds", path, f"the run logs {len(logged.seeds)} seeds", found=f"{values}{more}"
            )
    equal = find_repeated_seeds(log.run.logged_seeds for log in asked)
    if equal:
        first, others = equal[0], len(equal) - 1
        likewise = f", and {others} other seed{'s' * (others > 1)} likewise" if others else ""
        message = (
            f"{len(first.paths)} runs log the same seed, {first.text} ({list_logs(first.paths)}){likewise}"
        )
        yield place_finding("seed-repeated", folder, f"{message}{spared}", severity=severity)


def _is_whole(seed: LoggedSeed) -> bool:
    value = seed.value
    return isinstance(value, int) and not isinstance(value, bool)


def _reads_as_whole(seed: LoggedSeed) -> bool:
    """Whether the public check, which converts what it reads, takes a seed for a whole number."""
    try:
        int(seed.value)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def _name_kind(seed: LoggedSeed) -> str:
    return {str: "text", bool: "true or false", float: "a fraction", type(None): "null"}.get(
        type(seed.value), "no number"
    )
