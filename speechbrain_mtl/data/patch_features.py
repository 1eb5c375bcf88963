"""Patch tokens of vision transformers of the HuggingFace hub."""

import os
from collections.abc import Sequence

import numpy as np
import torch

from speechbrain_mtl.data.images import open_image
from speechbrain_mtl.workers.huggingface import import_transformers


class PatchEncoder:
    """The last layer of DINOv2, ViT, CLIP or their like, patch by patch.

    Pictures are resized and cropped as the model's own settings say. The
    class token and registers, which stand before the patches, are left out.

    Arguments
    ---------
    name : str
        Of the model on the hub, or a folder. It is read at once.
    device : str
        Where it runs.

    Raises
    ------
    ImportError
        When transformers or Pillow is not installed.
    ValueError
        When the model has no patches.

    Example
    -------
    >>> PatchEncoder("facebook/dinov2-base")(["a.jpg"])  # doctest: +SKIP
    """

    def __init__(self, name: str, device: str = "cpu") -> None:
        transformers = import_transformers()
        self.processor = transformers.AutoImageProcessor.from_pretrained(name)
        model = transformers.AutoModel.from_pretrained(name)
        # CLIP and its like hold an encoder of images and one of texts
        model = getattr(model, "vision_model", model)
        self.name, self.device = name, device
        self.patch = getattr(model.config, "patch_size", None)
        if not isinstance(self.patch, int):
            raise ValueError(
                f"{name}: {type(model).__name__} has no patch size. Choose a "
                "vision transformer such as DINOv2, ViT or CLIP."
            )
        self.model = model.float().eval().to(device)

    @torch.inference_mode()
    def __call__(
        self, paths: Sequence[str | os.PathLike]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Encode some pictures.

        Arguments
        ---------
        paths : sequence of path-like
            Their files.

        Returns
        -------
        features : numpy.ndarray
            [n, rows * columns, dim], row by row.
        boxes : numpy.ndarray
            [rows * columns, 4]; see `patch_boxes`. They are shares of what
            the model sees, the middle of a picture if its settings crop.
        """
        pictures = [open_image(path) for path in paths]
        pixels = self.processor(images=pictures, return_tensors="pt")[
            "pixel_values"
        ]
        rows, columns = (size // self.patch for size in pixels.shape[-2:])
        tokens = self.model(pixel_values=pixels.to(self.device))
        tokens = tokens.last_hidden_state
        before = tokens.shape[1] - rows * columns
        if tokens.ndim != 3 or before < 0:
            raise ValueError(
                f"{self.name}: {tokens.shape[1]} tokens of {rows} x {columns} "
                "patches. Choose a model that keeps its patches, such as "
                "DINOv2, ViT or CLIP."
            )
        features = tokens[:, before:].cpu().numpy()
        return features, patch_boxes(rows, columns)


def patch_boxes(rows: int, columns: int) -> np.ndarray:
    """Places of patches, row by row, in the form of a detector's boxes.

    Arguments
    ---------
    rows, columns : int
        Of patches.

    Returns
    -------
    boxes : numpy.ndarray
        [rows * columns, 4]: x1, y1, x2, y2 as shares of width and height.

    Example
    -------
    >>> patch_boxes(1, 2).tolist()
    [[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]]
    """
    y, x = np.mgrid[0:rows, 0:columns].reshape(2, -1)
    boxes = np.stack([x, y, x + 1, y + 1], axis=1).astype(np.float32)
    return boxes / np.float32([columns, rows, columns, rows])
