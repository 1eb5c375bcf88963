"""Twenty instruments: of each clip one is known to play, another not to."""

import json

from speechbrain_mtl.data.corpora.openmic_labels import INSTRUMENTS
from tests.recipes.miniature import labelled_manifest, speech_folder


def make(folder):
    """Write them; give the options."""
    path = labelled_manifest(folder, {"number": list(range(len(INSTRUMENTS)))})
    entries = json.loads(path.read_text())
    for entry in entries.values():
        number = entry.pop("number")
        values, mask = [0.5] * len(INSTRUMENTS), [0] * len(INSTRUMENTS)
        values[number], values[number - 1] = 0.9, 0.2
        mask[number], mask[number - 1] = 1, 1
        entry |= {"labels": values, "label_mask": mask}
        del entry["speaker"]
    path.write_text(json.dumps(entries))
    return [
        f"--manifest={path}",
        f"--pretrain_folder={speech_folder(folder / 'speech')}",
    ]
