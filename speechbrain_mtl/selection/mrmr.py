"""Maximum relevance, minimum redundancy: a baseline from feature selection."""

from collections.abc import Mapping

import numpy as np
import torch

from speechbrain_mtl.selection.label_table import how_many, label_table


def mrmr(
    labels: Mapping[str, torch.Tensor],
    classes: torch.Tensor,
    k: int | None = None,
    seed: int = 0,
) -> list[str]:
    """Choose labels that tell the class and do not repeat one another.

    Greedily, in the difference form of Peng, Long and Ding (IEEE TPAMI 27,
    2005): next comes the label z of largest ``I(z; class) - mean of I(z; s)
    over the labels s already chosen``. Mutual information is estimated from
    nearest neighbours by scikit-learn (Ross, 2014; Kraskov et al., 2004), in
    nats, on the segments' mean labels. The published selection by this name
    has no public definition; this one is ours.

    Arguments
    ---------
    labels, classes
        See `label_table`.
    k : int, optional
        How many; all by default.
    seed : int
        Of the estimator's jitter and the segments looked at.

    Returns
    -------
    names : list of str
        The first is the most relevant. Ties go by the alphabet.

    Raises
    ------
    ValueError
        When k is not between 1 and the number of labels, and see
        `label_table`.

    Example
    -------
    >>> y = torch.arange(100) % 2
    >>> tells = y + 0.1 * torch.randn(100)
    >>> labels = {"tells": tells[:, None], "noise": torch.randn(100, 1)}
    >>> mrmr(labels, y)
    ['tells', 'noise']
    """
    from sklearn.feature_selection import (
        mutual_info_classif,
        mutual_info_regression,
    )

    names = sorted(labels)
    k = how_many(k, names)
    table, y = label_table(
        {name: labels[name] for name in names}, classes, seed=seed
    )
    relevance = mutual_info_classif(
        table, y, discrete_features=False, random_state=seed
    )
    redundancy = np.zeros(len(names))
    order: list[int] = []
    while len(order) < k:
        score = relevance - redundancy / max(len(order), 1)
        score[order] = -np.inf
        order.append(int(score.argmax()))
        redundancy += mutual_info_regression(
            table,
            table[:, order[-1]],
            discrete_features=False,
            random_state=seed,
        )
    return [names[index] for index in order]
