"""One command run from a seed: a folder with damaged logs and side files, and a command line over it."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import NamedTuple

from checkout import PROJECT
from mutations import HOSTILE_TEXTS, VALUES, Mutator
from side_files import RULE_FILES, SIDE_FILES, write_rules

from mlperf_logging.cli.pictures import KINDS
from mlperf_logging.reports import list_formats
from mlperf_logging.reports.tables import list_table_formats

RESULTS = PROJECT / "examples/submission/Example_Lab/results"
SYSTEM = "example_8x"
TABLES = [name for name in list_table_formats() if name]


class CommandInput(NamedTuple):
    """A run of a command.

    Attributes:
        kind: name of the command.
        arguments: what follows ``mlperf``.
        given: bytes of standard input.
        form: format of the output.
        output: file that the output goes to, within the folder; None for standard output.
        size: bytes of all files, uncompressed.
        line_counts: number of lines of each log, by path.
    """

    kind: str
    arguments: tuple[str, ...]
    given: bytes
    form: str
    output: str | None
    size: int
    line_counts: dict[str, int]


class Workplace:
    """Makes the input of a seed in a folder, always with the same names there.

    Attributes:
        folder: the working folder of the commands.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._size = 0
        self._line_counts: dict[str, int] = {}

    def make(self, seed: str) -> CommandInput:
        """Write the files of a seed, in place of those of the seed before."""
        random = Random(seed)
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._size, self._line_counts = 0, {}
        mutator = Mutator(random)
        benchmark = self._write_results(random, mutator)
        for name in ("prices.yaml", "points.yaml", "waivers.yaml", "suite.yaml"):
            self._write_text(name, mutator.mutate_yaml(SIDE_FILES[name]))
        if random.random() < 0.1:
            self._write_settings(random, mutator)
        given = mutator.mutate_log(mutator.pick_log())
        if random.random() < 0.3:
            given = mutator.mutate_log(mutator.wrap(given), random.choice((0, 0, 1, 3)))
        self._size += len(given)
        self._line_counts["<stdin>"] = given.count(b"\n") + 1
        kinds, weights = (
            (
                "check",
                "package",
                "score",
                "rcp",
                "summary",
                "analyze",
                "plot",
                "rules",
                "train",
                "convert",
                "watch",
            ),
            (35, 10, 12, 10, 5, 12, 5, 13, 3, 4, 5),
        )
        kind = random.choices(kinds, weights)[0]
        line = _Line(random, benchmark, mutator)
        words = getattr(line, f"make_{kind}")()
        if line.rules:
            self._write_rules(random, mutator)
        arguments = (kind, *words)
        return CommandInput(
            kind, arguments, given, line.form, line.output, self._size, dict(self._line_counts)
        )

    def _write_results(self, random: Random, mutator: Mutator) -> str:
        """Results of one benchmark on one system, in places as they are published; gives the benchmark."""
        source = (
            RESULTS / "example_16x/flux1" if random.random() < 0.15 else RESULTS / SYSTEM / "llama2_70b_lora"
        )
        folder = f"lab/results/{SYSTEM}/{source.name}"
        for number in range(random.choice((1, 2, 3, 3, 10))):
            log = (source / f"result_{number % 6}.txt").read_bytes()
            if random.random() < 0.15:
                log = mutator.pick_log()
            if random.random() < 0.5:
                log = mutator.mutate_log(log)
            name = f"{folder}/result_{number}.txt"
            if random.random() < 0.03:
                name = f"{folder}/result_{number}\x1b[31m\udcff.txt"
            self._write_log(name, mutator.compress(log) if random.random() < 0.02 else log, log)
            power = source / f"power/result_{number}"
            if power.is_dir() and random.random() < 0.5:
                for readings in power.iterdir():
                    text = readings.read_bytes()
                    text = mutator.mutate_log(text) if random.random() < 0.3 else text
                    self._write(f"{folder}/power/result_{number}/{readings.name}", text)
        if random.random() < 0.5:
            self._write_text(f"{folder}/scaling.json", mutator.mutate_yaml(SIDE_FILES["scaling.json"]))
        if random.random() < 0.7:
            self._write_text(f"lab/systems/{SYSTEM}.json", mutator.mutate_yaml(SIDE_FILES["system.json"]))
        return source.name

    def _write_settings(self, random: Random, mutator: Mutator) -> None:
        """Settings above the logs, some of those that there are."""
        lines = SIDE_FILES["mlperf.toml"].splitlines(keepends=True)
        text = "".join(random.sample(lines, random.randint(1, 4)))
        if random.random() < 0.3:
            self._write_text("pyproject.toml", mutator.mutate_yaml(f"[tool.mlperf]\n{text}"))
        else:
            self._write_text("mlperf.toml", mutator.mutate_yaml(text))

    def _write_rules(self, random: Random, mutator: Mutator) -> None:
        write_rules(self.folder / "rules")
        for name in random.sample(sorted(RULE_FILES), random.choice((0, 1, 1, 2))):
            self._write_text(f"rules/{name}", mutator.mutate_yaml(RULE_FILES[name]))

    def _write_log(self, name: str, content: bytes, plain: bytes) -> None:
        self._write(name, content)
        self._size += len(plain) - len(content)
        if content is plain:
            self._line_counts[name] = plain.count(b"\n") + 1

    def _write_text(self, name: str, text: str) -> None:
        self._write(name, text.encode("utf-8", "surrogatepass"))

    def _write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._size += len(content)


