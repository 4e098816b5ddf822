"""Findings on one benchmark's folder: how many runs it holds and which of them count, and what else is there."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence

from mlperf_logging.compliance.clues import PARAMETERS_FILE
from mlperf_logging.events import Outcome, Severity
from mlperf_logging.runs.folders import (
    ENTRY_FILE,
    POWER_FOLDER,
    PRUNED,
    SCALING_FILE,
    ResultFolder,
    is_log_name,
    is_result_name,
    strip_compression,
)
from mlperf_logging.scoring.folders import WEAK, FolderScore, read_scaling_factor
from mlperf_logging.scoring.rcp.submissions import SubmissionCheck
from mlperf_logging.scoring.requirements import Requirement
from mlperf_logging.scoring.seeds import list_logs
from mlperf_logging.submission.findings import PlacedFinding, place_finding
from mlperf_logging.submission.judging import JudgedResult
from mlperf_logging.submission.layout import FOLDER, Tree

_MARKER = b":::ML"
_SEARCHED_BYTES = 1 << 16
_FACTOR_TOLERANCE = 1e-3
"""Of scaling factors: they follow from figures that the public checks round."""


def check_files(
    folder: ResultFolder, requirement: Requirement | None, tree: Tree, *, partial: bool
) -> Iterator[PlacedFinding]:
    """Whether a benchmark's folder holds the runs that a result needs, and nothing else.

    Args:
        folder: the folder.
        requirement: how often the rules require the benchmark to be run; None where they do not know it.
        tree: what is in the submission's folders.
        partial: whether runs may still be missing.
    """
    misnamed = 0
    for name in tree.list_names(folder.path):
        path = os.path.join(folder.path, name)
        if is_result_name(name) and name == strip_compression(name):
            continue
        if is_result_name(name):
            misnamed += 1
            yield place_finding("wrong-file-name", path, "the log is compressed; the round takes plain text")
        elif is_log_name(name) and _holds_events(path):
            misnamed += 1
            yield place_finding(
                "wrong-file-name", path, "the file holds events of a run, but is not result_N.txt"
            )
        elif name not in (SCALING_FILE, PARAMETERS_FILE):
            yield place_finding("extra-file", path, "the file does not belong in a benchmark's folder")
    for name in tree.list_names(folder.path, FOLDER):
        if name not in (POWER_FOLDER, PRUNED):
            path = os.path.join(folder.path, name)
            yield place_finding("extra-file", path, "the folder does not belong in a benchmark's folder")
    if requirement is not None:
        yield from _check_count(folder, misnamed, requirement, partial=partial)


def check_system_folder(path: str, tree: Tree) -> Iterator[PlacedFinding]:
    """Whether a system's folder holds files that do not belong there."""
    for name in tree.list_names(path):
        if name not in (PARAMETERS_FILE, ENTRY_FILE):
            what = "the file does not belong in a system's folder"
            yield place_finding("extra-file", os.path.join(path, name), what)


def check_failures(
    folder: ResultFolder, logs: Sequence[JudgedResult], requirement: Requirement | None
) -> Iterator[PlacedFinding]:
    """Whether more runs fail than a result may have; those that it may have are warnings."""
    failed = [log for log in logs if not log.run.counts]
    if requirement is None or not failed or any(log.verdict.verdict == Outcome.UNJUDGED for log in failed):
        return
    allowed = count_allowed_failures(requirement)
    if len(failed) > allowed:
        names = list_logs([log.run.path for log in failed])
        do = "do" if len(failed) > 1 else "does"
        message = f"{len(failed)} of {len(logs)} runs {do} not count ({names}); at most {allowed} may fail"
        yield place_finding(
            "too-many-failures", folder.path, message, expected=f"<= {allowed}", found=str(len(failed))
        )
        return
    for log in failed:
        broken = log.verdict.verdict == Outcome.FAILED
        status = log.run.summary.status
        why = "is not compliant" if broken else f"ended with status {status}" if status else "has no time"
        message = f"the run {why}; it counts as the slowest, which the mean drops"
        if requirement.attempts is not None:
            message = f"the run {why}; another takes its place"
        yield place_finding("failure-accepted", log.run.path, message)


