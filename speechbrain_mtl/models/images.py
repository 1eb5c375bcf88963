"""From the regions of an image, or from its pixels, to one vector."""

from collections.abc import Sequence

import torch
from torch import nn

from speechbrain_mtl.models.bert import BertLayers, bert_weights, widened


class RegionEncoder(nn.Module):
    """Let a CLS token look at features of regions, and at where they are.

    The image branch of FaST-VGS and VGS+ (Peng and Harwath, ICASSP 2022;
    Khorrami et al., EUSIPCO 2023). Theirs has 36 regions of a detector with
    2048 features and boxes; width and output are 768, with 6 layers, 12 heads
    and a feedforward size of 3072. Patches of a vision transformer do as well.

    Arguments
    ---------
    feature_size : int
        Features a region.
    size : int
        Width of the transformer.
    layers, heads, feedforward_size : int
        Of the transformer.
    output_size : int
        Values an image.
    dropout : float
        In the transformer and before it.
    boxes : bool
        Whether regions come with boxes.

    Example
    -------
    >>> encoder = RegionEncoder(16, boxes=False)
    >>> encoder(torch.randn(2, 36, 16)).shape
    torch.Size([2, 128])
    """

    def __init__(
        self,
        feature_size: int,
        size: int = 128,
        layers: int = 2,
        heads: int = 4,
        feedforward_size: int = 512,
        output_size: int = 128,
        dropout: float = 0.1,
        boxes: bool = True,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Linear(feature_size, size), nn.LayerNorm(size)
        )
        self.boxes = None
        if boxes:
            self.boxes = nn.Sequential(nn.Linear(4, size), nn.LayerNorm(size))
        self.dropout = nn.Dropout(dropout)
        self.cls_token = nn.Parameter(torch.randn(size))
        self.transformer = BertLayers(
            size, layers, heads, feedforward_size, dropout
        )
        self.output = widened(size, output_size)
        bert_weights(self, size)

    def forward(
        self,
        features: torch.Tensor,
        valid: torch.Tensor | None = None,
        boxes: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Embed.

        Arguments
        ---------
        features : torch.Tensor
            [B, N, D].
        valid : torch.Tensor, optional
            Which regions are no padding, [B, N] bool; all by default.
        boxes : torch.Tensor, optional
            Left, upper, right and lower border of each region, as shares of
            the image, [B, N, 4].

        Returns
        -------
        vectors : torch.Tensor
            [B, output_size].

        Raises
        ------
        ValueError
            When boxes are wanted and there are none, or the other way round.
        """
        if (boxes is None) != (self.boxes is None):
            there = "none" if boxes is None else "some"
            raise ValueError(
                f"the image encoder has boxes: {self.boxes is not None}, and "
                f"the batch {there}: give the encoder boxes: "
                f"{boxes is not None}, or change the data"
            )
        x = self.features(features.float())
        if boxes is not None:
            x = (x + self.boxes(boxes.float())) / 2
        if valid is not None:
            valid = nn.functional.pad(valid, (1, 0), value=True)
        first = self.cls_token.to(x.dtype).expand(len(x), 1, -1)
        x = torch.cat([first, self.dropout(x)], dim=1)
        return self.output(self.transformer(x, valid)[:, 0])


class SceneEncoder(nn.Module):
    """Encode small pictures: convolutions, then every cell's features at once.

    For scenes of coloured shapes, such as those of the embedded corpus;
    trained from nothing with all else. It learns what is where in hundreds of
    steps, where attention over cells takes thousands.

    Arguments
    ---------
    channels : sequence of int
        Of each convolution, which halves height and width.
    pixels : int
        Height and width of the pictures.
    hidden_size : int
        Between the cells' features and the vector.
    output_size : int
        Values an image.

    Raises
    ------
    ValueError
        When pictures cannot be halved so often.

    Example
    -------
    >>> encoder = SceneEncoder(output_size=64)
    >>> encoder(torch.zeros(2, 3, 48, 48, dtype=torch.uint8)).shape
    torch.Size([2, 64])
    """

    def __init__(
        self,
        channels: Sequence[int] = (16, 32, 64),
        pixels: int = 48,
        hidden_size: int = 128,
        output_size: int = 128,
    ) -> None:
        super().__init__()
        if pixels % 2 ** len(channels):
            raise ValueError(
                f"pixels is {pixels}: {len(channels)} convolutions halve it, "
                f"so it must be a multiple of {2 ** len(channels)}"
            )
        self.pixels = pixels
        layers: list[nn.Module] = []
        size = 3
        for width in channels:
            layers += [
                nn.Conv2d(size, width, 3, stride=2, padding=1),
                # Over one image: no other one changes its vector.
                nn.GroupNorm(1, width),
                nn.GELU(),
            ]
            size = width
        cells = (pixels // 2 ** len(channels)) ** 2
        self.convolutions = nn.Sequential(*layers, nn.Flatten())
        self.output = nn.Sequential(
            nn.Linear(size * cells, hidden_size),
            nn.GELU(),
            nn.Linear(hidden_size, output_size),
        )

    def forward(
        self,
        pixels: torch.Tensor,
        valid: torch.Tensor | None = None,
        boxes: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Embed.

        Arguments
        ---------
        pixels : torch.Tensor
            [B, 3, height, width]; bytes, or shares from 0 to 1.
        valid, boxes : torch.Tensor, optional
            Not looked at: pictures are whole.

        Returns
        -------
        vectors : torch.Tensor
            [B, output_size].

        Raises
        ------
        ValueError
            When pictures have another size.
        """
        if pixels.shape[2:] != (self.pixels, self.pixels):
            high, wide = pixels.shape[2:]
            raise ValueError(
                f"pictures are {wide} x {high}, and the image encoder takes "
                f"{self.pixels} x {self.pixels}: give both the same `pixels`"
            )
        if pixels.dtype == torch.uint8:
            pixels = pixels.float() / 255
        return self.output(self.convolutions(2 * pixels - 1))
