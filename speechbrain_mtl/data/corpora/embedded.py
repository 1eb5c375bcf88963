"""The embedded corpus: made when missing, loaded, checked."""

import json
import os
from pathlib import Path

from speechbrain.utils.distributed import run_on_main

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.manifest import load_manifest
from speechbrain_mtl.data.synthetic import generate


def open_embedded(
    data_folder: str | os.PathLike,
    minutes: float,
    speakers: int,
    seed: int = 0,
    workers: int = 1,
    mixtures: int | None = None,
    scenes: int | None = None,
) -> tuple[dict[str, dict], dict]:
    """Make or find the embedded corpus; give all its recordings.

    Arguments
    ---------
    data_folder : str or path-like
        Where the corpus is or will be.
    minutes, speakers, seed, workers, mixtures, scenes
        See `generate`.

    Returns
    -------
    entries : dict
        Manifest entries, paths resolved.
    about : dict
        Digest, hours and settings of the corpus.

    Raises
    ------
    ManifestError
        When files are missing.
    CorpusError
        When the folder holds another corpus.
    """
    folder = Path(data_folder)
    run_on_main(
        generate,
        kwargs={
            "out": folder,
            "minutes": minutes,
            "speakers": speakers,
            "seed": seed,
            "workers": workers,
            "mixtures": mixtures,
            "scenes": scenes,
        },
    )
    entries = load_manifest(folder / "manifest.json")
    require_clean(entries, folder / "manifest.json", quick=True)
    about = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
    return entries, about


def load_embedded(
    data_folder: str | os.PathLike,
    minutes: float,
    speakers: int,
    seed: int = 0,
    workers: int = 1,
) -> tuple[dict[str, dict], dict]:
    """Make or find the embedded corpus; give its recordings of one voice.

    Mixtures are left out: two voices at once are for diarization, and one
    label cannot name them. Arguments, results and errors are those of
    `open_embedded`.
    """
    entries, about = open_embedded(
        data_folder, minutes, speakers, seed, workers
    )
    return {i: e for i, e in entries.items() if e["kind"] != "mixture"}, about
