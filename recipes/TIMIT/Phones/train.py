#!/usr/bin/env python3
"""Phones of TIMIT: weigh pretext tasks for them, pretrain, write them down.

To run this recipe, pretraining on any folder of speech:
> python recipes/TIMIT/Phones/train.py \
      recipes/TIMIT/Phones/hparams/sparsemax.yaml \
      --data_folder=/path/to/TIMIT --pretrain_folder=/path/to/speech

The usual parts: core test set, the usual fifty speakers validate, sentences SA
left out. Whatever --phones trains, errors are counted among 39 labels.
"""

import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.corpora import prepare_timit
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
        prepare_timit,
        hparams["data_folder"],
        Path(hparams["output_folder"]) / "data",
        hparams["manifest"],
        phones=hparams["phones"],
    )
    experiment = DownstreamExperiment(
        hparams, started.settings, started.run_opts
    )
    note = {"labelled": f"TIMIT, {len(entries)} sentences"}
    experiment.run(splits(entries), file_digest(manifest), note)


if __name__ == "__main__":
    main()
