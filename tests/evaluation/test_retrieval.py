"""Recall, ranks and chance against all orders of equal scores."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from speechbrain_mtl.evaluation import (
    chance_recall,
    intervals,
    median_rank,
    recall_at_k,
    retrieve,
)
from speechbrain_mtl.evaluation import retrieval as module


def orders(row):
    """Every order of a row's columns that its scores allow."""
    for order in itertools.permutations(range(len(row))):
        values = [row[column] for column in order]
        if values == sorted(values, reverse=True):
            yield order


def first_ranks(row, right):
    """Rank of the first right answer, in every order."""
    return [
        1 + min(order.index(column) for column in right)
        for order in orders(row)
    ]


def brute_recall(scores, relevant, k):
    shares = []
    for row, right in zip(scores, relevant):
        ranks = first_ranks(row, right)
        shares.append(Fraction(sum(rank <= k for rank in ranks), len(ranks)))
    return float(sum(shares) / len(shares))


def brute_median(scores, relevant):
    return float(
        np.median(
            [np.mean(first_ranks(s, r)) for s, r in zip(scores, relevant)]
        )
    )


def problem(seed, levels, queries=7, pool=6):
    """Scores of few levels, so that many are equal; one to four right."""
    random = np.random.default_rng(seed)
    scores = random.integers(0, levels, (queries, pool))
    relevant = [
        set(random.permutation(pool)[: random.integers(1, 5)].tolist())
        for _ in range(queries)
    ]
    return scores.tolist(), relevant


@pytest.mark.parametrize("levels", [1, 2, 3, 100])
@pytest.mark.parametrize("seed", range(4))
def test_recall_and_rank_are_those_of_all_orders(seed, levels):
    scores, relevant = problem(seed, levels)
    found = recall_at_k(scores, relevant, range(1, 7))
    for k in range(1, 7):
        assert found[k] == pytest.approx(brute_recall(scores, relevant, k))
    assert median_rank(scores, relevant) == pytest.approx(
        brute_median(scores, relevant)
    )


def sorted_recall(scores, relevant, k):
    """Without equal scores there is one order."""
    hits = [
        bool(set(np.argsort(-row)[:k].tolist()) & right)
        for row, right in zip(scores, relevant)
    ]
    return sum(hits) / len(hits)


def test_without_equal_scores_it_is_exactly_a_count():
    random = np.random.default_rng(0)
    scores = random.normal(size=(60, 40)).astype(np.float32)
    relevant = [set(random.permutation(40)[:5].tolist()) for _ in range(60)]
    found = recall_at_k(scores, relevant, (1, 5, 10))
    assert found == {k: sorted_recall(scores, relevant, k) for k in found}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64])
def test_kinds_of_scores_keep_their_order(dtype):
    scores = torch.tensor([[3, 1, 2], [1, 2, 2]], dtype=dtype)
    assert recall_at_k(scores, [{0}, {2}], [1, 2]) == {1: 0.75, 2: 1.0}


def test_blocks_change_nothing(monkeypatch):
    scores, relevant = problem(1, 3)
    whole = recall_at_k(scores, relevant, (1, 3))
    monkeypatch.setattr(module, "BLOCK", 13)
    assert recall_at_k(scores, relevant, (1, 3)) == whole


def test_infinite_scores_are_ordinary_scores():
    worst = float("-inf")
    assert recall_at_k([[worst, worst, 1.0]], [{0}], [1, 2, 3]) == {
        1: 0.0,
        2: 0.5,
        3: 1.0,
    }


def test_one_score_for_all_is_chance():
    relevant = [{0, 1, 2, 3, 4}, {5}, {6, 7}]
    found = recall_at_k(np.ones((3, 8)), relevant, (1, 2, 8))
    assert found == chance_recall(relevant, 8, (1, 2, 8))


def test_chance_of_the_published_pools():
    """5,000 images with five captions each: 0.2 % both ways, at k = 10."""
    to_image = chance_recall([{0}], 5000, [10])[10]
    to_speech = chance_recall([set(range(5))], 25000, [10])[10]
    assert to_image == pytest.approx(0.002, rel=1e-12)
    assert to_speech == pytest.approx(0.002, rel=1e-3) and to_speech < 0.002


