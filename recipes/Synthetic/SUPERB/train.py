#!/usr/bin/env python3
"""Nine SUPERB tasks on one encoder: alone, together, all but one, transferred.

To run it on the embedded corpus (made on your machine when missing):
> python recipes/Synthetic/SUPERB/train.py \
      recipes/Synthetic/SUPERB/hparams/all_tasks.yaml

and the whole study, which asks who helps whom:
> python recipes/Synthetic/SUPERB/train.py \
      recipes/Synthetic/SUPERB/hparams/study.yaml

Runs that are there are not repeated: a killed study goes on where it was.
"""

import sys

import speechbrain as sb

from speechbrain_mtl.data.splits import joint_pretraining_parts
from speechbrain_mtl.data.superb import mini_superb
from speechbrain_mtl.study import run_scenarios
from speechbrain_mtl.training.stages import fingerprint
from speechbrain_mtl.training.start import start


def main() -> None:
    """Make the corpus, part it for nine tasks, run all scenarios."""
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
    parts = {name: parts[name] for name in hparams["tasks"]}
    unlabelled = joint_pretraining_parts(parts, hparams["shortest_seconds"])
    about = {"corpus": "embedded formant speech, nine tasks"}
    run_scenarios(started, parts, fingerprint(parts), about, unlabelled)


if __name__ == "__main__":
    main()
