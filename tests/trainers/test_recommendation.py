"""Recommendation: data, model, workload."""

from __future__ import annotations

import dataclasses
import io
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("tensorflow", reason="the trainers need TensorFlow (extra 'reference')")

import tensorflow as tf

from reference_impls.harness import DataError
from reference_impls.harness.run.loop import Loop
from reference_impls.harness.workload import Share
from reference_impls.recommendation.config import FULL, MINI, RecommendationConfig
from reference_impls.recommendation.data import (
    ARCHIVE_TABLE,
    WHEEL_TABLE,
    Interactions,
    SeenItems,
    read_archive,
    read_wheel,
    sample_negatives,
    split_latest,
)
from reference_impls.recommendation.download import prepare_ratings
from reference_impls.recommendation.model import NeuMF
from reference_impls.recommendation.workload import RecommendationWorkload
from tests.trainers.conftest import ITEMS, USERS, write_tiny_ratings

RATINGS = [  # user, item, rating, time: in no order, with a tie of user 9's latest
    (9, 70, 5, 300),
    (4, 50, 1, 200),
    (9, 50, 3, 100),
    (4, 70, 2, 100),
    (9, 60, 2, 300),
    (4, 60, 4, 150),
]


def write_archive(path: Path, name: str, delimiter: str, head: str, rows: list[tuple[int, ...]]) -> Path:
    """A zip archive with one table."""
    table = "".join(delimiter.join(map(str, row)) + "\n" for row in rows)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, f"{head}\n{table}")
    return path


def tiny_config(**changes: object) -> RecommendationConfig:
    """The configuration for the tiny ratings."""
    tiny = dataclasses.replace(
        MINI,
        users=USERS,
        items=ITEMS,
        train_samples=USERS * 7,
        eval_samples=USERS,
        factors=4,
        mlp_layers=(8, 4),
        eval_negatives=20,
        eval_draws=2,
        global_batch_size=70,
        eval_batch_size=25,
        learning_rate=0.02,
    )
    return dataclasses.replace(tiny, **changes)  # type: ignore[arg-type]


@pytest.fixture
def loaded(tmp_path: Path) -> RecommendationWorkload:
    """A workload on tiny ratings, built and loaded."""
    workload = RecommendationWorkload(tiny_config(), write_tiny_ratings(tmp_path), 1, "get it")
    workload.build()
    workload.load(Share())
    return workload


@pytest.mark.parametrize("kind", ["wheel", "archive"])
def test_ratings_are_read_in_order_of_time(kind: str, tmp_path: Path) -> None:
    """Both files give users and items numbered from 0, each user's in order of time, ties as the file has them."""
    if kind == "wheel":
        head = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
        found = read_wheel(write_archive(tmp_path / "a.whl", WHEEL_TABLE, "\t", head, RATINGS))
    else:
        head = "userId,movieId,rating,timestamp"
        found = read_archive(write_archive(tmp_path / "a.zip", ARCHIVE_TABLE, ",", head, RATINGS))

    assert found.users.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.items.tolist() == [2, 1, 0, 0, 2, 1]  # items 50, 60, 70 are 0, 1, 2
    split = split_latest(found)
    assert split.held_out.tolist() == [0, 1]
    assert (split.train.users.tolist(), split.train.items.tolist()) == ([0, 0, 1, 1], [2, 1, 0, 2])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no archive", "is damaged"),
        ({"other.csv": "a"}, "holds no ml-20m/ratings.csv"),
        ({ARCHIVE_TABLE: "userId,movieId,rating,timestamp\n1,2,x\n"}, "is not a table of ratings"),
    ],
)
def test_other_files_are_refused(content: bytes | dict[str, str], says: str, tmp_path: Path) -> None:
    """A file that is not an archive, holds no ratings, or holds something else is rejected."""
    path = tmp_path / "ml-20m.zip"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, text in content.items():
                archive.writestr(name, text)
        path.write_bytes(buffer.getvalue())
    with pytest.raises(DataError, match=says):
        read_archive(path)


@given(
    pairs=st.sets(st.tuples(st.integers(0, 5), st.integers(0, 8)), min_size=1, max_size=40),
    seed=st.integers(0, 99),
)
def test_sampled_items_are_unseen(pairs: set[tuple[int, int]], seed: int) -> None:
    """No sampled item was seen by its user, whatever was seen, and equal seeds give equal samples."""
    users, items = (np.array(column, np.int32) for column in zip(*sorted(pairs), strict=True))
    seen = SeenItems(Interactions(users, items), 6, 10)  # item 9 is unseen by all
    who = np.repeat(np.arange(6, dtype=np.int32), 20)
    sampled = seen.sample_unseen(who, np.random.default_rng(seed))

    assert not {(int(user), int(item)) for user, item in zip(who, sampled, strict=True)} & pairs
    assert seen.contains(users, items).all()
    assert sampled.tolist() == seen.sample_unseen(who, np.random.default_rng(seed)).tolist()


