"""Segments' labels as the plain table that feature selection works on."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from speechbrain_mtl.selection.relevance import thin

SEGMENTS = 3000  # as many as estimates of mutual information need


def label_table(
    labels: Mapping[str, torch.Tensor],
    classes: torch.Tensor,
    most: int = SEGMENTS,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Give one standardised number a segment and label, and the classes.

    A label that is a vector is represented by its first principal component,
    for the methods compared choose among single features.

    Arguments
    ---------
    labels : dict
        Mean label of each of N segments, [N, d] by name.
    classes : torch.Tensor
        Class of each segment, [N].
    most : int
        Segments kept at most; the largest classes are cut first.
    seed : int
        Of the cut.

    Returns
    -------
    table : np.ndarray
        float64 [n, labels], mean 0 and deviation 1 in every column (all 0 for
        a constant label).
    classes : np.ndarray
        [n].

    Raises
    ------
    ValueError
        When there are no labels, or all segments are of one class.

    Example
    -------
    >>> labels = {"f0": torch.randn(8, 1), "mfcc": torch.randn(8, 20)}
    >>> table, y = label_table(labels, torch.arange(8) // 4)
    >>> table.shape, y.shape
    ((8, 2), (8,))
    """
    if not labels:
        raise ValueError("no labels. Give at least one, {name: [N, d]}.")
    if len(classes.unique()) < 2:
        raise ValueError(
            f"all {len(classes)} segments are of one class; two are needed to "
            "tell what depends on the class. Give more data."
        )
    index = thin(classes, most, seed)
    columns = [_component(z[index].double()) for z in labels.values()]
    return torch.stack(columns, dim=1).cpu().numpy(), (
        classes[index].cpu().numpy()
    )


def how_many(k: int | None, names: Sequence[str]) -> int:
    """Check how many labels are to be chosen; all by default."""
    k = len(names) if k is None else k
    if not 1 <= k <= len(names):
        raise ValueError(
            f"k is {k}; choose between 1 and the {len(names)} labels."
        )
    return k


def _component(z: torch.Tensor) -> torch.Tensor:
    """First principal component of vectors [n, d], standardised, [n]."""
    z = z - z.mean(dim=0)
    if z.shape[1] > 1:
        _, _, directions = torch.linalg.svd(z, full_matrices=False)
        z = z @ directions[:1].T
    z = z[:, 0]
    deviation = z.square().mean().sqrt()
    return torch.where(deviation > 1e-12, z / deviation, 0.0)
