"""One input of the API from a seed: a log, a value to be logged, a side file or a formula, and all that takes it."""

from __future__ import annotations

import decimal
import json
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest import mock

from mutations import HOSTILE_TEXTS, KEYS, VALUES, YAML_VALUES, Mutator
from promises import BrokenPromiseError, check_findings, check_items
from side_files import SIDE_FILES

from mlperf_logging import (
    MLPerfLoggingError,
    check_log,
    judge_run,
    load_suite,
    read_log,
    read_run,
    score_run,
    start_judge,
)
from mlperf_logging.compliance.findings import Finding
from mlperf_logging.compliance.targets import read_target
from mlperf_logging.compliance.waivers import load_waivers
from mlperf_logging.events import DIVISIONS, Severity
from mlperf_logging.mllog.live import read_event
from mlperf_logging.mllog.mllog import MLLogger
from mlperf_logging.mllog.testing import capture_events
from mlperf_logging.parsing.sources import is_compressed
from mlperf_logging.rules.formula import parse_cell
from mlperf_logging.rules.repository import open_rules
from mlperf_logging.scoring.cost import load_prices, read_price
from mlperf_logging.scoring.folders import read_scaling_factor
from mlperf_logging.scoring.rcp.own_points import load_points


class ApiInput(NamedTuple):
    """An input of the API.

    Attributes:
        kind: what it is.
        content: its bytes, as they are kept when a promise is broken.
        size: bytes that its meaning takes: more than its own where it is compressed.
        readings: how often it is read.
        act: gives it to the API and checks what comes back.
    """

    kind: str
    content: bytes
    size: int
    readings: int
    act: Callable[[], None]


def make_api_input(seed: str) -> ApiInput:
    """The input of a seed; the same each time."""
    random = Random(seed)
    make = random.choices((_make_log, _make_value, _make_side_file, _make_formula), (70, 12, 12, 6))[0]
    return make(random)


@cache
def list_rulesets() -> tuple[tuple[str, str], ...]:
    """Usage and name of every round, and what is none."""
    names = [entry.name.split("/", 1) for entry in open_rules().index()]
    return (*((usage, name) for usage, name in names), ("training", "9.9.9"))


def _make_log(random: Random) -> ApiInput:
    mutator = Mutator(random)
    plain = mutator.mutate_log(mutator.pick_log())
    data = plain
    if random.random() < 0.05:
        data = mutator.mutate_log(mutator.wrap(plain), random.choice((0, 0, 1, 3)))
    if random.random() < 0.04:
        data = mutator.compress(data)
    options: dict[str, Any] = {}
    if random.random() < 0.3:
        options["usage"], options["ruleset"] = random.choice(list_rulesets())
    if random.random() < 0.3:
        options["division"] = random.choice(DIVISIONS)
    if random.random() < 0.15:
        options["benchmark"] = random.choice(("resnet", "llama2_70b_lora", "bert", "no_such"))
    if random.random() < 0.5:
        options["strict"] = True
    kind = "log" if data is plain else "compressed log" if is_compressed(data) else "wrapped log"
    ways = random.sample((_read_run, _judge_live, _score), random.choice((0, 1, 1, 2)))
    return ApiInput(
        kind, data, len(plain), 2 + len(ways), lambda: _read_in_ways(data, options, ways, data is plain)
    )


def _read_in_ways(
    data: bytes,
    options: dict[str, Any],
    ways: Sequence[Callable[[bytes, dict[str, Any]], None]],
    is_plain: bool,
) -> None:
    """Read and judge a log, and what else was drawn."""
    try:
        log = read_log(data)
    except MLPerfLoggingError:
        if not is_compressed(data):
            raise
        return
    if is_plain and not is_compressed(data):
        items = sorted([*log.events, *log.problems], key=lambda item: (item.line, item.column))
        check_items(items, data)
    findings: list[Finding] = []
    _expect_sentences(lambda: findings.extend(check_log(data, **options).findings))
    check_findings(findings, count_lines(data))
    for read in ways:
        read(data, options)


def count_lines(data: bytes) -> int:
    """Lines of a log; a number that no log has where it is compressed."""
    return sys.maxsize if is_compressed(data) else data.count(b"\n") + 1


def _read_run(data: bytes, _: dict[str, Any]) -> None:
    run = read_run(data)
    for name in (
        "evaluations",
        "tracked_stats",
        "minutes",
        "intervals",
        "epochs",
        "blocks",
        "evals",
        "status",
    ):
        getattr(run, name)
    for name in ("global_batch_size", "node_count", "accelerator_count", "start_ms", "stop_ms"):
        getattr(run, name)


def _judge_live(data: bytes, options: dict[str, Any]) -> None:
    def judge() -> None:
        live = start_judge(**options)
        for event in read_log(data).events:
            check_findings(live.feed(event), count_lines(data))
        check_findings(live.finish(), count_lines(data))

    _expect_sentences(judge)


def _score(data: bytes, options: dict[str, Any]) -> None:
    _expect_sentences(lambda: score_run(judge_run(data, **options)))


def _expect_sentences(act: Callable[[], object]) -> None:
    """Whatever is refused on purpose is refused in words."""
    try:
        act()
    except MLPerfLoggingError as error:
        if not str(error).strip():
            raise BrokenPromiseError("an error without a message") from error