def test_chance_is_what_random_scores_get():
    random = np.random.default_rng(0)
    relevant = [{0, 1, 2}] * 4000
    found = recall_at_k(random.random((4000, 20)), relevant, [4])[4]
    assert found == pytest.approx(chance_recall(relevant, 20, [4])[4], abs=0.03)


def pool(images=6, captions=3, seed=0):
    random = np.random.default_rng(seed)
    image_of = np.repeat(np.arange(images), captions)
    random.shuffle(image_of)
    return random.integers(0, 4, (len(image_of), images)), image_of.tolist()


def test_both_directions_are_their_definitions():
    scores, image_of = pool()
    found = retrieve(scores, image_of, ks=(1, 2))
    captions = [
        {c for c, image in enumerate(image_of) if image == i} for i in range(6)
    ]
    wanted = {
        "speech_to_image": (scores, [{i} for i in image_of]),
        "image_to_speech": (scores.T, captions),
    }
    for name, (own, relevant) in wanted.items():
        part = found[name]
        assert (part.queries, part.pool) == own.shape
        assert part.recall == recall_at_k(own, relevant, (1, 2))
        assert part.chance == chance_recall(relevant, own.shape[1], (1, 2))
        assert part.median_rank == median_rank(own, relevant)
        for k, (low, high) in part.interval.items():
            assert low <= part.recall[k] <= high


def test_a_right_caption_is_enough_however_many_are_wrong():
    """The image's best caption counts, not its last."""
    scores = [[0.9, 0.0], [0.1, 0.2], [0.0, 0.8], [0.2, 0.1]]
    found = retrieve(scores, [0, 0, 1, 1], ks=[1])
    assert found["image_to_speech"].recall == {1: 1.0}


def test_intervals_draw_images_not_captions():
    """Captions that succeed or fail together give the interval of images."""
    images, captions = 40, 5
    image_of = np.repeat(np.arange(images), captions)
    scores = np.eye(images)[image_of]
    scores[image_of % 2 == 1] *= -1
    found = retrieve(scores, image_of.tolist(), ks=[1])["speech_to_image"]
    right = (np.arange(images) % 2 == 0).astype(float)
    assert found.interval[1] == intervals.bootstrap_interval(right)
    alone = intervals.bootstrap_interval(np.repeat(right, captions))
    assert np.diff(found.interval[1]) > 1.8 * np.diff(alone)


def test_the_line_names_pool_and_chance():
    scores, image_of = pool()
    line = str(retrieve(scores, image_of, ks=[1])["speech_to_image"])
    assert line.startswith("18 queries, pool of 6: R@1 ")
    assert "chance 16.67 %; median rank" in line


@pytest.mark.parametrize(
    "scores, relevant, ks, message",
    [
        ([[1.0, 2.0]], [{0}], [3], "k is 3, the pool has 2"),
        ([[1.0, 2.0]], [{0}], [0], "k is 0"),
        ([[1.0, float("nan")]], [{0}], [1], "queries 0 to 0 is NaN"),
        (
            [[1.0], [2.0]],
            [{0}, set()],
            [1],
            r"query 1 has the right answers \[",
        ),
        ([[1.0, 2.0]], [{2}], [1], r"answers \[2\], the pool 2"),
        ([[1.0, 2.0]], [{-1}], [1], r"answers \[-1\]"),
        ([[1.0, 2.0]], [{0}, {1}], [1], "1 rows of scores, 2 sets"),
        ([1.0, 2.0], [{0}], [1], r"shape \(2,\)"),
    ],
)
def test_bad_input_is_named(scores, relevant, ks, message):
    with pytest.raises(ValueError, match=message):
        recall_at_k(scores, relevant, ks)


@pytest.mark.parametrize(
    "image_of, message",
    [
        ([0, 1], "3 rows of scores, 2 captions"),
        ([0, 0, 0], "image 1 has no caption"),
        ([0, 1, 2], "caption 2 is of image 2, the pool has 2"),
    ],
)
def test_bad_pools_are_named(image_of, message):
    with pytest.raises(ValueError, match=message):
        retrieve(np.zeros((3, 2)), image_of, ks=[1])


def test_a_pool_smaller_than_k_is_named_by_both_directions():
    with pytest.raises(ValueError, match="k is 3, the pool has 2"):
        retrieve(np.zeros((4, 2)), [0, 0, 1, 1], ks=[1, 3])
