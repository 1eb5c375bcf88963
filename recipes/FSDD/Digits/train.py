#!/usr/bin/env python3
"""Spoken digits of new voices, or voices: weigh tasks, pretrain, tell them.

To run this recipe, pretraining on any folder of speech:
> python recipes/FSDD/Digits/train.py \
      recipes/FSDD/Digits/hparams/sparsemax.yaml \
      --data_folder=/path/to/fsdd --pretrain_folder=/path/to/speech

Digits are tested on the official test clips of each speaker in turn, who is
heard in no training; --folds=[theo] does so for one. With --label_field=speaker
it is the speakers that are told, on the official split, without folds.
"""

import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.corpora import prepare_fsdd
from speechbrain_mtl.data.ready import ready_manifest
from speechbrain_mtl.data.splits import leave_one_speaker_out
from speechbrain_mtl.downstream import DownstreamExperiment
from speechbrain_mtl.experiment import splits
from speechbrain_mtl.folds import cross_validate
from speechbrain_mtl.training.stages import file_digest
from speechbrain_mtl.training.start import start


def main() -> None:
    """Make the manifest and run every stage on it."""
    started = start(sys.argv[1:])
    hparams = started.hparams
    field, folds = hparams["label_field"], hparams["folds"]
    if field not in ("digit", "speaker"):
        raise ValueError(f"label_field is {field}: choose digit or speaker")
    if field == "speaker" and folds is not None:
        raise ValueError(
            f"folds is {folds}: there are none for speakers, who train and are "
            "tested; leave it out, or choose label_field=digit"
        )
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=started.hparams_file,
        overrides=started.overrides,
    )
    entries, manifest = ready_manifest(
        prepare_fsdd,
        hparams["data_folder"],
        Path(hparams["output_folder"]) / "data",
        hparams["manifest"],
    )
    data = file_digest(manifest)
    note = {"labelled": f"FSDD, {len(entries)} clips"}
    if field == "speaker":
        experiment = DownstreamExperiment(
            hparams, started.settings, started.run_opts
        )
        experiment.run(splits(entries, "utterance_split"), data, note)
        return
    fields = leave_one_speaker_out(entries)
    speakers = {name.removeprefix("digit_"): name for name in fields}
    cross_validate(started, entries, speakers, data, note)


if __name__ == "__main__":
    main()
