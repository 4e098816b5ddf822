"""A round's results: of each system what its description says, and of each benchmark the score and what it took.

The columns about a system are those of the public results tables, which are joined here as they are there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mlperf_logging.runs.folders import SCALING_FILE, ResultFolder
from mlperf_logging.scoring.cost import Cost
from mlperf_logging.scoring.folders import FolderScore
from mlperf_logging.scoring.means import olympic_mean
from mlperf_logging.scoring.rcp.submissions import SubmissionCheck
from mlperf_logging.submission.descriptions import read_count, read_description

PUBLIC_SITE = "https://github.com/mlcommons"


class SystemFacts(NamedTuple):
    """What a results table says of a system, as its description has it; "" for what is not known.

    Attributes:
        division: "closed" or "open".
        availability: the description's status.
        submitter: who submits.
        system: name of the system.
        number_of_nodes: as written.
        host_processor_model_name: as written.
        host_processors_count: processors of all nodes.
        accelerator_model_name: as written.
        accelerators_count: accelerators of all nodes.
        framework: as written.
        notes: those on the hardware, and those on the software, a semicolon between them.
        private_id: a short name for the row that tells nobody whose it is; see `give_private_id`.
        details_url: where the round publishes the description.
        code_url: where the round publishes the code.
    """

    division: str = ""
    availability: str = ""
    submitter: str = ""
    system: str = ""
    number_of_nodes: str = ""
    host_processor_model_name: str = ""
    host_processors_count: int | str = ""
    accelerator_model_name: str = ""
    accelerators_count: int | str = ""
    framework: str = ""
    notes: str = ""
    private_id: str = ""
    details_url: str = ""
    code_url: str = ""


class BenchmarkResult(NamedTuple):
    """What a system achieved on a benchmark.

    Attributes:
        score: the score of the folder, or why there is none.
        check: the test of convergence on the folder.
        cost: what it costs, or None without a price.
    """

    score: FolderScore
    check: SubmissionCheck
    cost: Cost | None = None

    @property
    def benchmark(self) -> str:
        """As logged; else as the folder is named."""
        return self.score.benchmark or self.score.folder.benchmark

    @property
    def batch_size(self) -> float | None:
        """Samples in a step, as the first run that logs it has it."""
        return next((run.batch_size for run in self.score.runs if run.batch_size is not None), None)

    @property
    def converged(self) -> tuple[float | None, str | None]:
        """Olympic mean of where the runs converged, and its unit: that of the reference points, else as logged."""
        if self.check.check is not None:
            tested = self.check.check.submission_mean
            return (tested, self.check.check.unit) if math.isfinite(tested) else (None, None)
        reached = [run.converged_at for run in self.score.runs if run.counts and run.converged_at is not None]
        dropped = self.score.requirement.olympic_dropped if self.score.requirement is not None else 1
        epochs, samples, steps = zip(*reached, strict=True) if reached else ((None,),) * 3
        for unit, amounts in (("samples", samples), ("epochs", epochs), ("steps", steps)):
            mean = olympic_mean(amounts, dropped) if None not in amounts else None
            if mean is not None:
                return mean, unit
        return None, None

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the score, a factor included that it is still to be multiplied by."""
        check, requirement = self.check.check, self.score.requirement
        is_complete = requirement is not None and len(self.score.runs) == requirement.required
        if self.score.folder.scaling_file is not None or check is None or not check.passed or not is_complete:
            return self.score.notes
        factor = check.normalisation
        note = f"the round will multiply the score by {factor:.6g}; there is no {SCALING_FILE} yet"
        return self.score.notes if factor == 1 else (*self.score.notes, note)

    @property
    def rcp_margin(self) -> float | None:
        """By which share of the smallest acceptable mean the submission's is larger; below 0 it fails. None untested."""
        check = self.check.check
        if check is None or check.reference_min is None or not math.isfinite(check.submission_mean):
            return None
        return check.submission_mean / (check.reference_min - check.allowance) - 1


