"""What corpora of pictures with spoken captions share: splits and pools."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from speechbrain_mtl.data.manifest import (
    ManifestError,
    raise_problems,
    save_manifest,
)

KARPATHY = {
    "train": "train",
    "restval": "train",
    "val": "valid",
    "test": "test",
}
PARTS = ("train", "valid", "test")


def karpathy_splits(path: str | os.PathLike) -> dict[str, str]:
    """Read the part of each image (A. Karpathy and L. Fei-Fei, CVPR 2015).

    Arguments
    ---------
    path : str or path-like
        ``dataset_coco.json`` or ``dataset_flickr8k.json``: ``images`` with
        ``filename`` and ``split``. ``restval`` is for training.

    Returns
    -------
    parts : dict
        ``{file name: "train", "valid" or "test"}``.

    Raises
    ------
    ManifestError
        When the file is missing or of another form.

    Example
    -------
    >>> path = getfixture("tmp_path") / "dataset.json"
    >>> _ = path.write_text(
    ...     '{"images": [{"filename": "a.jpg", "split": "val"}]}'
    ... )
    >>> karpathy_splits(path)
    {'a.jpg': 'valid'}
    """
    path = Path(path)
    content = read_json(path)
    problems = []
    parts: dict[str, str] = {}
    try:
        for image in content["images"]:
            name, split = image["filename"], image["split"]
            if split not in KARPATHY:
                problems.append(
                    f"{name}: split {split!r}, not one of "
                    f"{', '.join(KARPATHY)}. Copy the file again."
                )
            elif parts.setdefault(name, KARPATHY[split]) != KARPATHY[split]:
                problems.append(f"{name}: in two splits. Copy the file again.")
    except (KeyError, TypeError) as error:
        raise ManifestError(
            f"{path}: not a Karpathy split, which has images with filename "
            f"and split ({type(error).__name__}: {error})."
        ) from error
    raise_problems(path, problems)
    return parts


def read_json(path: Path) -> Any:
    """Read JSON, or say what is wrong with the file."""
    if not path.is_file():
        raise ManifestError(f"{path}: no such file. Give where it is.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ManifestError(
            f"{path}: not JSON ({error}). Copy the file again."
        ) from error


def save_captions(
    path: Path, manifest: Mapping[str, Mapping[str, Any]]
) -> Path:
    """Write captions of all three parts, and print how large the pools are.

    Arguments
    ---------
    path : pathlib.Path
        The manifest to write.
    manifest : mapping
        ``{id: entry}`` with ``split`` and ``image_id``.

    Returns
    -------
    path : pathlib.Path
        The manifest.

    Raises
    ------
    ManifestError
        When a part has no images, or an image is in two parts.
    """
    pools: dict[str, dict[str, int]] = {part: {} for part in PARTS}
    for entry in manifest.values():
        pool = pools[entry["split"]]
        pool[entry["image_id"]] = pool.get(entry["image_id"], 0) + 1
    problems = [
        f"{part}: no images. Copy what is missing, or split otherwise."
        for part, pool in pools.items()
        if not pool
    ]
    problems += [
        f"{image}: in {one} and in {other}. Split by image."
        for i, one in enumerate(PARTS)
        for other in PARTS[i + 1 :]
        for image in sorted(pools[one].keys() & pools[other].keys())
    ]
    raise_problems(path, problems)
    for part, pool in pools.items():
        print(
            f"{part}: pool of {len(pool)} images and {sum(pool.values())} "
            f"captions, {min(pool.values())} to {max(pool.values())} an image"
        )
    return save_manifest(path, manifest)


def plain(text: str) -> str:
    """Give words in small letters, without marks that stand alone.

    Example
    -------
    >>> plain("A dog 's ball , on the grass .")
    "a dog 's ball on the grass"
    """
    words = text.lower().split()
    return " ".join(word for word in words if any(map(str.isalnum, word)))
