"""Features that another program wrote: a folder of arrays, or one archive."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from speechbrain_mtl.data.manifest import raise_problems

SUFFIXES = (".npy", ".pt")


def read_features(
    path: str | os.PathLike, names: Iterable[str]
) -> dict[str, torch.Tensor]:
    """Read the frames of some recordings.

    Arguments
    ---------
    path : str or path-like
        A folder of ``<id>.npy`` or ``<id>.pt`` (one tensor), in folders of
        its own or not, or an ``.npz`` archive with an array an id.
    names : iterable of str
        Ids to read; those without a file are left out.

    Returns
    -------
    features : dict
        By id, as they were written.

    Raises
    ------
    ManifestError
        When there are no features at all, two files bear one id, or a file
        is not an array or a tensor.

    Example
    -------
    >>> folder = getfixture("tmp_path")
    >>> np.save(folder / "a.npy", np.zeros((5, 2)))
    >>> read_features(folder, ["a"])["a"].shape
    torch.Size([5, 2])
    """
    path = Path(path)
    if path.suffix == ".npz" and path.is_file():
        with np.load(path) as archive:
            return {
                name: torch.from_numpy(archive[name])
                for name in dict.fromkeys(names)
                if name in archive
            }
    files, problems = {}, []
    for file in sorted(path.rglob("*")):
        if file.suffix in SUFFIXES:
            if file.stem in files:
                problems.append(
                    f"{file.stem}: features are in {files[file.stem]} and in "
                    f"{file}. Keep one."
                )
            files[file.stem] = file
    if not files:
        problems.append(
            "no features. Give a folder of <id>.npy or <id>.pt files, or an "
            ".npz archive."
        )
    raise_problems(path, problems)
    features = {}
    for name in dict.fromkeys(names):
        if name in files:
            try:
                features[name] = _read(files[name])
            except Exception as error:  # numpy and torch raise many kinds
                problems.append(
                    f"{name}: {files[name]} is no array or tensor ({error}). "
                    "Write it with numpy.save or torch.save."
                )
    raise_problems(path, problems)
    return features


def _read(file: Path) -> torch.Tensor:
    if file.suffix == ".npy":
        return torch.from_numpy(np.load(file))
    frames = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(frames, torch.Tensor):
        raise TypeError(f"it holds a {type(frames).__name__}")
    return frames
