#!/usr/bin/env python3
"""Words, digits, voices and phones of recordings, on one encoder at once.

To run it, with folders as `prepare` functions and manifests expect them:
> python recipes/RealSpeech/MultiTask/train.py \
      recipes/RealSpeech/MultiTask/hparams/study.yaml \
      --data_folder=/path/to/data

Five tasks: words and speakers of Speech Commands, digits and speakers of FSDD,
phones of LJSpeech; the encoder is pretrained on any folder of speech. Nothing
that one task validates or tests on trains another.
"""

import sys
import zlib
from collections.abc import Mapping
from pathlib import Path

import speechbrain as sb

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.corpora import prepare_folder, prepare_fsdd
from speechbrain_mtl.data.manifest import load_manifest, subset
from speechbrain_mtl.data.splits import pretraining_parts
from speechbrain_mtl.data.superb import keep_apart
from speechbrain_mtl.study import run_scenarios
from speechbrain_mtl.training.stages import fingerprint
from speechbrain_mtl.training.start import start

LJ_PARTS = (25, 30)  # clips to train on, then to validate and test on
Parts = dict[str, dict[str, dict]]


def load_clean(manifest: Path, root: Path) -> dict[str, dict]:
    """Read a manifest and refuse bad entries before hours are spent."""
    entries = load_manifest(manifest, root)
    require_clean(entries, manifest, quick=True)
    return entries


def in_turn(entries: Mapping[str, dict], field: str) -> Parts:
    """Of every four of a class two train, one validates and one tests.

    Which ones, a hash of the id says. Classes of fewer than four recordings
    are left out.
    """
    classes: dict[str, list[str]] = {}
    for name in sorted(entries, key=lambda name: zlib.crc32(name.encode())):
        classes.setdefault(entries[name][field], []).append(name)
    parts: Parts = {"train": {}, "valid": {}, "test": {}}
    turn = ("train", "train", "valid", "test")
    for names in classes.values():
        for place, name in enumerate(names if len(names) >= len(turn) else []):
            parts[turn[place % len(turn)]][name] = entries[name]
    return parts


def commands(folder: Path) -> dict[str, Parts]:
    """Speech Commands: the word, of new speakers; and who of the known says it."""
    entries = load_clean(folder / "manifest.json", folder)
    words = {
        part: subset(entries, partition=part)
        for part in ("train", "valid", "test")
    }
    speakers = in_turn(words["train"], "speaker")
    return {"word": words, "command_speaker": speakers}


def digits(folder: Path, output: Path) -> dict[str, Parts]:
    """FSDD: which digit, and who of six says it; the official test part."""
    entries = load_clean(prepare_fsdd(folder, output), folder)
    parts = {
        part: subset(entries, utterance_split=part)
        for part in ("train", "valid", "test")
    }
    return {"digit": parts, "digit_speaker": dict(parts)}


def phones(folder: Path) -> dict[str, Parts]:
    """LJSpeech: phones of new sentences, one speaker, without stress."""
    entries = load_clean(folder / "manifest.json", folder)
    for entry in entries.values():
        # A few vowels occur with some stress in the tests alone.
        entry["phones"] = [
            [start, end, phone.rstrip("012")]
            for start, end, phone in entry["phones"]
        ]
    names = sorted(entries)
    train, valid = LJ_PARTS
    cut = {
        "train": names[:train],
        "valid": names[train:valid],
        "test": names[valid:],
    }
    return {
        "phone": {
            part: {name: entries[name] for name in found}
            for part, found in cut.items()
        }
    }


def main() -> None:
    """Part the recordings, pretrain, run all scenarios."""
    started = start(sys.argv[1:])
    hparams = started.hparams
    sb.create_experiment_directory(
        experiment_directory=hparams["output_folder"],
        hyperparams_to_save=started.hparams_file,
        overrides=started.overrides,
    )
    output = Path(hparams["output_folder"])
    parts = keep_apart(
        {
            **commands(Path(hparams["commands_folder"])),
            **digits(Path(hparams["fsdd_folder"]), output / "fsdd"),
            **phones(Path(hparams["ljspeech_folder"])),
        }
    )
    parts = {name: parts[name] for name in hparams["tasks"]}
    speech_folder = Path(hparams["pretrain_folder"])
    speech = load_clean(
        prepare_folder(speech_folder, output / "speech"), speech_folder
    )
    unlabelled = pretraining_parts(speech, {}, hparams["shortest_seconds"])
    hours = sum(entry["duration"] for entry in unlabelled[0].values()) / 3600
    about = {
        "corpus": "Speech Commands, FSDD, LJSpeech; pretrained on LibriSpeech",
        "hours_to_pretrain_on": round(hours, 2),
    }
    run_scenarios(started, parts, fingerprint(parts), about, unlabelled)


if __name__ == "__main__":
    main()
