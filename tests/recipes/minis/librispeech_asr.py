"""Four sentences of two words with their times, and two test subsets."""

import json

from tests.recipes.miniature import labelled_manifest, speech_folder

SENTENCES = ["SO IT", "IT IS", "IS HE", "HE SO"]


def make(folder):
    """Write them; give the options."""
    path = labelled_manifest(folder, {"text": SENTENCES}, per_class=12)
    entries = json.loads(path.read_text())
    tests = 0
    for entry in entries.values():
        half = entry["duration"] / 2
        first, second = entry["text"].split()
        entry["words"] = [[0.0, half, first], [half, 2 * half, second]]
        entry["subset"] = entry["split"]
        if entry["split"] == "test":
            tests += 1
            entry["subset"] = ["test-clean", "test-other"][tests % 2]
    path.write_text(json.dumps(entries))
    return [
        f"--manifest={path}",
        f"--pretrain_folder={speech_folder(folder / 'speech')}",
        "--pieces=9",
        "--beam_size=2",
    ]
