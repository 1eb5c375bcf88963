"""What an encoder is: waveforms in, all hidden layers with times out."""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Encoded:
    """Every hidden layer of a batch, and where its frames lie in time.

    Layers stay separate tensors because their widths may differ (a CRDNN's
    recurrent layers are wider than its dense ones).

    Arguments
    ---------
    layers : tuple of torch.Tensor
        One [B, F, D_l] tensor a layer, lowest first. Padding frames are 0.
    lens : torch.Tensor
        Valid frames of each item, absolute, [B].
    hop : float
        Seconds between frame centres.
    offset : float
        Time of the centre of frame 0 in seconds.
    hidden : torch.Tensor, optional
        Frames that the encoder hid from itself, [B, F] bool.
    latents : torch.Tensor, optional
        What it made of the waveform before hiding any, [B, F, D].
    cls_states : tuple of torch.Tensor, optional
        The CLS token's state in every layer, one [B, D_l] tensor each.
    """

    layers: tuple[torch.Tensor, ...]
    lens: torch.Tensor
    hop: float
    offset: float
    hidden: torch.Tensor | None = None
    latents: torch.Tensor | None = None
    cls_states: tuple[torch.Tensor, ...] | None = None

    def mask(self) -> torch.Tensor:
        """Mark the valid frames, [B, F] bool."""
        return frame_mask(self.lens, self.layers[0].shape[1])


def frame_mask(lens: torch.Tensor, frames: int) -> torch.Tensor:
    """Mark the first `lens` of `frames` frames.

    Arguments
    ---------
    lens : torch.Tensor
        Absolute lengths, [B].
    frames : int
        Length of the padded axis.

    Returns
    -------
    mask : torch.Tensor
        [B, frames] bool.

    Example
    -------
    >>> frame_mask(torch.tensor([1, 3]), 3).int()
    tensor([[1, 0, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    return torch.arange(frames, device=lens.device) < lens[:, None]


class Encoder(nn.Module):
    """A trainable map from waveforms to `Encoded` layers.

    Subclasses set ``dims`` (width of each layer, lowest first), ``hop`` and
    ``offset`` (seconds) and define ``forward(wavs [B, T], lens [B]) ->
    Encoded`` with relative lengths. Those that can hide frames when asked, for
    tasks that predict what was hidden, set ``can_hide``, take a third argument
    ``hide`` and fill ``hidden`` and ``latents``. Those that can end at a lower
    layer when no task reads the ones above, set ``can_stop`` and take an
    argument ``depth``, the number of that layer. ``calibrate`` collects
    whatever input statistics the encoder needs; by default it needs none.
    """

    dims: tuple[int, ...]
    hop: float
    offset: float
    can_hide = False
    can_stop = False

    def calibrate(self, wavs: torch.Tensor, lens: torch.Tensor) -> None:
        """Collect input statistics from one batch before training."""
