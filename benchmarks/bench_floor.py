"""Processor time to judge logs in one process, beside a floor below which nothing that reads them can go.

    python benchmarks/bench_floor.py [--corpus FOLDER] [--round 5.1 …] [--peer PYTHON] [--page docs/benchmarks/core.md]

The floor is plain code that reads the bytes, finds the records and decodes the JSON of each with the fastest library at
hand (msgspec or orjson, whichever takes less), and does nothing else: it knows neither lines nor events, keeps nothing,
and passes over what is no JSON. The peer is the checker of the public `mlperf-logging` package; it gets fewer turns.

Each contestant is a process of its own that judges all logs in turn; they take turns, and of each log the least processor
time of all turns counts, so that other work on the machine is left out as far as it can be.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, NamedTuple, cast

from bench_checking import UNKNOWN_TO_PEER, list_corpus
from harness import PROJECT, add_peer_option, describe_machine, format_table

EVERYTHING = "all rounds"
ROUNDS = ("5.1", "4.0", EVERYTHING)

LOOP = """
import json, sys, time
for listing in sys.stdin:
    logs, seconds, passed = json.loads(listing), [], 0
    for path, usage, ruleset in logs:
        begin = time.process_time()
        passed += bool(judge(path, usage, ruleset))
        seconds.append(time.process_time() - begin)
    print(json.dumps([seconds, passed]), flush=True)
"""

FLOOR = """
import msgspec, orjson
decode = {"msgspec": msgspec.json.Decoder().decode, "orjson": orjson.loads, "nothing": len}[LIBRARY]
def judge(path, usage, ruleset):
    with open(path, "rb", buffering=0) as file:
        data = file.readall()
    find, place = data.find, data.find(b":::ML")
    while place >= 0:
        end = find(b"\\n", place)
        if end < 0:
            end = len(data)
        begin = find(b"{", place, end)
        if begin >= 0:
            try:
                decode(data[begin:end])
            except ValueError:
                pass
        place = find(b":::ML", end)
"""

READ = """
def judge(path, usage, ruleset):
    with open(path, "rb", buffering=0) as file:
        file.readall()
"""

BATCHES = """
import gc
from mlperf_logging.parsing import read_batches
gc.disable()
def judge(path, usage, ruleset):
    batches = [batch for batch in read_batches(path)]
"""

HELD = """
import gc
from mlperf_logging.compliance.held_log import HeldLog
from mlperf_logging.compliance.ruleset_selection import RuleSelection, choose_ruleset
gc.disable()
def judge(path, usage, ruleset):
    log = HeldLog(path)
    choice = choose_ruleset(RuleSelection(usage, ruleset), log.identity, path=path)
    choice.table(strict=False, level=None)
"""

JUDGED = (
    HELD.replace("import RuleSelection", "import AUTOMATIC, RuleSelection")
    + """    return judge_items(log, choice, choice.table(strict=False, level=None))
from mlperf_logging.compliance.checking import judge_items
"""
)

OURS = """
from mlperf_logging import check_log
def judge(path, usage, ruleset):
    return check_log(path, usage=usage, ruleset=ruleset).verdict == "pass"
"""

PEER = """
import contextlib, io, logging
from mlperf_logging.compliance_checker import mlp_compliance
logging.disable(logging.CRITICAL)
def judge(path, usage, ruleset):
    checker = mlp_compliance.make_checker(usage, ruleset, True, False)
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            return mlp_compliance.main(path, f"{usage}_{ruleset}/common.yaml", checker)[0]
        except Exception:
            return False
