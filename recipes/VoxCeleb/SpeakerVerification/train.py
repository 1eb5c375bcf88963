#!/usr/bin/env python3
"""One voice or two: weigh pretext tasks, pretrain, compare new speakers.

To run this recipe, pretraining on any folder of speech:
> python recipes/VoxCeleb/SpeakerVerification/train.py \
      recipes/VoxCeleb/SpeakerVerification/hparams/sparsemax.yaml \
      --data_folder=/path/to/voxceleb1 --pretrain_folder=/path/to/speech

The forty speakers of the official trials test; of the others, forty choose
the epoch, by pairs that are drawn, and the rest train.
"""

import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.corpora import prepare_voxceleb1
from speechbrain_mtl.data.ready import ready_manifest
from speechbrain_mtl.downstream import DownstreamExperiment
from speechbrain_mtl.experiment import splits
from speechbrain_mtl.tasks.verification import check_trials
from speechbrain_mtl.training.stages import file_digest, fingerprint
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
        prepare_voxceleb1,
        hparams["data_folder"],
        Path(hparams["output_folder"]) / "data",
        hparams["manifest"],
        trials=hparams["trial_list"],
        valid_speakers=hparams["valid_speakers"],
        identification=None,
    )
    parts, data = splits(entries), file_digest(manifest)
    if hparams["trials"] is not None:
        check_trials(hparams["trials"], parts["test"])
        data = fingerprint([data, file_digest(hparams["trials"])])
    experiment = DownstreamExperiment(
        hparams, started.settings, started.run_opts
    )
    note = {"labelled": f"VoxCeleb1, {len(entries)} recordings"}
    experiment.run(parts, data, note)


if __name__ == "__main__":
    main()
