#!/usr/bin/env python3
"""The main job: choose, weigh, pretrain, probe, report.

To run it on the embedded corpus (made on your machine when missing):
> python train.py hparams/sparsemax.yaml
and to choose tasks for another downstream task:
> python train.py hparams/sparsemax.yaml --downstream=speaker

Stages, each skipped when its result is there and was made with the same
settings:
  1. the corpus: labelled formant speech;
  2. the selection: which pretext tasks, with what weights, for the chosen
     downstream task, without any training;
  3. pretraining of a CRDNN on the weighted tasks;
  4. the same with uniform weights, shared by all experiments of a seed;
  5. probes of the frozen encoders beside their baselines;
  6. metrics.json and report.html.
"""

import json
import logging
import sys

import speechbrain as sb
import torch

from speechbrain_mtl.data.corpora.embedded import load_embedded
from speechbrain_mtl.experiment import PretextExperiment, splits
from speechbrain_mtl.report import probe_table
from speechbrain_mtl.training.start import start

logger = logging.getLogger(__name__)

FORMANT_NOTE = (
    "Formant speech: these numbers show that the method runs and learns; they "
    "say nothing about real speech."
)


def main() -> None:
    """Run every stage in order."""
    started = start(sys.argv[1:])
    hparams = started.hparams
    fields = hparams["label_fields"]
    downstream = hparams["downstream"]
    if downstream not in fields:
        raise ValueError(f"--downstream={downstream} is none of {list(fields)}")
    hparams["label_field"] = fields[downstream]
    torch.set_num_threads(hparams["threads"])
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=started.hparams_file,
        overrides=started.overrides,
    )

    entries, about = load_embedded(
        hparams["data_folder"],
        hparams["minutes"],
        hparams["speakers"],
        hparams["corpus_seed"],
        hparams["processes"],
    )
    digest = about["digest"]
    # Pretraining and selection never see the test speakers.
    parts = splits(entries)
    experiment = PretextExperiment(hparams, started.settings, started.run_opts)

    selection = experiment.select(parts["train"], digest)
    print(selection.table())

    # Uniform weights ask no question: one such encoder serves all experiments
    # of a seed, and so do the rows that no selection changes.
    this, shared = hparams["output_folder"], hparams["uniform_folder"]
    uniform = dict.fromkeys(selection.weights, 1 / len(selection.weights))
    pretraining = experiment.pretrain(
        {this: selection.weights, shared: uniform},
        parts["train"],
        parts["valid"],
        digest,
    )
    folders = {
        "fbank_context": shared,
        "random_init": shared,
        "uniform": shared,
        "this": this,
    }
    probes = experiment.probe(folders, entries, digest)

    print("weights: " + json.dumps(selection.weights))
    print(probe_table(probes))
    print(FORMANT_NOTE)
    data = {
        "corpus": "embedded formant speech",
        "digest": digest,
        "hours": about["hours"],
        "note": FORMANT_NOTE,
    }
    page = experiment.finish(selection, pretraining[this], probes, data)
    print(f"report: {page}")


if __name__ == "__main__":
    main()
