"""Hide parts of frames while training (Park et al., Interspeech 2019)."""

import torch
from torch import nn

from speechbrain_mtl.models.encoder import frame_mask
from speechbrain_mtl.models.time_warp import warp_frames


class SpecAugment(nn.Module):
    """Warp time, then set stretches of time and of values to 0.

    Every item is drawn for itself, within its own length, so that padding
    changes nothing. By default as in SUPERB's speech recognition.

    Arguments
    ---------
    input_size : int
        Width of a frame.
    time_warp : int
        Frames that a border may move either way; 0 for none.
    time_masks : int
        Stretches of time.
    time_width : int
        Each is shorter than so many frames.
    feature_masks : int
        Stretches of values.
    feature_width : int
        Each has fewer than so many values.

    Raises
    ------
    ValueError
        When stretches may be as wide as a frame, or something is below 0.

    Example
    -------
    >>> augment = SpecAugment(8, feature_width=3)
    >>> augment(torch.ones(2, 5, 8), torch.tensor([5, 2])).shape
    torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        input_size: int,
        time_warp: int = 5,
        time_masks: int = 2,
        time_width: int = 40,
        feature_masks: int = 4,
        feature_width: int = 50,
    ) -> None:
        super().__init__()
        if min(time_warp, time_masks, feature_masks) < 0 or time_width < 1:
            raise ValueError(
                f"time_warp {time_warp}, time_masks {time_masks}, time_width "
                f"{time_width}, feature_masks {feature_masks}: give numbers "
                "that are not below 0, and a time_width above 0"
            )
        if feature_masks and not 1 <= feature_width <= input_size:
            raise ValueError(
                f"feature_width is {feature_width}, but frames have "
                f"{input_size} values, all of which it would hide at times: "
                f"give 1 to {input_size}"
            )
        self.time_warp = time_warp
        self.time_masks = time_masks
        self.time_width = time_width
        self.feature_masks = feature_masks
        self.feature_width = feature_width

    def forward(self, x: torch.Tensor, lens: torch.Tensor) -> torch.Tensor:
        """Hide parts of [B, F, D] with absolute lengths; none in eval mode."""
        if not self.training:
            return x
        if self.time_warp:
            x = warp_frames(x, lens, *self._borders(lens))
        values = torch.full_like(lens, x.shape[2])
        late = stretches(lens, x.shape[1], self.time_masks, self.time_width)
        wide = stretches(
            values, x.shape[2], self.feature_masks, self.feature_width
        )
        valid = frame_mask(lens, x.shape[1])[..., None]
        hidden = (late[..., None] | wide[:, None]) & valid
        return x.masked_fill(hidden, 0.0)

    def _borders(self, lens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw a border, and where it goes; both 0 where none can move."""
        draws = torch.rand(2, len(lens), device=lens.device)
        reach = self.time_warp
        room = lens - 2 * reach
        centre = reach + (draws[0] * room.clamp(min=1)).long()
        moved = centre - reach + 1 + (draws[1] * 2 * reach).long()
        return centre * (room > 0), moved * (room > 0)


def stretches(
    lens: torch.Tensor, size: int, count: int, width: int
) -> torch.Tensor:
    """Draw stretches of each item; the same, however wide the padding.

    Arguments
    ---------
    lens : torch.Tensor
        Where each item ends, [B].
    size : int
        Length of the padded axis.
    count : int
        Stretches an item; they may overlap.
    width : int
        Each is shorter, from 0.

    Returns
    -------
    hidden : torch.Tensor
        [B, size] bool.

    Example
    -------
    >>> hidden = stretches(torch.tensor([9, 4]), 9, count=2, width=3)
    >>> int(hidden.sum(dim=1).max()) <= 4, bool(hidden[1, 4:].any())
    (True, False)
    """
    draws = torch.rand(2, len(lens), count, device=lens.device)
    widths = (draws[0] * width).long().minimum(lens[:, None])
    room = lens[:, None] - widths + 1
    first = (draws[1] * room).long().minimum(room - 1)[..., None]
    place = torch.arange(size, device=lens.device)
    inside = (place >= first) & (place < first + widths[..., None])
    return inside.any(dim=1)
