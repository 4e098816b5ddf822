"""Judging events while they are logged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlperf_logging import mllog
from mlperf_logging.errors import RuleError
from mlperf_logging.mllog.errors import ConfigError, ViolationError
from mlperf_logging.mllog.live import LiveCheck

ROUND = "training/5.1.0"


@pytest.fixture
def start(recorder: Any) -> Iterator[Callable[..., LiveCheck]]:
    """Starts a live check on the recorder's logger."""

    def begin(on_violation: str = "warn", ruleset: str = ROUND) -> LiveCheck:
        check = LiveCheck(ruleset, on_violation)
        recorder.logger.check = check
        return check

    yield begin
    recorder.logger.check = None


def log_preparation(logger: Any, **values: object) -> None:
    """What an open-division run of some benchmark logs before its clock starts."""
    logger.event("cache_clear", True)
    logger.start("init_start")
    mllog.submission(
        benchmark="retinanet", org="o", division="open", platform="p", status="onprem", logger=logger
    )
    mllog.hyperparameters({"train_samples": 10, "eval_samples": 5, **values}, logger=logger)
    logger.end("init_stop")


def log_run(logger: Any) -> None:
    """The run itself."""
    logger.start("run_start")
    for kind, suffix in (("epoch", "start"), ("epoch", "stop"), ("eval", "start"), ("eval", "stop")):
        logger.event(f"{kind}_{suffix}", metadata={"epoch_num": 1})
    logger.event("eval_accuracy", 0.5, metadata={"epoch_num": 1})
    logger.end("run_stop", metadata={"status": "success"})


