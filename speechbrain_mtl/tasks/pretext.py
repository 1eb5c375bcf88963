"""Predict a worker's labels from an encoder's frames."""

import torch

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.features import remove_utterance_mean
from speechbrain_mtl.tasks.base import Inputs, Task, frame_head
from speechbrain_mtl.tasks.layer_mix import LayerMix, read_layer
from speechbrain_mtl.workers import LabelNormalizer, align

ELEMENT_LOSSES = {
    "l1": lambda error: error.abs(),
    "mse": lambda error: error.square(),
}


def masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Average [B, F, D] over the frames that `mask` [B, F] marks.

    Example
    -------
    >>> values = torch.tensor([[[1.0], [3.0], [99.0]]])
    >>> masked_mean(values, torch.tensor([[True, True, False]]))
    tensor(2.)
    """
    count = mask.sum().clamp(min=1) * values.shape[-1]
    return (values * mask[..., None]).sum() / count


class PretextTask(Task):
    """Regress one worker's normalised labels, frame by frame.

    Arguments
    ---------
    worker : str
        Name of the worker in the bank.
    dim : int
        Values a frame that the worker gives.
    input_size : int
        Width of the encoder layer the head reads.
    loss : str
        ``"l1"`` or ``"mse"``.
    layer : int or LayerMix
        Encoder layer to read, counted as in a list (-1 is the last), or a
        learned mix of all.
    hidden_size : int
        Width of the head's hidden layer.
    centre : bool
        Remove the utterance mean from the labels, as the encoder does from
        its input: what the input does not hold cannot be predicted.

    Raises
    ------
    ValueError
        When the loss is unknown.

    Example
    -------
    >>> from speechbrain_mtl.tasks import FrameLabels
    >>> task = PretextTask("f0", dim=1, input_size=4)
    >>> lens = torch.tensor([6])
    >>> labels = FrameLabels(torch.randn(1, 6, 1), lens, 0.01, 0.01)
    >>> inputs = Inputs(None, None, {"f0": labels})
    >>> task.calibrate(inputs)
    >>> encoded = Encoded((torch.randn(1, 6, 4),), lens, 0.01, 0.01)
    >>> task(encoded, inputs).shape
    torch.Size([])
    """

    def __init__(
        self,
        worker: str,
        dim: int,
        input_size: int,
        loss: str = "l1",
        layer: int | LayerMix = -1,
        hidden_size: int = 256,
        centre: bool = False,
    ) -> None:
        super().__init__()
        if loss not in ELEMENT_LOSSES:
            raise ValueError(
                f"task '{worker}': loss '{loss}' is none of "
                f"{sorted(ELEMENT_LOSSES)}"
            )
        self.worker = worker
        self.loss = loss
        self.layer = layer
        self.centre = centre
        self.normalizer = LabelNormalizer(dim, worker)
        self.head = frame_head(input_size, hidden_size, dim)

    def labels(self, inputs: Inputs) -> torch.Tensor:
        """Give the worker's labels [B, F, D], centred if asked."""
        labels = inputs.labels[self.worker]
        if self.centre:
            return remove_utterance_mean(labels.values, labels.lens)
        return labels.values

    @torch.no_grad()
    def calibrate(self, inputs: Inputs) -> None:
        """Add one batch to the label statistics."""
        lens = inputs.labels[self.worker].lens
        self.normalizer.update(self.labels(inputs), lens)

    @torch.no_grad()
    def targets(
        self, encoded: Encoded, inputs: Inputs
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Give normalised labels at the encoder's frame times.

        Returns
        -------
        targets : torch.Tensor
            [B, F, D].
        mask : torch.Tensor
            [B, F] bool: encoder frames that have a label.
        """
        labels = inputs.labels[self.worker]
        return align(
            self.normalizer(self.labels(inputs)),
            labels.lens,
            labels.hop,
            labels.offset,
            encoded.hop,
            encoded.offset,
            encoded.lens,
            encoded.layers[0].shape[1],
        )

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """Mean element loss over the frames that have a label."""
        targets, mask = self.targets(encoded, inputs)
        # The error is formed in float32: bf16 has too few digits for it.
        error = (
            self.head(read_layer(encoded.layers, self.layer)).float() - targets
        )
        return masked_mean(ELEMENT_LOSSES[self.loss](error), mask)
