"""The final weights of a run, kept and evaluated again."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from mlperf_logging import check_log
from reference_impls.harness.data.prepared import read_prepared, write_prepared
from tests.trainers.conftest import read_events, read_qualities, run_mlperf, settings

WORK = Path("out/.work/here/ncf/result_0/weights")
LOG = Path("out/reference/results/here/ncf/result_0.txt")


@pytest.fixture(scope="module")
def trained(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one run has reached its target."""
    folder = tmp_path_factory.mktemp("trained")
    place = ["--data", str(tiny_data), "--output", "out", "--system", "here"]
    done = run_mlperf("train", "ncf", *place, *settings(max_epochs=20, target=0.9), folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


def audit(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Evaluate the weights of the run."""
    return run_mlperf("train", "--evaluate", str(WORK), "--format", "json", *options, folder=folder)


def test_final_weights_give_the_logged_quality(trained: Path) -> None:
    """The weights have the quality of the run's last evaluation, and the log holds their checksum."""
    done = audit(trained)
    found = json.loads(done.stdout)["audit"]

    epoch, quality = read_qualities(trained / LOG)[-1]
    assert (found["quality"], found["recorded"], found["epoch"]) == (quality, quality, epoch)
    (event,) = [each for each in read_events(trained / LOG) if each["key"] == "weights_checksum"]
    assert event["value"] == found["checksum"]
    assert (done.returncode, found["verdict"]) == (0, "reached")


def test_checksum_comes_after_the_clock_has_stopped(trained: Path) -> None:
    """Keeping the weights takes no time of the run, and no rule minds what is logged of it."""
    keys = [event["key"] for event in read_events(trained / LOG)]
    assert keys[-2:] == ["run_stop", "weights_checksum"]
    assert not [each for each in check_log(trained / LOG).findings if each.key == "weights_checksum"]


def test_weights_without_the_claimed_quality_are_found(trained: Path, tmp_path: Path) -> None:
    """Weights that miss the target are not confirmed, whatever their run recorded."""
    arrays, facts = read_prepared(trained / WORK, "")
    write_prepared(tmp_path / WORK, {name: np.zeros_like(each) for name, each in arrays.items()}, facts)
    done = audit(tmp_path)

    found = json.loads(done.stdout)["audit"]
    assert (done.returncode, found["verdict"], found["recorded"]) == (1, "missed", facts["quality"])
    assert found["quality"] < found["target"] <= found["recorded"]


def test_damaged_weights_are_refused(trained: Path, tmp_path: Path) -> None:
    """Weights that are not those of the checksum, or of another model, are not evaluated."""
    arrays, facts = read_prepared(trained / WORK, "")
    place = tmp_path / WORK
    write_prepared(place, dict(list(arrays.items())[1:]), facts)
    other = audit(tmp_path)
    (place / "prepared.npz").write_bytes((trained / WORK / "prepared.npz").read_bytes())
    damaged = audit(tmp_path)

    assert (other.returncode, damaged.returncode) == (2, 2)
    assert "holds the weights of another model" in other.stderr
    assert "does not hold the weights of a run, or they are damaged" in damaged.stderr
