"""Dynamic time warping of many pairs of sequences at once."""

import torch


def warp(
    costs: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the mean cost along the cheapest path of each pair.

    A path leads from the first frames of both sequences to the last, one
    frame on in either or in both. Of equally cheap predecessors the one on
    the diagonal is taken, then the one in the same row, as Libri-Light does;
    that decides how long a path is, so that a pair turned round may differ.

    What lies beyond the lengths of a pair is never looked at, so it may hold
    anything. Pairs are the last axis: cells of an anti-diagonal are then
    evenly spaced in memory and need no copying.

    Arguments
    ---------
    costs : torch.Tensor
        Distances of frames, [N, M, P] for P pairs.
    rows, columns : torch.Tensor
        Valid lengths of each pair, 1 to N and to M, [P].

    Returns
    -------
    there, back : torch.Tensor
        Mean cost of each pair, [P], and of the pair turned round.

    Example
    -------
    >>> costs = torch.tensor([[0.0, 9.0, 9.0], [9.0, 3.0, 0.0]])[..., None]
    >>> there, back = warp(costs, torch.tensor([2]), torch.tensor([3]))
    >>> float(there), float(back)
    (1.0, 1.0)
    """
    n, m, pairs = costs.shape
    # A border of infinite cost, but for the corner that paths start from.
    total = costs.new_full((n + 1, m + 1, pairs), torch.inf)
    total[0, 0] = 0
    total[1:, 1:] = costs
    total = total.view(-1, pairs)
    there, back = torch.zeros(
        (2, (n + 1) * (m + 1), pairs), dtype=torch.int32, device=costs.device
    )
    for diagonal in range(2, n + m + 1):
        first = max(1, diagonal - m)
        count = min(n, diagonal - 1) - first + 1
        start = first * (m + 1) + diagonal - first
        here, side, above, corner = (
            slice(begin, begin + m * (count - 1) + 1, m)
            for begin in (start, start - 1, start - m - 1, start - m - 2)
        )
        left, up, both = total[side], total[above], total[corner]
        nearest = torch.minimum(left, up)
        direct = both <= nearest
        total[here] += torch.minimum(nearest, both)
        for steps, sideways in ((there, left <= up), (back, left < up)):
            aside = torch.where(sideways, steps[side], steps[above])
            steps[here] = torch.where(direct, steps[corner], aside) + 1
    end = (rows * (m + 1) + columns)[None]
    cost = total.gather(0, end)[0]
    return cost / there.gather(0, end)[0], cost / back.gather(0, end)[0]
