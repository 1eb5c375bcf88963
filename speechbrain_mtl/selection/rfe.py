"""Recursive feature elimination: a baseline from feature selection."""

from collections.abc import Mapping

import torch

from speechbrain_mtl.selection.label_table import how_many, label_table


def rfe(
    labels: Mapping[str, torch.Tensor],
    classes: torch.Tensor,
    k: int | None = None,
    seed: int = 0,
) -> list[str]:
    """Choose the labels a linear classifier of the class can spare last.

    scikit-learn's recursive elimination (Guyon et al., Machine Learning 46,
    2002) around logistic regression on standardised mean labels: fit, leave
    out the label of least squared coefficients (summed over classes), fit
    again. The published selection by this name has no public definition; this
    one is ours.

    Arguments
    ---------
    labels, classes
        See `label_table`.
    k : int, optional
        How many; all by default.
    seed : int
        Of the segments looked at.

    Returns
    -------
    names : list of str
        The first is the one left out last.

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
    >>> rfe(labels, y, k=1)
    ['tells']
    """
    from sklearn.feature_selection import RFE
    from sklearn.linear_model import LogisticRegression

    names = sorted(labels)
    k = how_many(k, names)
    table, y = label_table(
        {name: labels[name] for name in names}, classes, seed=seed
    )
    ranks = (
        RFE(LogisticRegression(max_iter=1000), n_features_to_select=1)
        .fit(table, y)
        .ranking_
    )
    return [names[index] for index in ranks.argsort(kind="stable")[:k]]
