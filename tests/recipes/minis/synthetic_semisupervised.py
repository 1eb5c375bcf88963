"""Six minutes of the embedded corpus, and a training of a few steps."""

import json

SHORT = {"epochs": 1, "steps_per_epoch": 2, "frozen_epochs": 0}


def make(folder):
    """Give the options; the recipe makes the corpus itself."""
    return [
        f"--train={json.dumps(SHORT)}",
        f"--data_folder={folder / 'corpus'}",
        "--minutes=6",
        "--speakers=10",
        "--mixtures=8",
        "--labelled_minutes=2.0",
        "--runs=[[wav2vec2,own],[]]",
    ]
