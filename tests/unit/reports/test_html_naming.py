"""Names of logs on the page, and what a page for the public leaves out of texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from mlperf_logging.reports.html.naming import HIDDEN, Naming, clean_values, label_folders, make_cleaner


def test_paths_are_named_below_the_folder_that_all_share() -> None:
    """What all paths begin with is said once, not in each name."""
    naming = Naming(["/data/round/A/result_0.txt", "/data/round/B/result_0.txt"])

    assert naming.folder == "/data/round/"
    assert naming.name("/data/round/A/result_0.txt") == "A/result_0.txt"
    assert naming.name_folder("/data/round/A") == "A"


def test_paths_within_an_archive_are_named_as_if_it_were_a_folder() -> None:
    """Where an archive was unpacked to is told nowhere; a path below the archive's own name is the same path."""
    unpacked = ("/unpacked/x7/Lab", "lab.tar.gz/Lab")
    naming = Naming([f"{unpacked[0]}/A/result_0.txt", f"{unpacked[0]}/B/result_0.txt"], unpacked=unpacked)

    assert naming.folder == "lab.tar.gz/Lab/"
    assert [naming.name(f"{folder}/A/result_0.txt") for folder in unpacked] == ["A/result_0.txt"] * 2


@pytest.mark.parametrize("paths", [["result_0.txt", "/data/result_0.txt"], ["a.txt", "b.txt"], []])
def test_paths_that_share_no_folder_keep_their_names(paths: list[str]) -> None:
    """Without a common folder the names are as given."""
    assert [Naming(paths).name(path) for path in paths] == paths


def test_public_names_are_those_of_a_results_repository(tmp_path: Path) -> None:
    """Below ``results`` a log is named by submitter, system, benchmark and file; elsewhere by its file, with a number."""
    log = str(tmp_path / "Lab" / "results" / "box" / "bert" / "result_0.txt")
    others = [str(tmp_path / name / "run.log") for name in ("secret_a", "secret_b")]
    naming = Naming([log, *others], public=True)

    assert naming.name(log) == "Lab/box/bert/result_0.txt"
    assert [naming.name(path) for path in others] == ["run.log", "run.log (2)"]
    assert naming.name(f"{log} (run 2)") == "Lab/box/bert/result_0.txt (run 2)"


def test_labels_of_folders() -> None:
    """Folders are labeled by their last parts where these differ; for the public only where they are rounds."""
    assert label_folders(["x/v5.0", "x/v5.1/"]) == ["v5.0", "v5.1"]
    assert label_folders(["a/runs", "b/runs"]) == ["a/runs", "b/runs"]
    assert label_folders(["x/v5.0", "x/v5.1"], public=True) == ["v5.0", "v5.1"]
    assert label_folders(["client", "ours"], public=True) == ["set 1", "set 2"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("cannot open /scratch/ann/run/result_0.txt: gone", f"cannot open {HIDDEN}/result_0.txt: gone"),
        ('"file": "/workspace/bert/train.py"', f'"file": "{HIDDEN}/train.py"'),
        ("in ../private/results and ~/data", f"in {HIDDEN} and {HIDDEN}"),
        ("on C:\\Users\\ann\\run.log", f"on {HIDDEN}/run.log"),
        ("from 10.1.22.3 and fe80:0:0:1:2:3", f"from {HIDDEN} and {HIDDEN}"),
        ("at node7.cluster.example.com", f"at {HIDDEN}"),
        ('{"hostname": "node7", "value": 3}', f'{{"hostname": "{HIDDEN}", "value": 3}}'),
        ("read power/a_b/node_0.txt in secret/place", f"read power/a_b/node_0.txt in {HIDDEN}"),
        ("run on machine9", f"run on {HIDDEN}"),
    ],
)
def test_what_the_public_does_not_see(text: str, left: str) -> None:
    """Paths, addresses and hosts are left out of a text; of a file its name stays."""
    assert make_cleaner(["secret/place", "machine9"])(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "value >= 0.759 and value < 1.0",
        "samples/s, tokens/s and/or epochs",
        "compliant under 6.0.0, 5.1.0 and 2 older rounds",
        "judged by training/5.1.0",
        "https://vega.github.io/schema/vega-lite/v6.json",
        "12:30:15 UTC, 1/2, ± 5 %",
        "Lab/box/bert/result_0.txt",
        "machine90 is another",
    ],
)
def test_what_stays(text: str) -> None:
    """Formulas, units, rounds, names of runs and addresses of schemas are no paths and no hosts."""
    assert make_cleaner(["machine9", "box/bert"])(text) == text


@dataclass(frozen=True)
class _Value:
    text: str
    parts: tuple[object, ...]


def test_every_text_of_a_value_is_cleaned() -> None:
    """Texts are found in fields, tuples, lists, and in keys and values of objects."""
    value = _Value("/a/bb", ("/a/bb", {"/a/bb": ["/a/bb", 3]}, None))

    cleaned = clean_values(value, make_cleaner([]))

    assert cleaned == _Value(HIDDEN, (HIDDEN, {HIDDEN: [HIDDEN, 3]}, None))
