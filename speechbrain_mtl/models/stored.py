"""A frozen encoder whose layers were computed once."""

import torch

from speechbrain_mtl.models.encoder import Encoded, Encoder, frame_mask


class StoredEncoder(Encoder):
    """Give back stored layers as an encoder would, at no cost.

    Heads are trained for many epochs on a frozen encoder's layers: computing
    those once is what makes that cheap. In place of waveforms it is handed
    [B, F, L, D] frames, as `Features` stores them.

    Arguments
    ---------
    encoder : Encoder
        Whose layers were stored.

    Example
    -------
    >>> from speechbrain_mtl.models import ContextFbank
    >>> encoder = StoredEncoder(ContextFbank())
    >>> frames = torch.randn(2, 50, 1, 880)
    >>> encoder(frames, torch.tensor([1.0, 0.5])).lens
    tensor([50, 25])
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.dims = encoder.dims
        self.hop = encoder.hop
        self.offset = encoder.offset

    def forward(self, frames: torch.Tensor, lens: torch.Tensor) -> Encoded:
        """Part stored frames into layers of their own widths.

        Arguments
        ---------
        frames : torch.Tensor
            [B, F, L, D]; layers narrower than D are filled up with zeros.
        lens : torch.Tensor
            Relative lengths, [B].

        Returns
        -------
        encoded : Encoded
            Layers in float32, 0 in padding.
        """
        count = (lens * frames.shape[1]).round().long()
        mask = frame_mask(count, frames.shape[1])[..., None]
        layers = tuple(
            frames[:, :, i, :dim].float() * mask
            for i, dim in enumerate(self.dims)
        )
        return Encoded(layers, count, self.hop, self.offset)
