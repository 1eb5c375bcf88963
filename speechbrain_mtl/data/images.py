"""Pictures: read them, and make sure that every caption has one."""

import os
from collections.abc import Container, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from speechbrain_mtl.data.manifest import ManifestError, raise_problems

if TYPE_CHECKING:
    from PIL.Image import Image


def read_image(path: str | os.PathLike) -> torch.Tensor:
    """Read a picture of any common format.

    Arguments
    ---------
    path : str or path-like
        Grey pictures and palettes become colours; transparency is dropped;
        a photograph is turned as its camera was held.

    Returns
    -------
    image : torch.Tensor
        [3, H, W], red, green and blue from 0 to 1.

    Raises
    ------
    ImportError
        When Pillow is not installed.
    ManifestError
        When the file is missing, cut off or no picture.

    Example
    -------
    >>> from speechbrain_mtl.data.synthetic.scenes import png, render
    >>> path = getfixture("tmp_path") / "scene.png"
    >>> _ = path.write_bytes(png(render([])))
    >>> read_image(path).shape
    torch.Size([3, 96, 96])
    """
    pixels = np.array(open_image(path))
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous() / 255


def open_image(path: str | os.PathLike) -> "Image":
    """Read a picture as Pillow has it, in RGB; see `read_image`."""
    pillow = _pillow()
    if not Path(path).is_file():
        raise ManifestError(
            f"{path}: no such image. Set the folder of images, or copy it."
        )
    try:
        with pillow.Image.open(path) as image:
            return pillow.ImageOps.exif_transpose(image).convert("RGB")
    except OSError as error:  # also of files that are no pictures
        raise ManifestError(
            f"{path}: not an image, or not all of it ({error}). Copy the file "
            "again."
        ) from error


def _pillow() -> ModuleType:
    try:
        import PIL.Image
        import PIL.ImageOps
    except ImportError as error:
        raise ImportError(
            "pictures need the package Pillow: pip install "
            "'speechbrain_mtl[vgs]'"
        ) from error
    return PIL


def images_of(manifest: Mapping[str, Mapping[str, Any]]) -> dict[str, Path]:
    """List the pictures of a manifest's captions, each once.

    Arguments
    ---------
    manifest : dict
        ``{id: entry}`` with ``image_id`` and ``image``.

    Returns
    -------
    images : dict
        ``{image_id: file}`` in the order of the manifest.

    Raises
    ------
    ManifestError
        Naming all captions without an image, ids of two files, and files
        that are missing or no pictures.
    ImportError
        When Pillow is not installed.

    Example
    -------
    >>> images_of({"a": {"image_id": None}})
    Traceback (most recent call last):
    ...
    speechbrain_mtl.data.manifest.ManifestError: captions: 1 problem(s)
      a: no image_id. Leave it out, or name its image.
    """
    problems = captions_without(manifest)
    images: dict[str, Path] = {}
    for name, entry in manifest.items():
        image, file = entry.get("image_id"), entry.get("image")
        if not image:
            continue
        if not file:
            problems.append(f"{name}: no image. Name the file of {image}.")
        elif images.setdefault(image, Path(file)) != Path(file):
            problems.append(
                f"{name}: {image} is {file}, elsewhere {images[image]}. Give "
                "each image an id of its own."
            )
    found = {image: header_problem(file) for image, file in images.items()}
    problems += [
        f"{image}: {problem}" for image, problem in found.items() if problem
    ]
    raise_problems("captions", problems)
    return images


def header_problem(path: Path) -> str | None:
    """Say why a file is no picture, from its first bytes; None if it is one.

    Raises
    ------
    ImportError
        When Pillow is not installed.
    """
    image = _pillow().Image
    if not path.is_file():
        return f"no file {path}. Set the folder of images, or copy it."
    try:
        with image.open(path):
            return None
    except OSError as error:
        return f"{path} is not an image ({error}). Copy the file again."


def require_images(
    manifest: Mapping[str, Mapping[str, Any]], known: Container[str]
) -> None:
    """Make sure that every caption's image is among those that are known.

    Arguments
    ---------
    manifest : dict
        ``{id: entry}`` with ``image_id``.
    known : container of str
        Such as `ImageFeatures`.

    Raises
    ------
    ManifestError
        Naming all captions without an image, and all images not known.
    """
    problems = captions_without(manifest)
    wanted = {e.get("image_id"): name for name, e in manifest.items()}
    problems += [
        f"{name}: nothing of its image {image}. Extract the features of all "
        "images: python -m speechbrain_mtl image-features."
        for image, name in wanted.items()
        if image and image not in known
    ]
    raise_problems("captions", problems)


def captions_without(manifest: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say which captions name no image, a line each."""
    return [
        f"{name}: no image_id. Leave it out, or name its image."
        for name, entry in manifest.items()
        if not entry.get("image_id")
    ]
