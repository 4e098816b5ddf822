"""The public package's Python names, as public code imports them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from checkout import PROJECT

EXAMPLE = PROJECT / "examples/submission/Example_Lab"
BENCHMARK = "results/example_8x/llama2_70b_lora"

NAMES = f"""
import glob, json
from mlperf_logging.benchmark_meta import get_allowed_benchmarks, get_result_file_counts
from mlperf_logging.compliance_checker import mlp_compliance
from mlperf_logging.compliance_checker.mlp_compliance import (
    ComplianceChecker, get_parser, main, make_checker, rule_choices, usage_choices)
from mlperf_logging.compliance_checker.mlp_parser import parse_file
from mlperf_logging.mllog import mllog
from mlperf_logging.mllog.examples.dummy_example import dummy_example
from mlperf_logging.mllog.mllog import (
    LOG_TEMPLATE, _current_time_ms, _encode_log, _now_as_str, _NumpyJSONEncoder)
from mlperf_logging.package_checker.package_checker import SeedChecker, check_training_package
from mlperf_logging.package_checker.power_checker import PowerChecker
from mlperf_logging.rcp_checker import rcp_checker
from mlperf_logging.rcp_checker.rcp_checker import (
    RCP_Checker, check_directory, get_submission_epochs, read_submission_file)
from mlperf_logging.result_summarizer.result_summarizer import (
    _compute_power_node, _compute_power_sw, get_compliance, summarize_results)
from mlperf_logging.repo_checker.repo_checker import run_checks
from mlperf_logging.system_desc_checker.system_desc_checker import check_system_desc

folder = {str(EXAMPLE)!r}
benchmark = folder + "/{BENCHMARK}"
logs = sorted(glob.glob(benchmark + "/result_*.txt"))

assert "llama2_70b_lora" in get_allowed_benchmarks("training", "6.1.0")
assert get_result_file_counts("training")["llama2_70b_lora"] == 10
try:
    get_allowed_benchmarks("training", "9.9.9")
except ValueError:
    pass
else:
    raise AssertionError("there is no such round")

assert {{"training", "hpc"}} == set(usage_choices()) and "6.1.0" in rule_choices()
checker = make_checker("training", "6.1.0", False, False)
assert isinstance(checker, ComplianceChecker)
valid, system, name, result = main(logs[0], "training_6.1.0/common.yaml", checker)
assert valid and get_compliance(logs[0], "training", "6.1.0")
assert get_parser().parse_args(["a.txt"]).ruleset == "6.1.0"

lines, errors = parse_file(logs[0], ruleset="6.1.0")
first = lines[0]
assert errors == [] and first.full_string.startswith(":::MLLOG") and first.lineno == 0
assert first.timestamp > 0 and set(first.value) == {{"value", "metadata"}} and first.key

assert rcp_checker.make_checker("training", "6.1.0", "llama2_70b_lora").rcp_data
assert RCP_Checker("training", "6.1.0", "llama2_70b_lora", False).pruned_rcp_data
passed, message, factor = check_directory(benchmark, "training", "6.1.0", False, False, rcp_pass="pruned_rcps")
assert (passed, message) == (True, "RCP found") and factor > 1
assert read_submission_file(logs[0], "6.1.0", False)[2:] == (8, "llama2_70b_lora")
assert get_submission_epochs(logs, "6.1.0", False)[0] == 8

tables = summarize_results(folder, "training", "6.1.0")
assert len(tables) == 4 and list(tables[0]["system"]) == ["example_16x", "example_8x"]
readings, errors = parse_file(benchmark + "/power/result_0/node_0.txt", ruleset="6.1.0")
assert errors == [] and _compute_power_node(readings, 60.0) > 0 and _compute_power_sw

assert check_training_package(folder, "training", "6.1.0", False, False, False, False, False, "x.log") is False
assert SeedChecker("6.1.0").check_seeds(logs) and not SeedChecker("6.1.0").check_seeds(logs[:1] * 2)
power = PowerChecker("6.1.0")
assert power.check_power(benchmark + "/power", logs) == (True, set())
assert power.check_equals([1, 1, 2]) == (False, [2]) and power.check_range([1, 0], 2)
assert check_system_desc(folder + "/systems/example_8x.json", "training", "6.1.0")[:2] == (True, "example_8x")
assert run_checks(folder)

assert LOG_TEMPLATE.startswith(":::MLLOG") and _now_as_str().count(":") == 2 and _current_time_ms() > 1e12
line = _encode_log("n", 1, "POINT_IN_TIME", "k", 2.0, {{"file": "x"}})
assert json.loads(line.removeprefix(":::MLLOG "))["metadata"] == {{"file": "x"}}
assert json.dumps({{"a": 1}}, cls=_NumpyJSONEncoder) == json.dumps({{"a": 1}})
print("all names are there")
"""


def test_names_that_public_code_imports(tmp_path: Path) -> None:
    """A script imports each Python name and uses it."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        [sys.executable, "-c", NAMES],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "all names are there\n"), done.stderr


def test_no_own_command_loads_what_is_there_for_others() -> None:
    """`mlperf-check` starts without the modules that have public names."""
    code = "import sys, mlperf_logging.cli.check; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    public = {
        "compliance_checker",
        "package_checker",
        "rcp_checker",
        "result_summarizer",
        "benchmark_meta",
        "cli.drop_in",
    }
    assert "mlperf_logging.cli.check" in loaded
    assert {name for name in public if f"mlperf_logging.{name}" in loaded} == set()
