#!/usr/bin/env python3
"""Speech that learns from itself and from pictures, at once or in turn.

To run it on the embedded corpus (made on your machine when missing):
> python recipes/Synthetic/VGS/train.py \
      recipes/Synthetic/VGS/hparams/vgs_plus.yaml

another of the nine orders of the paper:
> python recipes/Synthetic/VGS/train.py \
      recipes/Synthetic/VGS/hparams/vgs_plus.yaml --variant="W2V2, VGS+"

and all nine:
> python recipes/Synthetic/VGS/train.py \
      recipes/Synthetic/VGS/hparams/study.yaml

Runs that are there are not repeated: a killed study goes on where it was.
"""

import sys

import speechbrain as sb

from speechbrain_mtl.data.corpora.embedded import open_embedded
from speechbrain_mtl.data.images import images_of
from speechbrain_mtl.data.manifest import subset
from speechbrain_mtl.data.pictures import Pictures
from speechbrain_mtl.study import run_grounding
from speechbrain_mtl.training.stages import fingerprint
from speechbrain_mtl.training.start import start


def main() -> None:
    """Make the corpus, pair captions with pictures, train, and search."""
    started = start(sys.argv[1:])
    hparams = started.hparams
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=started.hparams_file,
        overrides=started.overrides,
    )
    entries, _ = open_embedded(
        hparams["data_folder"],
        hparams["minutes"],
        hparams["speakers"],
        hparams["corpus_seed"],
        hparams["processes"],
        mixtures=1,
        scenes=hparams["scenes"],
    )
    captions = subset(entries, kind="scene")
    parts = {
        part: subset(captions, split=part)
        for part in ("train", "valid", "test")
    }
    # Phones are looked for in clean recordings of other kinds.
    parts["abx"] = {
        name: entry
        for name, entry in entries.items()
        if entry["kind"] not in ("scene", "mixture") and not entry["augment"]
    }
    images = Pictures(images_of(captions), hparams["pixels"], keep=True)
    run_grounding(
        started,
        parts,
        images,
        fingerprint([parts, hparams["pixels"]]),
        {"corpus": "embedded formant speech on scenes of coloured shapes"},
    )


if __name__ == "__main__":
    main()
