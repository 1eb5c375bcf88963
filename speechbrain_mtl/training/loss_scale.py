"""Losses of unlike size made alike: each over a running mean of itself."""

import torch

from speechbrain_mtl.training.weighting import FixedWeights, Weighting


class ScaledLosses(Weighting):
    """Divide each loss by a running mean of itself, then weigh it.

    A CTC loss of 200 and a cross-entropy of 2 then pull alike. The mean is a
    constant to the gradient. It counts a step ago `decay` times as much as
    now, and at the first step it is that step's loss: the scaled loss is 1.
    Losses that are not finite do not count.

    Arguments
    ---------
    weights : dict
        Weight of every task's scaled loss by name; 0 leaves a task out.
    decay : float
        From 0 (a loss over itself) to less than 1 (a longer memory).
    floor : float
        Least mean to divide by, so that a task that is solved is not
        magnified without bound.

    Raises
    ------
    ValueError
        When weights, decay or floor are out of their range.

    Example
    -------
    >>> weighting = ScaledLosses({"asr": 1.0, "sid": 1.0}, decay=0.5)
    >>> for asr in (200.0, 80.0):
    ...     losses = {"asr": torch.tensor(asr), "sid": torch.tensor(2.0)}
    ...     weighting.observe(losses)
    >>> weighting(losses)  # 80 / ((0.5 * 200 + 80) / 1.5) + 2 / 2
    tensor(1.6667)
    """

    def __init__(
        self,
        weights: dict[str, float],
        decay: float = 0.99,
        floor: float = 1e-3,
    ) -> None:
        fixed = FixedWeights(weights)
        super().__init__(fixed.active)
        if not 0 <= decay < 1:
            raise ValueError(f"decay is {decay}: it must be in [0, 1)")
        if not 0 < floor < float("inf"):
            raise ValueError(f"floor is {floor}: it must be > 0")
        self.fixed = fixed
        self.decay = decay
        self.floor = floor
        self.register_buffer("sums", torch.zeros(len(self.active)))
        self.register_buffer("counts", torch.zeros(len(self.active)))

    @property
    def weights(self) -> dict[str, float]:
        """Weight over running mean; the plain weight before the first step."""
        means = torch.where(self.counts > 0, self._means(), 1.0).tolist()
        return {
            name: self.fixed.weights[name] / mean
            for name, mean in zip(self.active, means)
        }

    def observe(self, losses: dict[str, torch.Tensor]) -> None:
        """Move the means towards a step's losses."""
        values = self.averaged(losses).abs()
        seen = values.isfinite()
        kept = torch.where(seen, self.decay, 1.0)
        self.sums.mul_(kept).add_(torch.where(seen, values, 0.0))
        self.counts.mul_(kept).add_(seen)

    def forward(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """Sum the weighted, scaled losses."""
        self.check_known(losses)
        scaled = {}
        for name, count, mean in zip(self.active, self.counts, self._means()):
            if name in losses:
                loss = losses[name].float()
                itself = loss.detach().abs().clamp(min=self.floor)
                scaled[name] = loss / torch.where(count > 0, mean, itself)
        return self.fixed(scaled)

    def _means(self) -> torch.Tensor:
        """Running means, [K]; NaN counts as none."""
        means = self.sums / self.counts.clamp(min=1e-12)
        return means.clamp(min=self.floor)
