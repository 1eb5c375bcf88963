#!/usr/bin/env python3
"""Few answers, much speech: supervised, self-supervised and self-training.

To run it on the embedded corpus (made on your machine when missing):
> python recipes/Synthetic/SemiSupervised/train.py \
      recipes/Synthetic/SemiSupervised/hparams/semi_supervised.yaml

and beside it the same run without any unlabelled speech:
> python recipes/Synthetic/SemiSupervised/train.py \
      recipes/Synthetic/SemiSupervised/hparams/semi_supervised.yaml \
      --runs=[[wav2vec2,own],[]]

Runs that are there are not repeated.
"""

import sys

import speechbrain as sb

from speechbrain_mtl.data.splits import joint_pretraining_parts
from speechbrain_mtl.data.superb import few_labelled, mini_superb
from speechbrain_mtl.study import run_semi_supervised
from speechbrain_mtl.training.start import start


def main() -> None:
    """Make the corpus, keep few of its answers, make all runs."""
    started = start(sys.argv[1:])
    hparams = started.hparams
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=started.hparams_file,
        overrides=started.overrides,
    )
    parts = mini_superb(
        hparams["data_folder"],
        hparams["minutes"],
        hparams["speakers"],
        hparams["corpus_seed"],
        hparams["processes"],
        hparams["mixtures"],
    )
    # What any of the nine tasks tests on is not learnt from unlabelled either.
    speech = joint_pretraining_parts(parts, hparams["shortest_seconds"])
    few = few_labelled(
        {name: parts[name] for name in hparams["tasks"]},
        hparams["labelled_minutes"],
        hparams["corpus_seed"],
    )
    about = {
        "corpus": "embedded formant speech",
        "labelled_minutes": hparams["labelled_minutes"],
    }
    run_semi_supervised(started, few, speech, about)


if __name__ == "__main__":
    main()
