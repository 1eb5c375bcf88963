"""Regions of bottom-up attention: the TSV files that LXMERT distributes.

P. Anderson and others, CVPR 2018 (arXiv 1707.07998); H. Tan and M. Bansal,
arXiv 1908.07490. A line is one image, tabulators between: its id, height,
width, four lists of classes and confidences, the number of boxes, and boxes
[n, 4] in pixels and features [n, 2048], float32 in base64.
"""

import base64
import binascii
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from speechbrain_mtl.data.manifest import ManifestError

COLUMNS = 10
REMEDY = "Copy the file again."


class RegionFile:
    """Regions of images in TSV files, found by image.

    Arguments
    ---------
    paths : sequence of path-like
        Such as ``train2014_obj36.tsv`` and ``val2014_obj36.tsv``. They are
        read through once at first, to know where each image is.
    regions : int
        Every image must have as many.

    Raises
    ------
    ManifestError
        When a file is missing or a line has another form, or when an image
        comes twice.
    """

    def __init__(
        self, paths: Sequence[str | os.PathLike], regions: int = 36
    ) -> None:
        self.regions = regions
        self.places: dict[str, tuple[Path, int]] = {}
        for path in map(Path, paths):
            if not path.is_file():
                raise ManifestError(f"{path}: no such file of regions.")
            with open(path, "rb") as file:
                at = 0
                for line in file:
                    image = line[: line.find(b"\t")].decode()
                    if line.count(b"\t") != COLUMNS - 1:
                        raise ManifestError(
                            f"{path}, image {image[:40]!r}: not {COLUMNS} "
                            f"columns. {REMEDY}"
                        )
                    if image in self.places:
                        raise ManifestError(
                            f"{path}: {image} comes twice, before in "
                            f"{self.places[image][0]}. Leave one out."
                        )
                    self.places[image] = path, at
                    at += len(line)

    def __call__(self, images: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Read some images.

        Arguments
        ---------
        images : sequence of str
            Their ids.

        Returns
        -------
        features : numpy.ndarray
            [n, regions, 2048]
        boxes : numpy.ndarray
            [n, regions, 4]: x1, y1, x2, y2 as shares of width and height.
        """
        read = [self._read(image) for image in images]
        return tuple(map(np.stack, zip(*read)))

    def _read(self, image: str) -> tuple[np.ndarray, np.ndarray]:
        path, at = self.places[image]
        with open(path, "rb") as file:
            file.seek(at)
            fields = file.readline().split(b"\t")
        try:
            height, width, count = (int(fields[i]) for i in (1, 2, 7))
            boxes, features = (
                np.frombuffer(base64.b64decode(field), np.float32)
                for field in fields[8:]
            )
            boxes = boxes.reshape(count, 4)
            features = features.reshape(count, -1)
        except (ValueError, binascii.Error) as error:
            raise ManifestError(
                f"{path}, image {image}: {error}. {REMEDY}"
            ) from error
        if count != self.regions:
            raise ManifestError(
                f"{path}, image {image}: {count} regions, not {self.regions}. "
                "Take files with the same number for all images."
            )
        return features, boxes / np.float32([width, height, width, height])
