"""How the project grows: a round is one file, a benchmark two places, a format one file, a dialect two.

Each test takes a copy of the package, adds exactly those files, and uses them from the command line.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT

LOG = PROJECT / "examples" / "logs" / "compliant" / "6.1.0_llama31_8b.txt"
LOG_ROUND = "6.1.0"

MADE_UP_ROUND = """\
extends: 6.1.0
title: A made-up round
source: The test of how rounds are added
common:
  opt_made_up: value > 3
change:
  llama31_8b:
    closed:
      max_sequence_length: == 4096
"""

MADE_UP_BENCHMARK = """\
benchmark: made_up
area: Making up
dataset: Made-up data
model: Made-up model
runs: {required: 3, dropped_each_side: 1, non_converged_allowed: 1}
closed:
  global_batch_size: value > 0
  eval_accuracy: at least one; present(meta.samples_count); reaches value >= 0.9
"""

MADE_UP_FORMAT = '''\
"""A line of comma-separated values for each log."""

from typing import ClassVar

from mlperf_logging.reports import BaseReport, FileResult, Totals


class Report(BaseReport):
    """Comma-separated values."""

    name: ClassVar[str] = "values"
    description: ClassVar[str] = "comma-separated values, a line a log"

    def begin(self) -> str:
        """The titles."""
        return "verdict,errors\\n"

    def add(self, result: FileResult) -> str:
        """One line."""
        errors = [finding for finding in result.verdict.findings if finding.severity == "error"]
        return f"{result.verdict.verdict},{len(errors)}\\n"

    def end(self, totals: Totals) -> str:
        """Nothing."""
        return ""
'''

MADE_UP_TABLE_FORMAT = '''\
"""Every row on a line, its values with bars between them."""

from typing import ClassVar

from mlperf_logging.reports.tables import BaseRenderer, Look
from mlperf_logging.tables import Document


class Renderer(BaseRenderer):
    """Bars."""

    name: ClassVar[str] = "bars"
    description: ClassVar[str] = "values between bars"

    def render(self, document: Document, look: Look) -> bytes:
        """The rows."""
        rows = [row for table in document.tables for row in table.rows]
        return "".join("|".join(map(str, row)) + "\\n" for row in rows).encode()
'''

MADE_UP_GRAMMAR = """\
// Time and key, then a value in JSON; times are seconds.
//   :::MADEUP 12.5 eval_accuracy = 0.7

start: MARKER SECONDS KEY EQUALS value REST?

MARKER: ":::MADEUP "
SECONDS: /[0-9.]+/
KEY: /[A-Za-z_]+/
EQUALS: "="

%import .json (value, REST, WS)
%ignore WS
"""

MADE_UP_DIALECT = '''\
"""A made-up dialect: time, key and value."""

from mlperf_logging.events import Event
from mlperf_logging.parsing.dialects import Dialect


def read_ordinary(raws, numbers, columns):
    """No fast path: the grammar reads every record."""
    return None


def read_fields(fields, line, column, raw):
    """Make an event."""
    time_ms = float(fields["seconds"]) * 1000
    return Event(fields["key"], fields["payload"], {}, time_ms, line, column, raw, dialect="madeup"), []


DIALECT = Dialect(
    name="madeup",
    rank=9,
    read_ordinary=read_ordinary,
    read_fields=read_fields,
    key_pattern=r":::MADEUP [0-9.]+ ([A-Za-z_]+)",
)
'''

ROUND_OF_MADE_UP_DIALECT = """\
title: A round of the made-up dialect
source: The test of how dialects are added
dialect: madeup
benchmarks:
  add: []
