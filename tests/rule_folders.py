"""Folders of rule files for tests: the real ones, copied, and a small usage that tests change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mlperf_logging.errors import RuleError
from mlperf_logging.rules.files import RuleFiles
from mlperf_logging.rules.repository import RULES_FOLDER, RuleRepository
from mlperf_logging.rules.resolving import Resolver
from mlperf_logging.rules.rulesets import Ruleset

FIRST = """\
title: Trial 1.0
source: written for tests
dialect: mllog
benchmarks:
  add: [knitting]
state:
  run_start: {run_started: true}
common:
  run_start: logged
  run_stop: at least one; state.run_started
closed:
  opt_name: in {adam, sgd}
  seed: logged
rules:
  - id: trial-stop-status
    key: run_stop
    cell: present(meta.status)
    code: MLP108
    summary: run_stop says how the run ended
    why: A run that was stopped has no score.
    pass: ['run_stop {"status": "success"}']
    fail: [run_stop]
"""

KNITTING = """\
benchmark: knitting
area: Handicraft
runs: {required: 5, dropped_each_side: 1, non_converged_allowed: 1}
both:
  eval_accuracy: at least one; reaches value >= 0.9
closed:
  global_batch_size: value > 0
lists:
  stitches: ["row_{1..3}/{knit,purl}"]
variants:
  socks:
    when: logged(opt_name) == "sgd"
    closed:
      opt_momentum: logged
strict:
  closed:
    global_batch_size: also value <= 4096
"""

SECOND = "trial/1.1.0"


class RuleFolder:
    """A folder of rule files that a test may change.

    Attributes:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, file: str, text: str) -> None:
        """Write one rule file."""
        place = self.path / file
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, "utf-8")

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace a text that stands once in a rule file."""
        text = (self.path / file).read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        self.write(file, text.replace(old, new))

    def write_second(self, text: str) -> None:
        """Write the second round of the usage for tests, which extends the first."""
        self.write(f"{SECOND}.yaml", f"extends: 1.0.0\n{text}")

    def load(self, name: str = SECOND) -> Ruleset:
        """Resolve one round afresh, without a look at the others."""
        resolver = Resolver(RuleFiles(self.path))
        return Ruleset(resolver.resolve(name), lambda: resolver.vocabulary)

    def book(self) -> RuleRepository:
        """A new rule book, as a new process would open it."""
        return RuleRepository(self.path)

    def refuse(self, name: str = SECOND) -> RuleError:
        """The error that a round gives when it is loaded and compiled for every kind of run."""
        with pytest.raises(RuleError) as caught:
            compile_all(self.load(name))
        return caught.value


def compile_all(ruleset: Ruleset) -> None:
    """Compile the tables of all kinds of run."""
    for division in ("closed", "open"):
        for benchmark in (None, *ruleset.benchmarks):
            ruleset.table(division, benchmark, tuple(ruleset.variants(benchmark)), strict=True)


def copy_rules(target: Path) -> RuleFolder:
    """A copy of the rule files that ship with the package, and the usage for tests."""
    shutil.copytree(RULES_FOLDER, target, ignore=shutil.ignore_patterns("__pycache__"))
    folder = RuleFolder(target)
    folder.write("trial/1.0.0.yaml", FIRST)
    folder.write("benchmarks/knitting.yaml", KNITTING)
    folder.write_second("title: Trial 1.1\n")
    return folder


def write_round(
    folder: Path, text: str, *, name: str = "trial/1.0.0", dialect: str = "mllog", **benchmarks: str
) -> Ruleset:
    """A round with rule files of its own, and the codes and keys that ship with the package.

    Args:
        folder: an empty folder.
        text: the round's file; title, source and dialect are put in front.
        name: the round's name.
        dialect: the dialect of its logs.
        benchmarks: text of the files of the benchmarks that the round adds, after their first line.
    """
    for vocabulary in ("codes.yaml", "keys.yaml"):
        shutil.copy(Path(RULES_FOLDER) / vocabulary, folder)
    written = RuleFolder(folder)
    for benchmark, body in benchmarks.items():
        written.write(f"benchmarks/{benchmark}.yaml", f"benchmark: {benchmark}\n{body}")
    added = f"benchmarks: {{add: [{', '.join(benchmarks)}]}}\n" if benchmarks else ""
    head = f"title: Trial\nsource: written for tests\ndialect: {dialect}\n"
    written.write(f"{name}.yaml", head + added + text)
    return written.load(name)