def count_allowed_failures(requirement: Requirement) -> int:
    """Runs of a result that need not count."""
    if requirement.attempts is not None:
        return requirement.attempts - requirement.required
    return requirement.max_failures


def check_convergence(
    check: SubmissionCheck, bypass: str | None, *, partial: bool
) -> Iterator[PlacedFinding]:
    """Whether a closed result converged like the reference, and whether its score is scaled as follows from that."""
    folder = check.folder
    if check.passed is False:
        severity, note = None, ""
        if bypass is not None:
            severity, note = Severity.WARNING, f" (accepted because of {bypass})"
        elif partial and check.pass_probability is not None:
            severity, note = (
                Severity.WARNING,
                f" (chance to pass with the runs to come: {_show_chance(check)})",
            )
        yield place_finding(
            "convergence-not-accepted", folder.path, f"{check.reason}{note}", severity=severity
        )
    try:
        factor = read_scaling_factor(folder.scaling_file)
    except ValueError as error:
        path = folder.scaling_file or folder.path
        yield place_finding("scaling-unreadable", path, f"the file {str(error).removeprefix(f'{path} ')}")
        return
    runs, requirement = check.runs, check.requirement
    is_complete = requirement is not None and len(runs) == requirement.required
    if check.check is None or not check.passed or not is_complete:  # with other runs follows another factor
        return
    wanted = check.check.normalisation
    if math.isclose(factor, wanted, rel_tol=_FACTOR_TOLERANCE):
        return
    if folder.scaling_file is None:
        message = f"the round will multiply the score by {wanted:.6g}; there is no {SCALING_FILE} yet"
        yield place_finding("scaling-missing", folder.path, message, expected=f"{wanted:.6g}")
    else:
        message = f"the factor is {factor:.6g}, but the runs give {wanted:.6g}"
        # it may have been right before a run was found not to count
        severity = None if all(run.counts for run in runs) else Severity.WARNING
        yield place_finding(
            "scaling-differs",
            folder.scaling_file,
            message,
            severity=severity,
            expected=f"{wanted:.6g}",
            found=f"{factor:.6g}",
        )


def check_agreement(
    score: FolderScore, folder: ResultFolder, problems: Sequence[str]
) -> Iterator[PlacedFinding]:
    """Whether the runs of a folder are of one kind, and the folder has the name of their benchmark."""
    for problem in problems:
        yield place_finding("runs-disagree", folder.path, problem)
    if score.benchmark is not None and score.requirement is not None and score.benchmark != folder.benchmark:
        message = f"the folder is called {folder.benchmark}, but its logs are of {score.benchmark}"
        yield place_finding(
            "wrong-folder-name", folder.path, message, expected=score.benchmark, found=folder.benchmark
        )


def _check_count(
    folder: ResultFolder, misnamed: int, requirement: Requirement, *, partial: bool
) -> Iterator[PlacedFinding]:
    count, required = len(folder.logs), requirement.required
    plain = sum(path == strip_compression(path) for path in folder.logs)
    held = plain + misnamed
    most = math.inf if folder.scaling == WEAK else requirement.attempts or required
    if held < required:
        missing = required - held
        so_far = " so far" if partial else ""
        under = f", {misnamed} of them under a wrong name" if misnamed else ""
        message = f"{held} of {required} runs{so_far}{under}; {missing} more {'is' if missing == 1 else 'are'} needed"
        yield place_finding(
            "runs-missing",
            folder.path,
            message,
            severity=Severity.WARNING if partial else None,
            expected=str(required),
            found=str(held),
            hint=f"Add {missing} more result_N.txt, each with a seed of its own." if partial else "",
        )
    elif count > most:
        message = f"{count} runs, where the result needs exactly {required}"
        if requirement.attempts:
            message = f"{count} runs, where {requirement.attempts} may be made"
        yield place_finding("too-many-runs", folder.path, message, expected=str(most), found=str(count))


def _holds_events(path: str) -> bool:
    """Whether a file begins like a log, as far as that shows in its first lines."""
    try:
        with open(path, "rb") as file:
            return _MARKER in file.read(_SEARCHED_BYTES)
    except OSError:
        return False


def _show_chance(check: SubmissionCheck) -> str:
    chance = check.pass_probability
    return f"{chance.probability:.0%}" if chance is not None else "unknown"