def test_a_compliant_run_passes_in_silence(
    recorder: Any, start: Callable[..., LiveCheck], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is said of a run that keeps the rules, twice in one process."""
    check = start()
    for _ in range(2):
        log_preparation(recorder.logger)
        log_run(recorder.logger)
    assert check.findings == []
    assert capsys.readouterr().err == ""


def test_a_violation_is_reported_when_it_happens_and_once(
    recorder: Any, start: Callable[..., LiveCheck], capsys: pytest.CaptureFixture[str]
) -> None:
    """A violation is on standard error before the next event, with rule, place and what is wrong."""
    check = start()
    log_preparation(recorder.logger)
    recorder.logger.start("run_start")
    capsys.readouterr()
    for number in range(3):
        recorder.logger.event("eval_accuracy", 0.5 + number / 10)
        err = capsys.readouterr().err
        assert ("eval_accuracy" in err and "MLP" in err and __file__ in err) == (number == 0)
    assert len(check.findings) >= 1


def test_violations_can_raise_after_the_event_is_written(
    recorder: Any, start: Callable[..., LiveCheck]
) -> None:
    """With raise the call that breaks a rule raises; the event is in the log."""
    start("raise")
    with pytest.raises(ViolationError, match="init_stop") as caught:
        recorder.logger.end("init_stop")
    assert recorder.record["key"] == "init_stop"
    assert caught.value.findings


def test_violations_do_not_hide_an_exception_that_is_under_way(
    recorder: Any, start: Callable[..., LiveCheck], capsys: pytest.CaptureFixture[str]
) -> None:
    """While another exception is handled the violation is only told."""
    check = start("raise")
    interval = recorder.logger.interval("staging", stop="init_stop")
    with pytest.raises(ZeroDivisionError), interval:
        raise ZeroDivisionError
    assert [finding.key for finding in check.findings][:1] == ["init_stop"]
    assert "init_stop" in capsys.readouterr().err


def test_violations_can_be_ignored(
    recorder: Any, start: Callable[..., LiveCheck], capsys: pytest.CaptureFixture[str]
) -> None:
    """With ignore nothing is printed; the findings can be asked for."""
    check = start("ignore")
    recorder.logger.end("init_stop")
    assert check.findings
    assert capsys.readouterr().err == ""


def test_missing_values_are_reported_before_the_clock_starts(
    recorder: Any, start: Callable[..., LiveCheck], capsys: pytest.CaptureFixture[str]
) -> None:
    """At the end of the preparation one line names what the rules require and was not logged."""
    check = start()
    recorder.logger.event("cache_clear", True)
    recorder.logger.start("init_start")
    mllog.submission(
        benchmark="retinanet",
        org="o",
        division="closed",
        platform="p",
        status="onprem",
        logger=recorder.logger,
    )
    recorder.logger.event("train_samples", 10)
    recorder.logger.end("init_stop")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"mllog: not logged so far, and required by {ROUND}: ")
    assert "eval_samples" in line
    assert "train_samples" not in line
    assert check.findings == []


def test_the_end_of_the_run_judges_the_whole(
    recorder: Any, start: Callable[..., LiveCheck], capsys: pytest.CaptureFixture[str]
) -> None:
    """run_stop brings up what only the whole log can show."""
    start()
    log_preparation(recorder.logger)
    recorder.logger.start("run_start")
    capsys.readouterr()
    recorder.logger.end("run_stop", metadata={"status": "success"})
    assert "eval_accuracy" in capsys.readouterr().err


def test_values_that_strict_decoders_refuse_are_judged(
    recorder: Any, start: Callable[..., LiveCheck]
) -> None:
    """Infinity and halves of surrogate pairs do not stop the check."""
    check = start("ignore")
    recorder.logger.event("loss", float("inf"))
    recorder.logger.event("text", "\ud800")
    recorder.logger.end("init_stop")
    assert {finding.key for finding in check.findings} == {"init_stop"}


def test_a_rule_that_cannot_judge_does_not_stop_training(
    recorder: Any,
    start: Callable[..., LiveCheck],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An error of the rules ends the check with one line, and not the run."""
    check = start("raise")

    class Broken:
        def feed(self, event: object) -> list[object]:
            raise RuleError("a formula is wrong", path="x.yaml", line=3)

    monkeypatch.setattr(check, "_judge", Broken())
    recorder.logger.event("a")
    recorder.logger.event("b")
    recorder.logger.event(7)
    assert [event.key for event in recorder.sink.events] == ["a", "b", 7]
    assert capsys.readouterr().err.count("the live check stops") == 1


def test_an_unknown_round_is_refused() -> None:
    """A check that cannot begin is a wrong setting."""
    with pytest.raises(ConfigError, match="no-such-round"):
        LiveCheck("training/no-such-round")


@pytest.mark.usefixtures("shared_logger")
def test_config_starts_changes_and_ends_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    """config(check=…) starts it, on_violation alone changes it, an empty text ends it."""
    mllog.config(check=ROUND, stdout=False)
    mllog.get_mllogger().end("init_stop")
    assert "MLP" in capsys.readouterr().err
    mllog.config(on_violation="raise")
    with pytest.raises(ViolationError):
        mllog.get_mllogger().end("run_stop")
    mllog.config(check="")
    mllog.get_mllogger().end("init_stop")


@pytest.mark.usefixtures("shared_logger")
def test_the_check_goes_by_rules_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """config(rules=…) judges by a folder that says only what differs; what is wrong with it is a wrong setting."""
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme/1.0.0.yaml").write_text(f"extends: {ROUND}\ncommon:\n  seed: value == 7\n")
    mllog.config(check="acme/1.0.0", rules=tmp_path, stdout=False)
    mllog.seed(8)
    assert "common.seed.value" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="name the round with check"):
        mllog.config(rules=tmp_path)
    with pytest.raises(ConfigError, match="there is no folder 'none'"):
        mllog.config(check="acme/1.0.0", rules="none")
    (tmp_path / "other/acme").mkdir(parents=True)
    (tmp_path / "other/acme/1.1.0.yaml").write_text(f"extends: {ROUND}\ncommon: []\n")
    with pytest.raises(ConfigError, match=r"other/acme/1\.1\.0\.yaml:2: "):
        mllog.config(check="acme/1.1.0", rules=tmp_path / "other")
