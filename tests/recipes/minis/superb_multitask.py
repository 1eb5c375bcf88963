"""Seven corpora in their official layouts, a recording or a few in each part."""

import json

from tests.helpers.superb_corpora import make_superb

SHORT = {"epochs": 1, "steps_per_epoch": 2, "batch_seconds": 1.0}
SMALL = {
    "projection": 8,
    "text_projection": 8,
    "text_size": 8,
    "text_layers": 1,
    "speaker_projection": 8,
    "speaker_pooled": 8,
    "speaker_embedding": 8,
    "diarization_size": 8,
    "mask_values": 4,
}


def make(folder):
    """Make them; give the options."""
    folders, options = make_superb(folder)
    options["librispeech"]["lexica"] = str(options["librispeech"]["lexica"])
    folders = {name: str(found) for name, found in folders.items()}
    return [
        f"--data_folders={json.dumps(folders)}",
        f"--data_options={json.dumps(options)}",
        f"--heads={json.dumps(SMALL)}",
        *(
            f"--{name}={json.dumps(SHORT)}"
            for name in ("alone", "together", "transfer")
        ),
        f"--data_folder={folder}",
        # An own run for each of nine tasks is long; recordings have five.
        "--scenarios=[alone,all]",
    ]
