"""The API and the commands over damaged logs and side files: a small part of what ``python tests/fuzz`` runs at length."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fuzzing import API, COMMAND, Fuzzer, Outcome, measure, name_inputs

API_INPUTS = int(os.environ.get("MLPERF_FUZZ_API", "150"))
COMMANDS = int(os.environ.get("MLPERF_FUZZ_COMMANDS", "100"))


@pytest.fixture
def fuzzer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fuzzer:
    """A fuzzer that does not look at the clock."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MPLBACKEND", "agg")
    return Fuzzer(tmp_path, timed=False)


@pytest.mark.parametrize(("api", "commands"), [(API_INPUTS, 0), (0, COMMANDS)], ids=[API, COMMAND])
def test_promises_are_kept(
    fuzzer: Fuzzer, api: int, commands: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No traceback, a documented exit code, memory within the limit, valid output, nothing hidden, lines that exist."""
    broken: list[Outcome] = []
    for name in name_inputs(api, commands, seed=1):
        outcome = fuzzer.run(name)
        if outcome.broken is not None:
            broken.append(outcome)
            fuzzer.save(outcome, tmp_path_factory.getbasetemp() / "broken")
    assert not broken, "\n".join(
        f"python tests/fuzz --replay {each.name}  # {each.broken}" for each in broken
    )


def test_a_broken_promise_is_found_and_kept(
    fuzzer: Fuzzer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the package's own is found in a command, and its input is saved with what replays it."""
    from mlperf_logging.cli import check

    def fail(*_: object) -> None:
        raise ZeroDivisionError("boom")

    names = [name for name in name_inputs(0, 30, seed=1) if fuzzer.run(name).kind == "check"]
    monkeypatch.setattr(check, "_write_reports", fail)
    outcomes = [fuzzer.run(name) for name in names]
    (found, *_) = [each for each in outcomes if each.broken is not None]
    fuzzer.save(found, tmp_path.parent / "kept")

    kept = tmp_path.parent / "kept" / found.name.replace(":", "-")
    assert "boom" in found.broken
    assert f"--replay {found.name}" in (kept / "README").read_text()
    assert (kept / "folder" / "lab").is_dir()
    assert (kept / "command.json").read_text().startswith('["mlperf", "check"')


def test_the_same_name_is_the_same_input(fuzzer: Fuzzer) -> None:
    """An input follows from its name alone, whatever ran before."""
    first = [fuzzer.run(f"{COMMAND}:2:{number}")[:4] for number in (3, 4)]
    second = [fuzzer.run(f"{COMMAND}:2:{number}")[:4] for number in (4, 3)]
    assert first == second[::-1]


def test_what_takes_memory_or_does_not_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits work: an act without end is stopped and named, and the peak of memory is seen."""
    import fuzzing

    monkeypatch.setattr(fuzzing, "PATIENCE_S", 0.05)

    def never_end() -> None:
        while True:
            pass

    assert measure(never_end)[0] == "over time: it did not end"
    monkeypatch.undo()
    if Path("/proc/self/clear_refs").exists():
        assert measure(lambda: bytearray(300_000_000) and None)[2] > 280
