"""How well speech finds its image, and an image its speech."""

import dataclasses
from collections.abc import Collection, Hashable, Sequence

import torch
from numpy.typing import ArrayLike

from speechbrain_mtl.evaluation.intervals import bootstrap_interval

KS = (1, 5, 10)
BLOCK = 2**22  # scores compared at once; as fits a cache


@dataclasses.dataclass(frozen=True)
class Retrieval:
    """What was found in one direction.

    Arguments
    ---------
    queries : int
        How many asked.
    pool : int
        How many could be found: scores of other pools do not compare.
    recall : dict
        ``{k: share of queries with a right answer among the first k}``.
    interval : dict
        ``{k: (low, high)}``, 95 %, over images; the pool is taken as given.
    chance : dict
        ``{k: recall of a random order}``.
    median_rank : float
        Of the first right answer; 1 is best.
    """

    queries: int
    pool: int
    recall: dict[int, float]
    interval: dict[int, tuple[float, float]]
    chance: dict[int, float]
    median_rank: float

    def __str__(self) -> str:
        parts = [
            f"R@{k} {100 * self.recall[k]:.1f} % [{100 * low:.1f}, "
            f"{100 * high:.1f}], chance {100 * self.chance[k]:.2f} %"
            for k, (low, high) in self.interval.items()
        ]
        return (
            f"{self.queries} queries, pool of {self.pool}: {'; '.join(parts)}; "
            f"median rank {self.median_rank:g}"
        )


def recall_at_k(
    scores: ArrayLike | torch.Tensor,
    relevant: Sequence[Collection[int]],
    ks: Sequence[int] = KS,
) -> dict[int, float]:
    """Share of queries with a right answer among the k best.

    Equal scores are in random order: a query counts by how likely one of its
    right answers then is among the first k, computed exactly. A model that
    has collapsed to one score is thus at chance, wherever its answers stand
    in the pool. Without equal scores each query counts 0 or 1.

    Arguments
    ---------
    scores : array-like or torch.Tensor
        [Q, G], higher for what fits better; on any device.
    relevant : sequence of sets of int
        Columns that are right, for each row; at least one.
    ks : sequence of int
        From 1 to G.

    Returns
    -------
    recall : dict
        ``{k: fraction}``.

    Raises
    ------
    ValueError
        When a k exceeds the pool, a score is NaN, a query has no right
        answer, or an answer is not in the pool.

    Example
    -------
    >>> scores = [[0.9, 0.1, 0.5], [0.2, 0.7, 0.7]]
    >>> recall_at_k(scores, [{0}, {1}], ks=(1, 2))
    {1: 0.75, 2: 1.0}
    """
    found = _Found(scores, relevant)
    found.check(ks)
    return {k: float(found.hits(k).mean()) for k in ks}


def median_rank(
    scores: ArrayLike | torch.Tensor, relevant: Sequence[Collection[int]]
) -> float:
    """Median over queries of the rank of the first right answer.

    Arguments
    ---------
    scores, relevant
        As for `recall_at_k`. Among equal scores the rank is the expected one
        of a random order.

    Returns
    -------
    rank : float
        From 1 to G; of an even number of queries, the mean of the middle two.

    Raises
    ------
    ValueError
        As `recall_at_k`.

    Example
    -------
    >>> median_rank([[0.9, 0.1, 0.5], [0.2, 0.7, 0.7]], [{0}, {1}])
    1.25
    """
    return _median(_Found(scores, relevant).ranks())


def chance_recall(
    relevant: Sequence[Collection[int]], pool: int, ks: Sequence[int] = KS
) -> dict[int, float]:
    """Expected recall when the pool is ordered at random.

    Arguments
    ---------
    relevant : sequence of sets of int
        Right answers of each query.
    pool : int
        How many answers there are.
    ks : sequence of int
        From 1 to `pool`.

    Returns
    -------
    recall : dict
        ``{k: 1 - C(pool - r, k) / C(pool, k)}``, averaged over queries with
        r right answers.

    Example
    -------
    >>> chance_recall([{0, 1, 2, 3, 4}], pool=10, ks=[1])
    {1: 0.5}
    """
    _check_ks(ks, pool)
    right = torch.tensor([len(set(r)) for r in relevant])
    tied = torch.full_like(right, pool)
    return {k: float(_hit(k, 0 * tied, tied, right).mean()) for k in ks}


def retrieve(
    scores: ArrayLike | torch.Tensor,
    image_of: Sequence[int],
    ks: Sequence[int] = KS,
    seed: int = 0,
) -> dict[str, Retrieval]:
    """Measure both directions of a pool of captions and distinct images.

    A caption is right with its image; an image with any of its captions.
    Intervals draw whole images, since captions of one image succeed or fail
    together.

    Arguments
    ---------
    scores : array-like or torch.Tensor
        [captions, images].
    image_of : sequence of int
        Column of the image of each caption. Each image has at least one.
    ks : sequence of int
        From 1 to the smaller of both pools.
    seed : int
        Of the intervals.

    Returns
    -------
    found : dict
        ``{"speech_to_image": Retrieval, "image_to_speech": Retrieval}``.

    Raises
    ------
    ValueError
        As `recall_at_k`; also for an image without a caption, fewer than two
        images, or captions that are not as many as rows.

    Example
    -------
    >>> found = retrieve([[3, 2], [2, 0], [0, 1], [2, 1]], [0, 0, 1, 1], [1])
    >>> found["speech_to_image"].recall, found["image_to_speech"].recall
    ({1: 0.75}, {1: 0.5})
    """
    scores = _matrix(scores)
    images = [int(image) for image in image_of]
    if len(images) != len(scores):
        raise ValueError(
            f"{len(scores)} rows of scores, {len(images)} captions. Give the "
            "image of each caption."
        )
    captions: list[set[int]] = [set() for _ in range(scores.shape[1])]
    for caption, image in enumerate(images):
        if not 0 <= image < len(captions):
            raise ValueError(
                f"caption {caption} is of image {image}, the pool has "
                f"{len(captions)}. Count images from 0."
            )
        captions[image].add(caption)
    if not all(captions):
        raise ValueError(
            f"image {captions.index(set())} has no caption. Leave it out of "
            "the pool."
        )
    return {
        "speech_to_image": _direction(
            scores, [{i} for i in images], images, ks, seed
        ),
        "image_to_speech": _direction(
            scores.T, captions, range(len(captions)), ks, seed
        ),
    }


