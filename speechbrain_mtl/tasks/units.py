"""Predict a discrete worker's units from an encoder's frames."""

import torch

from speechbrain_mtl.models import Encoded
from speechbrain_mtl.models.encoder import frame_mask
from speechbrain_mtl.tasks.base import Inputs, Task, frame_head
from speechbrain_mtl.tasks.layer_mix import LayerMix, read_layer
from speechbrain_mtl.tasks.pretext import masked_mean
from speechbrain_mtl.workers import align


class UnitTask(Task):
    """Classify every frame into one worker's units, by cross-entropy.

    The target of HuBERT and BEST-RQ, at all frames or at those that the
    encoder hid. An encoder frame's target is the nearest unit in time: between
    two units there is none.

    Arguments
    ---------
    worker : str
        Name of the worker in the bank.
    units : int
        How many units it has.
    input_size : int
        Width of the encoder layer the head reads.
    dim : int
        Units a frame, one for each codebook.
    layer : int or LayerMix
        Encoder layer to read, counted as in a list (-1 is the last), or a
        learned mix of all.
    hidden_size : int
        Width of the head's hidden layer.
    only_hidden : bool
        Predict hidden frames only, as HuBERT does.

    Raises
    ------
    ValueError
        When the labels are no units, or always the same; or when the encoder
        hid nothing, and only that is to be predicted.

    Example
    -------
    >>> from speechbrain_mtl.tasks import FrameLabels
    >>> task = UnitTask("words", units=5, input_size=4)
    >>> lens = torch.tensor([6])
    >>> values = torch.arange(6.0).view(1, 6, 1) % 5
    >>> labels = FrameLabels(values, lens, 0.01, 0.01)
    >>> inputs = Inputs(None, None, {"words": labels})
    >>> task.calibrate(inputs)
    >>> encoded = Encoded((torch.randn(1, 6, 4),), lens, 0.01, 0.01)
    >>> task(encoded, inputs).shape
    torch.Size([])
    """

    def __init__(
        self,
        worker: str,
        units: int,
        input_size: int,
        dim: int = 1,
        layer: int | LayerMix = -1,
        hidden_size: int = 256,
        only_hidden: bool = False,
    ) -> None:
        super().__init__()
        self.worker = worker
        self.predicts_hidden = only_hidden
        self.units = units
        self.dim = dim
        self.layer = layer
        self.head = frame_head(input_size, hidden_size, dim * units)
        self.checked = False
        counts = torch.zeros(dim, units, dtype=torch.long)
        self.register_buffer("counts", counts)

    @torch.no_grad()
    def calibrate(self, inputs: Inputs) -> None:
        """Count the units of one batch."""
        labels = inputs.labels[self.worker]
        valid = frame_mask(labels.lens, labels.values.shape[1])
        values = labels.values[valid]
        codes = values.long()
        known = (codes == values) & (codes >= 0) & (codes < self.units)
        if codes.shape[1] != self.dim or not known.all():
            raise ValueError(
                f"task of worker '{self.worker}': labels of "
                f"{codes.shape[1]} columns from {float(values.min()):g} to "
                f"{float(values.max()):g} are not {self.dim} of {self.units} "
                "units. Give the task the worker's `dim` and `units`."
            )
        self.counts.scatter_add_(1, codes.T, torch.ones_like(codes.T))
        self.checked = False

    def check(self) -> None:
        """Refuse labels that there is nothing to learn from.

        Raises
        ------
        ValueError
            When nothing was counted, or every frame had the same unit.
        """
        frames = int(self.counts[0].sum())
        if frames == 0:
            raise ValueError(
                f"task of worker '{self.worker}': no units counted yet. Call "
                "calibrate() on training batches, or load a checkpoint."
            )
        if ((self.counts > 0).sum(dim=1) < 2).any():
            raise ValueError(
                f"task of worker '{self.worker}': one and the same unit in "
                f"all {frames} frames. Leave this task out, or look at the "
                "recordings and at what the worker was fitted to."
            )
        self.checked = True

    @torch.no_grad()
    def targets(
        self, encoded: Encoded, inputs: Inputs
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Give the nearest units at the encoder's frame times.

        Returns
        -------
        targets : torch.Tensor
            Integers [B, F, dim].
        mask : torch.Tensor
            [B, F] bool: encoder frames that have a label.
        """
        labels = inputs.labels[self.worker]
        units, mask = align(
            labels.values,
            labels.lens,
            labels.hop,
            labels.offset,
            encoded.hop,
            encoded.offset,
            encoded.lens,
            encoded.layers[0].shape[1],
            nearest=True,
        )
        return units.long(), mask

    def forward(self, encoded: Encoded, inputs: Inputs) -> torch.Tensor:
        """Mean cross-entropy, in nats, over the frames that have a label."""
        if not self.checked:
            self.check()
        targets, mask = self.targets(encoded, inputs)
        if self.predicts_hidden:
            if encoded.hidden is None:
                raise ValueError(
                    f"task of worker '{self.worker}' predicts hidden frames, "
                    "and the encoder hid none. Give it a mask_prob above 0."
                )
            mask = mask & encoded.hidden
        logits = self.head(read_layer(encoded.layers, self.layer)).float()
        logits = logits.unflatten(-1, (self.dim, self.units))
        losses = torch.nn.functional.cross_entropy(
            logits.flatten(0, 2), targets.flatten(), reduction="none"
        )
        hits = (logits.argmax(dim=-1) == targets).float()
        self.measured = {"accuracy": masked_mean(hits.detach(), mask)}
        return masked_mean(losses.view(targets.shape), mask)
