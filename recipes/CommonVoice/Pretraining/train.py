#!/usr/bin/env python3
"""Pretrain an encoder on Common Voice, with pretext tasks of known weights.

To run this recipe:
> python recipes/CommonVoice/Pretraining/train.py \
      recipes/CommonVoice/Pretraining/hparams/crdnn_small.yaml \
      --data_folder=/path/to/cv-corpus

and with the weights that were selected for a downstream task:
> python recipes/CommonVoice/Pretraining/train.py \
      recipes/CommonVoice/Pretraining/hparams/crdnn_small.yaml \
      --data_folder=/path/to/cv-corpus \
      --selection_file=/path/to/selection.json

Its train part trains and its dev part watches; test is never heard.
"""

import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.corpora import prepare_commonvoice
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
        prepare_commonvoice,
        hparams["data_folder"],
        Path(hparams["output_folder"]) / "data",
        hparams["manifest"],
        lang=hparams["lang"],
        min_seconds=hparams["min_seconds"],
        max_seconds=hparams["max_seconds"],
    )
    note = {"unlabelled": f"{len(entries)} recordings, Common Voice"}
    experiment.run(entries, file_digest(manifest), note)


if __name__ == "__main__":
    main()
