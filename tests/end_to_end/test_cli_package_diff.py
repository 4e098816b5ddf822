"""`mlperf package diff`: results, systems, software and hyperparameters of two submissions side by side."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from checkout import PROJECT
from commands import run_mlperf

LAB = PROJECT / "examples" / "submission" / "Example_Lab"
RESULT = Path("results", "example_8x", "llama2_70b_lora")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission of one result; no test changes it."""
    folder = tmp_path_factory.mktemp("old") / "Example_Lab"
    shutil.copytree(LAB / RESULT, folder / RESULT, ignore=shutil.ignore_patterns("power"))
    described = json.loads((LAB / "systems" / "example_8x.json").read_text())
    described |= {"framework": "PyTorch 2.4", "other_software_stack": {"cuda": "12.4", "nccl": "2.21"}}
    write_description(folder, described)
    return folder


@pytest.fixture
def later(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(made, tmp_path / "new" / "Example_Lab"))


def write_description(folder: Path, described: dict[str, Any], name: str = "example_8x") -> None:
    """Write the description of a system."""
    path = folder / "systems" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(described, indent=2))


def read_description(folder: Path) -> dict[str, Any]:
    """The description of the system."""
    described: dict[str, Any] = json.loads((folder / "systems" / "example_8x.json").read_text())
    return described


def change_logs(folder: Path, pattern: str, replacement: str) -> None:
    """Change all logs; the pattern must be in each."""
    for log in (folder / RESULT).glob("result_*.txt"):
        text, count = re.subn(pattern, replacement, log.read_text())
        assert count
        log.write_text(text)


