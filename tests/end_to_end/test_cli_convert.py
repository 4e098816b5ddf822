"""`mlperf convert`: formats, selected keys, anonymous logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from checkout import PROJECT

from mlperf_logging.compliance.checking import check_log
from tests.commands import run_mlperf

LOGS = PROJECT / "examples" / "logs"
LOG = LOGS / "compliant" / "6.1.0_llama31_8b.txt"


def test_a_log_is_converted_to_todays_dialect(tmp_path: Path) -> None:
    """The file holds records alone, and is judged as such."""
    done = run_mlperf(
        "convert", "--to", "mllog", LOGS / "compliant" / "0.6.0_resnet.txt", tmp_path / "new.txt"
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert {line[:8] for line in (tmp_path / "new.txt").read_text().splitlines()} == {":::MLLOG"}


def test_a_log_of_todays_dialect_keeps_its_verdict(tmp_path: Path) -> None:
    """Every example log that can be read is judged as before when only its records are left."""
    for log in sorted((LOGS / "compliant").glob("[2-9]*.txt")):
        run_mlperf("convert", "--to", "mllog", log, tmp_path / log.name)
        before, after = check_log(str(log)), check_log(str(tmp_path / log.name))
        assert [(each.rule, each.key) for each in after.findings] == [
            (each.rule, each.key) for each in before.findings
        ]
        assert after.verdict == before.verdict


def test_only_the_events_of_some_keys_are_written() -> None:
    """`--keys` takes patterns, several times, with any format."""
    done = run_mlperf("convert", "--to", "jsonl", "--keys", "run_*", "--keys", "eval_accuracy,seed", LOG, "-")
    keys = [json.loads(line)["key"] for line in done.stdout.splitlines()]

    assert keys == [key for key in keys if key.startswith("run_") or key in ("eval_accuracy", "seed")]
    assert {"run_start", "run_stop", "eval_accuracy", "seed"} <= set(keys)


def test_unreadable_records_are_counted(tmp_path: Path) -> None:
    """They are left out, and said to be."""
    done = run_mlperf(
        "convert", "--to", "jsonl", LOGS / "broken" / "trailing_comma.txt", tmp_path / "x.jsonl"
    )

    assert done.returncode == 0
    assert "a record cannot be read as written and left out" in done.stderr


def test_an_anonymous_log_has_the_same_verdict(tmp_path: Path) -> None:
    """Paths and hosts are gone, findings and verdict stay."""
    log, hidden = tmp_path / "run.txt", tmp_path / "hidden.txt"
    text = LOG.read_text().replace('"file": "', '"hostname": "dgx-7", "file": "/home/x/ann/')
    log.write_text(text)
    done = run_mlperf("convert", "--anonymize", "--hide", "example-node", log, hidden)
    written = hidden.read_text()

    assert done.returncode == 0
    assert "dgx-7" in text
    assert not [word for word in ("dgx-7", "/home", "ann/", "example-node") if word in written]
    assert check_log(str(hidden)).verdict == check_log(str(log)).verdict == "pass"


def test_a_log_that_would_be_judged_otherwise_is_not_written(tmp_path: Path) -> None:
    """Hiding what a rule looks at is refused, with the rule."""
    done = run_mlperf("convert", "--anonymize", "--hide", "adamw", LOG, tmp_path / "hidden.txt")

    assert done.returncode == 2
    assert "the verdict would change, so nothing was written: pass becomes fail" in done.stderr
    assert "opt_name" in done.stderr
    assert not (tmp_path / "hidden.txt").exists()


def test_an_old_log_says_that_its_verdict_cannot_be_compared(tmp_path: Path) -> None:
    """The rules of the first rounds judge their own dialects only."""
    done = run_mlperf(
        "convert", "--anonymize", LOGS / "compliant" / "0.5.0_resnet.txt", tmp_path / "hidden.txt"
    )

    assert done.returncode == 0
    assert "training/0.5.0 judges its own dialect only, so the verdict cannot be compared" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((LOG, "-"), "say what to convert"),
        (("--unwrap", "--keys", "seed", LOG, "-"), "a second command"),
        (("--hide", "x", "--keys", "seed", LOG, "-"), "add it"),
        (("--anonymize", "-", "-"), "name a file"),
        (("--keys", "nothing", LOG, "-"), "no event of"),
        (("--to", "jsonl", LOGS / "broken" / "no_events.txt", "-"), "contains no event"),
        (("--to", "jsonl", "missing.txt", "-"), "missing.txt"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: tuple[object, ...], sentence: str) -> None:
    """Exit code 2, nothing written."""
    done = run_mlperf("convert", *arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
