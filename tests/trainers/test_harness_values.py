"""Configurations, tasks, data files, prepared data and batches."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from reference_impls.harness import (
    DataError,
    DataFile,
    SettingError,
    TaskConfig,
    TrainerError,
    change_config,
    check_files,
    find_task,
    list_tasks,
)
from reference_impls.harness.data.arrays import batch_arrays, make_rng, order_by_length
from reference_impls.harness.data.prepared import check_prepared, read_facts, read_prepared, write_prepared
from reference_impls.harness.report.display import ERASE_LINE, Display
from reference_impls.harness.report.systems import describe_system, find_system_name, name_system
from reference_impls.harness.run.requests import RunRequest
from reference_impls.harness.workload import Ragged, Share


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(TaskConfig):
    """A field of each kind."""

    widths: tuple[int, ...] = (1,)
    rate: float = 0.1
    is_fast: bool = False
    name: str = ""
    limit: int | None = None


REQUEST = RunRequest(
    task="a",
    benchmark="b",
    scale="mini",
    division="open",
    settings=("x=1",),
    seed=3,
    data="d",
    data_command="c",
    log="l",
    work="w",
    org="o",
    platform="p",
    status="research",
    ruleset="mini/1.0.0",
)

CONFIG = Settings(global_batch_size=8, eval_batch_size=8, target=1.0, max_epochs=2)


def test_settings_are_read_by_kind() -> None:
    """Numbers, yes and no, texts, sequences and none are read as their field wants; the rest stays."""
    changed = change_config(
        CONFIG, ["widths=3, 4", "rate=1e-3", "is_fast=yes", "name=a=b", "limit=1_000", "max_epochs=7"]
    )

    assert (changed.widths, changed.rate, changed.is_fast, changed.name) == ((3, 4), 0.001, True, "a=b")
    assert (changed.limit, changed.max_epochs, changed.global_batch_size) == (1000, 7, 8)
    assert change_config(changed, ["limit=none"]).limit is None
    assert CONFIG.max_epochs == 2


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("width=3", "did you mean 'widths'"),
        ("rate=quick", "'quick' is not of the kind float"),
        ("is_fast=2", "'2' is not of the kind bool"),
        ("max_epochs=1.5", "'1.5' is not of the kind int"),
        ("rate", "write key=value"),
        ("precision=float8", "precision must be one of"),
    ],
)
def test_wrong_settings_are_refused(setting: str, says: str) -> None:
    """A setting that does not exist or has a value of another type is rejected in one sentence."""
    with pytest.raises(SettingError, match=says):
        change_config(CONFIG, [setting])


def test_tasks_are_found_by_any_of_their_names() -> None:
    """A task is found by its name, its benchmark's and its aliases; a wrong name gets a hint."""
    tasks = list_tasks()
    assert set(tasks) >= {"recommendation", "sentiment"}
    for task in tasks.values():
        for name in (task.name, task.benchmark, task.name.upper().replace("_", "-"), *task.aliases):
            assert find_task(name) is task
    with pytest.raises(TrainerError, match="did you mean 'sentiment'"):
        find_task("sentimental")


@pytest.mark.parametrize("task", list_tasks().values(), ids=lambda task: task.name)
def test_tasks_are_complete(task: object) -> None:
    """Each task has four configurations, a workload and a script; open and closed reach for one target."""
    configs = task.configs  # type: ignore[attr-defined]
    assert set(configs) == {
        (scale, division) for scale in ("mini", "full") for division in ("closed", "open")
    }
    for scale in ("mini", "full"):
        closed, opened = configs[scale, "closed"], configs[scale, "open"]
        assert closed != opened
        assert (closed.target, closed.train_samples) == (opened.target, opened.train_samples)
    assert task.load_workload().metric  # type: ignore[attr-defined]
    with pytest.raises(SettingError, match="has no configuration huge closed"):
        task.config("huge", "closed")  # type: ignore[attr-defined]


