#!/usr/bin/env python3
"""Instruments alone: weigh pretext tasks for them, pretrain, tell eight.

To run this recipe, pretraining on any folder of music:
> python recipes/MedleySolos/Instruments/train.py \
      recipes/MedleySolos/Instruments/hparams/sparsemax.yaml \
      --data_folder=/path/to/Medley-solos-DB --pretrain_folder=/path/to/music

The corpus's own split: it is tested on other recordings, made elsewhere.
"""

import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.corpora import prepare_medley_solos
from speechbrain_mtl.data.ready import ready_manifest
from speechbrain_mtl.downstream import DownstreamExperiment
from speechbrain_mtl.experiment import splits
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
        prepare_medley_solos,
        hparams["data_folder"],
        Path(hparams["output_folder"]) / "data",
        hparams["manifest"],
    )
    experiment = DownstreamExperiment(
        hparams, started.settings, started.run_opts
    )
    note = {"labelled": f"Medley-solos-DB, {len(entries)} clips"}
    experiment.run(splits(entries), file_digest(manifest), note)


if __name__ == "__main__":
    main()
