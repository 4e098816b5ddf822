"""Who submits what: the facts that identify a submission."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypedDict

    class SubmissionFacts(TypedDict, total=False):
        """Who submits what. The first five are required; each may come from the environment, see `VARIABLES`.

        Attributes:
            benchmark: name of the benchmark.
            org: the submitting organization.
            division: ``"closed"`` or ``"open"``.
            platform: the system that runs.
            status: availability of the system: ``"onprem"``, ``"cloud"`` or ``"research"``.
            poc_name: a person to ask.
            poc_email: the person's address.
            entry: a description of the entry.
        """

        benchmark: str
        org: str
        division: str
        platform: str
        status: str
        poc_name: str | None
        poc_email: str | None
        entry: object


VARIABLES = {
    "benchmark": "MLLOG_SUBMISSION_BENCHMARK",
    "org": "MLLOG_SUBMISSION_ORG",
    "division": "MLLOG_SUBMISSION_DIVISION",
    "platform": "MLLOG_SUBMISSION_PLATFORM",
    "status": "MLLOG_SUBMISSION_STATUS",
}
"""The environment variable that gives a fact where the script does not; these facts are required."""


def name_facts(facts: Mapping[str, object]) -> dict[str, object]:
    """Give facts by log key, without those that are None; `TypeError` where nothing gives a required one."""
    named = {name: fact for name, fact in facts.items() if fact is not None}
    for name, variable in VARIABLES.items():
        if name not in named and (text := os.environ.get(variable, "").strip()):
            named[name] = text
    missing = [name for name in VARIABLES if name not in named]
    if missing:
        raise TypeError(
            f"submission needs {', '.join(missing)}; pass them, or set "
            f"{', '.join(VARIABLES[name] for name in missing)}"
        )
    return {f"submission_{name}": fact for name, fact in named.items()}
