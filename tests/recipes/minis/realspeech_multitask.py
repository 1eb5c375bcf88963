"""Tones in the layouts of three corpora, and trainings of a few steps."""

import json

from tests.recipes.miniature import speech_folder, write_tones

SHORT = {"epochs": 1, "steps_per_epoch": 2, "batch_seconds": 2.0}


def make(folder):
    """Write them; give the options."""
    digits = [
        f"{digit}_{speaker}_{take}"
        for digit in range(10)
        for speaker in ("ann", "bob", "theo")
        for take in range(9)
    ]
    write_tones(folder / "fsdd" / "recordings", digits, seconds=0.2)
    options = [
        f"--{name}={json.dumps(SHORT)}"
        for name in ("alone", "together", "transfer")
    ]
    return [
        *options,
        f"--fsdd_folder={folder / 'fsdd'}",
        f"--commands_folder={commands(folder / 'commands')}",
        f"--ljspeech_folder={sentences(folder / 'sentences')}",
        f"--pretrain_folder={speech_folder(folder / 'speech')}",
        f"--data_folder={folder}",
        "--seeds=1",
        "--left_out_seeds=1",
        "--left_out=[phone]",
    ]


def commands(folder):
    """Three words by twelve speakers of nine clips each."""
    names = [f"w{i % 3}_{i // 9}_{i}" for i in range(108)]
    paths = write_tones(folder, names, seconds=0.4)
    parts = ["train", "train", "valid", "test"]
    return manifest(
        folder,
        {
            name: {
                "wav": str(paths[name]),
                "duration": 0.4,
                "word": name[:2],
                "speaker": name.split("_")[1],
                "partition": parts[int(name.split("_")[1]) % 4],
            }
            for name in names
        },
    )


def sentences(folder):
    """Thirty-five sentences of two phones."""
    names = [f"s{i:02d}" for i in range(35)]
    paths = write_tones(folder, names, seconds=0.4)
    phones = [[0.0, 0.2, "AH"], [0.2, 0.4, "T"]]
    return manifest(
        folder,
        {
            name: {"wav": str(path), "duration": 0.4, "phones": phones}
            for name, path in paths.items()
        },
    )


def manifest(folder, entries):
    (folder / "manifest.json").write_text(json.dumps(entries))
    return folder
