"""The pictures of captions, all of one size, by id."""

import os
from collections.abc import Mapping
from typing import Protocol

import torch
from torch.nn import functional

from speechbrain_mtl.data.images import read_image
from speechbrain_mtl.data.manifest import ManifestError


class Images(Protocol):
    """What gives images by id: `Pictures` or `ImageFeatures`."""

    def __contains__(self, image: object) -> bool:
        """Tell whether it is there."""

    def __getitem__(
        self, image: str
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Give features [R, D] and boxes [R, 4], or pixels and None."""


class Pictures:
    """Read pictures as they are asked for, with the face of `ImageFeatures`.

    Arguments
    ---------
    files : dict
        ``{image_id: file}``, as `images_of` lists them.
    pixels : int
        Width and height to which pictures are brought, their middle square
        if they are not square.
    keep : bool
        Hold what was read in memory, as bytes: for small pictures only. Each
        worker of a loader holds its own.

    Raises
    ------
    ValueError
        When there would be no pixels.

    Example
    -------
    >>> from speechbrain_mtl.data.synthetic.scenes import png, render
    >>> path = getfixture("tmp_path") / "scene.png"
    >>> _ = path.write_bytes(png(render([])))
    >>> pixels, boxes = Pictures({"a": path}, pixels=32)["a"]
    >>> pixels.shape, pixels.dtype, boxes
    (torch.Size([3, 32, 32]), torch.uint8, None)
    """

    def __init__(
        self,
        files: Mapping[str, str | os.PathLike],
        pixels: int,
        keep: bool = False,
    ) -> None:
        if pixels < 1:
            raise ValueError(f"pictures of {pixels} pixels: give at least 1")
        self.files = dict(files)
        self.pixels = pixels
        self.keep = keep
        self._kept: dict[str, torch.Tensor] = {}

    def __len__(self) -> int:
        return len(self.files)

    def __contains__(self, image: object) -> bool:
        return image in self.files

    def __getitem__(self, image: str) -> tuple[torch.Tensor, None]:
        """Read bytes [3, pixels, pixels]; there are no boxes."""
        if image in self._kept:
            return self._kept[image], None
        if image not in self.files:
            raise ManifestError(
                f"{image}: no such picture among {len(self.files)}. Name its "
                "file in the manifest."
            )
        shown = square(read_image(self.files[image]), self.pixels)
        if self.keep:
            self._kept[image] = shown
        return shown, None


def square(image: torch.Tensor, pixels: int) -> torch.Tensor:
    """Cut the middle square out of a picture and scale it.

    Arguments
    ---------
    image : torch.Tensor
        [3, H, W], from 0 to 1.
    pixels : int
        Width and height wanted.

    Returns
    -------
    image : torch.Tensor
        Bytes, [3, pixels, pixels].

    Example
    -------
    >>> stripes = torch.tensor([0.0, 1.0, 1.0, 0.0]).expand(3, 2, 4)
    >>> square(stripes, 1).flatten()
    tensor([255, 255, 255], dtype=torch.uint8)
    """
    height, width = image.shape[1:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    cut = image[:, top : top + side, left : left + side]
    if side != pixels:
        # Means over what a pixel covers: small shapes keep their edges.
        cut = functional.interpolate(cut[None], (pixels, pixels), mode="area")
        cut = cut[0]
    return (255 * cut.clamp(0, 1)).round().to(torch.uint8)