def test_sampling_reaches_every_unseen_item() -> None:
    """Unseen items are drawn about equally often."""
    seen = SeenItems(Interactions(np.zeros(5, np.int32), np.arange(5, dtype=np.int32)), 1, 10)
    counts = np.bincount(
        seen.sample_unseen(np.zeros(10_000, np.int32), np.random.default_rng(0)), minlength=10
    )

    assert counts[:5].tolist() == [0] * 5
    assert counts[5:].min() > 1_800


def test_negatives_differ(tmp_path: Path) -> None:
    """A user's negatives are different items, and none that the user has seen."""
    rng = np.random.default_rng(3)
    items = np.concatenate([rng.permutation(100)[:20] for _ in range(30)]).astype(np.int32)
    interactions = Interactions(np.repeat(np.arange(30, dtype=np.int32), 20), items)
    negatives = sample_negatives(interactions, 30, 100, 35, seed=1)

    assert negatives.shape == (30, 35)
    assert all(len(set(row)) == 35 for row in negatives.tolist())
    for user, row in enumerate(negatives.tolist()):
        assert not set(row) & set(items[user * 20 : (user + 1) * 20].tolist())


def test_model_computes_the_paper_s_formula() -> None:
    """The score is the linear layer on the product of embeddings beside the perceptron's last layer."""
    model = NeuMF(tiny_config(users=3, items=4, factors=2, mlp_layers=(4, 3)))
    users, items = np.array([2, 0]), np.array([1, 3])
    found = model(users, items).numpy()

    def table(layer: object) -> np.ndarray:
        return layer.embeddings.numpy()  # type: ignore[attr-defined]

    product = table(model.mf_users)[users] * table(model.mf_items)[items]
    deep = np.concatenate([table(model.mlp_users)[users], table(model.mlp_items)[items]], axis=1)
    kernel, bias = (each.numpy() for each in model.hidden[0].weights)
    deep = np.maximum(deep @ kernel + bias, 0)
    kernel, bias = (each.numpy() for each in model.score.weights)
    np.testing.assert_allclose(
        found, (np.concatenate([product, deep], axis=1) @ kernel + bias)[:, 0], rtol=1e-5
    )


def test_mini_model_has_as_many_parameters_as_configured() -> None:
    """Embeddings of 16 and 64 for each user and item, layers 128-64, and the linear layer on top."""
    model = NeuMF(MINI)
    model(np.array([0]), np.array([0]))

    embeddings = (943 + 1682) * (16 + 64)
    assert model.count_params() == embeddings + (128 * 64 + 64) + (16 + 64 + 1)


def test_full_size_model_has_the_parameters_of_the_reference() -> None:
    """Each part of NeuMF has the size that the reference's layers 256-256-128-64 and 64 factors give."""
    model = NeuMF(FULL)
    model(np.array([0]), np.array([0]))

    assert [layer.count_params() for layer in model.hidden] == [65_792, 32_896, 8_256]
    assert model.score.count_params() == 129
    tables = (model.mf_users, model.mf_items, model.mlp_users, model.mlp_items)
    widths = (64, 64, 128, 128)
    rows = (138_493, 26_744) * 2
    assert [table.count_params() for table in tables] == [a * b for a, b in zip(rows, widths, strict=True)]
    assert model.count_params() == 31_832_577


def test_training_data_of_an_epoch(loaded: RecommendationWorkload) -> None:
    """Each interaction and four unseen items for it, in an order that follows from seed and epoch."""
    share = Share()
    batches = list(loaded.train_data(1, share).as_numpy_iterator())
    again = list(loaded.train_data(1, share).as_numpy_iterator())
    other = list(loaded.train_data(2, share).as_numpy_iterator())

    labels = np.concatenate([batch["labels"] for batch in batches])
    assert (len(labels), labels.sum()) == (USERS * 7 * 5, USERS * 7)
    users, items = (np.concatenate([batch[name] for batch in batches]) for name in ("users", "items"))
    assert (loaded.seen.contains(users, items) == (labels == 1)).all()
    assert all((a["items"] == b["items"]).all() for a, b in zip(batches, again, strict=True))
    assert any((a["items"] != b["items"]).any() for a, b in zip(batches, other, strict=True))