def test_files_are_checked(tmp_path: Path) -> None:
    """A file that is missing, truncated or changed is reported with the command that gets it."""
    path = tmp_path / "data.bin"
    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of abc
    files = [DataFile("data.bin", sha, 3)]
    with pytest.raises(DataError, match=r"data\.bin is missing; get it with: fetch it"):
        check_files(tmp_path, files, "fetch it")
    path.write_bytes(b"ab")
    with pytest.raises(DataError, match="has 2 bytes, not 3; get it again with: fetch it"):
        check_files(tmp_path, files, "fetch it")
    path.write_bytes(b"abd")
    with pytest.raises(DataError, match="its sha256 differs; get it again with: fetch it"):
        check_files(tmp_path, files, "fetch it")
    path.write_bytes(b"abc")
    assert check_files(tmp_path, files, "fetch it") == [path]
    assert check_files(tmp_path, [DataFile("data.bin", md5="900150983cd24fb0d6963f7d28e17f72")], "") == [path]


def test_prepared_data_comes_back(tmp_path: Path) -> None:
    """What was prepared is read as it was written, and replaced whole."""
    with pytest.raises(DataError, match=r"there is no prepared data at .*; get it with: make it"):
        check_prepared(tmp_path, "make it")
    for count in (3, 5):
        write_prepared(tmp_path, {"rows": np.arange(count)}, {"count": count})
        arrays, facts = read_prepared(tmp_path, "make it")
        assert arrays["rows"].tolist() == list(range(count))
        assert facts == read_facts(tmp_path, "make it") == {"count": count}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prepared.json", "prepared.npz"]


@pytest.mark.parametrize("name", ["prepared.npz", "prepared.json"])
@pytest.mark.parametrize("change", ["removed", "cut", "other"])
def test_damaged_prepared_data_is_reported(name: str, change: str, tmp_path: Path) -> None:
    """Whatever happens to one of the two files, reading says so and names the command."""
    write_prepared(tmp_path, {"rows": np.arange(100)}, {})
    path = tmp_path / name
    if change == "removed":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:40] if change == "cut" else b"{}")
    with pytest.raises(DataError, match="with: make it"):
        read_prepared(tmp_path, "make it")


def read_batches(share: Share, batch: int = 6, **options: object) -> list[list[tuple[int, float]]]:
    """Row and weight of each sample of each replica batch of a share, for 20 rows."""
    rows = {"row": np.arange(20)}
    dataset = batch_arrays(rows, batch, share, weight="weight", **options)  # type: ignore[arg-type]
    return [list(zip(each["row"], each["weight"], strict=True)) for each in dataset.as_numpy_iterator()]


@pytest.mark.parametrize(("processes", "replicas"), [(1, 1), (1, 2), (2, 1), (3, 2)])
def test_shares_make_up_the_global_batches(processes: int, replicas: int) -> None:
    """However many processes and replicas share the batches, together they hold the same, in the same order."""
    order = np.random.default_rng(0).permutation(20)
    whole = read_batches(Share(), order=order)
    parts = [read_batches(Share(index, processes, replicas), order=order) for index in range(processes)]
    assert {len(part) for part in parts} == {len(whole) * replicas}
    for number, batch in enumerate(whole):
        joined = [
            sample
            for part in parts
            for each in part[number * replicas : (number + 1) * replicas]
            for sample in each
        ]
        assert joined == batch


def test_every_sample_is_evaluated_once() -> None:
    """The samples with weight 1 are all samples, once each, whatever pads the last batch."""
    samples = [row for batch in read_batches(Share()) for row, weight in batch if weight]
    assert samples == list(range(20))
    assert [len(batch) for batch in read_batches(Share())] == [6, 6, 6, 6]


def test_training_may_leave_a_part_of_a_batch_out() -> None:
    """With whole batches there is no padding."""
    batches = read_batches(Share(), whole_batches=True)
    assert [len(batch) for batch in batches] == [6, 6, 6]
    assert {weight for batch in batches for _, weight in batch} == {1.0}


def test_batch_must_divide() -> None:
    """A batch that cannot be divided among the replicas is refused."""
    with pytest.raises(ValueError, match="a batch of 7 cannot be divided among 2 replicas"):
        read_batches(Share(0, 1, 2), batch=7)


