"""How much does a label know about the class?

Conditional independence alone is easily had: a label of pure noise is
independent of speech in every class, and useless. A pretext label must also
tell the classes apart.
"""

import torch


def class_coefficients(classes: torch.Tensor) -> torch.Tensor:
    """Give the matrix A with ``relevance = sum(A * L)`` for any label kernel.

    Relevance is the mean similarity of two segments of one class minus that
    of two segments of different classes, every class counting the same: the
    unbiased squared distance of the classes' mean embeddings (a multi-class
    maximum mean discrepancy), 0 on average when label and class are
    independent and 1 when the label is the class.

    Arguments
    ---------
    classes : torch.Tensor
        Class of each segment, indices 0 to C - 1, each at least twice, [n].

    Returns
    -------
    A : torch.Tensor
        float64 [n, n], zero on the diagonal, sum 0.

    Example
    -------
    >>> classes = torch.tensor([0, 0, 1, 1])
    >>> same = (classes[:, None] == classes).double()
    >>> (class_coefficients(classes) * same).sum()
    tensor(1., dtype=torch.float64)
    """
    counts = classes.bincount().double()
    total = len(counts)
    each = 1 / counts[classes]
    between = -each[:, None] * each / (total * (total - 1))
    within = 1 / (total * counts * (counts - 1))
    same = classes[:, None] == classes
    A = torch.where(same, within[classes], between)
    return A.fill_diagonal_(0)


def between_pairs(
    classes: torch.Tensor, pairs: int = 200_000, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw pairs of segments of different classes, all classes alike.

    Arguments
    ---------
    classes : torch.Tensor
        Ascending class of each segment, [N].
    pairs : int
        How many.
    seed : int
        Of the draw.

    Returns
    -------
    first, second : torch.Tensor
        Indices, [pairs].

    Example
    -------
    >>> classes = torch.tensor([0, 0, 0, 1])
    >>> first, second = between_pairs(classes, pairs=5)
    >>> bool((classes[first] != classes[second]).all())
    True
    """
    generator = torch.Generator().manual_seed(seed)
    counts = classes.bincount().cpu()
    starts = counts.cumsum(0) - counts
    total = len(counts)
    one = torch.randint(total, (pairs,), generator=generator)
    step = torch.randint(1, total, (pairs,), generator=generator)
    both = torch.stack([one, (one + step) % total])
    place = torch.rand(2, pairs, generator=generator, dtype=torch.float64)
    index = starts[both] + (place * counts[both]).long()
    first, second = index.to(classes.device)
    return first, second


def thin(
    classes: torch.Tensor, most: int = 1500, seed: int = 0
) -> torch.Tensor:
    """Choose at most so many segments, cutting the largest classes first.

    Arguments
    ---------
    classes : torch.Tensor
        Class of each segment, [N].
    most : int
        How many to keep (never fewer than two a class).
    seed : int
        Of the draw.

    Returns
    -------
    index : torch.Tensor
        Ascending indices of those kept.

    Example
    -------
    >>> thin(torch.tensor([0, 0, 0, 0, 1, 1]), most=4).shape
    torch.Size([4])
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(classes), generator=generator)
    order = order.to(classes.device)
    counts = classes.bincount()
    cap = int(counts.max())
    while cap > 2 and int(counts.clamp(max=cap).sum()) > most:
        cap -= 1
    # Rank of each segment within its class, in the drawn order.
    by_class = order[classes[order].argsort(stable=True)]
    rank = torch.arange(len(classes), device=classes.device)
    rank = rank - (counts.cumsum(0) - counts)[classes[by_class]]
    return by_class[rank < cap].sort().values
