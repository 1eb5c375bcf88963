"""Eight minutes of the embedded corpus, and trainings of a few steps."""

import json

SHORT = {"epochs": 1, "steps_per_epoch": 2, "batch_seconds": 2.0}


def make(folder):
    """Give the options; the recipe makes the corpus itself."""
    options = [
        f"--{name}={json.dumps(SHORT)}"
        for name in ("alone", "together", "transfer")
    ]
    return [
        *options,
        # An own run for each of nine tasks is long; recordings have five.
        "--scenarios=[alone,all,without,transfer]",
        f"--data_folder={folder / 'corpus'}",
        "--minutes=8",
        "--speakers=10",
        "--mixtures=8",
        "--seeds=1",
        "--left_out=[er]",
    ]