class SystemResults(NamedTuple):
    """The results of a system: one row of a results table.

    Attributes:
        facts: what is said of the system.
        scaling: "strong" or "weak" where the folders say so, else None.
        results: by benchmark.
    """

    facts: SystemFacts
    scaling: str | None
    results: Mapping[str, BenchmarkResult]


def summarize_results(results: Iterable[BenchmarkResult]) -> list[SystemResults]:
    """The results of each system, in the order of the public tables: by what is said of the system, as text."""
    systems: dict[tuple[Any, ...], list[BenchmarkResult]] = {}
    for result in results:
        folder = result.score.folder
        place = folder.description or (folder.submitter, folder.system or folder.path)
        systems.setdefault((place, folder.scaling), []).append(result)
    found = [
        SystemResults(describe_system(each[0].score), scaling, {one.benchmark: one for one in each})
        for (_, scaling), each in systems.items()
    ]
    return sorted(found, key=lambda each: [str(value) for value in each.facts])


def list_benchmarks(systems: Sequence[SystemResults], known: Iterable[str]) -> list[str]:
    """The benchmarks that a table has columns of: all of the round, and those of results that it does not know."""
    return list(dict.fromkeys([*known, *[name for each in systems for name in each.results]]))


def describe_system(score: FolderScore) -> SystemFacts:
    """What a results table says of the system that a score is of.

    Without a description that can be read, the folders' names and the logs say what they can.
    """
    folder = score.folder
    said = _read_texts(folder)
    submitter = said.get("submitter", folder.submitter or "")
    urls = locate_submission(score.ruleset, submitter, folder.system)
    notes = [said[name] for name in ("hw_notes", "sw_notes") if said.get(name)]
    return SystemFacts(
        division=said.get("division", score.division or ""),
        availability=said.get("status", ""),
        submitter=submitter,
        system=said.get("system_name", folder.system or folder.path),
        number_of_nodes=said.get("number_of_nodes", ""),
        host_processor_model_name=said.get("host_processor_model_name", ""),
        host_processors_count=_multiply(said, "number_of_nodes", "host_processors_per_node"),
        accelerator_model_name=said.get("accelerator_model_name", ""),
        accelerators_count=_multiply(said, "number_of_nodes", "accelerators_per_node"),
        framework=said.get("framework", ""),
        notes=";".join(notes),
        details_url=urls[0] if said else "",
        code_url=urls[1],
    )


def locate_submission(ruleset: str | None, submitter: str, system: str | None) -> tuple[str, str]:
    """Where a round (``usage/round``) publishes the description of a system, and a submitter's code; "" where not known."""
    if not ruleset or not submitter:
        return "", ""
    usage, _, version = ruleset.partition("/")
    site = f"{PUBLIC_SITE}/{usage}_results_v{version.rpartition('.')[0]}/blob"
    return f"{site}/main/{submitter}/systems/{system}.json", f"{site}/master/{submitter}/benchmarks"


def give_private_id(facts: SystemFacts) -> SystemFacts:
    """The same facts with a private id: eight digits of their hash, so the same submission always has the same.

    The public tool draws it by chance and keeps it in a file within the submission, where nothing here writes.
    """
    from hashlib import sha256

    return facts._replace(private_id=sha256("\0".join(map(str, facts)).encode()).hexdigest()[:8])


def _read_texts(folder: ResultFolder) -> dict[str, str]:
    """The fields of a system's description as they are written; none where it cannot be read."""
    description = read_description(folder.description)[0] if folder.description is not None else None
    members = description.members if description is not None else {}
    return {name: str(member.value) for name, member in members.items() if member.value is not None}


def _multiply(said: Mapping[str, str], *names: str) -> int | str:
    """The product of whole numbers that are written as texts; "" where one is none."""
    numbers = [read_count(said.get(name)) for name in names]
    return "" if None in numbers else math.prod([number or 0 for number in numbers])
