#!/usr/bin/env python3
"""LibriSpeech, 100 hours: weigh pretext tasks for words, pretrain, transcribe.

To run this recipe, pretraining on any folder of speech:
> python recipes/LibriSpeech/ASR/train.py \
      recipes/LibriSpeech/ASR/hparams/sparsemax.yaml \
      --data_folder=/path/to/LibriSpeech --alignments=/path/to/TextGrids \
      --pretrain_folder=/path/to/speech

Trains on train-clean-100, validates on dev-clean, tests on test-clean and
test-other, without and with a language model.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.corpora import prepare_librispeech
from speechbrain_mtl.data.corpora.librispeech_alignments import URL
from speechbrain_mtl.data.manifest import ManifestError
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
        prepare_librispeech,
        hparams["data_folder"],
        Path(hparams["output_folder"]) / "data",
        hparams["manifest"],
        subsets=hparams["subsets"],
        alignments=hparams["alignments"],
    )
    parts = splits(entries)
    selects = hparams["pretrain"] is not None and not hparams["pretrained"]
    if selects:
        require_times(parts["train"], hparams["label_field"])
    # Each test subset is a test set of its own.
    for name, entry in parts.pop("test").items():
        subset = entry.get("subset", "test")
        parts.setdefault(subset, {})[name] = entry
    experiment = DownstreamExperiment(
        hparams, started.settings, started.run_opts
    )
    note = {"labelled": f"LibriSpeech, {len(entries)} utterances"}
    experiment.run(parts, file_digest(manifest), note)


def require_times(train: Mapping[str, Mapping], field: str) -> None:
    """Stop at once where the selection would find no labels to go by."""
    if any(entry.get(field) for entry in train.values()):
        return
    raise ManifestError(
        f"no utterance to train on has '{field}', which the pretext tasks "
        "are chosen for. Words need their times: give --alignments=/a/folder "
        f"of TextGrids ({URL}); or a --manifest with words that "
        "speechbrain_mtl.data.forced_alignment.align_words put in time; or "
        "choose for speakers, of which none has 300 utterances, by "
        '--label_field=speaker --selector="{min_per_class: 20}".'
    )


if __name__ == "__main__":
    main()
