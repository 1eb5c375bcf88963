#!/usr/bin/env python3
"""Spoken words: weigh pretext tasks for them, pretrain, tell the words.

To run this recipe, pretraining on any folder of speech:
> python recipes/SpeechCommands/KeywordSpotting/train.py \
      recipes/SpeechCommands/KeywordSpotting/hparams/sparsemax.yaml \
      --data_folder=/path/to/speech_commands --pretrain_folder=/path/to/speech

The corpus's own split is kept. With --label_field=keyword there are ten words,
silence and all others as one class, as in the keyword task of SUPERB.
"""

import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.corpora import prepare_speech_commands
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
        prepare_speech_commands,
        hparams["data_folder"],
        Path(hparams["output_folder"]) / "data",
        hparams["manifest"],
        twelve=hparams["label_field"] == "keyword",
    )
    experiment = DownstreamExperiment(
        hparams, started.settings, started.run_opts
    )
    note = {"labelled": f"Speech Commands, {len(entries)} clips"}
    experiment.run(splits(entries), file_digest(manifest), note)


if __name__ == "__main__":
    main()
