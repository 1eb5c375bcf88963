"""The loss of diarization: speakers have no order (Fujita et al., 2019)."""

import itertools

import torch
from torch.nn.functional import softplus

from speechbrain_mtl.models.encoder import frame_mask


def permutation_free_bce(
    logits: torch.Tensor, labels: torch.Tensor, lens: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Binary cross-entropy under the best order of speakers of each item.

    Arguments
    ---------
    logits : torch.Tensor
        Whether each speaker is active, [B, F, S].
    labels : torch.Tensor
        0 or 1, [B, F, S], whatever in padding.
    lens : torch.Tensor
        Valid frames, absolute, [B].

    Returns
    -------
    loss : torch.Tensor
        Scalar: a mean over speakers and over the valid frames of the batch.
    order : torch.Tensor
        [B]: number of the permutation, in the order of
        ``itertools.permutations``, that gives each output its label.

    Example
    -------
    >>> logits = torch.tensor([[[9.0, -9.0], [-9.0, 9.0]]])
    >>> labels = torch.tensor([[[0, 1], [1, 0]]])
    >>> loss, order = permutation_free_bce(logits, labels, torch.tensor([2]))
    >>> round(float(loss), 4), order
    (0.0001, tensor([1]))
    """
    mask = frame_mask(lens, logits.shape[1])[..., None]
    # Sums over many frames: bf16 would lose them. Where a logit is 0, its label
    # adds nothing.
    logits = logits.float().masked_fill(~mask, 0.0)
    labels = labels.to(logits.dtype)
    # BCE is softplus(x) - x y: of every output with every label at once.
    whole = softplus(logits).masked_fill(~mask, 0.0).sum(dim=1)
    cost = whole[:, :, None] - logits.transpose(1, 2) @ labels
    speakers = range(logits.shape[-1])
    orders = torch.tensor(
        list(itertools.permutations(speakers)), device=logits.device
    )
    outputs = torch.arange(len(speakers), device=logits.device)
    losses, order = cost[:, outputs, orders].mean(dim=-1).min(dim=-1)
    return losses.sum() / lens.sum().clamp(min=1), order
