"""Span masking of input frames."""

import torch
from torch import nn


# Its number of draws follows the length: torch.compile cannot trace that.
@torch.compiler.disable
def span_mask(
    lens: torch.Tensor,
    frames: int,
    prob: float,
    span: int,
    least: int = 1,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Draw spans of frames to hide, the same share in every item.

    Each item gets ``round(prob * len / span)`` spans (at least `least` when
    `prob` > 0 and the item is longer than two spans); spans may overlap, so
    fewer than `prob` of the frames are hidden: about ``1 - exp(-prob)``.

    Arguments
    ---------
    lens : torch.Tensor
        Absolute lengths, [B].
    frames : int
        Length of the padded axis.
    prob : float
        Share of frames to hide.
    span : int
        Frames a span.
    least : int
        Spans an item at least.
    generator : torch.Generator, optional
        Of the draws, on the device of `lens`; torch's own by default.

    Returns
    -------
    mask : torch.Tensor
        [B, frames] bool, True where hidden, never in padding.

    Example
    -------
    >>> mask = span_mask(torch.tensor([100, 50]), 100, prob=0.2, span=5)
    >>> bool(mask[1, 50:].any()), int(mask[0].sum()) <= 20
    (False, True)
    """
    most = max(least, round(prob * frames / span))
    draws = torch.rand(len(lens), most, generator=generator, device=lens.device)
    count = (prob * lens / span).round()
    count = torch.where(lens > 2 * span, count.clamp(min=least), count)
    starts = (draws * (lens - span + 1).clamp(min=1)[:, None]).long()
    used = torch.arange(most, device=lens.device) < count[:, None]
    position = torch.arange(frames, device=lens.device)
    inside = (position >= starts[..., None]) & (
        position < starts[..., None] + span
    )
    hidden = (inside & used[..., None]).any(dim=1)
    return hidden & (position < lens[:, None])


def hidden_frames(
    hide: bool | torch.Tensor | None,
    training: bool,
    lens: torch.Tensor,
    valid: torch.Tensor,
    prob: float,
    span: int,
    least: int,
    share: float = 1.0,
) -> torch.Tensor | None:
    """Choose the frames that an encoder hides from itself.

    Arguments
    ---------
    hide : bool or torch.Tensor, optional
        Whether to, or which, [B, F] bool. None hides while training.
    training : bool
        Whether the encoder trains.
    lens : torch.Tensor
        Absolute lengths, [B].
    valid : torch.Tensor
        Frames that are no padding, [B, F] bool.
    prob, span, least
        See `span_mask`.
    share : float
        Of the items, in which frames are hidden while training: one at least.
        Tasks that share the batch with one that predicts what is hidden hear
        the others whole.

    Returns
    -------
    hidden : torch.Tensor or None
        [B, F] bool; None where nothing is hidden.

    Raises
    ------
    ValueError
        When the share is not above 0, or above 1.

    Example
    -------
    >>> lens, valid = torch.tensor([1]), torch.tensor([[True, False]])
    >>> hidden_frames(torch.ones(1, 2) > 0, False, lens, valid, 0.5, 2, 1)
    tensor([[ True, False]])
    >>> hidden_frames(None, False, lens, valid, 0.5, 2, 1) is None
    True
    >>> lens, valid = torch.full((4,), 9), torch.ones(4, 9) > 0
    >>> hidden = hidden_frames(True, True, lens, valid, 0.5, 2, 1, share=0.5)
    >>> int(hidden.any(dim=1).sum())
    2
    """
    if not 0 < share <= 1:
        raise ValueError(f"mask_share is {share}: above 0, and 1 for all items")
    if isinstance(hide, torch.Tensor):
        return hide & valid
    if hide is None:
        hide = training and prob > 0
    if not hide:
        return None
    hidden = span_mask(lens, valid.shape[1], prob, span, least)
    if training and share < 1:
        some = max(1, round(share * len(lens)))
        chosen = torch.randperm(len(lens), device=lens.device) < some
        hidden = hidden & chosen[:, None]
    return hidden


class SpanMask(nn.Module):
    """Replace random spans of frames by a learned vector while training.

    Arguments
    ---------
    dim : int
        Width of a frame.
    prob : float
        Share of frames to hide; 0 hides none.
    span : int
        Frames a span.
    """

    def __init__(self, dim: int, prob: float = 0.2, span: int = 16) -> None:
        super().__init__()
        if not 0 <= prob < 1 or span < 1:
            raise ValueError(
                f"mask prob={prob}, span={span}: prob lies in [0, 1) and span "
                "is at least 1"
            )
        self.prob = prob
        self.span = span
        vector = torch.zeros(dim)
        # Processes of a distributed run refuse parameters without gradients.
        if prob > 0:
            self.vector = nn.Parameter(vector)
        else:
            self.register_buffer("vector", vector)

    def forward(self, x: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
        """Mask [B, F, D] with absolute lengths; the identity in eval mode."""
        if not self.training or self.prob == 0:
            return x
        hidden = span_mask(lens, x.shape[1], self.prob, self.span)
        return torch.where(hidden[..., None], self.vector.to(x.dtype), x)