class _Line:
    """Draws a command line.

    Attributes:
        form: format of the output, as far as it was drawn.
        output: the file that it goes to.
        rules: whether the small folder of rules is used.
    """

    def __init__(self, random: Random, benchmark: str, mutator: Mutator) -> None:
        self.random = random
        self.benchmark = benchmark
        self.mutator = mutator
        self.form = "text"
        self.output: str | None = None
        self.rules = False

    def make_check(self) -> list[str]:
        words = [*self._paths("lab", f"lab/results/{SYSTEM}", "lab/results/*/*/result_*.txt", "-")]
        self._choose_form(["text", *list_formats()])
        words += self._selection()
        words += self._some(("--strict",), ("--statistics",), ("--quiet",), ("--verbose",), ("--level", "1"))
        words += self._some(
            ("--group-by", "rule"), ("--color", "always"), ("--select", "MLP3"), ("--ignore", "MLP1,x*")
        )
        words += self._some(("--waivers", "waivers.yaml"), ("--waivers", "waivers.yaml"), ("--jobs", "1"))
        waiving = (
            "--write-waivers",
            self.random.choice(("waivers.yaml", "new.yaml")),
            "--reason",
            self._text(),
        )
        words += self._some(
            (*waiving, "--expires", "2031-01-01"), ("--no-config",), ("--config", "mlperf.toml")
        )
        return [*words, *self._form_words()]

    def make_package(self) -> list[str]:
        words = [
            self.random.choice(("lab", f"lab/results/{SYSTEM}", f"lab/results/{SYSTEM}/{self.benchmark}"))
        ]
        self._choose_form(list_formats())
        words += self._selection()
        words += self._some(("--partial",), ("--strict",), ("--werror",), ("--verbose",), ("--quiet",))
        words += self._some(("--select", "MLP6,MLP7"), ("--waivers", "waivers.yaml"), ("--group-by", "file"))
        return [*words, *self._form_words()]

    def make_score(self) -> list[str]:
        words = self._paths(
            "lab", f"lab/results/{SYSTEM}", f"lab/results/{SYSTEM}/{self.benchmark}", "lab/../lab"
        )
        self._choose_form(TABLES)
        words += self._selection()
        words += self._some(
            ("--prices", "prices.yaml"), ("--suite", "suite.yaml"), ("--runs",), ("--unjudged",)
        )
        words += self._some(("--method", "median"), ("--speedup", SYSTEM), ("--by", "path"), ("--strict",))
        words += self._some(("--price", self._number("/h")), ("--weights", f"flux1={self._number()}"))
        return [*words, *self._form_words()]

    def make_summary(self) -> list[str]:
        words = self._paths("lab", f"lab/results/{SYSTEM}", f"lab/results/{SYSTEM}/{self.benchmark}")
        self._choose_form(TABLES)
        words += [
            *self._selection(),
            "--layout",
            self.random.choice(("rows", "public", "detailed", "throughput")),
        ]
        words += self._some(("--prices", "prices.yaml"), ("--private-ids",), ("--price", self._number("/h")))
        return [*words, *self._form_words()]

    def make_rcp(self) -> list[str]:
        words = self._paths("lab", f"lab/results/{SYSTEM}", f"lab/results/{SYSTEM}/{self.benchmark}")
        self._choose_form(TABLES)
        words += [*self._selection(), "--draws", self.random.choice(("1", "20", "200"))]
        words += self._some(("--points", "points.yaml"), ("--method", "rules"), ("--references", "full"))
        words += self._some(("--write-scaling",), ("--seed", self._number()))
        if self.random.random() < 0.05:
            words += ["--plot", "rcp.png"]
        return [*words, *self._form_words()]

    def make_analyze(self) -> list[str]:
        words = self._paths("lab", f"lab/results/{SYSTEM}", "-")
        self._choose_form(TABLES)
        words += [*self._selection(), "--resamples", self.random.choice(("1", "20", "99"))]
        words += self._some(("--table", "all"), ("--table", "evaluations"), ("--table", "hyperparameters"))
        words += self._some(("--table", "series"), ("--metric", "*loss*"))
        words += self._some(
            ("--all-runs",), ("--outliers", "mad"), ("--center", "mean"), ("--by", "benchmark")
        )
        words += self._some(
            ("--target", "value >= 0.9"), ("--confidence", self._number()), ("--value", "throughput")
        )
        words += self._some(("--compare", f"lab/results/{SYSTEM}", SYSTEM), ("--seed", self._number()))
        return [*words, *self._form_words()]

    def make_plot(self) -> list[str]:
        words = [self.random.choice(sorted(KINDS)), *self._paths("lab", f"lab/results/{SYSTEM}")]
        words += self._selection()
        words += self._some(("--x", "minutes"), ("--relative",), ("--all-runs",), ("--title", self._text()))
        words += self._some(("--width", self._number()), ("--target", "value >= 0.9"), ("--metric", "value"))
        words += self._some(("--suite", "suite.yaml"))
        if self.random.random() < 0.7:
            self.form = "json"
            return [*words, "--format", "json"]
        self.form = self.random.choice(("png", "svg", "pdf"))
        self.output = f"picture.{self.form}"
        return [*words, "--dpi", "20", "--output", self.output]

    def make_watch(self) -> list[str]:
        words = ["--once", *self._paths("lab", f"lab/results/{SYSTEM}", "-"), *self._selection()]
        return [*words, *self._some(("--json",), ("--points", "points.yaml"), ("--every", self._number()))]

    def make_rules(self) -> list[str]:
        self.rules = True
        self._choose_form(TABLES)
        names = ("knitting", "trial-stop-status", "MLP304", "MLP0", "trial/1.0.0", "1.1.0", self._text())
        questions = (
            ["list"],
            [
                "show",
                "knitting",
                *self._some(("--strict",), ("--meaning",), ("--ruleset", self.random.choice(names))),
            ],
            ["explain", self.random.choice(names)],
            ["diff", "1.0.0", "1.1.0", *self._some(("knitting",), (self.random.choice(names),))],
        )
        return [*self.random.choice(questions), "--rules", "rules", *self._form_words()]

    def make_train(self) -> list[str]:
        self._choose_form(TABLES)
        self.output = None
        settings = ("learning_rate", "seed", "global_batch_size", "made_up", self._text())
        words = ["recommendation", "--show"]
        words += self._some(
            ("--set", f"{self.random.choice(settings)}={self._number()}"), ("--division", "open")
        )
        words += self._some(("--runs", self._number()), ("--scale", "full"), ("--replicas", self._number()))
        if self.form in ("xlsx", "parquet"):
            self.form = "json"
        return [*words, "--format", self.form]

    def make_convert(self) -> list[str]:
        self.form = "log"
        self.output = "clean.txt" if self.random.random() < 0.5 else None
        place = self.random.choice(
            ("-", "-", "-", "lab", f"lab/results/{SYSTEM}/{self.benchmark}/result_0.txt")
        )
        what = self.random.choice(
            (
                ("--unwrap",),
                ("--to", "jsonl"),
                ("--to", "mllog", "--keys", "*_start,eval*"),
                ("--anonymize", "--hide", "lab"),
            )
        )
        return [*self._some(("--quiet",)), *what, place, self.output or "-"]

    def _paths(self, *known: str) -> list[str]:
        path = self.random.choice(known)
        return ["no/such/place", path] if self.random.random() < 0.03 else [path]

    def _selection(self) -> list[str]:
        if self.random.random() < 0.06:
            self.rules = True
            return ["--rules", "rules", *self._some(("--ruleset", "1.1.0"), ("--benchmark", "knitting"))]
        rounds = ("6.1.0", "5.1.0", "4.0.0", "0.6.0", "0.5.0", self._text())
        words = self._some(("--ruleset", self.random.choice(rounds)), ("--division", "open"))
        return [*words, *self._some(("--benchmark", self.random.choice(("flux1", "resnet", self._text()))))]

    def _some(self, *choices: tuple[str, ...]) -> list[str]:
        """Some of the options; most command lines have few."""
        return [word for words in choices if self.random.random() < 0.15 for word in words]

    def _text(self) -> str:
        """A text as a command line can hold it."""
        return self.random.choice(HOSTILE_TEXTS).replace("\x00", "")

    def _number(self, unit: str = "") -> str:
        return self.random.choice(("1", "0.95", "7", "0.5", self.random.choice(VALUES[:20]))) + unit

    def _choose_form(self, names: list[str]) -> None:
        self.form = self.random.choice(names)
        if self.form in ("xlsx", "parquet") or self.random.random() < 0.1:
            self.output = "out/../answer"

    def _form_words(self) -> list[str]:
        return ["--format", self.form, *(["--output", self.output] if self.output is not None else [])]
