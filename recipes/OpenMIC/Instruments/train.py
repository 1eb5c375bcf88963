#!/usr/bin/env python3
"""Instruments that play together: weigh pretext tasks, pretrain, hear twenty.

To run this recipe, pretraining on any folder of music:
> python recipes/OpenMIC/Instruments/train.py \
      recipes/OpenMIC/Instruments/hparams/sparsemax.yaml \
      --data_folder=/path/to/openmic-2018 --pretrain_folder=/path/to/music

Listeners were asked about some instruments of each clip: only these are
trained on and scored. The corpus's own test part is kept.
"""

import copy
import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.corpora import prepare_openmic
from speechbrain_mtl.data.corpora.openmic_labels import surest
from speechbrain_mtl.data.ready import ready_manifest
from speechbrain_mtl.downstream import DownstreamExperiment
from speechbrain_mtl.experiment import splits
from speechbrain_mtl.training.finetune import prepare_tasks
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
        prepare_openmic,
        hparams["data_folder"],
        Path(hparams["output_folder"]) / "data",
        hparams["manifest"],
    )
    parts = splits(entries)
    # Here already: what comes next reads the labels, and then takes hours.
    tasks = copy.deepcopy(hparams["tasks"])
    prepare_tasks(tasks, hparams["encoder"].dims, parts)
    # Selection compares sounds of one class, so a clip needs a single one.
    for entry in entries.values():
        entry["instrument"] = surest(entry["labels"], entry["label_mask"])
    experiment = DownstreamExperiment(
        hparams, started.settings, started.run_opts
    )
    note = {"labelled": f"OpenMIC-2018, {len(entries)} clips"}
    experiment.run(parts, file_digest(manifest), note)


if __name__ == "__main__":
    main()
