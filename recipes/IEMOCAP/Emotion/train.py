#!/usr/bin/env python3
"""Emotions of new voices: weigh pretext tasks, pretrain, tell four apart.

To run this recipe, pretraining on any folder of speech:
> python recipes/IEMOCAP/Emotion/train.py \
      recipes/IEMOCAP/Emotion/hparams/sparsemax.yaml \
      --data_folder=/path/to/IEMOCAP_full_release \
      --pretrain_folder=/path/to/speech

Five folds by session, so that no voice is in two parts of a fold. Selection,
pretraining and training are done anew in each; --folds=[1] runs the first.
"""

import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.corpora import prepare_iemocap
from speechbrain_mtl.data.ready import ready_manifest
from speechbrain_mtl.folds import cross_validate
from speechbrain_mtl.training.stages import file_digest
from speechbrain_mtl.training.start import start

FOLDS = {str(k): f"fold_{k}" for k in range(1, 6)}


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
        prepare_iemocap,
        hparams["data_folder"],
        Path(hparams["output_folder"]) / "data",
        hparams["manifest"],
    )
    note = {"labelled": f"IEMOCAP, {len(entries)} utterances"}
    cross_validate(started, entries, FOLDS, file_digest(manifest), note)


if __name__ == "__main__":
    main()