def test_ragged_rows_are_filled_with_zeros() -> None:
    """Rows of different lengths come out as long as the longest of their batch."""
    ragged = Ragged(np.array([1, 2, 3, 4, 5, 6], np.int32), np.array([1, 3, 0, 2], np.int32))
    batches = list(batch_arrays({"words": ragged}, 2, Share()).as_numpy_iterator())
    assert [batch["words"].tolist() for batch in batches] == [[[1, 0, 0], [2, 3, 4]], [[0, 0], [5, 6]]]


@given(
    lengths=st.lists(st.integers(0, 50), max_size=60),
    batch=st.integers(1, 9),
    window=st.integers(1, 4),
    seed=st.integers(0, 9),
)
def test_order_by_length_is_an_order(lengths: list[int], batch: int, window: int, seed: int) -> None:
    """Every sample stands in the order once, and within one window batches do not overlap in length."""
    lengths_array = np.array(lengths, np.int64)
    order = order_by_length(lengths_array, batch, make_rng(seed), window)
    assert sorted(order.tolist()) == list(range(len(lengths)))
    assert order.tolist() == order_by_length(lengths_array, batch, make_rng(seed), window).tolist()
    if 0 < len(lengths) <= batch * window:
        whole = len(lengths) // batch * batch
        ranges = sorted(
            (min(part), max(part)) for part in lengths_array[order[:whole]].reshape(-1, batch).tolist()
        )
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(ranges))


def test_request_passes_as_json() -> None:
    """A request comes out of its JSON as it went in."""
    assert RunRequest.from_json(REQUEST.to_json()) == REQUEST


def test_system_is_described_with_every_field(shared: Path) -> None:
    """The description has exactly the fields that a submission's must have."""
    facts = (shared / "facts" / "README.md").read_text("utf-8")
    listed = facts.partition("system description: `")[2].partition("`")[0].split()
    found = describe_system("me", "here", "closed", "research")
    assert sorted(found) == sorted(listed)
    assert found["status"] == "Research, Development, or Internal (RDI)"
    assert all(value or name.endswith("notes") for name, value in found.items())
    assert " " not in name_system()


def test_machine_keeps_the_name_that_it_is_described_under(tmp_path: Path) -> None:
    """A series finds its machine among the descriptions of an output folder, but not where two of them are alike."""
    assert find_system_name(tmp_path) is None
    own = describe_system("me", "here", "closed", "research")
    (tmp_path / "other.json").write_text(json.dumps({**own, "host_processor_model_name": "Abacus"}))
    (tmp_path / "broken.json").write_text("[")
    assert find_system_name(tmp_path) is None
    (tmp_path / "here.json").write_text(json.dumps(own))
    assert find_system_name(tmp_path) == "here"
    (tmp_path / "there.json").write_text(json.dumps(own))
    assert find_system_name(tmp_path) is None


@pytest.mark.parametrize("task", list_tasks().values(), ids=lambda task: task.name)
def test_check_of_missing_data_says_one_line_and_loads_nothing(task, tmp_path):
    """The script of each trainer tells missing data in one line, without TensorFlow and what that prints."""
    code = (
        f"import sys; from {task.scripts} import main\n"
        f"code = main(['--scale', 'full', '--verify', '--data', {str(tmp_path)!r}])\n"
        "sys.exit(3 if 'tensorflow' in sys.modules else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert str(tmp_path) in done.stderr
    assert done.stderr.count("\n") == 1


def test_terminal_shows_total_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a step is shown with the number of steps, their rate and the seconds left in the epoch."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    clock = iter([100.0, 100.0, 104.0, 104.0])
    monkeypatch.setattr("reference_impls.harness.report.display.time.monotonic", lambda: next(clock))
    stream = Terminal()
    display = Display(stream, "task", "accuracy", 0.9)
    display.start_epoch(2)
    display.show_step(20, 50, {"loss": 0.5})
    display.show_step(20, None, {"loss": 0.5})

    _, known, unknown = stream.getvalue().split(ERASE_LINE)[1:]
    assert known == "task: epoch 2: step 20 of 50, 5 steps/s, 6 s left, loss 0.5"
    assert unknown == "task: epoch 2: step 20, 5 steps/s, loss 0.5"
