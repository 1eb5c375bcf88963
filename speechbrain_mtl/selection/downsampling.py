"""Segments of any length as a fixed number of Gaussian-weighted means."""

import torch


def gaussian_filters(
    lens: torch.Tensor,
    n_samples: int = 10,
    std_ratio: float = 0.07,
    std_slope: float = 0.1,
) -> torch.Tensor:
    """Weights that turn segments of some lengths into `n_samples` rows each.

    Row k is a Gaussian centred at the k-th of `n_samples` evenly spread
    points of ``[0, T - 1]``, integrated over each frame and normalised to
    sum 1. Its standard deviation, ``std_slope * r_k + std_ratio * T`` frames,
    grows from both ends (r = 0) to the middle.

    Arguments
    ---------
    lens : torch.Tensor
        Frames of each segment, integers >= 1, [B].
    n_samples : int
        Rows a segment.
    std_ratio : float
        Share of the segment's length in the standard deviation.
    std_slope : float
        Frames the standard deviation grows a row, counted from the ends.

    Returns
    -------
    filters : torch.Tensor
        float64 [B, n_samples, max(lens)], zero beyond each length.

    Raises
    ------
    ValueError
        When a length or `n_samples` is below 1.

    Example
    -------
    >>> gaussian_filters(torch.tensor([5, 3]), n_samples=2).shape
    torch.Size([2, 2, 5])
    """
    if n_samples < 1:
        raise ValueError(f"n_samples is {n_samples}; it must be at least 1.")
    if (lens < 1).any():
        raise ValueError(
            f"a segment has {int(lens.min())} frames; every segment needs at "
            "least one. Remove the empty segment."
        )
    device, total = lens.device, lens[:, None, None].double()
    row = torch.arange(n_samples, device=device).double()
    from_end = torch.minimum(row, n_samples - 1 - row)[:, None]
    std = std_slope * from_end + std_ratio * total
    step = row[:, None] / max(n_samples - 1, 1)
    if n_samples == 1:
        step = step + 0.5  # one sample sits in the middle
    edges = torch.arange(int(lens.max()) + 1, device=device) - 0.5
    mass = torch.special.ndtr((edges - step * (total - 1)) / std).diff(dim=-1)
    inside = torch.arange(mass.shape[-1], device=device) < total
    mass = mass * inside
    return mass / mass.sum(dim=-1, keepdim=True)


def gaussian_downsample(
    feats: torch.Tensor,
    n_samples: int = 10,
    std_ratio: float = 0.07,
    std_slope: float = 0.1,
    lens: torch.Tensor | None = None,
) -> torch.Tensor:
    """Describe segments by `n_samples` Gaussian-weighted means of frames.

    The embedding of speech segments of the ZeroSpeech challenge that the
    conditional-independence estimator of Zaiem et al. (arXiv 2104.07388)
    compares segments by. Segments shorter than `n_samples` frames, even of
    one frame, are fine; so are odd `n_samples`.

    Arguments
    ---------
    feats : torch.Tensor
        Frames of one segment [T, D], or of padded segments [B, T, D].
    n_samples, std_ratio, std_slope
        See `gaussian_filters`.
    lens : torch.Tensor, optional
        Relative lengths in (0, 1] of padded segments, [B].

    Returns
    -------
    samples : torch.Tensor
        [n_samples, D] or [B, n_samples, D], of the type of `feats`.

    Raises
    ------
    ValueError
        When a segment has no frame.

    Example
    -------
    >>> gaussian_downsample(torch.ones(37, 40)).shape
    torch.Size([10, 40])
    >>> feats = torch.rand(2, 37, 40)
    >>> gaussian_downsample(feats, lens=torch.tensor([1.0, 0.5])).shape
    torch.Size([2, 10, 40])
    """
    batch = feats if feats.dim() == 3 else feats[None]
    frames = batch.shape[1]
    if lens is None:
        lens = torch.ones(len(batch), device=feats.device)
    counts = (lens * frames).round().long()
    # Segments of one length share their filters.
    lengths, which = counts.unique(return_inverse=True)
    filters = gaussian_filters(lengths, n_samples, std_ratio, std_slope)
    # No frame lies beyond the longest segment's end.
    filters = filters.to(feats.dtype)[which]
    batch = batch[:, : filters.shape[-1]]
    samples = filters @ batch
    if not samples.isfinite().all():
        # Padding may hold anything, even NaN; zero weight does not stop it.
        inside = torch.arange(batch.shape[1], device=feats.device)
        inside = inside < counts[:, None]
        samples = filters @ torch.where(inside[..., None], batch, 0.0)
    return samples if feats.dim() == 3 else samples[0]
