"""How far would scores move with other speakers? A cluster bootstrap.

Segments of one speaker are alike, so speakers are drawn, not segments. Two
copies of one speaker are not a pair of speakers: pairs within a speaker count
once a copy, not once a pair of copies. With the factor ``1 - 1/S``, the mean
of the product of two of S speakers' counts, resampled scores are centred on
the observed one.
"""

import copy

import torch


class ClusterBootstrap:
    """Draws of clusters with replacement, applied to sums over pairs.

    Arguments
    ---------
    clusters : int
        How many there are.
    draws : int
        How often to resample.
    seed : int
        Of the draws.
    device : str or torch.device
        Where to compute.
    splits : int
        How often to part the clusters at random into two halves: two more
        draws each, at the end, in which a cluster counts once or not at all.

    Example
    -------
    >>> bootstrap = ClusterBootstrap(clusters=3, draws=4)
    >>> bootstrap.counts.sum(dim=1)
    tensor([3., 3., 3., 3.])
    """

    def __init__(
        self,
        clusters: int,
        draws: int = 500,
        seed: int = 0,
        device: str | torch.device = "cpu",
        splits: int = 0,
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randint(clusters, (draws, clusters), generator=generator)
        counts = torch.zeros(draws, clusters)
        counts.scatter_add_(1, drawn, torch.ones(draws, clusters))
        order = torch.rand(splits, clusters, generator=generator).argsort(1)
        half = (order < clusters // 2).float()
        halves = torch.stack([half, 1 - half], dim=1).view(-1, clusters)
        self.counts = torch.cat([counts, halves]).to(device)
        # What a pair within a cluster counts, for each time the cluster does.
        alone = 1 - 1 / clusters if clusters > 1 else 1.0
        self.alone = torch.cat(
            [torch.full((draws,), alone), torch.ones(2 * splits)]
        ).to(device)

    def head(self, draws: int) -> "ClusterBootstrap":
        """Keep the first draws.

        Arguments
        ---------
        draws : int
            How many.

        Returns
        -------
        bootstrap : ClusterBootstrap
        """
        first = copy.copy(self)
        first.counts, first.alone = self.counts[:draws], self.alone[:draws]
        return first

    def stratum(
        self, terms: torch.Tensor, clusters: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Resample a mean over all pairs of one stratum's segments.

        Arguments
        ---------
        terms : torch.Tensor
            Symmetric, one value a pair, [k, n, n]; the diagonal is ignored.
        clusters : torch.Tensor
            Cluster of each segment, [n].

        Returns
        -------
        means : torch.Tensor
            [draws, k]; 0 where a draw leaves no pair.
        mass : torch.Tensor
            Share of the stratum's segments drawn, counted with repetition and
            0 where no pair is left, [draws].
        """
        sums = self.sums(*group_pairs(terms, clusters))
        mass = self.counts[:, clusters].to(terms).mean(dim=1)
        left = sums[:, -1]
        return (
            sums[:, :-1] / left.clamp(min=0.5)[:, None],
            torch.where(left > 0, mass, 0.0),
        )

    def sums(self, there: torch.Tensor, grouped: torch.Tensor) -> torch.Tensor:
        """Resample sums over pairs; they add up over parts of a stratum.

        Arguments
        ---------
        there, grouped : torch.Tensor
            From `group_pairs`: clusters [S], and [k, S, S].

        Returns
        -------
        sums : torch.Tensor
            [draws, k].
        """
        counts = self.counts[:, there].to(grouped)
        sums = (counts @ grouped * counts).sum(dim=-1).T
        own = grouped.diagonal(0, -2, -1)
        alone = self.alone[:, None].to(counts)
        return sums - (counts * (counts - alone)) @ own.T

    def pairs(
        self,
        values: torch.Tensor,
        first: torch.Tensor,
        second: torch.Tensor,
        block: int = 32,
    ) -> torch.Tensor:
        """Resample a mean over given pairs.

        Arguments
        ---------
        values : torch.Tensor
            [k, P].
        first, second : torch.Tensor
            Clusters of each pair's segments, [P].
        block : int
            Draws worked on at once.

        Returns
        -------
        means : torch.Tensor
            [draws, k]; 0 where a draw leaves no pair.
        """
        count = self.counts.shape[1]
        which, inverse = (first * count + second).unique(return_inverse=True)
        sums = values.new_zeros(len(values) + 1, len(which))
        ones = torch.ones_like(values[:1])
        sums.index_add_(1, inverse, torch.cat([values, ones]))
        first, second = which // count, which % count
        means = []
        for counts, alone in zip(
            self.counts.to(values).split(block),
            self.alone[:, None].to(values).split(block),
        ):
            weight = torch.where(
                first == second,
                counts[:, first] * alone,
                counts[:, first] * counts[:, second],
            )
            totals = weight @ sums.T
            means.append(totals[:, :-1] / totals[:, -1:].clamp(min=0.5))
        return torch.cat(means)


def group_pairs(
    terms: torch.Tensor, clusters: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Add up the pairs of segments of every two clusters.

    Arguments
    ---------
    terms : torch.Tensor
        One value a pair, [k, n, n]; the diagonal is ignored.
    clusters : torch.Tensor
        Cluster of each segment, [n].

    Returns
    -------
    there : torch.Tensor
        Clusters that occur, sorted, [S].
    grouped : torch.Tensor
        [k + 1, S, S], the numbers of pairs last.

    Example
    -------
    >>> group_pairs(torch.ones(1, 3, 3), torch.tensor([4, 7, 7]))[1][0]
    tensor([[0., 2.],
            [2., 2.]])
    """
    there, member = clusters.unique(return_inverse=True)
    onto = torch.nn.functional.one_hot(member).to(terms)
    sizes = onto.sum(dim=0)
    pairs = sizes[:, None] * sizes - torch.diag(sizes)
    terms = terms - torch.diag_embed(terms.diagonal(0, -2, -1))
    return there, torch.cat([onto.T @ terms @ onto, pairs[None]])


def percentile_interval(
    draws: torch.Tensor, level: float = 0.95
) -> torch.Tensor:
    """The central part of resampled scores.

    Arguments
    ---------
    draws : torch.Tensor
        [draws, k].
    level : float
        Share of the draws inside.

    Returns
    -------
    interval : torch.Tensor
        Lower and upper end, [k, 2].

    Example
    -------
    >>> percentile_interval(torch.arange(101.0)[:, None], level=0.9)
    tensor([[ 5., 95.]])
    """
    tail = (1 - level) / 2
    ends = torch.tensor([tail, 1 - tail], dtype=draws.dtype)
    return torch.quantile(draws, ends.to(draws.device), dim=0).T
