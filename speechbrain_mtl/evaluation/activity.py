"""From frames in which someone speaks to turns."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.functional import pad

from speechbrain_mtl.data.rttm import Turn
from speechbrain_mtl.models.encoder import frame_mask


def median_filter(
    values: torch.Tensor, width: int, lens: torch.Tensor | None = None
) -> torch.Tensor:
    """Replace each value by the median of those around it in time.

    Beyond both ends lie zeros. As medians are values of their window, it does
    not matter whether probabilities or decisions are filtered.

    Arguments
    ---------
    values : torch.Tensor
        [B, F, S], such as probabilities of speakers.
    width : int
        Frames of the window, odd; 1 changes nothing.
    lens : torch.Tensor, optional
        Valid frames, absolute, [B]; all by default.

    Returns
    -------
    filtered : torch.Tensor
        [B, F, S], 0 in padding.

    Raises
    ------
    ValueError
        When the width is not odd and positive.

    Example
    -------
    >>> values = torch.tensor([0.0, 1, 0, 1, 1])[None, :, None]
    >>> median_filter(values, 3).flatten()
    tensor([0., 0., 1., 1., 1.])
    """
    if width < 1 or width % 2 == 0:
        raise ValueError(
            f"a median filter of {width} frames: give an odd number, so that "
            "as many lie before as after"
        )
    if lens is not None:
        mask = frame_mask(lens, values.shape[1])[..., None]
        values = values.masked_fill(~mask, 0)
    around = pad(values, (0, 0, width // 2, width // 2))
    filtered = around.unfold(1, width, 1).median(dim=-1).values
    return filtered if lens is None else filtered.masked_fill(~mask, 0)


def frames_to_segments(
    activity: torch.Tensor | np.ndarray,
    hop: float,
    offset: float = 0.0,
    speakers: Sequence[str] | None = None,
) -> list[Turn]:
    """Join neighbouring frames in which one speaks.

    Arguments
    ---------
    activity : torch.Tensor or numpy.ndarray
        [F, S] bool, valid frames only.
    hop : float
        Seconds between frame centres.
    offset : float
        Centre of the first frame. A frame reaches half a hop before and after
        its centre, and not before 0.
    speakers : sequence of str, optional
        Names; ``"1"``, ``"2"``, ... by default.

    Returns
    -------
    turns : list of (start, end, speaker)
        In seconds, by start; touching frames are one turn.

    Example
    -------
    >>> activity = torch.tensor([[1, 0], [1, 1], [0, 1], [1, 0]]).bool()
    >>> frames_to_segments(activity, hop=0.5, offset=0.25)
    [(0.0, 1.0, '1'), (0.5, 1.5, '2'), (1.5, 2.0, '1')]
    """
    active = np.asarray(activity).astype(np.int8)
    if speakers is None:
        speakers = [str(i + 1) for i in range(active.shape[1])]
    steps = np.diff(active, axis=0, prepend=0, append=0).T
    # By speaker, then by time: starts and ends come in the same order.
    who, first = np.nonzero(steps == 1)
    _, last = np.nonzero(steps == -1)
    # To the microsecond: further decimals are rounding.
    times = [
        (offset + (frames - 0.5) * hop).clip(min=0).round(6).tolist()
        for frames in (first, last)
    ]
    return sorted(zip(*times, [speakers[i] for i in who]))
