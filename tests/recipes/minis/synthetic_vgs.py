"""Thirty scenes, and trainings of a batch or two an epoch."""

import json

SHORT = {
    "epochs": 2,
    "batch_seconds": 150.0,
    "ks": [1, 2],
    "abx_every": 9,
    "abx": {"most_tokens": 2},
}
TINY = {"size": 16, "bands": 16, "vector_size": 8}


def make(folder):
    """Give the options; the recipe makes the corpus itself."""
    return [
        f"--training={json.dumps(SHORT)}",
        f"--model={json.dumps(TINY)}",
        f"--data_folder={folder / 'corpus'}",
        "--minutes=4",
        "--speakers=8",
        "--scenes=30",
        "--pixels=16",
        "--seeds=1",
        "--variants=[VGS, 'W2V2, VGS']",
    ]
