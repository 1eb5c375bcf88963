#!/usr/bin/env python3
"""Nine SUPERB tasks on one encoder, on the official data sets.

To run it, with all data sets unpacked as published:
> python recipes/SUPERB/MultiTask/train.py \
      recipes/SUPERB/MultiTask/hparams/hubert_base.yaml \
      --data_folder=/path/to/data

`data_folders` names the folder of each set; --task_names=[ks,er] needs the
sets of these tasks alone. Whatever is missing or wrong in any of them is named
at once, before any training.
"""

import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.superb import official_superb
from speechbrain_mtl.study import run_scenarios
from speechbrain_mtl.training.stages import fingerprint
from speechbrain_mtl.training.start import start


def main() -> None:
    """Make all manifests, check them together, run the scenarios."""
    started = start(sys.argv[1:])
    hparams = started.hparams
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=started.hparams_file,
        overrides=started.overrides,
    )
    names = hparams["task_names"] or list(hparams["tasks"])
    hparams["tasks"] = {name: hparams["tasks"][name] for name in names}
    parts = official_superb(
        hparams["data_folders"],
        Path(hparams["output_folder"]) / "data",
        tuple(names),
        hparams["data_options"],
    )
    about = {"corpus": "the data sets of SUPERB, official splits"}
    run_scenarios(started, parts, fingerprint(parts), about)


if __name__ == "__main__":
    main()
