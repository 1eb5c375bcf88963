"""Units as files: fitted once, named by what they were fitted on."""

import os
import pickle
from collections.abc import Mapping

import torch

from speechbrain_mtl.workers.base import Worker
from speechbrain_mtl.workers.cepstral import MFCC
from speechbrain_mtl.workers.huggingface import HuggingFaceLayer
from speechbrain_mtl.workers.kmeans_units import KMeansUnits
from speechbrain_mtl.workers.prosody_clusters import Prosody


def unit_source(name: str, layer: int = -1) -> Worker:
    """Find the features that units are clusters of.

    Arguments
    ---------
    name : str
        "mfcc", "prosody", or a speech model of HuggingFace: a name on the
        hub or a folder.
    layer : int
        Hidden layer of a model.

    Returns
    -------
    source : Worker

    Example
    -------
    >>> unit_source("prosody").dim
    6
    """
    if name == "mfcc":
        return MFCC()
    if name == "prosody":
        return Prosody()
    return HuggingFaceLayer(name, layer)


def fit_units(
    entries: Mapping[str, Mapping],
    path: str | os.PathLike,
    source: str = "mfcc",
    layer: int = -1,
    units: int = 100,
    frames: int = 100_000,
    seed: int = 0,
    progress: bool = False,
) -> KMeansUnits:
    """Cluster the frames of some recordings and keep the clusters.

    Arguments
    ---------
    entries : dict
        Manifest entries, paths resolved.
    path : str or path-like
        The file, for `load_units`.
    source, layer
        See `unit_source`.
    units, frames, seed, progress
        See `KMeansUnits`.

    Returns
    -------
    worker : KMeansUnits

    Raises
    ------
    ValueError
        When there are fewer distinct frames than units.
    """
    worker = KMeansUnits(
        units,
        unit_source(source, layer),
        # Hertz, decibels and shares count alike; a layer's values as they are.
        standardize=source == "prosody",
    )
    worker.fit(entries, frames, seed, progress)
    worker.save(path, {"source": source, "layer": layer})
    return worker


def load_units(path: str | os.PathLike) -> KMeansUnits:
    """Read the units that `fit_units` wrote.

    Arguments
    ---------
    path : str or path-like
        The file.

    Returns
    -------
    worker : KMeansUnits

    Raises
    ------
    ValueError
        When the file is none of `fit_units`, or its model has other weights
        by now.
    """
    try:
        about = torch.load(path, map_location="cpu", weights_only=True)["about"]
        source = unit_source(about["source"], about["layer"])
    except (
        KeyError,
        TypeError,
        RuntimeError,
        EOFError,
        pickle.UnpicklingError,
    ) as error:
        raise ValueError(
            f"{path}: no file of units. Make one by "
            "`python -m speechbrain_mtl units`."
        ) from error
    return KMeansUnits.load(path, source)
