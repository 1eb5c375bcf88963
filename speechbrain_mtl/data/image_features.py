"""Features of images, computed once and kept in one HDF5 file.

=============== ============= ===============================================
``ids``         [N]           text: the images
``features``    [N, R, D]     of R regions or patches, float16 or float32
``boxes``       [N, R, 4]     float32: x1, y1, x2, y2 of each, as shares of
                              width and height, from the top left
``settings``    attribute     JSON: where the features come from
=============== ============= ===============================================

Regions of a detector are sorted as it gives them, patches row by row.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from speechbrain_mtl.data.atomic import atomic_path, write_json
from speechbrain_mtl.data.manifest import ManifestError

SHARD = 256  # images that an interruption loses at most
DTYPES = ("float16", "float32")


class ImageFeatures:
    """The features of an HDF5 file, read image by image.

    The file is opened by each process that reads: it may be handed to the
    workers of a data loader.

    Arguments
    ---------
    path : str or path-like
        Written by `store_features`.
    dim : int, optional
        Size that the features must have.
    regions : int, optional
        Number that each image must have.

    Raises
    ------
    ImportError
        When h5py is not installed.
    ManifestError
        When the file is missing, is not of this layout, or has features of
        another size.

    Example
    -------
    >>> path = getfixture("tmp_path") / "features.h5"
    >>> store_features(
    ...     path,
    ...     ["a", "b"],
    ...     lambda ids: (np.ones((len(ids), 36, 8)), np.zeros((36, 4))),
    ...     {"source": "ones"},
    ... )
    2
    >>> features, boxes = ImageFeatures(path, dim=8)["b"]
    >>> features.shape, boxes.shape
    (torch.Size([36, 8]), torch.Size([36, 4]))
    """

    def __init__(
        self,
        path: str | os.PathLike,
        dim: int | None = None,
        regions: int | None = None,
    ) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise ManifestError(
                f"{path}: no such file. Make it: python -m speechbrain_mtl "
                "image-features."
            )
        h5py = import_h5py()
        try:
            with h5py.File(self.path, "r") as file:
                self.settings = json.loads(file.attrs["settings"])
                self.ids = [name.decode() for name in file["ids"][:]]
                _, self.regions, self.dim = file["features"].shape
                rows = (len(self.ids), self.regions, 4)
                if file["boxes"].shape != rows:
                    raise ValueError(f"boxes are not {rows}")
        except (OSError, KeyError, ValueError) as error:
            raise ManifestError(
                f"{path}: not image features of this layout ({error}). Make "
                "it: python -m speechbrain_mtl image-features."
            ) from error
        for what, found, wanted in (
            ("values a region", self.dim, dim),
            ("regions an image", self.regions, regions),
        ):
            if wanted is not None and found != wanted:
                raise ManifestError(
                    f"{path}: {found} {what}, the model takes {wanted}. Set "
                    f"the model's size to {found}, or use other features."
                )
        self._row = {name: row for row, name in enumerate(self.ids)}
        self._opened: tuple[int, Any] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, image: object) -> bool:
        return image in self._row

    def __getitem__(self, image: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Read [R, D] features and [R, 4] boxes, float32."""
        if image not in self._row:
            raise ManifestError(
                f"{self.path}: no features of image {image}. Extract them for "
                "all images: python -m speechbrain_mtl image-features."
            )
        row, file = self._row[image], self._file()
        return tuple(
            torch.from_numpy(file[name][row].astype(np.float32))
            for name in ("features", "boxes")
        )

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}

    def _file(self) -> Any:
        # a handle from before a fork would share its place in the file
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = os.getpid(), import_h5py().File(self.path, "r")
        return self._opened[1]


Compute = Callable[[Sequence[str]], tuple[np.ndarray, np.ndarray]]