def _direction(
    scores: torch.Tensor,
    relevant: list[set[int]],
    clusters: Sequence[Hashable],
    ks: Sequence[int],
    seed: int,
) -> Retrieval:
    found = _Found(scores, relevant)
    found.check(ks)
    hits = {k: found.hits(k) for k in ks}
    return Retrieval(
        queries=scores.shape[0],
        pool=scores.shape[1],
        recall={k: float(hit.mean()) for k, hit in hits.items()},
        interval={
            k: bootstrap_interval(hit.numpy(), clusters, seed=seed)
            for k, hit in hits.items()
        },
        chance=chance_recall(relevant, scores.shape[1], ks),
        median_rank=_median(found.ranks()),
    )


class _Found:
    """All that recall and rank depend on, for each query.

    Its best right answer has `above` better answers before it and shares its
    score with `tied` answers, itself included, `right` of which are right.
    """

    def __init__(
        self,
        scores: ArrayLike | torch.Tensor,
        relevant: Sequence[Collection[int]],
    ) -> None:
        scores = _matrix(scores)
        self.pool = scores.shape[1]
        sets = [sorted({int(column) for column in row}) for row in relevant]
        _check_sets(sets, *scores.shape)
        sizes = torch.tensor([len(row) for row in sets])
        columns = torch.tensor([c for row in sets for c in row])
        rows = torch.arange(len(sets)).repeat_interleave(sizes)
        own = scores[rows.to(scores.device), columns.to(scores.device)]
        best = own.new_full((len(sets),), -torch.inf)
        best.scatter_reduce_(0, rows.to(own.device), own, "amax")
        above, tied = [], []
        step = max(1, BLOCK // self.pool)
        for start in range(0, len(sets), step):
            block = scores[start : start + step]
            bar = best[start : start + step, None]
            if block.isnan().any():
                raise ValueError(
                    f"a score of queries {start} to {start + len(block) - 1} "
                    "is NaN. Find out why first."
                )
            above.append((block > bar).sum(1))
            tied.append((block == bar).sum(1))
        self.above, self.tied = torch.cat(above).cpu(), torch.cat(tied).cpu()
        same = (own == best[rows.to(own.device)]).long().cpu()
        self.right = torch.zeros_like(self.tied).index_add_(0, rows, same)

    def check(self, ks: Sequence[int]) -> None:
        _check_ks(ks, self.pool)

    def hits(self, k: int) -> torch.Tensor:
        return _hit(k, self.above, self.tied, self.right)

    def ranks(self) -> torch.Tensor:
        # the first of r marked among t cards lies at (t + 1) / (r + 1)
        return self.above + (self.tied + 1.0) / (self.right + 1)


def _hit(
    k: int, above: torch.Tensor, tied: torch.Tensor, right: torch.Tensor
) -> torch.Tensor:
    """Chance that one of the right among the tied is within the first k."""
    places = torch.minimum((k - above).clamp(min=0), tied)
    missed = torch.ones(len(tied), dtype=torch.float64)
    # C(tied - right, places) / C(tied, places), one right answer at a time
    for i in range(int(right.max())):
        left = (tied - places - i).clamp(min=0)
        share = left.double() / (tied - i).clamp(min=1)
        missed *= torch.where(i < right, share, 1.0)
    return 1 - missed


def _matrix(scores: ArrayLike | torch.Tensor) -> torch.Tensor:
    scores = torch.as_tensor(scores).detach()
    if scores.ndim != 2 or not scores.numel():
        raise ValueError(
            f"scores have shape {tuple(scores.shape)}. Give [queries, pool]."
        )
    # so that integers have a lowest value; up to 2 ** 53 they stay exact
    return scores if scores.is_floating_point() else scores.double()


def _median(ranks: torch.Tensor) -> float:
    return float(ranks.double().quantile(0.5))


def _check_ks(ks: Sequence[int], pool: int) -> None:
    for k in ks:
        if not 1 <= k <= pool:
            raise ValueError(
                f"k is {k}, the pool has {pool}. Choose k from 1 to {pool}, "
                "or measure on more."
            )


def _check_sets(sets: list[list[int]], queries: int, pool: int) -> None:
    if len(sets) != queries:
        raise ValueError(
            f"{queries} rows of scores, {len(sets)} sets of right answers. "
            "Give one a row."
        )
    for query, row in enumerate(sets):
        if not row or row[0] < 0 or row[-1] >= pool:
            raise ValueError(
                f"query {query} has the right answers {row}, the pool "
                f"{pool}. Give it at least one, from 0 to {pool - 1}."
            )
