"""From an encoder's frames to the vector that is compared with images."""

from collections.abc import Sequence

import torch
from torch import nn

from speechbrain_mtl.models.bert import BertLayers, bert_weights, widened
from speechbrain_mtl.models.encoder import frame_mask
from speechbrain_mtl.models.resdavenet import ResDAVEnet


class AudioHead(nn.Module):
    """Pool frames, let a CLS token look at them, and take its state.

    The audio branch of FaST-VGS and VGS+ (Peng and Harwath, ICASSP 2022;
    Khorrami et al., EUSIPCO 2023) above the encoder's layers. Theirs has
    ``channels=(128, 256, 512, 768)``, 12 heads, a feedforward size of 3072
    and 768 values.

    Arguments
    ---------
    input_size : int
        Width of the encoder's layer.
    channels : sequence of int
        See `ResDAVEnet`; the last one is the transformer's width.
    kernel, blocks : int
        See `ResDAVEnet`.
    layers, heads, feedforward_size : int
        Of the transformer.
    output_size : int
        Values an utterance.
    dropout : float
        In the transformer.
    encoder_cls : bool
        Take the encoder's own CLS token, which has gone through its layers;
        else a learnt vector. For encoders that have none.
    average : bool
        Take the mean of all states in the place of the token's: a token learns
        where to look only after many steps. Theirs takes the token's.

    Example
    -------
    >>> head = AudioHead(8, channels=(4, 6), heads=2, encoder_cls=False)
    >>> head(torch.randn(2, 30, 8), torch.tensor([30, 7])).shape
    torch.Size([2, 128])
    """

    def __init__(
        self,
        input_size: int,
        channels: Sequence[int] = (32, 64, 64, 128),
        kernel: int = 9,
        blocks: int = 2,
        layers: int = 1,
        heads: int = 4,
        feedforward_size: int = 512,
        output_size: int = 128,
        dropout: float = 0.1,
        encoder_cls: bool = True,
        average: bool = False,
    ) -> None:
        super().__init__()
        self.encoder_cls = encoder_cls
        self.average = average
        self.pool = ResDAVEnet(input_size, channels, kernel, blocks)
        size = self.pool.size
        if encoder_cls:
            self.project_cls = widened(input_size, size)
        else:
            self.cls_token = nn.Parameter(torch.randn(size))
        self.transformer = BertLayers(
            size, layers, heads, feedforward_size, dropout
        )
        self.output = nn.Linear(size, output_size)
        bert_weights(self, size)

    def forward(
        self,
        x: torch.Tensor,
        lens: torch.Tensor,
        cls_state: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Embed.

        Arguments
        ---------
        x : torch.Tensor
            Frames, [B, F, D].
        lens : torch.Tensor
            Valid frames, absolute, [B].
        cls_state : torch.Tensor, optional
            State of the encoder's CLS token, [B, D].

        Returns
        -------
        vectors : torch.Tensor
            [B, output_size].

        Raises
        ------
        ValueError
            When the encoder's token is wanted, and there is none.
        """
        if not self.encoder_cls:
            first = self.cls_token.expand(len(x), -1)
        elif cls_state is not None:
            first = self.project_cls(cls_state)
        else:
            raise ValueError(
                "the audio head reads the encoder's CLS token, and the encoder "
                "has none: give the encoder cls_token: True, or the head "
                "encoder_cls: False"
            )
        x, lens = self.pool(x, lens)
        x = torch.cat([first[:, None].to(x.dtype), x], dim=1)
        valid = frame_mask(lens + 1, x.shape[1])
        x = self.transformer(x, valid)
        if not self.average:
            return self.output(x[:, 0])
        total = (x * valid[..., None]).sum(dim=1)
        return self.output(total / (lens + 1)[:, None])
