"""Exports to TensorBoard, read back by TensorBoard."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from mlperf_logging.errors import UsageError
from mlperf_logging.exports.exporting import EMPTY, NEW, UNCHANGED, UPDATED, Exported, Exporter
from mlperf_logging.exports.reading import read_exports
from mlperf_logging.exports.writers.tensorboard import Writer
from tests.exports_read_back import read_hparams, read_tensorboard, to_single
from tests.unit.exports.conftest import LOGS, read_logged, write_hostile_log

PLACE = "resnet/Example Lab/1x example-node-8x-accelerator/run"
SUCCESS = 1


def export(log: Path, place: Path) -> Exported:
    """Export the only run of a log."""
    (run,) = read_exports(str(log))
    return Exporter(Writer(str(place))).export(run)


def list_files(place: Path) -> dict[Path, bytes]:
    """The files below a folder and what is in them."""
    return {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_scalars_are_what_the_log_says(log: Path, tmp_path: Path) -> None:
    """Values, steps and times of an evaluation are those of its records, in single precision."""
    done = export(log, tmp_path)
    found = [each for each in read_tensorboard(tmp_path / PLACE) if each.name == "eval_accuracy"]

    assert done == Exported(str(log), NEW, PLACE, 6, 9)
    assert [(each.value, round(each.time_ms), each.step) for each in found] == [
        (to_single(value), time_ms, epoch) for value, time_ms, epoch in read_logged(log, "eval_accuracy")
    ]
    assert len(found) > 1


@pytest.mark.parametrize(
    "path", sorted(LOGS.glob("*/*.txt")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_every_point_is_read_back(path: Path, tmp_path: Path) -> None:
    """TensorBoard gives back each point of each example log."""
    (run,) = read_exports(str(path))
    done = Exporter(Writer(str(tmp_path))).export(run)
    found = read_tensorboard(tmp_path / run.head.name) if done.outcome != EMPTY else []

    assert sorted((each.name, each.step, round(each.time_ms, 2), each.value) for each in found) == sorted(
        (each.name, each.step, round(each.time_ms, 2), to_single(each.value)) for each in run.points
    )


def test_hyperparameters_have_a_session(log: Path, tmp_path: Path) -> None:
    """The session has who ran what, the verdict, every parameter, and how it ended."""
    export(log, tmp_path)
    params, status = read_hparams(tmp_path / PLACE)

    assert status == SUCCESS
    assert (
        params
        | {
            "benchmark": "resnet",
            "submitter": "Example Lab",
            "verdict": "pass",
            "opt_name": "lars",
            "global_batch_size": read_number(log, "global_batch_size"),
        }
        == params
    )
    assert "log" not in params


def read_number(log: Path, key: str) -> float:
    """The last logged number of a key."""
    (line,) = [line for line in log.read_text().splitlines() if f'"key": "{key}"' in line]
    return float(line.partition('"value": ')[2].partition(",")[0])


def test_a_second_export_changes_nothing(log: Path, tmp_path: Path) -> None:
    """The same log, and a copy of it elsewhere, are there already."""
    place, copy = tmp_path / "place", tmp_path / "copy.txt"
    copy.write_bytes(log.read_bytes())
    export(log, place)
    before = list_files(place)

    assert export(log, place).outcome == UNCHANGED
    assert export(copy, place).outcome == UNCHANGED
    assert list_files(place) == before


def test_a_log_that_has_grown_is_replaced(log: Path, tmp_path: Path) -> None:
    """Of a log only the latest export is kept; what others have put into the folder stays."""
    place = tmp_path / "place"
    text = log.read_text()
    log.write_text("".join(text.splitlines(keepends=True)[:-8]))
    export(log, place)
    (former,) = list_files(place)
    foreign = former.with_name("events.out.tfevents.1.foreign")
    foreign.write_text("not ours")
    log.write_text(text)
    done = export(log, place)

    assert done.outcome == UPDATED
    assert not former.exists()
    assert foreign.read_text() == "not ours"
    assert len(read_tensorboard(place / f"{PLACE}-2")) == 9


def test_an_export_that_was_cut_off_is_replaced(log: Path, tmp_path: Path) -> None:
    """A killed process leaves a draft, which TensorBoard does not show and the next export takes away."""
    export(log, tmp_path / "place")
    (whole,) = list_files(tmp_path / "place")
    draft = whole.with_name(f".{whole.name}.part")
    whole.rename(draft)
    draft.write_bytes(draft.read_bytes()[:100])

    assert export(log, tmp_path / "place").outcome == UPDATED
    assert list(list_files(tmp_path / "place")) == [whole]


def test_equal_exports_are_equal_byte_by_byte(log: Path, tmp_path: Path) -> None:
    """An event file depends on the log alone."""
    export(log, tmp_path / "one")
    export(log, tmp_path / "two")

    assert list(list_files(tmp_path / "one").values()) == list(list_files(tmp_path / "two").values())


def test_another_log_of_the_same_name_gets_its_own_folder(log: Path, tmp_path: Path) -> None:
    """Logs of different content are different runs, whatever their files are called."""
    other = tmp_path / "elsewhere" / log.name
    other.parent.mkdir()
    other.write_text(log.read_text().replace('"lars"', '"sgd"'))
    export(log, tmp_path / "place")
    export(other, tmp_path / "place")

    assert sorted(path.parent.name for path in list_files(tmp_path / "place")) == ["run", "run-2"]


def test_hostile_names_and_values_stay_in_the_folder(log: Path, tmp_path: Path) -> None:
    """Whatever a log calls itself and its values, all of it is in the folder, and TensorBoard reads it."""
    place = tmp_path / "deep" / "place"
    hostile = write_hostile_log(log)
    before = {*list_files(tmp_path)}
    export(hostile, place)
    (written,) = {*list_files(tmp_path)} - before
    found = {each.name: each.value for each in read_tensorboard(written.parent)}

    assert written.is_relative_to(place)
    assert found | {"eval_accuracy/_/_/x": 1, "eval_accuracy/a_b": 2, "eval_accuracy/a_b-2": 3} == found
    assert found["tracked_stats/eval_accuracy"] == math.inf


def test_a_link_leads_nowhere(log: Path, tmp_path: Path) -> None:
    """A link in the place of a run's folder is not followed out of the place."""
    place, outside = tmp_path / "place", tmp_path / "outside"
    place.mkdir()
    outside.mkdir()
    (place / "resnet").symlink_to(outside)

    with pytest.raises(UsageError, match="by a link"):
        export(log, place)
    assert list(outside.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """One sentence says why."""
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="cannot make the folder"):
        Writer(os.fspath(tmp_path / "file" / "folder"))
