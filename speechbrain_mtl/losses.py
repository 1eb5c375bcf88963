"""Losses that compare vectors: which one belongs to which?"""

import math

import torch
from torch.nn import functional


def sample_negatives(
    counts: torch.Tensor,
    negatives: int,
    generator: torch.Generator | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw other frames of the same utterance, for every frame.

    Arguments
    ---------
    counts : torch.Tensor
        Frames of each utterance, [B]; they stand one after the other, N in
        all.
    negatives : int
        How many a frame, drawn with replacement.
    generator : torch.Generator, optional
        Of the draws, on the device of `counts`; torch's own by default.

    Returns
    -------
    index : torch.Tensor
        Which frames, integers [N, negatives], never the frame itself.
    alone : torch.Tensor
        Frames that have no other, [N] bool; what is drawn for them means
        nothing.

    Example
    -------
    >>> index, alone = sample_negatives(torch.tensor([2, 1]), negatives=3)
    >>> index[:2], alone
    (tensor([[1, 1, 1],
            [0, 0, 0]]), tensor([False, False,  True]))
    """
    others = (counts - 1).repeat_interleave(counts)
    first = (counts.cumsum(0) - counts).repeat_interleave(counts)
    own = torch.arange(len(others), device=counts.device) - first
    draws = torch.rand(
        len(others), negatives, generator=generator, device=counts.device
    )
    place = (draws * others[:, None]).long()
    # Float draws close to 1 may round up to the number itself.
    place = place.minimum((others[:, None] - 1).clamp(min=0))
    place = place + (place >= own[:, None]).long()
    alone = others == 0
    place = torch.where(alone[:, None], 0, place)
    return first[:, None] + place, alone


def wav2vec2_contrastive(
    predictions: torch.Tensor,
    targets: torch.Tensor,
    counts: torch.Tensor,
    negatives: torch.Tensor,
    temperature: float = 0.1,
    codes: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Tell each frame's target from others' by cosine similarity.

    The contrastive loss of wav2vec 2.0 (Baevski et al., NeurIPS 2020, eq. 3).
    A negative that equals the target, as when few codes are in use, is no
    negative and left out.

    Arguments
    ---------
    predictions, targets : torch.Tensor
        One vector a frame, [N, D].
    counts : torch.Tensor
        Frames of each utterance, [B], N in all.
    negatives : torch.Tensor
        Rows of `targets`, of the same utterance, integers [N, K].
    temperature : float
        Similarities are divided by it.
    codes : torch.Tensor, optional
        Integers that are equal where targets are, [N]; else targets
        themselves are compared.

    Returns
    -------
    losses : torch.Tensor
        Cross-entropy of each frame in nats, [N].
    hits : torch.Tensor
        Frames whose target is more similar than every negative, [N] bool.

    Example
    -------
    >>> targets = torch.eye(3)
    >>> negatives = torch.tensor([[1, 2], [0, 2], [0, 1]])
    >>> losses, hits = wav2vec2_contrastive(
    ...     targets, targets, torch.tensor([3]), negatives
    ... )
    >>> hits
    tensor([True, True, True])
    """
    if codes is None:
        codes = targets.detach().unique(dim=0, return_inverse=True)[1]
    predictions = functional.normalize(predictions.float(), dim=-1, eps=1e-8)
    targets = functional.normalize(targets.float(), dim=-1, eps=1e-8)
    positive = (predictions * targets).sum(dim=-1, keepdim=True)
    # All similarities within an utterance, of which the drawn are taken:
    # drawn vectors side by side would be [N, K, D].
    first = counts.cumsum(0) - counts
    row = torch.arange(len(counts), device=counts.device)
    row = row.repeat_interleave(counts)
    place = torch.arange(len(row), device=counts.device) - first[row]
    shape = (len(counts), int(counts.max()), targets.shape[1])
    padded = [
        x.new_zeros(shape).index_put((row, place), x)
        for x in (predictions, targets)
    ]
    similarity = (padded[0] @ padded[1].mT)[row, place]
    negative = similarity.gather(1, negatives - first[row][:, None])
    same = codes[negatives] == codes[:, None]
    negative = negative.masked_fill(same, float("-inf"))
    logits = torch.cat([positive, negative], dim=1) / temperature
    losses = logits.logsumexp(dim=1) - logits[:, 0]
    return losses, logits[:, 0] > logits[:, 1:].amax(dim=1)


def am_softmax(
    cosines: torch.Tensor,
    targets: torch.Tensor,
    margin: float = 0.2,
    scale: float = 30.0,
    angular: bool = False,
) -> torch.Tensor:
    """Cross-entropy in which the true class must lead by a margin.

    Of the cosine, AM-softmax (Wang et al., IEEE SPL 2018), or of the angle,
    AAM-softmax (Deng et al., CVPR 2019). Where angle and margin make more
    than half a turn, the cosine goes on falling along a line, as there.

    Arguments
    ---------
    cosines : torch.Tensor
        Between an item and a class, [B, C].
    targets : torch.Tensor
        Class of each item, integers [B]; items of class -1 do not count.
    margin : float
        Of the cosine, or of the angle in radians.
    scale : float
        What cosines are multiplied by: 1 over the temperature.
    angular : bool
        Whether the margin is one of the angle.

    Returns
    -------
    loss : torch.Tensor
        Mean over the items that count, in nats; 0 without any.

    Example
    -------
    >>> cosines = torch.tensor([[0.9, 0.1], [0.5, 0.5]])
    >>> am_softmax(cosines, torch.tensor([0, -1]), 0.8, 1.0)
    tensor(0.6931)
    """
    # Cosines near 1 differ by less than bf16 can tell.
    cosines = cosines.float()
    if angular:
        # The gradient of a sine is infinite at cosine 1.
        cosines = cosines.clamp(-1 + 1e-7, 1 - 1e-7)
        sines = (1 - cosines.square()).sqrt()
        turned = cosines * math.cos(margin) - sines * math.sin(margin)
        beyond = cosines <= -math.cos(margin)
        line = cosines - margin * math.sin(margin)
        lowered = torch.where(beyond, line, turned)
    else:
        lowered = cosines - margin
    classes = torch.arange(cosines.shape[1], device=cosines.device)
    own = classes == targets[:, None]
    return known_cross_entropy(
        scale * torch.where(own, lowered, cosines), targets
    )


def known_cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy over the items whose class is known.

    Arguments
    ---------
    logits : torch.Tensor
        [B, C].
    targets : torch.Tensor
        Class of each item, integers [B]; items of class -1 do not count.

    Returns
    -------
    loss : torch.Tensor
        Mean over the items that count, in nats; 0 without any.

    Example
    -------
    >>> known_cross_entropy(torch.zeros(2, 2), torch.tensor([-1, -1]))
    tensor(0.)
    """
    total = functional.cross_entropy(
        logits.float(), targets, ignore_index=-1, reduction="sum"
    )
    return total / (targets >= 0).sum().clamp(min=1)


def masked_margin_softmax(
    scores: torch.Tensor, ids: torch.Tensor, margin: float = 1.0
) -> torch.Tensor:
    """Tell each utterance's image from others', and the other way round.

    The masked margin softmax of Ilharco et al. (CoNLL 2019): a pair must lead
    all others of its row, and of its column, by a margin. Both directions are
    means over pairs and are added, not averaged.

    Arguments
    ---------
    scores : torch.Tensor
        Of every image, or utterance, with every other one; pairs on the
        diagonal, [B, B].
    ids : torch.Tensor
        Number of each pair's image, integers [B]. Two utterances about one
        image are not told apart.
    margin : float
        What pairs must lead by.

    Returns
    -------
    loss : torch.Tensor
        A scalar, in nats. Where scores are equal and images are not it is
        ``2 log(1 + (B - 1) exp(margin))``.

    Example
    -------
    >>> masked_margin_softmax(torch.zeros(64, 64), torch.arange(64))
    tensor(10.2979)
    """
    own = torch.eye(len(scores), device=scores.device)
    return _both_ways(scores.float() - margin * own, ids)


def info_nce(
    similarities: torch.Tensor,
    ids: torch.Tensor,
    temperature: float | torch.Tensor = 0.07,
) -> torch.Tensor:
    """Tell pairs from others by similarity over temperature, both ways.

    The loss of CLIP (Radford et al., ICML 2021), a mean of both directions;
    but two utterances about one image are not told apart.

    Arguments
    ---------
    similarities : torch.Tensor
        As `scores` of `masked_margin_softmax`, usually cosines, [B, B].
    ids : torch.Tensor
        Number of each pair's image, integers [B].
    temperature : float or torch.Tensor
        Above 0.

    Returns
    -------
    loss : torch.Tensor
        A scalar, in nats.

    Example
    -------
    >>> info_nce(torch.zeros(8, 8), torch.arange(8))  # log 8
    tensor(2.0794)
    """
    return _both_ways(similarities.float() / temperature, ids) / 2


def _both_ways(scores: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Sum the cross-entropies of the diagonal in its rows and columns."""
    places = torch.arange(len(scores), device=scores.device)
    same = (ids[:, None] == ids) & (places[:, None] != places)
    scores = scores.masked_fill(same, float("-inf"))
    return functional.cross_entropy(scores, places) + functional.cross_entropy(
        scores.T, places
    )
