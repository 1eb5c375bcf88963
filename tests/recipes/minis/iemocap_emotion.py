"""Four emotions by ten speakers, two in each of five folds."""

import json

from tests.recipes.miniature import labelled_manifest, speech_folder


def make(folder):
    """Write them; give the options."""
    emotions = {"emotion": ["ang", "hap", "neu", "sad"]}
    path = labelled_manifest(folder, emotions, per_class=10)
    entries = json.loads(path.read_text())
    for name, entry in entries.items():
        take = int(name.split("_")[1])
        entry["speaker"] = f"s{take}"
        for fold in range(5):
            turn = (take - fold) % 5
            part = {0: "test", 1: "valid"}.get(turn, "train")
            entry[f"fold_{fold + 1}"] = part
    path.write_text(json.dumps(entries))
    return [
        f"--manifest={path}",
        "--folds=[1, 4]",
        f"--pretrain_folder={speech_folder(folder / 'speech')}",
    ]
