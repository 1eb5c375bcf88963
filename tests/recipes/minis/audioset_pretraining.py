"""AudioSet with one instrument and eight clips of it."""

import json

from tests.helpers.small_sizes import SMALL
from tests.helpers.trees import write_lines
from tests.recipes.miniature import write_tones


def make(folder):
    """Write it; give the options."""
    ontology = [
        {"id": "/m/04szw", "name": "Musical instrument", "child_ids": ["/m/2"]},
        {"id": "/m/2", "name": "Drum", "child_ids": []},
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ontology.json").write_text(json.dumps(ontology))
    for part, count in {"balanced_train": 3, "unbalanced_train": 5}.items():
        clips = [f"{part[:10]}{i}" for i in range(count)]
        write_lines(
            folder / f"{part}_segments.csv",
            *(f'{clip}, 0.000, 10.000, "/m/2"' for clip in clips),
        )
        write_tones(folder / part, clips, seconds=3.0)
    return [f"--data_folder={folder}", *SMALL]
