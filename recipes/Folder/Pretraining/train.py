#!/usr/bin/env python3
"""Pretrain an encoder on any folder of audio, with pretext tasks of known weights.

To run this recipe:
> python recipes/Folder/Pretraining/train.py \
      recipes/Folder/Pretraining/hparams/crdnn_small.yaml \
      --data_folder=/path/to/audio

and with the weights that were selected for a downstream task:
> python recipes/Folder/Pretraining/train.py \
      recipes/Folder/Pretraining/hparams/crdnn_small.yaml \
      --data_folder=/path/to/audio \
      --selection_file=/path/to/selection.json

One recording in twenty, by a hash of its name, watches.
"""

import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.corpora import prepare_folder
from speechbrain_mtl.data.ready import ready_manifest
from speechbrain_mtl.pretraining import PretrainingExperiment
from speechbrain_mtl.training.stages import file_digest
from speechbrain_mtl.training.start import start


def main() -> None:
    """Check the weights, make the manifest, pretrain."""
    started = start(sys.argv[1:])
    hparams = started.hparams
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=started.hparams_file,
        overrides=started.overrides,
    )
    # Wrong weights are found here, before a large corpus is read.
    experiment = PretrainingExperiment(
        hparams, started.settings, started.run_opts
    )
    entries, manifest = ready_manifest(
        prepare_folder,
        hparams["data_folder"],
        Path(hparams["output_folder"]) / "data",
        hparams["manifest"],
    )
    note = {"unlabelled": f"{len(entries)} recordings, any folder of audio"}
    experiment.run(entries, file_digest(manifest), note)


if __name__ == "__main__":
    main()
