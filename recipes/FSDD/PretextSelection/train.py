#!/usr/bin/env python3
"""Pretext tasks for spoken digits: select, pretrain on real speech, probe.

To run this recipe, pretraining on any folder of speech:
> python train.py hparams/sparsemax.yaml --data_folder=/path/to/fsdd \
      --pretrain_folder=/path/to/speech

Test clips are the official ones (index 0 to 4 of each digit and speaker);
neither selection nor any head sees them. Digits are tested on new speakers:
each of the six is left out of the heads' training once.
"""

import dataclasses
import json
import logging
import sys
from pathlib import Path

import speechbrain as sb
from speechbrain.utils.distributed import run_on_main

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.corpora.folder import prepare_folder
from speechbrain_mtl.data.corpora.fsdd import prepare_fsdd
from speechbrain_mtl.data.manifest import load_manifest, subset
from speechbrain_mtl.data.splits import (
    leave_one_speaker_out,
    pretraining_parts,
)
from speechbrain_mtl.evaluation.intervals import seed_interval
from speechbrain_mtl.experiment import PretextExperiment
from speechbrain_mtl.report import probe_table
from speechbrain_mtl.training.stages import file_digest
from speechbrain_mtl.training.start import start

logger = logging.getLogger(__name__)

# What folds share; each chose its own learning rate and layers.
SAME_IN_FOLDS = ("metric", "head", "higher_is_better")


def average_folds(results: dict[str, dict], fields: list[str]) -> dict:
    """Replace the speakers' digit probes by their mean.

    The interval is Student's over the speakers: what a new one may bring.
    """
    averaged = {n: r for n, r in results.items() if n.startswith("speaker")}
    heads = [n.split("/")[1] for n in results if n.startswith(fields[0] + "/")]
    for head in heads:
        folds = [results[f"{field}/{head}"] for field in fields]
        values = [fold["value"] for fold in folds]
        low, high = seed_interval(values)
        averaged[f"digit/{head}"] = {
            **{key: folds[0][key] for key in SAME_IN_FOLDS},
            "value": sum(values) / len(values),
            "interval": [max(0.0, low), min(1.0, high)],
            "n": sum(fold["n"] for fold in folds),
            "folds": dict(zip(fields, values)),
        }
    return averaged


def main() -> None:
    """Run every stage in order."""
    started = start(sys.argv[1:])
    hparams, settings = started.hparams, started.settings
    if hparams["label_field"] not in ("digit", "speaker"):
        raise ValueError(
            f"--label_field={hparams['label_field']} is neither digit nor "
            "speaker"
        )
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=started.hparams_file,
        overrides=started.overrides,
    )

    # Data: labelled digits, and any speech to pretrain on.
    data_folder, speech = hparams["data_folder"], hparams["pretrain_folder"]
    digits_at = Path(hparams["uniform_folder"]) / "digits"
    speech_at = Path(hparams["uniform_folder"]) / "speech"
    run_on_main(prepare_fsdd, args=[data_folder, digits_at])
    run_on_main(prepare_folder, args=[speech, speech_at])
    entries = load_manifest(digits_at / "manifest.json", data_folder)
    require_clean(entries, data_folder, quick=True)
    speech_entries = load_manifest(speech_at / "manifest.json", speech)
    require_clean(speech_entries, speech, quick=True)
    tested = subset(entries, official_split="test")
    train, valid = pretraining_parts(
        speech_entries, tested, settings["pretrain"]["grid_seconds"]
    )
    fields = leave_one_speaker_out(entries)

    # One probe a left-out speaker, from the YAML's single digit probe.
    suite = hparams["probes"]
    digit = suite.probes.pop("digit")
    for field in fields:
        suite.probes[field] = dataclasses.replace(digit, split=field)

    digests = [
        file_digest(folder / "manifest.json")
        for folder in (digits_at, speech_at)
    ]
    experiment = PretextExperiment(hparams, settings, started.run_opts)
    labelled = subset(entries, official_split="train")
    selection = experiment.select(labelled, digests[0])
    print(selection.table())

    this, shared = hparams["output_folder"], hparams["uniform_folder"]
    uniform = dict.fromkeys(selection.weights, 1 / len(selection.weights))
    pretraining = experiment.pretrain(
        {this: selection.weights, shared: uniform}, train, valid, digests[1]
    )
    rows = dict.fromkeys(("fbank_context", "random_init", "uniform"), shared)
    probes = experiment.probe({**rows, "this": this}, entries, digests[0])
    probes = {row: average_folds(r, fields) for row, r in probes.items()}

    print("weights: " + json.dumps(selection.weights))
    print(probe_table(probes))
    seconds = sum(e["duration"] for e in train.values())
    data = {
        "labelled": f"FSDD, {len(entries)} clips",
        "pretraining": f"{len(train)} recordings, {seconds / 3600:.2f} h",
        "digits": "official test clips, each speaker left out of training once",
        "speakers": "official test clips of known speakers",
    }
    page = experiment.finish(selection, pretraining[this], probes, data)
    print(f"report: {page}")


if __name__ == "__main__":
    main()