def test_next_epoch_is_sampled_ahead(loaded: RecommendationWorkload, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first epoch waits for its items; sampled ahead or not, an epoch's data are the same."""
    sampled_by = {}
    sample = loaded._sample_epoch

    def watch(epoch: int, share: Share) -> object:
        sampled_by[epoch] = threading.current_thread() is threading.main_thread()
        return sample(epoch, share)

    monkeypatch.setattr(loaded, "_sample_epoch", watch)
    share = Share()
    for epoch in (1, 2, 3):
        ahead = [batch["items"] for batch in loaded.train_data(epoch, share).as_numpy_iterator()]
    now = [batch["items"] for batch in loaded.train_data(3, share).as_numpy_iterator()]

    assert {epoch: sampled_by[epoch] for epoch in (1, 2)} == {1: True, 2: False}
    assert all((a == b).all() for a, b in zip(ahead, now, strict=True))


def test_quality_is_the_share_of_hits(loaded: RecommendationWorkload) -> None:
    """HR@10 and NDCG agree with ranks computed one user and draw at a time; a tie counts against the held-out item."""
    evaluation = Loop(loaded, tf.distribute.get_strategy()).evaluate()

    items = loaded.candidates["items"]
    ranks = []
    for user, candidates in enumerate(items):
        scores = loaded.model(np.full(len(candidates), user), candidates).numpy()
        ranks += [int((draw >= scores[0]).sum()) for draw in scores[1:].reshape(2, 20)]
    hits = [rank < 10 for rank in ranks]
    assert evaluation.quality == pytest.approx(np.mean(hits))
    gains = [np.log(2) / np.log(rank + 2) * hit for rank, hit in zip(ranks, hits, strict=True)]
    assert evaluation.metrics["ndcg"] == pytest.approx(np.mean(gains), rel=1e-5)
    for variable in loaded.model.trainable_variables:
        variable.assign(tf.zeros_like(variable))
    assert Loop(loaded, tf.distribute.get_strategy()).evaluate().quality == 0


def test_scores_that_are_not_numbers_are_misses(loaded: RecommendationWorkload) -> None:
    """A model whose weights are not numbers hits nothing."""
    loaded.model.mf_items.embeddings.assign(np.full(loaded.model.mf_items.embeddings.shape, np.nan))

    assert Loop(loaded, tf.distribute.get_strategy()).evaluate().quality == 0


def test_training_lowers_the_loss(loaded: RecommendationWorkload) -> None:
    """A few epochs on made-up users of two kinds teach which items are whose."""
    loop = Loop(loaded, tf.distribute.get_strategy())
    losses = [loop.train_epoch(epoch)["cross_entropy"] for epoch in range(1, 9)]

    assert losses[-1] < 0.9 * losses[0]
    assert loop.evaluate().quality > 0.6


def test_data_of_another_size_is_refused(tmp_path: Path) -> None:
    """Ratings that do not match the configured users and items are reported with the command."""
    workload = RecommendationWorkload(tiny_config(users=61), write_tiny_ratings(tmp_path), 1, "get it")
    with pytest.raises(DataError, match=r"holds 60 users and 40 items .* says 61 and 40; .* with: get it"):
        workload.load(Share())


def test_mini_data_comes_from_the_index(tmp_path: Path) -> None:
    """The script gets MovieLens-100k from the package index, with the sizes that the configuration states."""
    try:
        count = prepare_ratings("mini", tmp_path)
    except DataError as error:
        pytest.skip(f"no package index: {error}")
    assert count == 100_000
    workload = RecommendationWorkload(MINI, tmp_path, 1)
    workload.load(Share())
    assert len(workload.train.users) == MINI.train_samples
    assert workload.candidates["items"].shape == (MINI.eval_samples, 1 + 10 * 99)


@pytest.mark.slow
def test_full_size_model_trains_on_the_real_format(tmp_path: Path) -> None:
    """ratings.csv in the layout of MovieLens-20M feeds the full-size model, of 31,832,577 parameters, for two steps."""
    rng = np.random.default_rng(0)
    rows = [
        (user + 1, int(item) * 7 + 1, 3.5, 1_000_000_000 + int(time))
        for user in range(200)
        for item, time in zip(rng.permutation(300)[:40], rng.integers(10**6, size=40), strict=True)
    ]
    path = write_archive(tmp_path / "ml-20m.zip", ARCHIVE_TABLE, ",", "userId,movieId,rating,timestamp", rows)
    interactions = read_archive(path)
    split = split_latest(interactions)
    workload = RecommendationWorkload(
        dataclasses.replace(FULL, global_batch_size=15_000, train_samples=len(split.train.users)), tmp_path, 1
    )
    workload.build()
    assert workload.model.count_params() == 31_832_577
    workload.train, workload.seen = split.train, SeenItems(split.train, 200, 300)
    negatives = sample_negatives(interactions, 200, 300, FULL.eval_negatives, FULL.eval_seed)
    workload.candidates = {
        "users": np.arange(200, dtype=np.int32),
        "items": np.concatenate([split.held_out[:, None], negatives], axis=1),
    }
    loop = Loop(workload, tf.distribute.get_strategy())
    losses = [loop.train_epoch(epoch)["loss"] for epoch in (1, 2)]

    assert loop.steps == 2
    assert losses[1] < losses[0] < 0.7
    assert 0 <= loop.evaluate().quality <= 1
