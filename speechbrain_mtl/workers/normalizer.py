"""z-scores of labels, with statistics that padding never enters."""

import torch
from torch import nn


def recheck(module: "LabelNormalizer", _: object) -> None:
    """Look at newly loaded statistics before they are used."""
    module.checked = False


class LabelNormalizer(nn.Module):
    """Give each value of a label mean 0 and standard deviation 1.

    Labels of different scale enter one loss, and the kernels of task
    selection have a fixed width: both need z-scores. Statistics are merged
    batch by batch (Chan et al. 1983) in double precision and are saved with
    the module's state.

    Arguments
    ---------
    dim : int
        Values a frame.
    name : str
        What error messages call the label.

    Example
    -------
    >>> normalizer = LabelNormalizer(1, "f0")
    >>> labels = torch.tensor([[1.0, 3.0, 99.0]])[..., None]
    >>> normalizer.update(labels, torch.tensor([2]))
    >>> normalizer(labels[:, :2]).flatten()
    tensor([-1.,  1.])
    """

    def __init__(self, dim: int, name: str = "label") -> None:
        super().__init__()
        self.dim = dim
        self.name = name
        self.checked = False
        double = torch.float64
        self.register_buffer("count", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean", torch.zeros(dim, dtype=double))
        self.register_buffer("m2", torch.zeros(dim, dtype=double))
        self.register_load_state_dict_post_hook(recheck)

    @torch.no_grad()
    def update(self, labels: torch.Tensor, frame_lens: torch.Tensor) -> None:
        """Merge the statistics of a batch.

        Arguments
        ---------
        labels : torch.Tensor
            [B, F, dim].
        frame_lens : torch.Tensor
            Valid frames, [B]; frames beyond do not count.

        Raises
        ------
        ValueError
            When the shapes do not fit.
        """
        if labels.shape[2:] != (self.dim,) or len(labels) != len(frame_lens):
            raise ValueError(
                f"{self.name}: expected labels [batch, frames, {self.dim}] "
                f"and frame_lens [batch], got {list(labels.shape)} and "
                f"{list(frame_lens.shape)}"
            )
        index = torch.arange(labels.shape[1], device=labels.device)
        valid = (index < frame_lens[:, None])[..., None]
        count = valid.sum()
        values = torch.where(valid, labels.double(), 0.0)
        mean = values.sum((0, 1)) / count.clamp(min=1)
        centred = torch.where(valid, values - mean, 0.0)
        total = self.count + count
        share = count.double() / total.clamp(min=1)
        shift = mean - self.mean
        self.m2 += centred.square().sum((0, 1)) + shift**2 * self.count * share
        self.mean += shift * share
        self.count += count
        self.checked = False

    @property
    def std(self) -> torch.Tensor:
        """Standard deviation of each value so far, float64 [dim]."""
        return (self.m2 / self.count.clamp(min=1)).sqrt()

    def check(self) -> None:
        """Refuse statistics that cannot normalise.

        Raises
        ------
        ValueError
            When nothing was counted, or a value is constant or not finite.
        """
        if self.count == 0:
            raise ValueError(
                f"{self.name}: no statistics yet. Call update() on the "
                "training labels, or load a checkpoint that has them."
            )
        # float32 labels this close together differ by rounding alone.
        varies = self.std > 1e-6 * self.mean.abs() + 1e-12
        if not varies.all():
            column = int((~varies).nonzero()[0])
            raise ValueError(
                f"{self.name}: value {column} of {self.dim} is constant or "
                f"not finite over {int(self.count)} frames (mean "
                f"{float(self.mean[column]):.6g}, standard deviation "
                f"{float(self.std[column]):.3g}). Leave this label out, or "
                "look at the recordings it was computed from."
            )
        self.checked = True

    def forward(self, labels: torch.Tensor) -> torch.Tensor:
        """Normalise labels.

        Arguments
        ---------
        labels : torch.Tensor
            [..., dim].

        Returns
        -------
        normalised : torch.Tensor
            float32, same shape. Padding is normalised like any value: the
            loss masks it.

        Raises
        ------
        ValueError
            See `check`; it runs once after each change of the statistics.
        """
        if not self.checked:
            self.check()
        return ((labels - self.mean) / self.std).float()
