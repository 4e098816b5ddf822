"""Fuzz the API and the commands: seeded inputs, what each must keep, and a way to see one again.

::

    python tests/fuzz --api 100000 --commands 10000     count what is not as it must be
    python tests/fuzz --minutes 10                      both, for a time
    python tests/fuzz --replay command:1:4711           one input again, with its traceback

An input that breaks a promise is saved below ``--save``, under its name, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from api_inputs import make_api_input
from command_checks import check_command, run_command
from command_inputs import Workplace

SECONDS_PER_MB = 2.0
FLOOR_S = {"api": 1.0, "command": 4.0}
"""Processor time of one reading whatever the size: explaining a thousand broken records takes most of a second, and a
command may draw pictures or read rule files."""
LIMIT_MB = 256
PATIENCE_S = 60
"""After so much processor time, or twice as much time of the clock, an input counts as one without end."""

API, COMMAND = "api", "command"


class NeverEndsError(BaseException):
    """Raised in an input that takes too long; no handler of the package's takes it for a fault of its own."""


class Outcome(NamedTuple):
    """How an input went.

    Attributes:
        name: what replays it.
        kind: what it is.
        answer: how it ended: a command's exit code.
        broken: the promise that it broke, in words; None where it kept all.
        seconds: processor time.
        megabytes: memory that it took beyond what was there, at its peak; 0 where the system does not say.
    """

    name: str
    kind: str
    answer: str
    broken: str | None
    seconds: float
    megabytes: float


class Fuzzer:
    """Runs inputs one after another in this process, each with a limit of time and memory.

    Args:
        folder: a folder of the fuzzer's own; what is in it goes.
        timed: whether an input that takes longer than its size allows breaks a promise; one without end always does.
    """

    def __init__(self, folder: Path, *, timed: bool = True) -> None:
        self._timed = timed
        self._place = Workplace(folder)
        self._folder = folder
        for category in (RuntimeWarning, UserWarning, FutureWarning):
            warnings.simplefilter("always", category)  # it would stand between a command's lines

    def run(self, name: str, *, show: bool = False) -> Outcome:
        """Run the input of a name such as ``api:1:17``: what it is for, seed and number.

        Args:
            name: the input's name.
            show: print what is run, and the traceback where there is one.
        """
        answers: list[str] = []
        if name.startswith(API):
            item = make_api_input(name)
            kind, size, act = item.kind, item.size, item.act
            readings = item.readings
            if show:
                print(kind, item.content[:2_000])
        else:
            given = self._place.make(name)
            kind, size, readings = given.kind, given.size, 1
            if show:
                print("mlperf", *map(repr, given.arguments), "in", self._folder)

            def act() -> None:
                done = run_command(given, self._folder)
                answers.append(str(done.returncode))
                if show:
                    print(
                        done.returncode, done.output[:3_000].decode("utf-8", "replace"), done.stderr[:3_000]
                    )
                check_command(given, done, self._folder)

        broken, seconds, megabytes = measure(act, show=show)
        allowed = (FLOOR_S[name.partition(":")[0]] + SECONDS_PER_MB * size / 1e6) * readings
        if broken is None and self._timed and seconds > allowed:
            broken = f"over time: {seconds:.1f} s for {size:,} bytes"
        if broken is None and megabytes > LIMIT_MB:
            broken = f"over memory: {megabytes:.0f} MB for {size:,} bytes"
        return Outcome(name, kind, "".join(answers), broken, seconds, megabytes)

    def save(self, outcome: Outcome, folder: Path) -> None:
        """Keep an input: the bytes of an API input, or the working folder of a command, and what was broken."""
        target = folder / outcome.name.replace(":", "-")
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        if outcome.name.startswith(API):
            (target / "input").write_bytes(make_api_input(outcome.name).content)
        else:
            given = self._place.make(outcome.name)
            shutil.copytree(self._folder, target / "folder")
            (target / "command.json").write_text(json.dumps(["mlperf", *given.arguments]) + "\n", "utf-8")
            (target / "stdin").write_bytes(given.given)
        replay = f"python tests/fuzz --replay {outcome.name}"
        (target / "README").write_text(f"{outcome.broken}\n{replay}\n", "utf-8", errors="backslashreplace")