"""

STEPS = {
    "read the bytes": READ,
    "find the records and decode them": BATCHES,
    "who ran what, and by which rules": HELD,
    "judge the events": JUDGED,
    "findings and verdict": OURS,
}
"""What each step adds, with the code that does it and all steps before it."""


class Total(NamedTuple):
    """Processor time for all logs in milliseconds, and how many of them are compliant."""

    milliseconds: float
    passed: int


class Contestant:
    """A process that judges logs and says how long it took."""

    def __init__(self, python: str, code: str) -> None:
        self._process = subprocess.Popen(
            [python, "-c", code + LOOP], stdin=-1, stdout=-1, text=True, cwd=Path(__file__).parent
        )
        self._least: list[float] = []
        self._passed = 0

    def take_turn(self, logs: list[tuple[str, str, str]]) -> None:
        """Judge all logs once; the first turn reads the rules and does not count."""
        is_first = not self._least
        for _ in range(1 + is_first):
            questions, answers = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
            questions.write(json.dumps(logs) + "\n")
            questions.flush()
            seconds, self._passed = json.loads(answers.readline())
        self._least = seconds if is_first else list(map(min, self._least, seconds))

    def finish(self) -> Total:
        """The sum of the least times."""
        cast("IO[str]", self._process.stdin).close()
        self._process.wait()
        return Total(sum(self._least) * 1000, self._passed)


def measure(logs: list[tuple[str, str, str]], peer: str | None, turns: int) -> dict[str, Total]:
    """Let all contestants judge some logs, in turns."""
    codes = {
        "msgspec": f"LIBRARY = 'msgspec'\n{FLOOR}",
        "orjson": f"LIBRARY = 'orjson'\n{FLOOR}",
        "finding alone": f"LIBRARY = 'nothing'\n{FLOOR}",
        **STEPS,
    }
    contestants = {name: Contestant(sys.executable, code) for name, code in codes.items()}
    if peer:
        contestants["peer"] = Contestant(peer, PEER)
    for turn in range(turns):
        for name, contestant in contestants.items():
            if name != "peer" or turn < max(1, turns // 5):
                contestant.take_turn(logs)
    return {name: contestant.finish() for name, contestant in contestants.items()}


def tabulate(results: dict[str, tuple[int, float, dict[str, Total]]]) -> str:
    """The figures as tables in Markdown; per set of logs: their number, their megabytes and the totals."""
    overview, rows = [], []
    for name, (count, megabytes, totals) in results.items():
        library = min(("msgspec", "orjson"), key=lambda each: totals[each].milliseconds)
        floor, ours = totals[library].milliseconds, totals["findings and verdict"]
        peer = totals.get("peer")
        times = f"{peer.milliseconds / ours.milliseconds:.1f}" if peer else "not measured"
        overview.append(
            (name, count, megabytes, floor, library, ours.milliseconds, ours.milliseconds / floor, times)
        )
        read, found = totals["read the bytes"].milliseconds, totals["finding alone"].milliseconds
        floor_steps = [read, floor - read, 0.0, 0.0, 0.0]
        before = 0.0
        for (step, total), beside in zip([(step, totals[step]) for step in STEPS], floor_steps, strict=True):
            share = (total.milliseconds - before) / ours.milliseconds * 100
            note = f"{beside:,.0f}" if beside else "-"
            if total is totals["find the records and decode them"]:
                note += f" ({found - read:,.0f} to find)"
            rows.append((name, step, total.milliseconds - before, f"{share:.0f} %", note))
            before = total.milliseconds
    head = ("logs of", "number", "MB", "floor, ms", "by", "ours, ms", "ours / floor", "peer / ours")
    step_head = ("logs of", "step", "ms", "share", "floor, ms")
    return f"{format_table(head, overview)}\n\n{format_table(step_head, rows)}"


def main() -> int:
    """Measure and print."""
    shared = Path(os.environ.get("MLPERF_SHARED", PROJECT.parent / "shared")) / "corpus" / "logs"
    parser = argparse.ArgumentParser(description="Processor time to judge logs, beside a floor.")
    parser.add_argument(
        "--corpus", type=Path, default=shared, help="logs, with expected_verdicts.csv beside the folder"
    )
    parser.add_argument("--round", action="append", help=f"a round to measure (default: {', '.join(ROUNDS)})")
    add_peer_option(parser)
    parser.add_argument("--turns", type=int, default=10, help="turns of each contestant")
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    parser.add_argument("--page", type=Path, help="put the figures into the tables of this page")
    options = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        corpus = options.corpus.resolve() if options.corpus.is_dir() else None
        logs, kind = list_corpus(corpus, Path(folder), 400)
        for name in options.round or ROUNDS if corpus else [EVERYTHING]:
            wanted = [
                (log.path, log.usage, log.ruleset)
                for log in logs
                if (name == EVERYTHING and log.ruleset not in UNKNOWN_TO_PEER)
                or log.path.startswith(f"{corpus}/{name}/")
            ]
            megabytes = sum(Path(path).stat().st_size for path, *_ in wanted) / 1e6
            results[name] = len(wanted), megabytes, measure(wanted, options.peer, options.turns)
    text = f"{describe_machine()}; {kind}\n\n{tabulate(results)}"
    print(text)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.page:
        page = options.page.read_text("utf-8")
        marks = r"(<!-- figures -->\n).*?(\n<!-- end -->)"
        options.page.write_text(
            re.sub(marks, lambda found: f"{found[1]}{text}{found[2]}", page, flags=re.DOTALL), "utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
