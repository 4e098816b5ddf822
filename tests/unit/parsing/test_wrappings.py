"""Wrapped logs: recognized, named in one finding, judged as the log inside, and written clean again."""

from __future__ import annotations

import csv
import html
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlperf_logging.compliance import held_log
from mlperf_logging.compliance.checking import check_log
from mlperf_logging.compliance.held_log import HeldLog
from mlperf_logging.compliance.judged_run import judge_run
from mlperf_logging.parsing import wrappings
from mlperf_logging.parsing.wrappings import find_wrappings, split_lines, unwrap_blocks
from tests.checkout import PROJECT
from tests.commands import run_mlperf
from tests.logs import mllog

LOGS = PROJECT / "examples" / "logs"
CLEAN = (LOGS / "compliant" / "6.1.0_flux1.txt").read_bytes()
FAULTY = (LOGS / "broken" / "wrong_hyperparameter.txt").read_bytes()
TIME = "2026-05-01T10:00:00.123456789Z"


def each_line(wrap: Callable[[str], str]) -> Callable[[bytes], bytes]:
    """Wraps each line of a log."""
    return lambda log: "".join(wrap(line) + "\n" for line in log.decode().splitlines()).encode()


def split_by_kubernetes(log: bytes) -> bytes:
    """Lines of more than 90 characters in parts, as a container runtime does at 16 KiB."""
    lines = []
    for line in log.decode().splitlines():
        parts = [line[start : start + 90] for start in range(0, len(line), 90)] or [""]
        lines += [f"{TIME} stdout P {part}" for part in parts[:-1]] + [f"{TIME} stdout F {parts[-1]}"]
    return "\n".join([*lines, ""]).encode()


def write_csv(log: bytes) -> bytes:
    """An export with one row per line."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [TIME, "stdout", line] for line in log.decode().splitlines()
    )
    return text.getvalue().encode()


def break_lines(log: bytes) -> bytes:
    """Lines broken at 80 characters."""
    lines = log.decode().splitlines()
    return "".join(
        f"{line[at : at + 80]}\n" for line in lines for at in range(0, len(line) or 1, 80)
    ).encode()


def color(line: str) -> str:
    """A line in green."""
    return f"\x1b[32m{line}\x1b[0m"


WRAPS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "Docker's JSON lines": (
        "docker-json",
        each_line(lambda line: json.dumps({"log": f"{line}\n", "stream": "stdout", "time": TIME})),
    ),
    "Kubernetes' partial lines": ("kubernetes-cri", split_by_kubernetes),
    "UTF-16 with a byte order mark": ("utf-16", lambda log: log.decode().encode("utf-16")),
    "UTF-16 without one": ("utf-16", lambda log: log.decode().encode("utf-16-le")),
    "big-endian UTF-16": ("utf-16", lambda log: log.decode().encode("utf-16-be")),
    "UTF-16 of Windows": ("utf-16", lambda log: log.decode().replace("\n", "\r\n").encode("utf-16")),
    "the repr of bytes": ("bytes-repr", each_line(lambda line: "INFO " + repr(f"{line}\n".encode()))),
    "CSV": ("csv", write_csv),
    "HTML": ("html", each_line(lambda line: f"<li class='line'>{html.escape(line)}</li>")),
    "80 columns": ("broken-lines", break_lines),
    "ANSI colors": ("text-behind", each_line(color)),
    "Ray": (
        "text-behind",
        each_line(lambda line: f"(Worker pid=1) {line}\x1b[32m [repeated 8x across cluster]\x1b[0m"),
    ),
    "text behind": ("text-behind", each_line(lambda line: f"{line} <-- rank 0")),
    "colors within Docker's lines": (
        "docker-json, text-behind",
        each_line(lambda line: json.dumps({"log": f"{color(line)}\n", "stream": "stdout", "time": TIME})),
    ),
    "colors in UTF-16": ("utf-16, text-behind", lambda log: each_line(color)(log).decode().encode("utf-16")),
}


@pytest.mark.parametrize("name", WRAPS)
def test_a_wrapped_log_is_one_finding_beside_those_of_the_log_inside(name: str) -> None:
    """It names the wrapping; everything else is judged as on the clean log, on lines of the wrapped file."""
    wrapping, wrap = WRAPS[name]
    for log in (CLEAN, FAULTY):
        inside, verdict = check_log(log), check_log(wrap(log))
        wrapped, *others = sorted(verdict.findings, key=lambda finding: finding.code)
        assert (wrapped.code, wrapped.rule, wrapped.found) == ("MLP019", "wrapped-records", wrapping)
        assert [(each.code, each.rule, each.message) for each in others] == [
            (each.code, each.rule, each.message) for each in inside.findings
        ]
        assert (verdict.verdict, verdict.run, verdict.event_count) == ("fail", inside.run, inside.event_count)
        assert wrapped.message.startswith(f"{inside.event_count} records are ")


@pytest.mark.parametrize("name", WRAPS)
def test_the_log_inside_is_written_by_convert(name: str, tmp_path: Path) -> None:
    """What `mlperf convert --unwrap` writes is compliant and holds the same records."""
    (tmp_path / "wrapped.log").write_bytes(WRAPS[name][1](CLEAN))
    done = run_mlperf("convert", "--unwrap", "wrapped.log", "clean.log", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "records are" in done.stderr
    written = (tmp_path / "clean.log").read_bytes()
    assert check_log(written).verdict == "pass"
    assert [each.value for each in HeldLog(written).items()] == [
        each.value for each in HeldLog(CLEAN).items()
    ]


def test_a_log_that_is_not_wrapped_is_not_converted(tmp_path: Path) -> None:
    """Nothing is written, and the message says so."""
    (tmp_path / "log").write_bytes(CLEAN)
    done = run_mlperf("convert", "--unwrap", "log", "out", folder=tmp_path)
    assert (done.returncode, (tmp_path / "out").exists()) == (2, False)
    assert "is not wrapped in anything that is known" in done.stderr


def test_findings_are_on_the_lines_of_the_wrapped_file() -> None:
    """Where a record is broken over several lines, at the first of them."""
    broken = break_lines(FAULTY)
    (finding,) = [each for each in check_log(broken).findings if each.code == "MLP304"]
    assert finding.line is not None
    assert b":::MLLOG" in broken.split(b"\n")[finding.line - 1]
    assert b"lora_rank" in b"".join(broken.split(b"\n")[finding.line - 1 :][:3])


@pytest.mark.parametrize("name", WRAPS)
def test_a_long_prelude_hides_no_wrapping(name: str) -> None:
    """The records may begin behind megabytes of other output."""
    prelude = b"step 1 loss 2.5 and so on, with nothing to be read\n" * 20_000
    verdict = check_log(WRAPS[name][1](prelude + CLEAN))
    assert [finding.code for finding in verdict.findings] == ["MLP019"]
    assert verdict.findings[0].line > 20_000


def test_long_logs_and_pipes_are_unwrapped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is not held is unwrapped once more as it is judged."""
    monkeypatch.setattr(held_log, "HELD_ITEMS", 10)
    wrapped = WRAPS["Docker's JSON lines"][1](CLEAN)
    for source in (wrapped, io.BytesIO(wrapped)):
        verdict = check_log(source)
        assert ([each.code for each in verdict.findings], verdict.run.status) == (["MLP019"], "success")


