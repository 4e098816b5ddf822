"""Reinforcement learning: generations of self-play, training and matches in the harness, on a tiny board."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="the rules of Go are compiled by numba (extra 'reference')")
tf = pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

from reference_impls.harness import DataError, SettingError, find_task  # noqa: E402
from reference_impls.harness.data.prepared import write_prepared  # noqa: E402
from reference_impls.harness.profiling.profiles import take_profile  # noqa: E402
from reference_impls.harness.profiling.requests import ProfileRequest  # noqa: E402
from reference_impls.harness.run.checkpoints import Checkpoint, CheckpointKeeper  # noqa: E402
from reference_impls.harness.run.devices import make_strategy, set_seed  # noqa: E402
from reference_impls.harness.run.loop import Loop  # noqa: E402
from reference_impls.harness.run.requests import RunResult  # noqa: E402
from reference_impls.harness.run.training import train  # noqa: E402
from reference_impls.harness.workload import Share  # noqa: E402
from reference_impls.reinforcement_learning import download, workload  # noqa: E402
from reference_impls.reinforcement_learning.config import FULL, FULL_NETWORK, MINI, ReinforcementConfig  # noqa: E402
from reference_impls.reinforcement_learning.game import Game  # noqa: E402
from reference_impls.reinforcement_learning.gnugo import get_gnugo  # noqa: E402
from reference_impls.reinforcement_learning.model import NetworkEvaluation  # noqa: E402
from reference_impls.reinforcement_learning.playing import MatchResult, play_match  # noqa: E402
from reference_impls.reinforcement_learning.positions import Positions  # noqa: E402
from reference_impls.reinforcement_learning.workload import ReinforcementWorkload  # noqa: E402
from tests.trainers.conftest import make_request, read_events  # noqa: E402
from tests.trainers.go_agreement import measure_agreement  # noqa: E402
from tests.trainers.workers import compare_two_processes  # noqa: E402

CHANGES: dict[str, Any] = {
    "board_size": 3,
    "komi": 0.5,
    "history": 2,
    "width": 8,
    "blocks": 1,
    "value_width": 8,
    "games": 8,
    "games_at_once": 4,
    "window_generations": 2,
    "steps": 6,
    "simulations": 8,
    "warm_generations": 0,
    "match_games": 4,
    "global_batch_size": 32,
    "eval_batch_size": 8,
    "eval_samples": 12,
    "win_target": 0.0,
    "target": 1.0,
    "max_epochs": 2,
}
TINY = dataclasses.replace(MINI, **CHANGES)
"""A generation takes a second."""


def write_positions(folder: Path, config: ReinforcementConfig) -> Path:
    """Held-out positions of random games, with random moves."""
    rng = np.random.default_rng(7)
    found: list[tuple[np.ndarray, np.ndarray, int]] = []
    while len(found) < config.eval_samples:
        game = Game(config.board_size, config.komi)
        for _ in range(4):
            legal = game.find_legal()
            move = int(rng.choice(np.flatnonzero(legal[:-1])))
            found.append((game.encode(config.history), legal, move))
            game.play(move)
    planes, legals, moves = zip(*found[: config.eval_samples], strict=True)
    names = ("board_size", "history", "komi", "eval_level", "eval_random_moves")
    facts = {name: getattr(config, name) for name in names}
    write_prepared(
        folder, {"planes": np.stack(planes), "legal": np.stack(legals), "moves": np.array(moves)}, facts
    )
    return folder


def make_loop(folder: Path, seed: int = 1, **changes: Any) -> Loop:
    """The tiny task, built and loaded."""
    config = dataclasses.replace(TINY, **changes)
    set_seed(seed)
    loop = Loop(ReinforcementWorkload(config, write_positions(folder, config), seed), make_strategy("single"))
    loop.build()
    loop.workload.load(loop.share)
    return loop


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    """Whether two networks have the same weights."""
    return all((a == b).all() for a, b in zip(one, other, strict=True))


def test_generations_play_train_and_promote(tmp_path: Path) -> None:
    """A generation fills the window, trains the candidate, and makes it the best only if it passes the gate."""
    loop = make_loop(tmp_path)
    workload = loop.workload
    for epoch, (gate, promoted) in enumerate(((0.0, True), (1.0, False), (0.0, True)), 1):
        workload.config = dataclasses.replace(workload.config, gate=gate)
        before = workload.best.get_weights()
        losses = loop.train_epoch(epoch)
        assert set(losses) == {"loss", "policy_loss", "value_loss", "owners_loss", "l2_loss", "gradient_norm"}
        assert len(workload.window.lengths) == min(8 * epoch, 16)  # two generations
        work = workload.measure_work(epoch, 1.0)
        assert (work["samples"], work["games"], work["positions"]) == (
            192,
            8,
            sum(workload.window.lengths[-8:]),
        )
        with workload.around_evaluation(epoch):
            quality, metrics = loop.evaluate()
        is_better = metrics["match_share"] >= workload.config.gate
        assert is_better or not promoted
        candidate = workload.model.get_weights()
        assert equal(workload.best.get_weights(), candidate) is is_better
        assert equal(workload.best.get_weights(), before) is not is_better
        arrays = workload.held_out
        policy, _ = NetworkEvaluation(workload.model)(arrays["planes"])
        held_out = Positions(arrays["planes"], arrays["legal"], arrays["moves"])
        expected = measure_agreement(policy, held_out)
        assert quality == pytest.approx(expected)


def test_batches_of_two_processes_are_those_of_one(tmp_path: Path) -> None:
    """Two processes that share a window draw the halves of the same batches."""
    loop = make_loop(tmp_path)
    workload = loop.workload
    shares = (Share(), Share(0, 2, 1), Share(1, 2, 1))
    batches = [list(workload.train_data(1, share).as_numpy_iterator()) for share in shares]
    whole, *halves = batches
    assert len(whole) == 6
    for step, batch in enumerate(whole):
        for name, array in batch.items():
            assert (np.concatenate([half[step][name] for half in halves]) == array).all()


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    """On a window that stays as it is, the candidate's loss falls."""
    loop = make_loop(tmp_path, steps=30, window_generations=1, learning_rates=(0.05, 0.05, 0.05))
    losses = [loop.train_epoch(1)["loss"] for _ in range(3)]  # the games of the generation are there
    assert losses[2] < losses[1] < losses[0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"games": 6}, "games=6 is no multiple of games_at_once=4"),
        ({"match_games": 3}, "match_games=3 is odd"),
        ({"eval_games": 6}, "eval_games=6 is no even number for each of 2 threads"),
        ({"lead_scale": 5.0, "resign_threshold": -0.9}, "a player must not resign"),
        ({"boundary_steps": (1,)}, "1 boundary_steps need 2 learning_rates, not 3"),
        ({"board_size": 1}, "board_size must be at least 2"),
        ({"gate": 1.2}, "gate must be at least 0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes: Mapping[str, Any], says: str) -> None:
    """Each setting that cannot work is named."""
    with pytest.raises(SettingError, match=says):
        dataclasses.replace(TINY, **changes)


def test_held_out_positions_must_fit(tmp_path: Path) -> None:
    """Positions of another board, history or number are refused; GNU Go is asked for where games are played."""
    folder = write_positions(tmp_path, TINY)
    workload = ReinforcementWorkload(dataclasses.replace(TINY, history=3), folder, 1, "make it")
    workload.check_data()
    workload.build()
    with pytest.raises(DataError, match=r"holds 12 positions of .*'history': 2.* says 12 of .*'history': 3"):
        workload.load(Share())
    with pytest.raises(DataError, match="there is no prepared data"):
        ReinforcementWorkload(TINY, tmp_path / "none", 1, "make it").check_data()


@pytest.fixture
def do_run(tmp_path: Path) -> Callable[..., RunResult]:
    """Does a run of the tiny task as `mlperf train` does."""
    settings = []
    for name, value in CHANGES.items():
        settings.append(f"{name}={value}")
    folder = write_positions(tmp_path / "data", TINY)

    def run(name: str, **options: Any) -> RunResult:
        return train(make_request("reinforcement_learning", settings, folder, tmp_path, name, **options))

    return run


def read_course(log: Path) -> list[Any]:
    """What a run logs of its generations, without times."""
    found = []
    for event in read_events(log):
        if event["key"] in ("epoch_start", "eval_accuracy", "run_stop", "weights_checksum"):
            metadata = {
                name: each for name, each in event["metadata"].items() if name not in ("file", "lineno")
            }
            found.append((event["key"], event["value"], metadata))
        elif event["key"] == "tracked_stats":
            found.append({name: each for name, each in event["value"].items() if name != "throughput"})
    return found


def test_interrupted_runs_give_what_an_equal_seed_gives(
    do_run: Callable[..., RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted amid self-play or training and resumed, a run gives the log that the same seed gives at once."""
    assert do_run("first").epochs == 2
    course = read_course(tmp_path / "first.log")
    assert [each[0] for each in course if isinstance(each, tuple)].count("epoch_start") == 2

    play, played = ReinforcementWorkload._play_round, []

    def interrupt(
        self: ReinforcementWorkload, epoch: int, number: int, share: Share
    ) -> dict[str, np.ndarray]:
        played.append((epoch, number))
        if len(played) == 4:
            raise KeyboardInterrupt
        return play(self, epoch, number, share)

    monkeypatch.setattr(ReinforcementWorkload, "_play_round", interrupt)
    with pytest.raises(KeyboardInterrupt):
        do_run("broken")
    do_run("broken", resume=True)
    assert played == [
        (1, 0),
        (1, 1),
        (2, 0),
        (2, 1),
        (2, 1),
    ]  # the finished round of games is not played again
    assert read_course(tmp_path / "broken.log") == course

    monkeypatch.undo()
    save = CheckpointKeeper.save

    def interrupt_training(self: CheckpointKeeper, checkpoint: Checkpoint) -> None:
        save(self, checkpoint)
        if (checkpoint.epoch, checkpoint.step) == (1, 4):
            monkeypatch.undo()
            raise KeyboardInterrupt

    monkeypatch.setattr(CheckpointKeeper, "save", interrupt_training)
    with pytest.raises(KeyboardInterrupt):
        do_run("training", checkpoint_steps=2)
    do_run("training", checkpoint_steps=2, resume=True)
    resumed = read_course(tmp_path / "training.log")
    # The mean losses of a generation that was resumed within are those of the steps after the break.
    assert [each for each in resumed if isinstance(each, tuple)] == [
        each for each in course if isinstance(each, tuple)
    ]


@pytest.mark.slow
def test_two_processes_train_together(tmp_path: Path) -> None:
    """Each plays its part of the games; both learn from all of them, what one process does, and agree on the quality."""
    folder = write_positions(tmp_path / "data", TINY)
    settings = [f"{name}={value}" for name, value in {**CHANGES, "threads": 2}.items()]
    # Two processes of two threads play the games of one process of four.
    compared = compare_two_processes("reinforcement_learning", settings, folder, tmp_path, "threads=4")
    assert compared.first.epochs == len(compared.stats) == 2
    assert compared.second == compared.first
    assert [each["games"] for each in compared.stats] == [8, 8]
    # The games of the second generation depend on these statistics.
    assert compared.stats[0]["positions"] == compared.stats_of_one[0]["positions"]
    assert compared.losses[0] == pytest.approx(compared.losses_of_one[0], rel=1e-4)


def test_evaluation_plays_the_same_games_whatever_the_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The beginnings of the games against GNU Go depend neither on the seed nor on how many threads share them."""
    begun: list[list[int]] = []

    def play(_: Any, __: Any, ___: Any, games: Any, ____: Any) -> MatchResult:
        begun.extend(list(game.moves) for game in games)
        return MatchResult(0, 0, len(games))

    monkeypatch.setattr(workload, "play_engine", play)
    monkeypatch.setattr(workload, "start_gnugo", lambda *_, **__: nullcontext())
    monkeypatch.setattr(workload, "find_gnugo", lambda *_: "gnugo")
    found = []
    for seed, threads in ((1, 1), (1, 4), (2, 2)):
        changes = {"threads": threads, "eval_games": 16, "eval_random_moves": 4, "win_target": 0.0}
        begun.clear()
        make_loop(tmp_path, seed, **changes).workload._play_gnugo()
        found.append(sorted(begun))

    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 16


def test_profiled_generation_has_a_match(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The phase is the time of a match's games, although the first generations of a training have none."""
    matches = []

    def play_and_time(*arguments: Any) -> Any:
        started = time.perf_counter()
        result = play_match(*arguments)
        matches.append(time.perf_counter() - started)
        return result

    monkeypatch.setattr("reference_impls.reinforcement_learning.workload.play_match", play_and_time)
    changes = {**CHANGES, "warm_generations": 2, "max_epochs": 12}
    request = ProfileRequest(
        task="reinforcement_learning",
        division="open",
        settings=tuple(f"{name}={value}" for name, value in changes.items()),
        data=str(write_positions(tmp_path / "data", TINY)),
        steps=2,
    )

    profile = take_profile(request, tmp_path / "scratch")

    assert len(matches) == 2  # one so that everything is compiled, and the measured one
    assert profile.phases["match"] * profile.epoch_seconds >= matches[-1]


def test_games_against_gnugo_are_a_quality(tmp_path: Path) -> None:
    """Positions are GNU Go's; the quality is agreement and win rate, the same each time the weights are evaluated."""
    try:
        program = get_gnugo(tmp_path / "gnugo")
    except DataError as error:
        pytest.skip(f"no GNU Go: {error}")
    changes = {"board_size": 5, "win_target": 0.5, "eval_games": 4, "eval_simulations": 8, "eval_samples": 20}
    config = dataclasses.replace(TINY, **changes)
    folder = tmp_path / "data"
    with pytest.MonkeyPatch.context() as patch:
        task = dataclasses.replace(download.TASK, configs={("mini", "closed"): config})
        patch.setattr(download, "TASK", task)
        patch.setattr(download, "get_gnugo", lambda _: program)
        assert download.prepare_positions("mini", folder) == 20
    workload = ReinforcementWorkload(config, folder, 1, "make it")
    if not shutil.which("gnugo") and not Path("/usr/games/gnugo").is_file():
        with pytest.raises(DataError, match="GNU Go is not here; get it with: make it"):
            workload.check_data()
        shutil.copytree(tmp_path / "gnugo" / "usr", folder / "usr")
    workload.check_data()
    loop = Loop(workload, make_strategy("single"))
    loop.build()
    workload.load(loop.share)
    first, second = loop.evaluate(), loop.evaluate()
    assert first == second
    assert set(first.quality) == {"agreement", "win_rate"}
    assert workload.target == {"agreement": 1.0, "win_rate": 0.5}


def test_professional_games_are_the_positions_at_full_scale(tmp_path: Path) -> None:
    """The moves of the game records in the folder ``games`` are held out."""
    (tmp_path / "games").mkdir()
    with pytest.raises(DataError, match=r"holds no game records \(\.sgf\)"):
        download.prepare_positions("full", tmp_path)
    (tmp_path / "games" / "one.sgf").write_text("(;SZ[9]KM[7];B[ee];W[cc];B[])")
    assert download.prepare_positions("full", tmp_path) == 2
    assert dataclasses.asdict(FULL.network) == dataclasses.asdict(FULL_NETWORK)


@pytest.mark.slow
def test_full_size_trains(tmp_path: Path) -> None:
    """The 9×9 network plays a few games, takes two steps, plays a match, and predicts made-up professional moves."""
    config = dataclasses.replace(
        FULL,
        games=4,
        games_at_once=4,
        steps=2,
        simulations=16,
        match_games=2,
        global_batch_size=32,
        eval_samples=12,
    )
    loop = Loop(ReinforcementWorkload(config, write_positions(tmp_path, config), 1), make_strategy("single"))
    loop.build()
    loop.workload.load(loop.share)
    before = {each.path: each.numpy() for each in loop.workload.model.trainable_variables}
    losses = loop.train_epoch(1)
    after = {each.path: each.numpy() for each in loop.workload.model.trainable_variables}
    assert [name for name in before if (before[name] == after[name]).all()] == []
    with loop.workload.around_evaluation(1):
        assert 0 <= loop.evaluate().quality <= 1
    assert loop.steps == 2
    assert losses["loss"] > 0


def test_the_task_is_found_by_its_names() -> None:
    """The command's short name finds it."""
    assert find_task("reinforcement").benchmark == "minigo"
