"""Rule, suite, price, waiver and points files from strangers: one sentence with the place, exit code 2."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import PROJECT
from commands import run_mlperf
from rule_folders import RuleFolder, copy_rules

from mlperf_logging.rules.files import MAX_VALUES

RESULTS = "examples/submission/Example_Lab/results/example_8x/llama2_70b_lora"
LOG = "examples/logs/broken/epochs_misnumbered.txt"

BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
HOSTILE = {
    "an alias bomb": BOMB,
    "an alias bomb as a key": BOMB + "? *a39\n: 1\n",
    "aliases by the thousand": "a: &a [1]\nb: [" + "*a, " * MAX_VALUES + "*a]\n",
    "flow nesting": "a: " + "[" * 900 + "]" * 900 + "\n",
    "block nesting": "a:\n  " + "- " * 900 + "1\n",
    "deepest nesting": "a: " + "{a: " * 50_000 + "\n",
    "many values": "a: [" + "1," * MAX_VALUES + "1]\n",
    "very many values": "a: [" + "1," * 100_000 + "1]\n",
    "a long text": "a: " + "x" * (1 << 20) + "\n",
    "a long integer": "a: " + "9" * 10_000 + "\n",
    "a long hexadecimal integer": "a: 0x" + "f" * 10_000 + "\n",
    "a number without end": "a: .inf\n",
    "a number that is none": "a: .nan\n",
    "a month too many": "a: 2020-13-01\n",
    "a tag that does not fit": "a: !!int abc\n",
    "a truth that is none": "a: !!bool maybe\n",
    "a time that is none": "a: !!timestamp never\n",
    "a foreign tag": "a: !!python/object/apply:os.system [x]\nb: !run x\n",
    "no YAML": "a: [\n",
    "no text": "a: \x00\n",
}


@pytest.fixture
def rules(tmp_path: Path) -> RuleFolder:
    """Rule files that a test may spoil."""
    return copy_rules(tmp_path / "rules")


def refuse(*arguments: object) -> str:
    """The one sentence with which a command refuses its work."""
    done = run_mlperf(*arguments)
    (sentence,) = done.stderr.splitlines()
    assert done.returncode == 2, done.stdout
    assert len(sentence) < 2_000
    return sentence


COMMANDS: dict[str, Callable[[Path], tuple[object, ...]]] = {
    "points": lambda path: ("rcp", RESULTS, "--points", path),
    "prices": lambda path: ("score", RESULTS, "--prices", path),
    "waivers": lambda path: ("check", LOG, "--waivers", path),
    "suite": lambda path: ("score", RESULTS, "--suite", path),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_side_file_is_refused_in_one_sentence(command: str, text: str, tmp_path: Path) -> None:
    """Whatever stands in a file of points, prices, waivers or a suite, it costs one sentence that names the file."""
    path = tmp_path / "given.yaml"
    path.write_text(text)

    assert "given.yaml" in refuse(*COMMANDS[command](path))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("file", ["codes.yaml", "keys.yaml", "trial/1.1.0.yaml", "benchmarks/knitting.yaml"])
def test_rule_file_is_refused_in_one_sentence(file: str, text: str, rules: RuleFolder) -> None:
    """Whatever stands in a rule file, it costs one sentence that names the file."""
    rules.write(file, text)

    assert file in refuse("rules", "show", "knitting", "--rules", rules.path)


@pytest.mark.parametrize("make", ["fifo", "socket", "device", "folder"])
@pytest.mark.parametrize("command", [*COMMANDS, "rules"])
def test_what_is_no_file_is_refused(command: str, make: str, tmp_path: Path, rules: RuleFolder) -> None:
    """A pipe nobody writes to, a socket, a device without end and a folder are refused, and nothing waits for them."""
    path = rules.path / "codes.yaml" if command == "rules" else tmp_path / "given.yaml"
    path.unlink(missing_ok=True)
    if make == "fifo":
        os.mkfifo(path)
    elif make == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            os.chdir(path.parent)
            bound.bind(path.name)
            os.chdir(PROJECT)
    elif make == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    arguments = (
        ("rules", "show", "knitting", "--rules", rules.path)
        if command == "rules"
        else COMMANDS[command](path)
    )

    assert path.name in refuse(*arguments)


@pytest.mark.parametrize(
    "cell",
    [
        "value > " + "(" * 900 + "1" + ")" * 900,
        "value > " + "+".join("1" * 900),
        "value > " + "+".join("1" * 400),
        "value > " + " > ".join("1" * 300),
        "value > " + "-" * 900 + "1",
        "not " * 200 + "value",
        "value > " + "9" * 10_000,
        "at least " + "9" * 10_000,
        "value > " + "9" * 999,
        "value > 1e999",
    ],
    ids=range(10),
)
def test_hostile_cell_is_refused_with_its_line(cell: str, rules: RuleFolder) -> None:
    """A cell that is too long, too deep or of too large numbers is refused where it stands."""
    rules.write_second(f"common:\n  eval_samples: '{cell}'\n")

    assert "trial/1.1.0.yaml:3: rule common.eval_samples: " in refuse(
        "rules", "show", "knitting", "--rules", rules.path
    )


@pytest.mark.parametrize(
    "formula",
    [
        "state.zz * state.zz",
        "append(state.zz, state.zz)",
        "state.zz ^ state.zz",
        "1 + (state.zz + 1) * max(1, state.zz)",
    ],
)
def test_state_word_that_doubles_is_refused(formula: str, rules: RuleFolder) -> None:
    """A state word that would double with each event is refused where it stands."""
    rules.write_second(f"state:\n  initial: {{zz: 3}}\n  seed:\n    zz: {formula}\n")

    assert "trial/1.1.0.yaml:5: 'zz' would double with each event" in refuse(
        "rules", "show", "knitting", "--rules", rules.path
    )


@pytest.mark.parametrize("name", ["9.².0", "².0.0", "9..0", "9.9.x"])
def test_odd_name_of_a_round_is_none_or_a_round(name: str, rules: RuleFolder) -> None:
    """A file whose name holds digits that are no numbers does not stop the others."""
    rules.write(f"trial/{name}.yaml", "extends: 1.0.0\n")

    assert run_mlperf("rules", "list", "--rules", rules.path).returncode == 0


@pytest.mark.parametrize("parent", ["../../outside", "/etc/hostname", "trial/../../outside", "..", "link"])
def test_round_does_not_lead_out_of_its_folder(parent: str, rules: RuleFolder) -> None:
    """A rule file that another names stands in the folder of the rules, also where it is a link."""
    outside = rules.path.parent / "outside.yaml"
    outside.write_text("secret: value\n")
    (rules.path / "trial/link.yaml").symlink_to(outside)
    rules.write("trial/1.1.0.yaml", f"extends: {parent}\n")

    sentence = refuse("rules", "show", "knitting", "--rules", rules.path)
    assert "trial/1.1.0.yaml:1: extends" in sentence
    assert "secret" not in sentence


@pytest.mark.parametrize(
    "price", ["1" + " " * 100_000 + "x", "9" * 10_000, "1" + " " * 100_000 + "/" + " " * 100_000]
)
def test_hostile_price_is_refused(price: str, tmp_path: Path) -> None:
    """A price is short, and its pattern tries few ways to read it."""
    path = tmp_path / "given.yaml"
    path.write_text(f"default: {{price: '{price}'}}\n")

    assert "is not a valid price" in refuse("score", RESULTS, "--prices", path)


def test_lists_of_names_are_bounded_together(rules: RuleFolder) -> None:
    """Many ranges in one list, or in one pair of braces, are as bounded as one."""
    for pattern in (
        "'{1..9999}', " * 20,
        "'{" + "1..9999," * 20 + "1}'",
        f"'{{0..{10**40}}}'",
        f"'{'x' * 5000}{{1..9}}'",
    ):
        rules.write_second(f"change:\n  knitting:\n    lists:\n      rows: [{pattern}]\n")
        assert "trial/1.1.0.yaml:5:" in refuse("rules", "show", "knitting", "--rules", rules.path)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"scaling_factor": ' + "9" * 5_000 + "}",
        '{"scaling_factor": 1' + "0" * 400 + "}",
        "[]",
    ],
)
def test_hostile_scaling_file_is_a_problem_of_its_folder(text: str, tmp_path: Path) -> None:
    """A scaling file that cannot be used is reported for the folder; the command continues."""
    folder = tmp_path / "results/system/knitting"
    folder.mkdir(parents=True)
    (folder / "result_0.txt").write_text("")
    (folder / "scaling.json").write_text(text)

    for command in ("score", "rcp", "analyze"):
        assert run_mlperf(
            command, *(["time-to-quality"] if command == "analyze" else []), tmp_path
        ).returncode in (1, 2)


def test_an_empty_section_of_a_rule_file_is_a_sentence_or_nothing(rules: RuleFolder) -> None:
    """Each section of a benchmark and of a round may be left empty: the rules load, or one sentence says what is missing."""
    faults = {}
    for file in ("benchmarks/knitting.yaml", "trial/1.0.0.yaml"):
        text = (rules.path / file).read_text("utf-8")
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            head, colon, _ = line.partition(":")
            if not colon or line.lstrip().startswith("-"):
                continue
            indent = len(line) - len(line.lstrip())
            rest = lines[number + 1 :]
            while rest and len(rest[0]) - len(rest[0].lstrip()) > indent:
                rest.pop(0)
            rules.write(file, "".join([*lines[:number], f"{head}:\n", *rest]))
            done = run_mlperf("rules", "show", "knitting", "--strict", "--rules", rules.path)
            if done.returncode not in (0, 2) or "itself failed" in done.stderr:
                faults[file, head] = done.stderr
        rules.write(file, text)
    assert faults == {}
