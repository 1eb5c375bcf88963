#!/usr/bin/env python3
"""Environmental sounds: weigh pretext tasks for them, pretrain, tell them.

To run this recipe, pretraining on any folder of sounds:
> python recipes/ESC50/Sounds/train.py \
      recipes/ESC50/Sounds/hparams/sparsemax.yaml \
      --data_folder=/path/to/ESC-50-master --pretrain_folder=/path/to/audio

The corpus's own five folds. Selection, pretraining and training are done anew
in each; --folds=[1] runs the first. --esc10=True takes ten classes.
"""

import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.corpora import prepare_esc50
from speechbrain_mtl.data.ready import ready_manifest
from speechbrain_mtl.data.splits import numbered_folds
from speechbrain_mtl.folds import cross_validate
from speechbrain_mtl.training.stages import file_digest
from speechbrain_mtl.training.start import start


def main() -> None:
    """Make the manifest and run every stage on it."""
    started = start(sys.argv[1:])
    hparams = started.hparams
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=started.hparams_file,
        overrides=started.overrides,
    )
    entries, manifest = ready_manifest(
        prepare_esc50,
        hparams["data_folder"],
        Path(hparams["output_folder"]) / "data",
        hparams["manifest"],
        esc10=hparams["esc10"],
    )
    name = "ESC-10" if hparams["esc10"] else "ESC-50"
    note = {"labelled": f"{name}, {len(entries)} recordings"}
    folds = numbered_folds(entries)
    cross_validate(started, entries, folds, file_digest(manifest), note)


if __name__ == "__main__":
    main()