def measure(act: Callable[[], None], *, show: bool = False) -> tuple[str | None, float, float]:
    """What an act broke, the processor time in seconds and the memory in MB that it took."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise NeverEndsError

    former = [(number, signal.signal(number, stop)) for number in (signal.SIGPROF, signal.SIGALRM)]
    faulthandler.dump_traceback_later(4 * PATIENCE_S, exit=True)  # what no signal interrupts
    before = _reset_peak()
    start = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, PATIENCE_S)
    signal.setitimer(signal.ITIMER_REAL, 2 * PATIENCE_S)
    broken: str | None = None
    try:
        act()
    except NeverEndsError:
        broken = "over time: it did not end"
    except Exception as error:  # noqa: BLE001 - whatever comes through is what is looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        broken = f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"[:2_000]
        if show:
            traceback.print_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in former:
            signal.signal(number, handler)
        faulthandler.cancel_dump_traceback_later()
    return broken, time.process_time() - start, max(_read_memory("VmHWM") - before, 0) / 1e3


def _reset_peak() -> int:
    """Let the system note the peak of memory anew; gives what is in use, in kB."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return sys.maxsize
    return _read_memory("VmRSS")


def _read_memory(field: str) -> int:
    try:
        status = Path("/proc/self/status").read_text("utf-8")
    except OSError:
        return 0
    return int(status.partition(f"{field}:")[2].split()[0])


def name_inputs(api: int, commands: int, seed: int, start: int = 0) -> Iterator[str]:
    """Names of inputs; those of commands stand between those of the API."""
    most = max(api, commands)
    for number in range(most):
        if number < api:
            yield f"{API}:{seed}:{start + number}"
        if number < commands:
            yield f"{COMMAND}:{seed}:{start + number}"


def summarize(outcomes: list[Outcome]) -> str:
    """A table: by kind the number of inputs, what was broken, and the largest time and memory."""
    lines = ["| input | count | exit codes | broken | over time | over memory | most s | most MB | total s |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    kinds = sorted({(each.name.partition(":")[0], each.kind) for each in outcomes})
    for group, kind in kinds:
        mine = [each for each in outcomes if each.kind == kind and each.name.startswith(group)]
        broken = [each.broken for each in mine if each.broken is not None]
        slow = sum(each.startswith("over time") for each in broken)
        large = sum(each.startswith("over memory") for each in broken)
        name = f"`mlperf {kind}`" if group == COMMAND else kind
        codes = sorted(Counter(each.answer for each in mine if each.answer).items())
        answers = ", ".join(f"{code}: {count:,}" for code, count in codes)
        counts = f"{len(mine):,} | {answers} | {len(broken) - slow - large} | {slow} | {large}"
        seconds, megabytes = max(each.seconds for each in mine), max(each.megabytes for each in mine)
        lines.append(
            f"| {name} | {counts} | {seconds:.2f} | {megabytes:.0f} | {sum(e.seconds for e in mine):.0f} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Fuzz as the command line says: 0 all promises were kept, 1 one was broken."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--api", type=int, default=0, help="inputs of the API")
    parser.add_argument("--commands", type=int, default=0, help="runs of commands")
    parser.add_argument(
        "--minutes", type=float, help="stop after so many minutes; both kinds without end before"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help="number of the first input")
    parser.add_argument(
        "--save", type=Path, default=Path("out/fuzz"), help="where inputs that break a promise go"
    )
    parser.add_argument(
        "--replay", metavar="NAME", nargs="+", help="run these inputs, and show what they are"
    )
    options = parser.parse_args()
    endless = options.minutes is not None and not options.api and not options.commands
    counts = (sys.maxsize, sys.maxsize) if endless else (options.api, options.commands)
    names = options.replay or name_inputs(*counts, options.seed, options.start)
    stop_at = None if options.minutes is None else time.monotonic() + 60 * options.minutes
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        fuzzer = Fuzzer(Path(folder))
        warm_up(fuzzer)
        for name in names:
            if stop_at is not None and time.monotonic() > stop_at:
                break
            outcome = fuzzer.run(name, show=bool(options.replay))
            outcomes.append(outcome)
            if outcome.broken is not None:
                print(f"{name} ({outcome.kind}): {outcome.broken}", flush=True)
                if not options.replay:
                    fuzzer.save(outcome, options.save)
    print(summarize(outcomes))
    faults = Counter(
        re.sub(r"\d+|0x\w+", "…", each.broken)[:100] for each in outcomes if each.broken is not None
    )
    for what, count in faults.most_common(40):
        print(f"{count:6} {what}")
    return 1 if faults else 0


def warm_up(fuzzer: Fuzzer) -> None:
    """Load what each kind needs once, so that its time is not taken for an input's."""
    for number in range(40):
        fuzzer.run(f"{API}:warm-up:{number}")
        fuzzer.run(f"{COMMAND}:warm-up:{number}")
