"""From vectors to the numbers of their nearest codes."""

import torch

from speechbrain_mtl.workers.analysis import blocks


def nearest(vectors: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Find the code of least Euclidean distance to each vector.

    Arguments
    ---------
    vectors : torch.Tensor
        [..., D], best near zero: far from it distances lose digits.
    codes : torch.Tensor
        [K, D].

    Returns
    -------
    index : torch.Tensor
        Integers [...]; the first of several codes that are equally near.

    Example
    -------
    >>> codes = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
    >>> nearest(torch.tensor([[3.0, 1.0], [-9.0, 0.0]]), codes)
    tensor([1, 0])
    """
    rows = vectors.reshape(-1, vectors.shape[-1])
    half_squares = codes.square().sum(dim=1) / 2
    index = torch.empty(len(rows), dtype=torch.long, device=rows.device)
    # In blocks: all distances at once would be larger than the features.
    for part in blocks(len(rows), rows.device):
        index[part] = (half_squares - rows[part] @ codes.mT).argmin(dim=1)
    return index.view(vectors.shape[:-1])
