"""What every recipe is run on in tests: seconds of tones, minutes of training."""

import json
import zlib

import numpy as np
import soundfile

from tests.helpers.tones import harmonic_tone

RATE = 16000
SHRUNK = {
    "pretrain": {"hours": 0.004, "epoch_hours": 0.004},
    "finetune": {"epochs": 2},
}
STATISTICS = {"statistics_minutes": 0.2}


def shrink(text: str) -> list[str]:
    """Options that make any recipe's YAML a matter of seconds."""
    options = ["--processes=1"] if "\nprocesses:" in text else []
    if "\npretrain: !include" in text:
        short = {**SHRUNK["pretrain"], **STATISTICS}
        options.append(f"--pretrain={json.dumps(short)}")
    if "\nfinetune: !include" in text:
        options.append(f"--finetune={json.dumps(SHRUNK['finetune'])}")
    if "\nselector:" in text:
        options.append('--selector={"min_per_class": 4}')
    return options


def write_tones(folder, names, seconds=0.4):
    """One recording a name; the part of the name before "_" sets its pitch. Gives the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    stems = list(dict.fromkeys(name.split("_")[0] for name in names))
    for name in names:
        random = np.random.default_rng(zlib.crc32(name.encode()))
        pitch = 90 * 1.1 ** stems.index(name.split("_")[0])
        wave = harmonic_tone(random, pitch, round(seconds * RATE))
        paths[name] = folder / f"{name}.wav"
        soundfile.write(paths[name], wave, RATE)
    return paths


def labelled_manifest(folder, fields, per_class=6, seconds=0.4):
    """A manifest of tones: classes by field, three speakers, three splits.

    ``fields`` maps a field's name to its values; an entry's label in every
    field changes with its class, so that a field of two values alternates.
    """
    classes = max(len(values) for values in fields.values())
    names = [
        f"c{c}_{take}" for c in range(classes) for take in range(per_class)
    ]
    paths = write_tones(folder / "wavs", names, seconds)
    parts = ["train", "train", "train", "train", "valid", "test"]
    entries = {}
    for name in names:
        number, take = (int(x) for x in name[1:].split("_"))
        entries[name] = {
            "wav": str(paths[name]),
            "duration": seconds,
            "speaker": f"s{take % 3}",
            "split": parts[take % len(parts)],
            **{f: values[number % len(values)] for f, values in fields.items()},
        }
    path = folder / "manifest.json"
    path.write_text(json.dumps(entries))
    return path


def speech_folder(folder):
    """Half a minute of tones to pretrain on."""
    names = [f"p{i}" for i in range(12)]
    write_tones(folder, names, seconds=2.5)
    return folder
