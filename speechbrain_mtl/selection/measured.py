"""What is measured of a labelled manifest, before anything is weighed."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from speechbrain_mtl.data.manifest import load_manifest
from speechbrain_mtl.selection.features import Measurements
from speechbrain_mtl.selection.strata import Segments

Manifest = str | os.PathLike | Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Measured:
    """Segments, their labels and classes: all that weights depend on.

    Arguments
    ---------
    label_field : str
        Field of the manifest that holds the classes.
    source : dict
        "manifest" and "manifest_sha256": what identifies it.
    segments : Segments
        What is compared.
    measurements : Measurements
        Of the segments.
    n_samples : int
        Rows of a segment's embedding.
    wall_s : float
        Seconds it took.
    """

    label_field: str
    source: dict[str, str | None]
    segments: Segments
    measurements: Measurements
    n_samples: int
    wall_s: float

    @property
    def labels(self) -> dict[str, torch.Tensor]:
        """Label of each of N segments, [N, d] by name."""
        return self.measurements.labels

    @property
    def classes(self) -> torch.Tensor:
        """Class of each segment, ascending integers [N]."""
        return self._index(self.segments.classes)

    @property
    def clusters(self) -> torch.Tensor:
        """Speaker of each segment, or its recording, integers [N]."""
        return self._index(self.segments.clusters)

    def _index(self, values: Any) -> torch.Tensor:
        return torch.from_numpy(values).to(self.measurements.mels.device)


def load_entries(
    manifest: Manifest, data_root: str | os.PathLike | None
) -> tuple[Mapping[str, Mapping[str, Any]], dict[str, str | None]]:
    """Entries of a manifest, and what identifies it.

    Arguments
    ---------
    manifest : path or dict
        A manifest file, or entries with paths resolved.
    data_root : str or path-like, optional
        Folder of the recordings; the manifest's by default.

    Returns
    -------
    entries : dict
        ``{id: entry}`` with paths resolved.
    source : dict
        See `Measured`.

    Example
    -------
    >>> entries, source = load_entries({"a": {"wav": "a.wav"}}, None)
    >>> source["manifest_sha256"][:8]
    'c7f8f998'
    """
    if isinstance(manifest, Mapping):
        text = json.dumps(manifest, sort_keys=True).encode()
        name = None
    else:
        text = Path(manifest).read_bytes() if Path(manifest).is_file() else b""
        name = os.fspath(manifest)
        manifest = load_manifest(manifest, data_root)
    digest = hashlib.sha256(text).hexdigest()
    return manifest, {"manifest": name, "manifest_sha256": digest}