def _make_value(random: Random) -> ApiInput:
    key, value, metadata = random.choice(KEYS), _draw_value(random, 0), _draw_value(random, 3)
    if random.random() < 0.7:
        metadata = {random.choice(("epoch_num", "a", "file", "")): _draw_value(random, 1)}
    options = {"time_ms": _draw_value(random, 4)} if random.random() < 0.1 else {}

    def act() -> None:
        logger = MLLogger()
        with capture_events(logger) as events:
            logger.event(key, value, metadata, **options)
        if not any(event.key == key for event in events):
            raise BrokenPromiseError("the event was not logged")
        for event in events:
            json.loads(event.raw.partition(b" ")[2], parse_constant=_refuse_constant)
            if read_event(event.raw.decode(), 1).key != event.key:
                raise BrokenPromiseError("the line reads back as another event")
        read = read_log(b"\n".join(event.raw for event in events) + b"\n")
        for problem in read.problems:
            if problem.severity == Severity.ERROR and not (options and "time" in problem.label):
                raise BrokenPromiseError(f"a logged line has a problem: {problem}")

    return ApiInput("logged value", f"{key}: a {type(value).__name__}".encode(), 0, 1, act)


def _refuse_constant(name: str) -> None:
    raise BrokenPromiseError(f"{name} is not JSON")


def _draw_value(random: Random, depth: int) -> Any:
    """A value that a training script might log, at times one that lies or has no JSON form."""
    if depth < 3 and random.random() < 0.3:
        items = [_draw_value(random, depth + 1) for _ in range(random.randrange(4))]
        containers: tuple[Callable[[], Any], ...] = (
            lambda: items,
            lambda: tuple(items),
            lambda: dict(enumerate(items)),
            lambda: {random.choice(HOSTILE_TEXTS): item for item in items},
            lambda: set(random.sample(HOSTILE_TEXTS, 3)),
        )
        return random.choice(containers)()
    scalars: tuple[Callable[[], Any], ...] = (
        lambda: random.choice(HOSTILE_TEXTS),
        lambda: random.choice(VALUES),
        lambda: random.choice((None, True, False, 0, -1, 10**400, 10**5_000, 2**63)),
        lambda: random.choice((math.nan, math.inf, -math.inf, 1e308, 5e-324, -0.0)),
        lambda: random.uniform(-1e6, 1e6),
        lambda: decimal.Decimal(random.choice(("NaN", "1E+400", "0.1", "-Infinity"))),
        lambda: bytes([random.randrange(256) for _ in range(random.randrange(6))]),
        lambda: mock.Mock(spec=random.choice((int, float, str, dict, list, bytes))),
        lambda: "".join(chr(random.randrange(0x3000)) for _ in range(5)),
        lambda: chr(random.randrange(0xD800, 0xE000)),
        lambda: datetime(2026, 1, 1, tzinfo=timezone.utc),
        lambda: Path("a/b"),
        object,
        lambda: range(random.randrange(5)),
        lambda: 1j,
    )
    return random.choice(scalars)()


LOADERS: dict[str, Callable[[str], object]] = {
    "prices.yaml": load_prices,
    "points.yaml": lambda path: load_points(path, "llama2_70b_lora"),
    "waivers.yaml": lambda path: load_waivers(path, datetime(2026, 1, 1, tzinfo=timezone.utc).date()),
    "suite.yaml": load_suite,
}


def _make_side_file(random: Random) -> ApiInput:
    name = random.choice((*LOADERS, "scaling.json"))
    content = Mutator(random).mutate_yaml(SIDE_FILES[name]).encode("utf-8", "surrogatepass")

    def act() -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(content)
            if name in LOADERS:
                _expect_sentences(lambda: LOADERS[name](str(path)))
                return
            try:
                factor = read_scaling_factor(str(path))
            except ValueError as error:
                if name not in str(error):
                    raise BrokenPromiseError(f"which file is meant? {error}") from error
            else:
                if not 0 < factor < math.inf:
                    raise BrokenPromiseError(f"a factor of {factor}")

    return ApiInput(name, content, len(content), 1, act)


FORMULAS = (
    "value >= 0.759",
    "value.FID <= 90 and value.CLIP >= 0.15",
    "present(meta.status) and meta.status in {success, aborted}",
    "value == ceil(first(global_batch_size) / 2 ** 3) * -1.5",
    "count(eval_accuracy) > 1 or not logged(seed)",
    "at least one; reaches value >= 0.9",
    "in {adam, sgd, lamb}",
    "exactly once; value % 64 == 0",
    "12.5 EUR/h",
)
WORDS = (
    "value",
    "meta",
    "(",
    ")",
    "**",
    "*",
    "==",
    "in",
    "{",
    "}",
    ";",
    ".",
    '"',
    "any",
    "9" * 500,
    "not",
    "\x00",
    "é",
)


def _make_formula(random: Random) -> ApiInput:
    text = random.choice(FORMULAS)
    for _ in range(random.choice((0, 1, 2, 4, 8))):
        words = text.split(" ")
        at = random.randrange(len(words))
        words[at] = random.choice((*WORDS, *YAML_VALUES, words[at] * 2, ""))
        text = " ".join(words)
    for _ in range(random.choice((0, 0, 1, 3))):
        at = random.randrange(len(text) + 1)
        text = (
            text[:at] + random.choice((*WORDS, *"()[]{}<>=!+-*/%.,;'\"")) + text[at + random.randrange(2) :]
        )

    def act() -> None:
        for read in (read_target, read_price, parse_cell):
            _expect_sentences(lambda read=read: read(text))  # type: ignore[misc]

    return ApiInput("formula", text.encode("utf-8", "replace"), len(text), 1, act)
