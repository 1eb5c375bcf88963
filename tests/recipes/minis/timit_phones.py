"""Four sentences of three phones, by three speakers."""

import json

from tests.recipes.miniature import labelled_manifest, speech_folder

SENTENCES = ["sil aa b", "sil iy s", "aa sil iy", "b s sil"]


def make(folder):
    """Write them; give the options."""
    path = labelled_manifest(folder, {"said": SENTENCES})
    entries = json.loads(path.read_text())
    for entry in entries.values():
        third = entry["duration"] / 3
        entry["phones"] = [
            [i * third, (i + 1) * third, phone]
            for i, phone in enumerate(entry["said"].split())
        ]
    path.write_text(json.dumps(entries))
    return [
        f"--manifest={path}",
        f"--pretrain_folder={speech_folder(folder / 'speech')}",
    ]
