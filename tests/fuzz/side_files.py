"""Small valid files that stand beside logs, and a small folder of rules: what the damage begins with."""

from __future__ import annotations

import shutil
from pathlib import Path

from checkout import PROJECT
from rule_folders import FIRST, KNITTING

from mlperf_logging.rules.repository import RULES_FOLDER

SYSTEM = PROJECT / "examples/submission/Example_Lab/systems/example_8x.json"

SIDE_FILES = {
    "prices.yaml": "default: 12/h\nexample_8x: {price: 98.32 USD/h, energy: 0.12 USD/kWh}\n",
    "points.yaml": "unit: samples\nallowance: 384\npoints:\n  8: {converged_at: [1920, 2304, 2304, 2688]}\n"
    "  16:\n    converged_at: [2304, 2304, 2688, 3072]\n",
    "waivers.yaml": "- rule: MLP304\n  path: 'result_*.txt'\n  reason: agreed\n  expires: 2030-12-31\n"
    "- {rule: 'trial-*', path: '*', reason: agreed too, expires: 2030-01-01}\n",
    "suite.yaml": "title: Suite\nsource: tests\nscore: median\n"
    "runs: {required: 3, dropped_each_side: 0, non_converged_allowed: 1}\nseeds: [1, 2, 3]\n"
    "usages: [training]\n"
    "benchmarks:\n  llama2_70b_lora: {reference_seconds: [5000, 5100, 4900], weight: 2, platform: box}\n"
    "  flux1: {reference_seconds: 9000, when: '2026-01-31'}\n",
    "mlperf.toml": 'usage = "training"\nstrict = true\nselect = ["MLP3", "MLP4"]\nignore = ["MLP1"]\njobs = 1\n'
    'waivers = "waivers.yaml"\nrules = "rules"\nformat = "text"\ndivision = "closed"\nruleset = "6.1.0"\n',
    "scaling.json": '{"scaling_factor": 1.0511463844797178}\n',
    "system.json": SYSTEM.read_text("utf-8"),
}
"""Name and text of each kind."""

RULE_FILES = {
    "trial/1.0.0.yaml": FIRST,
    "trial/1.1.0.yaml": "title: Trial 1.1\nextends: 1.0.0\nchange:\n  knitting:\n    both: {seed: value > 0}\n",
    "benchmarks/knitting.yaml": KNITTING,
    "suites/small.yaml": SIDE_FILES["suite.yaml"],
    "rcp/trial-1.0.0.yaml": "benchmarks:\n  knitting:\n    unit: epochs\n    points:\n"
    "      64: {converged_at: [3, 3, 4, 5, 4]}\n",
}


def write_rules(folder: Path) -> None:
    """Write the small folder of rules."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in RULE_FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for name in ("codes.yaml", "keys.yaml"):
        shutil.copy(Path(RULES_FOLDER) / name, folder)
