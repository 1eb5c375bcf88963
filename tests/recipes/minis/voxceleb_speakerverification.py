"""Four voices train, two validate, two are compared."""

import itertools
import json

from tests.recipes.miniature import speech_folder, write_tones

PARTS = ["train"] * 4 + ["valid"] * 2 + ["test"] * 2


def make(folder):
    """Write them; give the options."""
    names = [f"id{voice}_{take}" for voice in range(8) for take in range(5)]
    entries = {}
    for name, path in write_tones(folder / "wavs", names).items():
        speaker = name.split("_")[0]
        entries[name] = {
            "wav": str(path),
            "duration": 0.4,
            "speaker": speaker,
            "split": PARTS[int(speaker[2:])],
        }
    tested = [n for n, entry in entries.items() if entry["split"] == "test"]
    trials = [
        [int(entries[a]["speaker"] == entries[b]["speaker"]), a, b]
        for a, b in itertools.combinations(tested, 2)
    ]
    for name, value in [("manifest", entries), ("trials", trials)]:
        (folder / f"{name}.json").write_text(json.dumps(value))
    return [
        f"--manifest={folder / 'manifest.json'}",
        f"--trials={folder / 'trials.json'}",
        f"--pretrain_folder={speech_folder(folder / 'speech')}",
    ]