def finish_earlier(folder: Path) -> None:
    """Make every run a tenth shorter."""
    for log in (folder / RESULT).glob("result_*.txt"):
        lines = log.read_text().splitlines(keepends=True)
        start, stop = (
            int(re.findall(r'"time_ms": (\d+)', next(line for line in lines if f'"key": "{key}"' in line))[0])
            for key in ("run_start", "run_stop")
        )
        shorter = str(stop - (stop - start) // 10)
        log.write_text(
            "".join(line.replace(str(stop), shorter) if '"run_stop"' in line else line for line in lines)
        )


def compare(old: Path, new: Path, *options: object) -> dict[str, Any]:
    """The document on two submissions."""
    done = run_mlperf("package", "diff", "--format", "json", *options, old, new)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_same_submission_has_no_difference(made: Path) -> None:
    """A submission compared with itself is as fast, and nothing differs."""
    document = compare(made, made)

    (result,) = document["results"]
    assert (result["speedup"], result["p_value"], result["only"]) == (1, 1, None)
    assert document["systems"] == document["software"] == document["hyperparameters"] == []


def test_what_changed_is_found(made: Path, later: Path) -> None:
    """Faster runs, a field, a version that came, went and changed, and a hyperparameter: each once, and nothing else."""
    described = read_description(later) | {"number_of_nodes": "2", "framework": "PyTorch 2.5"}
    write_description(later, described | {"other_software_stack": {"cuda": "12.6", "cudnn": "9.1"}})
    finish_earlier(later)
    change_logs(later, r'("key": "opt_base_learning_rate", "value": )[^,]+', r"\g<1>0.0003")

    document = compare(made, later)

    (result,) = document["results"]
    assert result["minutes_new"] == pytest.approx(result["minutes_old"] * 0.9, rel=1e-4)
    assert result["speedup"] == pytest.approx(1 / 0.9, rel=1e-4)
    assert result["speedup_low"] < 1 / 0.9 < result["speedup_high"]
    assert result["p_value"] < 0.05
    system = {"system": "example_8x"}
    assert document["systems"] == [system | {"field": "number_of_nodes", "old": "1", "new": "2"}]
    assert document["software"] == [
        system | {"software": "framework", "old": "PyTorch 2.4", "new": "PyTorch 2.5"},
        system | {"software": "cuda", "old": "12.4", "new": "12.6"},
        system | {"software": "nccl", "old": "2.21", "new": None},
        system | {"software": "cudnn", "old": None, "new": "9.1"},
    ]
    (key,) = document["hyperparameters"]
    assert (key["key"], key["new"], key["freedom"]) == ("opt_base_learning_rate", "0.0003", "free")


def test_value_that_breaks_a_rule_is_marked(made: Path, later: Path) -> None:
    """A hyperparameter that the rules fix names the side that breaks them, with what they require."""
    change_logs(later, r'("key": "lora_rank", "value": )\d+', r"\g<1>8")

    (key,) = compare(made, later)["hyperparameters"]

    assert (key["key"], key["freedom"], key["rule"], key["breaks_rule"]) == (
        "lora_rank",
        "required equal",
        "== 16",
        ["new"],
    )


def test_measurements_are_no_hyperparameters(made: Path, later: Path) -> None:
    """A key that the rules do not know and that each run logs differently is left out; one that all log alike is not."""
    for number, log in enumerate((later / RESULT).glob("result_*.txt")):
        line = next(line for line in log.read_text().splitlines() if '"key": "lora_rank"' in line)
        measured = re.sub(r'"lora_rank", "value": \d+', f'"measured_speed", "value": {number}', line)
        setting = re.sub(r'"lora_rank", "value": \d+', '"extra_setting", "value": "on"', line)
        log.write_text(log.read_text().replace(line, f"{line}\n{measured}\n{setting}"))

    (key,) = compare(made, later)["hyperparameters"]

    assert (key["key"], key["old"], key["new"]) == ("extra_setting", None, '"on"')


def test_only_systems_of_a_benchmark_belong_together(made: Path, later: Path) -> None:
    """A system that has another name is compared where it is the only one left of its benchmark."""
    (later / "results" / "example_8x").rename(later / "results" / "box")
    (later / "systems" / "example_8x.json").rename(later / "systems" / "box.json")

    (result,) = compare(made, later)["results"]

    assert (result["system"], result["only"]) == ("example_8x → box", None)


def test_named_pair_belongs_together(made: Path, later: Path) -> None:
    """Of two candidates, --pair says which one it is; the other is only in the new submission."""
    for name in ("box", "crate"):
        shutil.copytree(later / "results" / "example_8x", later / "results" / name)
    shutil.rmtree(later / "results" / "example_8x")

    alone = compare(made, later)["results"]
    paired = compare(made, later, "--pair", "example_8x=crate")["results"]

    assert [each["only"] for each in alone] == ["new", "new", "old"]
    assert {each["system"]: each["only"] for each in paired} == {"box": "new", "example_8x → crate": None}


def test_results_of_one_side_are_named(made: Path, later: Path) -> None:
    """A benchmark that came is only in the new submission."""
    shutil.copytree(LAB / "results" / "example_16x" / "flux1", later / "results" / "example_8x" / "flux1")

    results = compare(made, later)["results"]

    assert [(each["benchmark"], each["only"]) for each in results] == [
        ("flux1", "new"),
        ("llama2_70b_lora", None),
    ]
    assert (results[0]["minutes_old"], results[0]["speedup"]) == (None, None)


def test_text_says_what_counts(made: Path, later: Path) -> None:
    """People read the differences under headings, and a line that counts."""
    finish_earlier(later)
    (later / "systems" / "example_8x.json").unlink()

    done = run_mlperf("package", "diff", made, later)

    assert done.returncode == 0
    assert "the hyperparameters are the same" in done.stdout
    assert "described alike" not in done.stdout
    assert "example_8x: the new submission has no description that can be read" in done.stdout
    assert done.stdout.endswith("1 result: 1 faster\n")


def test_rounds_that_differ_are_noted(made: Path, later: Path) -> None:
    """Where two rounds judged, a note says how to see what they changed."""
    done = run_mlperf("package", "diff", "--old-ruleset", "6.0", "--ruleset", "6.1", made, later)

    assert "mlperf rules diff training/6.0.0 training/6.1.0" in " ".join(done.stdout.split())


def test_archive_is_compared_with_a_folder(made: Path, later: Path, tmp_path: Path) -> None:
    """An archive takes the place of a folder, with its descriptions and all."""
    archive = shutil.make_archive(str(tmp_path / "old"), "gztar", made.parent, "Example_Lab")
    write_description(later, read_description(later) | {"cooling": "liquid"})

    document = compare(Path(archive), later)

    assert [each["field"] for each in document["systems"]] == ["cooling"]
    assert document["results"][0]["speedup"] == 1


@pytest.mark.parametrize("form", ["csv", "markdown", "json", "xlsx", "parquet", "text"])
def test_every_format_of_tables_holds_the_answer(made: Path, later: Path, tmp_path: Path, form: str) -> None:
    """Each format writes one table; those that can hold several write all four."""
    change_logs(later, r'("key": "opt_base_learning_rate", "value": )[^,]+', r"\g<1>0.0003")
    options = ("package", "diff", "--format", form, "-o", tmp_path / "out")

    one = run_mlperf(*options, "--table", "hyperparameters", made, later)
    content = (tmp_path / "out").read_bytes()
    every = run_mlperf(*options, made, later)

    assert one.returncode == 0, one.stderr
    assert b"opt_base_learning_rate" in content or form in ("xlsx", "parquet")
    assert every.returncode == (2 if form in ("csv", "parquet") else 0)
    assert "choose one with --table" in every.stderr or every.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere", "nowhere"), "does not exist"),
        (("--pair", "a", ".", "."), "write the names of two systems"),
        (("--pair", "box=crate", "OLD", "OLD"), "has no system 'box'; it has example_8x"),
    ],
)
def test_what_cannot_be_compared_is_said(made: Path, arguments: tuple[str, ...], says: str) -> None:
    """Wrong arguments are exit code 2 and a sentence."""
    given = [str(made) if each == "OLD" else each for each in arguments]

    done = run_mlperf("package", "diff", *given)

    assert done.returncode == 2
    assert says in done.stderr