def test_figures_are_those_of_the_log_inside() -> None:
    """Scores and analyses read what judging reads."""
    wrapped = judge_run(WRAPS["ANSI colors"][1](CLEAN))
    assert wrapped.run.minutes == judge_run(CLEAN).run.minutes
    assert len(wrapped.run.evaluations) == len(judge_run(CLEAN).run.evaluations)


@pytest.mark.parametrize("last", [1, 2])
def test_a_single_record_with_text_behind_it_is_explained_itself(last: int) -> None:
    """The text is shown and found; nothing that follows from the record alone is blamed."""
    lines = CLEAN.splitlines()
    for place in [place for place, line in enumerate(lines) if b":::MLLOG" in line][-last:]:
        lines[place] += b" oops\x1b[0m"
    findings = check_log(b"\n".join(lines)).findings
    assert {finding.code for finding in findings} == {"MLP013"}
    assert {finding.found for finding in findings} == {"oops\x1b[0m"}


@pytest.mark.parametrize(
    "key", ["run_stop", "eval_stop", "block_start", "seed", "global_batch_size", "eval_accuracy"]
)
def test_nothing_that_follows_from_a_damaged_record_is_blamed(key: str) -> None:
    """One finding, at the damaged record; what is missing because of it is not another one."""
    place = CLEAN.rfind(b'"key": "%s"' % key.encode())
    damaged = CLEAN[:place] + CLEAN[place:].replace(b'"value"', b'"value" step 25 loss 2.3', 1)
    (finding,) = check_log(damaged).findings
    assert (finding.code[:4], finding.key) == ("MLP0", key)


def test_ordinary_logs_do_not_load_what_unwraps() -> None:
    """Recognizing wrappings costs nothing where no record is damaged."""
    code = "import sys, mlperf_logging as m; m.check_log(sys.argv[1]); print(sys.argv[2] in sys.modules)"
    log = str(LOGS / "compliant" / "6.1.0_flux1.txt")
    command = [sys.executable, "-c", code, log, "mlperf_logging.parsing.wrappings"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


@given(st.binary(max_size=2_000))
@settings(max_examples=50)
def test_any_bytes_can_be_unwrapped(data: bytes) -> None:
    """Each wrapping gives one line for each line, whatever it is given."""
    for sample in (data, mllog("seed", 7) + data, b'{"log": ' + data):
        for wrapping in wrappings._list_candidates(sample):
            lines = list(wrapping.unwrap(split_lines((sample,))))
            assert abs(len(lines) - len(list(split_lines((sample,))))) <= 1
        find_wrappings(sample, lambda log: (log.count(b":::ML"), 0))


@given(st.lists(st.binary(max_size=50)))
def test_lines_do_not_depend_on_blocks(blocks: list[bytes]) -> None:
    """However the bytes are cut, the lines are the same."""
    assert list(split_lines(blocks)) == list(split_lines([b"".join(blocks)]))
    assert b"".join(unwrap_blocks(blocks, ())).rstrip(b"\n") == b"\n".join(
        line.removesuffix(b"\r") for line in b"".join(blocks).split(b"\n")
    ).rstrip(b"\n")
