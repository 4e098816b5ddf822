"""Who submits what: the facts that identify a submission."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypedDict

    from typing_extensions import Required

    class SubmissionFacts(TypedDict, total=False):
        """Who submits what.

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

        benchmark: Required[str]
        org: Required[str]
        division: Required[str]
        platform: Required[str]
        status: Required[str]
        poc_name: str | None
        poc_email: str | None
        entry: object


REQUIRED_FACTS = ("benchmark", "org", "division", "platform", "status")


def name_facts(facts: Mapping[str, object]) -> dict[str, object]:
    """Give facts by log key, without those that are None; `TypeError` where a required one is missing."""
    missing = [name for name in REQUIRED_FACTS if name not in facts]
    if missing:
        raise TypeError(f"submission needs {', '.join(missing)}")
    return {f"submission_{name}": value for name, value in facts.items() if value is not None}
