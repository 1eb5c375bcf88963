"""A group's sums over pairs as they would be with other speakers.

A resample weighs pairs by the counts of their speakers (`ClusterBootstrap`).
The dependence of speech and group is the mean over pairs of the product of two
centred kernels, of which only the group's depends on the weights. Centring
without bias is a projection (Szekely and Rizzo, Annals of Statistics 42,
2014), so it may be moved to the other factor: the sum becomes one of the plain
group kernel, with the product of pair weights and centred speech kernel,
centred once more, as coefficients. Every draw is a set of coefficients.
"""

import dataclasses

import torch

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.group_sums import PairPlan, ratio_coefficients
from speechbrain_mtl.selection.intervals import ClusterBootstrap
from speechbrain_mtl.selection.pair_sums import PairSums, stretch
from speechbrain_mtl.selection.processes import mine
from speechbrain_mtl.selection.shards import ShardedSums, sample_sizes


class ResampledSums:
    """Draws of `ratio_sums` or `published_sums`.

    Arguments
    ---------
    sums : ShardedSums
        As observed.
    plan : PairPlan
        Of the sums' pairs.
    comparison : Comparison
        The sums are made of.
    clusters : torch.Tensor
        Speaker of each segment, [N].
    bootstrap : ClusterBootstrap
        The draws.
    speech_scale : float, optional
        That of `ratio_sums`; None for `published_sums`, which are weighed as
        they are.
    """

    def __init__(
        self,
        sums: ShardedSums,
        plan: PairPlan,
        comparison: Comparison,
        clusters: torch.Tensor,
        bootstrap: ClusterBootstrap,
        speech_scale: float | None,
    ) -> None:
        self.sums, self.plan, self.clusters = sums, plan, clusters
        self.recentred = speech_scale is not None
        self.places = {
            shard: torch.stack(plan.places(shard)).int()
            for shard, _ in mine(plan.sizes)
        }
        self.alone = bootstrap.alone
        self.times = bootstrap.counts[:, clusters]
        self.block_of = torch.empty_like(clusters)
        for block, (index, _) in enumerate(comparison.cuts):
            self.block_of[index] = block
        self._weigh_blocks(comparison, bootstrap.counts)
        self.apart = self._mass_apart()
        if speech_scale is not None:
            self._center(comparison, bootstrap.counts, speech_scale)

    def draw(self, number: int, pairs: int) -> ShardedSums:
        """Give the sums of one draw, on a sample of the pairs.

        Arguments
        ---------
        number : int
            Of the draw.
        pairs : int
            See `sample_sizes`. Draws have different samples.

        Returns
        -------
        sums : ShardedSums
        """
        sizes = sample_sizes(self.sums.sizes, self.sums.within, pairs)
        shards = {}
        for shard, whole in self.sums.shards.items():
            part = whole.stretch(sizes[shard], number)
            at = slice(*stretch(whole.pairs, sizes[shard], number))
            coefficients = self._coefficients(
                number,
                shard,
                part.coefficients,
                self.places[shard][:, at].long(),
                whole.pairs / sizes[shard],
            )
            shards[shard] = PairSums(coefficients, part.log_kernels)
        return dataclasses.replace(self.sums, shards=shards, sizes=sizes)

    def _coefficients(
        self,
        number: int,
        shard: int,
        observed: torch.Tensor,
        places: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        """Coefficients [m, P] of the pairs of one shard in one draw."""
        first, second = places
        times = self.times[number].to(observed)
        alone = self.alone[number].to(observed)
        one = times[first]
        weight = torch.where(
            self.clusters[first] == self.clusters[second],
            one * alone,
            one * times[second],
        )
        if shard >= len(self.plan.groups):
            gain = self.plan.apart / self.apart[number]
            return observed * weight * gain.to(observed)
        block = self.block_of[first]
        diagonal = first == second
        weight = torch.where(
            diagonal, self.density[number].to(observed)[block], weight
        )
        drawn = observed * weight
        if self.recentred:
            rows, shift = self.rows[number], self.shift[number]
            centred = shift[block] - rows[first] - rows[second]
            drawn[0] += torch.where(diagonal, 0.0, scale * centred.to(drawn))
        return drawn * self.gain[number].to(observed)[block]

    def _weigh_blocks(
        self, comparison: Comparison, counts: torch.Tensor
    ) -> None:
        """Factors [draws, blocks] that turn sums into the draws' means."""
        counts, alone = counts.double(), self.alone.double()[:, None]
        masses, densities = [], []
        for block, (index, _) in enumerate(comparison.cuts):
            there, sizes = self.clusters[index].unique(return_counts=True)
            drawn, sizes = counts[:, there], sizes.double()
            pairs = (
                (drawn @ sizes).square()
                - drawn.square() @ sizes.square()
                + alone[:, 0] * (drawn @ (sizes * (sizes - 1)))
            )
            masses.append(drawn @ sizes / len(index))
            densities.append(pairs / comparison.pairs_of(block))
        mass = torch.stack(masses, dim=1)
        self.density = torch.stack(densities, dim=1)
        # Means are over all pairs of a class, whichever block they are in.
        density = torch.empty_like(mass)
        for stratum in comparison.strata:
            mean = self.density[:, stratum].mean(dim=1, keepdim=True)
            density[:, stratum] = mean
            mass[:, stratum] = torch.where(
                mean > 0, mass[:, stratum].mean(dim=1, keepdim=True), 0.0
            )
        shares = torch.tensor([share for _, share in comparison.cuts])
        whole = mass @ shares.to(mass)
        gain = mass / whole.clamp(min=1e-12)[:, None]
        self.gain = gain / density.clamp(min=1e-12)

    def _mass_apart(self) -> torch.Tensor:
        """Weight of all pairs of different classes in each draw, [draws]."""
        masses = torch.zeros_like(self.alone)
        for first, second in self.plan.between:
            same = self.clusters[first] == self.clusters[second]
            for number, times in enumerate(self.times):
                both = times[first] * torch.where(
                    same, self.alone[number], times[second]
                )
                masses[number] += both.sum()
        return masses.clamp(min=0.5)

    def _center(
        self,
        comparison: Comparison,
        counts: torch.Tensor,
        speech_scale: float,
    ) -> None:
        """Row means of weighted speech kernels, in this process's blocks."""
        draws, alone = len(counts), self.alone[:, None]
        self.rows = torch.zeros_like(self.times)
        self.shift = self.times.new_zeros(draws, len(comparison.cuts))
        for _, group in mine(self.plan.groups):
            for number, block in zip(group, comparison.blocks(group)):
                n = len(block.index)
                # Twice, as the halves off the diagonal are folded together.
                A = 2 * ratio_coefficients(block, speech_scale)[0]
                there, member = self.clusters[block.index].unique(
                    return_inverse=True
                )
                onto = torch.nn.functional.one_hot(member).to(A)
                grouped = A @ onto
                own = grouped.gather(1, member[:, None])[:, 0]
                times = self.times[:, block.index].to(A)
                rows = times * (counts[:, there].to(A) @ grouped.T)
                rows -= times * (times - alone.to(A)) * own
                self.rows[:, block.index] = rows / (n - 2)
                self.shift[:, number] = rows.sum(1) / ((n - 1) * (n - 2))