common:
  score: at least one; value > 0.5
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with a copy of the package, the rule files and the trainers, to be added to."""
    for name in ("mlperf_logging", "compliance_rules", "reference_impls"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def add_file(copy: Path, name: str, text: str) -> None:
    """Add one file, which must not be there yet."""
    path = copy / name
    assert not path.exists()
    path.write_text(text, "utf-8")


def run(copy: Path, module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the copy."""
    environment = os.environ | {"PYTHONPATH": str(copy)}
    environment.pop("GITHUB_ACTIONS", None)
    return subprocess.run(
        [sys.executable, "-m", f"mlperf_logging.cli.{module}", *arguments],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def check(copy: Path, log: Path, *options: str) -> dict[str, Any]:
    """Judge a log with the copy; give its entry in the JSON document."""
    answer = run(copy, "check", log, "--format", "json", *options)
    assert answer.stdout, answer.stderr
    (entry,) = json.loads(answer.stdout)["files"]
    return dict(entry)


def test_copy_is_what_runs(copy: Path) -> None:
    """The commands of these tests come from the copy, not from the checkout."""
    add_file(copy, "mlperf_logging/cli/whereami.py", "print(__file__)\n")

    assert run(copy, "whereami").stdout.strip() == str(copy / "mlperf_logging" / "cli" / "whereami.py")


def test_round_is_one_file(copy: Path) -> None:
    """A round file is enough for the newest round: it is chosen, inherits, adds and changes."""
    assert check(copy, LOG)["ruleset"] == LOG_ROUND

    add_file(copy, "compliance_rules/training/99.0.0.yaml", MADE_UP_ROUND)
    entry = check(copy, LOG)

    assert entry["ruleset"] == "99.0.0"
    errors = {each["key"] for each in entry["findings"] if each["severity"] == "error"}
    assert errors == {"opt_made_up", "max_sequence_length"}
    assert LOG_ROUND in entry["compliant_under"]
    assert check(copy, LOG, "--ruleset", LOG_ROUND)["verdict"] == "pass"
    assert "training/99.0.0" in run(copy, "main", "rules", "list").stdout
    assert "opt_made_up" in run(copy, "main", "rules", "diff", LOG_ROUND, "99.0.0").stdout


def test_benchmark_is_two_places(copy: Path, tmp_path: Path) -> None:
    """A benchmark's file and its name in a round's list are enough to judge its logs."""
    log = tmp_path / "made_up.txt"
    text = LOG.read_text("utf-8").replace('"llama31_8b"', '"made_up"')
    log.write_text(text, "utf-8")
    assert "MLP106" in {finding["code"] for finding in check(copy, log)["findings"]}

    add_file(copy, "compliance_rules/benchmarks/made_up.yaml", MADE_UP_BENCHMARK)
    round_file = copy / "compliance_rules" / "training" / f"{LOG_ROUND}.yaml"
    listed = round_file.read_text("utf-8")
    assert listed.count("  add: [") == 1
    round_file.write_text(listed.replace("  add: [", "  add: [made_up, "), "utf-8")
    entry = check(copy, log)

    assert (entry["verdict"], entry["benchmark"], entry["ruleset"]) == ("pass", "made_up", LOG_ROUND)
    log.write_text(text.replace('"value": 3.', '"value": 0.'), "utf-8")
    assert [finding["code"] for finding in check(copy, log)["findings"]] == ["MLP403"]
    assert "reaches value >= 0.9" in run(copy, "main", "rules", "show", "made_up", "--format", "json").stdout


def test_output_format_is_one_file(copy: Path) -> None:
    """A module in the reports' folder is enough for a format: it is listed, found and used."""
    assert run(copy, "check", LOG, "--format", "values").returncode == 2

    add_file(copy, "mlperf_logging/reports/values.py", MADE_UP_FORMAT)
    answer = run(copy, "check", LOG, "--format", "values")

    assert (answer.returncode, answer.stdout) == (0, "verdict,errors\npass,0\n")
    assert "comma-separated values, a line a log" in run(copy, "check", "--help").stdout


def test_table_format_is_one_file(copy: Path) -> None:
    """A module in the tables' folder is a format of every command that answers with tables."""
    folder = PROJECT / "examples" / "submission"
    commands = (
        (["score", folder], "llama2_70b_lora"),
        (["rcp", folder], "llama2_70b_lora"),
        (["analyze", folder, "--table", "runs"], "llama2_70b_lora"),
        (["rules", "list"], f"training/{LOG_ROUND}"),
        (["rules", "show", "llama31_8b"], "run_start"),
        (["train", "--list"], "sentiment"),
    )
    assert run(copy, "main", "rules", "list", "--format", "bars").returncode == 2

    add_file(copy, "mlperf_logging/reports/tables/bars.py", MADE_UP_TABLE_FORMAT)
    for command, word in commands:
        answer = run(copy, "main", *command, "--format", "bars")
        assert (answer.returncode, answer.stderr) == (0, "")
        assert any(word in line.split("|") for line in answer.stdout.splitlines())
    assert "bars" in run(copy, "main", "score", "--help").stdout


def test_dialect_is_a_grammar_and_a_module(copy: Path, tmp_path: Path) -> None:
    """A grammar and a small module are enough for a dialect: records are read, judged, and mistakes named."""
    log = tmp_path / "made_up.txt"
    log.write_text('noise\nrank 3: :::MADEUP 12.5 score = 0.7\n:::MADEUP 13 note = {"a": [1, 2]}\n', "utf-8")
    assert "MLP105" in {finding["code"] for finding in check(copy, log)["findings"]}

    add_file(copy, "mlperf_logging/parsing/dialects/madeup.lark", MADE_UP_GRAMMAR)
    add_file(copy, "mlperf_logging/parsing/dialects/madeup.py", MADE_UP_DIALECT)
    add_file(copy, "compliance_rules/training/99.0.0.yaml", ROUND_OF_MADE_UP_DIALECT)
    entry = check(copy, log)

    assert (entry["dialect"], entry["ruleset"]) == ("madeup", "99.0.0")
    assert [finding["code"] for finding in entry["findings"] if finding["key"] == "score"] == []
    log.write_text(log.read_text("utf-8").replace("0.7", "0.3").replace("[1, 2]", "[1, "), "utf-8")
    findings = check(copy, log)["findings"]
    assert [(finding["line"], finding["column"]) for finding in findings if finding["key"] == "score"] == [
        (2, 9)
    ]
    assert [finding["line"] for finding in findings if finding["code"].startswith("MLP0")] == [3]
