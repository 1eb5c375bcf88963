#!/usr/bin/env python3
"""Do scores made before training predict what pretraining will give?

The study of recipes/Synthetic/SelectionStudy on recordings of people. To run
it, with folders as `prepare` functions and manifests expect them:
> python recipes/RealSpeech/SelectionStudy/train.py \
      recipes/RealSpeech/SelectionStudy/hparams/study.yaml \
      --data_folder=/path/to/data

pretrains on `pretrain_folder` (any folder of speech) and asks for FSDD digits
of new speakers and speakers, Speech Commands words, LJSpeech phones, and the
sounds of a fold of ESC-10.
"""

import logging
import sys
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.corpora import prepare_folder, prepare_fsdd
from speechbrain_mtl.data.manifest import load_manifest, subset
from speechbrain_mtl.data.splits import (
    both_ways,
    grouped_folds,
    leave_one_speaker_out,
    pretraining_parts,
)
from speechbrain_mtl.study import Downstream, SelectionStudy, run_study
from speechbrain_mtl.training.stages import file_digest
from speechbrain_mtl.training.start import start

logger = logging.getLogger(__name__)

LJ_PARTS = (25, 30)  # clips to train on, then to validate and test on
SOUND_FOLDS = 4


def load_clean(manifest: Path, root: Path) -> dict[str, dict]:
    """Read a manifest and refuse bad entries before hours are spent."""
    entries = load_manifest(manifest, root)
    require_clean(entries, manifest, quick=True)
    return entries


def digits(folder: Path, output: Path) -> dict[str, Downstream]:
    """FSDD: digits of speakers left out, and who of six is speaking."""
    manifest = prepare_fsdd(folder, output)
    entries = load_clean(manifest, folder)
    leave_one_speaker_out(entries)
    labelled = subset(entries, official_split="train")
    digest = file_digest(manifest)
    return {
        name: Downstream(field, labelled, entries, "digit_probes", digest)
        for name, field in (("digit", "digit"), ("speaker", "speaker"))
    }


def commands(folder: Path) -> dict[str, Downstream]:
    """Speech Commands: the word, of speakers not heard in training."""
    manifest = folder / "manifest.json"
    entries = load_clean(manifest, folder)
    both_ways(entries, "command", "partition")
    labelled = subset(entries, partition="train")
    digest = file_digest(manifest)
    task = Downstream("word", labelled, entries, "command_probes", digest)
    return {"command": task}


def phones(folder: Path) -> dict[str, Downstream]:
    """LJSpeech: the phone of every frame, one speaker, new sentences."""
    manifest = folder / "manifest.json"
    entries = load_clean(manifest, folder)
    train, valid = LJ_PARTS
    for place, name in enumerate(sorted(entries)):
        part = "train" if place < train else "valid"
        entries[name]["split"] = part if place < valid else "test"
    both_ways(entries, "phone")
    labelled = subset(entries, split="train")
    digest = file_digest(manifest)
    task = Downstream("phones", labelled, entries, "phone_probes", digest)
    return {"phone": task}


def sounds(folder: Path) -> dict[str, Downstream]:
    """ESC-10: the kind of sound, cross-validated over source recordings.

    A class from fewer sources than folds cannot be tested on a new one.
    """
    manifest = folder / "manifest.json"
    entries = load_clean(manifest, folder)
    sources: dict[str, set] = {}
    for entry in entries.values():
        sources.setdefault(entry["label"], set()).add(entry["freesound_id"])
    few = {label for label, ids in sources.items() if len(ids) < SOUND_FOLDS}
    if few:
        logger.warning(
            f"not asked for, from fewer than {SOUND_FOLDS} source recordings: "
            f"{', '.join(sorted(few))}"
        )
    entries = {n: e for n, e in entries.items() if e["label"] not in few}
    fields = grouped_folds(
        entries, "sound", "label", "freesound_id", SOUND_FOLDS
    )
    for entry in entries.values():
        entry["sound"] = entry["label"]
    # Weights are chosen once; other folds test some of these clips.
    labelled = {n: e for n, e in entries.items() if e[fields[0]] != "test"}
    digest = file_digest(manifest)
    return {
        "sound": Downstream("sound", labelled, entries, "sound_probes", digest)
    }


def main() -> None:
    """Run the study on recordings."""
    started = start(sys.argv[1:])
    hparams = started.hparams
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=started.hparams_file,
        overrides=started.overrides,
    )
    output = Path(hparams["output_folder"])
    speech_folder = Path(hparams["pretrain_folder"])
    manifest = prepare_folder(speech_folder, output / "speech")
    speech = load_clean(manifest, speech_folder)
    shortest = 2 * hparams["pretrain"].keywords["grid_seconds"]
    train, valid = pretraining_parts(speech, {}, shortest)
    downstreams = {
        **digits(Path(hparams["fsdd_folder"]), output / "fsdd"),
        **commands(Path(hparams["commands_folder"])),
        **phones(Path(hparams["ljspeech_folder"])),
        **sounds(Path(hparams["sounds_folder"])),
    }
    study = SelectionStudy(
        downstreams, train, valid, file_digest(manifest), output
    )
    hours = sum(entry["duration"] for entry in train.values()) / 3600
    data = {
        "pretraining": f"{len(train)} recordings, {hours:.2f} h",
        "downstream": {n: len(d.entries) for n, d in downstreams.items()},
    }
    print(run_study(study, started, data))


if __name__ == "__main__":
    main()