def store_features(
    path: str | os.PathLike,
    ids: Iterable[str],
    compute: Compute,
    settings: Mapping[str, Any],
    dtype: str = "float16",
    batch: int = 32,
    progress: bool = False,
) -> int:
    """Compute features and write them; go on where it was interrupted.

    The file is there when it is whole, not before.

    Arguments
    ---------
    path : str or path-like
        The file to write.
    ids : iterable of str
        The images.
    compute : callable
        Takes some ids; gives features [n, R, D], and boxes [n, R, 4] or, the
        same for all, [R, 4].
    settings : mapping
        Whatever decides the features, JSON; they cannot be mixed with those
        of other settings.
    dtype : str
        ``"float16"``, half the size, or ``"float32"``.
    batch : int
        Images at a time.
    progress : bool
        Show a bar.

    Returns
    -------
    made : int
        Images computed now; 0 when the file was there.

    Raises
    ------
    ImportError
        When h5py is not installed.
    ManifestError
        When there are features of other images or settings, when features
        are not finite or of another size than others.
    ValueError
        When an argument is none of the allowed.
    """
    if dtype not in DTYPES or batch < 1:
        raise ValueError(
            f"dtype is {dtype!r}, batch {batch}. Give one of {DTYPES}, and 1 "
            "or more."
        )
    import_h5py()  # before hours of work
    path, ids = Path(path), list(dict.fromkeys(ids))
    if not ids:
        raise ManifestError(f"{path}: no images. Name at least one.")
    settings = {**settings, "dtype": dtype}
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    mark = settings | {"images": len(ids), "digest_of_ids": digest}
    if path.exists():
        there = ImageFeatures(path)
        _refuse_other(path, there.settings, mark)
        return 0
    folder = path.with_name(f".{path.name}.unfinished")
    if (folder / "settings.json").is_file():
        found = json.loads((folder / "settings.json").read_text())
        _refuse_other(folder, found, mark)
    else:
        write_json(folder / "settings.json", mark)
    parts = [
        range(i, min(i + SHARD, len(ids))) for i in range(0, len(ids), SHARD)
    ]
    missing = [part for part in parts if not _part(folder, part).is_file()]
    made = sum(map(len, missing))
    with tqdm(
        total=len(ids),
        initial=len(ids) - made,
        desc="images",
        disable=not progress,
    ) as bar:
        for part in missing:
            _make(folder, part, ids, compute, dtype, batch)
            bar.update(len(part))
    _merge(path, ids, [_part(folder, part) for part in parts], mark)
    shutil.rmtree(folder)
    return made


def _refuse_other(
    path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            raise ManifestError(
                f"{path}: holds features with {name} = {found.get(name)}, not "
                f"{wanted.get(name)}. Choose another file, or remove it first."
            )


def _part(folder: Path, part: range) -> Path:
    return folder / f"{part.start:08d}.npz"


def _make(
    folder: Path,
    part: range,
    ids: list[str],
    compute: Compute,
    dtype: str,
    batch: int,
) -> None:
    features, boxes = [], []
    for start in part[::batch]:
        names = ids[start : min(start + batch, part.stop)]
        values, places = compute(names)
        values = np.asarray(values).astype(dtype)
        if features:
            _require_shape(names[0], values, ids[part.start], features[0])
        finite = np.isfinite(values).all(axis=(1, 2))
        if not finite.all():
            raise ManifestError(
                f"{names[int(finite.argmin())]}: features are not finite in "
                f"{dtype}. Choose float32, or look at the image."
            )
        places = np.asarray(places, dtype=np.float32)
        shape = (*values.shape[:2], 4)
        features.append(values)
        boxes.append(np.broadcast_to(places, shape))
    with atomic_path(_part(folder, part)) as temporary:
        np.savez(
            temporary,
            features=np.concatenate(features),
            boxes=np.concatenate(boxes),
        )


def _merge(
    path: Path, ids: list[str], parts: list[Path], settings: Mapping[str, Any]
) -> None:
    """Copy all parts into one file, a chunk an image."""

    def rows(name: str) -> Iterator[np.ndarray]:
        for part in parts:
            with np.load(part) as content:
                yield content[name]

    h5py = import_h5py()
    with atomic_path(path) as temporary:
        with h5py.File(temporary, "w") as file:
            file.attrs["settings"] = json.dumps(dict(settings))
            file["ids"] = np.array(ids, dtype=h5py.string_dtype())
            for name in ("features", "boxes"):
                at = 0
                for values in rows(name):
                    if not at:
                        one = values.shape[1:]
                        file.create_dataset(
                            name,
                            (len(ids), *one),
                            values.dtype,
                            chunks=(1, *one),
                        )
                    _require_shape(ids[at], values, ids[0], file[name])
                    file[name][at : at + len(values)] = values
                    at += len(values)


def _require_shape(image: str, values: Any, first: str, wanted: Any) -> None:
    if values.shape[1:] != wanted.shape[1:]:
        raise ManifestError(
            f"{image}: features of shape {values.shape[1:]}, {first} has "
            f"{wanted.shape[1:]}. Extract all with one model and one size."
        )


def import_h5py() -> ModuleType:
    """Import the library, or say how to get it."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            "image features need the package h5py: pip install "
            "'speechbrain_mtl[vgs]'"
        ) from error
    return h5py
