"""The header of a log, judged before the clock starts: a wrong setting costs a second instead of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from mlperf_logging import Event, EventKind, Finding, RuleSelection, read_log, start_judge
from mlperf_logging.mllog import constants
from reference_impls.harness.configs import TaskConfig
from reference_impls.harness.errors import SettingError


def check_settings(config: TaskConfig, submission: Mapping[str, str]) -> None:
    """Judge a configuration by the rules of its division, before anything is loaded.

    Args:
        config: the configuration.
        submission: benchmark, division, ruleset and more; see `mllog.submission`.

    Raises:
        SettingError: a rule does not allow a value.
    """
    values: dict[str, object] = {f"submission_{name}": value for name, value in submission.items()}
    values |= config.hyperparameters()
    # 0 means that the prepared data say how many there are; the log's own header is judged by that.
    samples = {constants.TRAIN_SAMPLES: config.train_samples, constants.EVAL_SAMPLES: config.eval_samples}
    values |= {key: count for key, count in samples.items() if count}
    events = [
        Event(key, value, {}, 0, line, 1, b"", EventKind.POINT_IN_TIME.value, dialect="mllog")
        for line, (key, value) in enumerate(values.items(), 1)
    ]
    fields = {key: name for name, key in config.log_keys().items()}
    _refuse(_judge(events, submission), submission["division"], fields)


def check_header(log: Path, submission: Mapping[str, str]) -> None:
    """Judge what a log holds so far.

    Args:
        log: the log.
        submission: see `check_settings`.

    Raises:
        SettingError: a rule does not allow a value.
    """
    _refuse(_judge(read_log(log).events, submission), submission["division"], {})


def _judge(events: Iterable[Event], submission: Mapping[str, str]) -> list[Finding]:
    """The errors that the events show; what only a whole log can show is not among them."""
    judge = start_judge(
        RuleSelection(
            ruleset=submission["ruleset"], division=submission["division"], benchmark=submission["benchmark"]
        )
    )
    findings = [finding for event in events for finding in judge.feed(event)]
    return [finding for finding in findings if finding.severity == "error"]


def _refuse(findings: Iterable[Finding], division: str, fields: Mapping[str, str]) -> None:
    problems = [
        f"{fields.get(finding.key or '', finding.key)}={finding.found} (the rules require {finding.expected})"
        for finding in findings
    ]
    if problems:
        advice = "; train with --division open" if division == "closed" else ""
        raise SettingError(f"the {division} division does not allow {', '.join(problems)}{advice}")
