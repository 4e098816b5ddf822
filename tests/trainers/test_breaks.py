"""Models that are broken on purpose must miss their target: what a target proves is what it notices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from checkout import PROJECT

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")
pytest.importorskip("pycocotools", reason="object detection needs pycocotools (extra 'reference')")
pytest.importorskip("soundfile", reason="speech recognition needs soundfile (extra 'reference')")
pytest.importorskip("jiwer", reason="speech recognition needs jiwer (extra 'reference')")
pytest.importorskip("sentencepiece", reason="translation needs sentencepiece (extra 'reference')")
pytest.importorskip("sacrebleu", reason="translation needs sacrebleu (extra 'reference')")

from benchmarks.broken_models import BREAKS, SEEDS, UNNOTICED, train_broken
from mlperf_logging.mllog.lifecycle import reaches_target
from reference_impls.harness import DataError, find_task


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "what"),
    [
        pytest.param(name, what, id=f"{name}: {what}")
        for name, breaks in BREAKS.items()
        for what in breaks
        if UNNOTICED.get(name) != what
    ],
)
def test_broken_model_misses_the_target(
    name: str, what: str, seed: int, record_property: Callable[..., None]
) -> None:
    """No evaluation of a broken model, up to the greatest number of epochs, reaches the target."""
    try:
        qualities = train_broken(name, what, seed, PROJECT / "data")
    except DataError as error:
        pytest.skip(str(error))
    task = find_task(name)
    workload = task.load_workload()(task.config("mini", "closed"), PROJECT / "data" / name / "mini", seed)
    target = workload.target
    record_property("qualities", qualities)
    assert not [each for each in qualities if reaches_target(each, target, workload.mode)], (
        f"{what} reaches the target of {target}"
    )
