#!/usr/bin/env python3
"""Do scores made before training predict what pretraining will give?

To run it on the embedded corpus (made on your machine when missing):
> python recipes/Synthetic/SelectionStudy/train.py \
      recipes/Synthetic/SelectionStudy/hparams/study.yaml

Every label is pretrained on alone, then groups of labels by every strategy;
frozen probes give errors, and errors judge the scores. Runs that are there
are not repeated: a killed study goes on where it was.
"""

import sys

import speechbrain as sb

from speechbrain_mtl.data.corpora.embedded import load_embedded
from speechbrain_mtl.experiment import splits
from speechbrain_mtl.study import Downstream, SelectionStudy, run_study
from speechbrain_mtl.training.start import start


def main() -> None:
    """Run the study on formant speech."""
    started = start(sys.argv[1:])
    hparams = started.hparams
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
    # Scores and pretraining never see the test speakers.
    parts = splits(entries)
    downstreams = {
        name: Downstream(
            field, parts["train"], entries, "probes", about["digest"]
        )
        for name, field in hparams["label_fields"].items()
    }
    study = SelectionStudy(
        downstreams,
        parts["train"],
        parts["valid"],
        about["digest"],
        hparams["output_folder"],
    )
    data = {"corpus": "embedded formant speech", "digest": about["digest"]}
    print(run_study(study, started, data))


if __name__ == "__main__":
    main()
