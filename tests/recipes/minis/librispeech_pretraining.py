"""LibriSpeech with one speaker a subset, two utterances each."""

import soundfile

from tests.helpers.small_sizes import SMALL
from tests.helpers.trees import write_lines
from tests.recipes.miniature import write_tones

SUBSETS = {
    "19": "train-clean-100",
    "14": "train-clean-360",
    "20": "train-other-500",
    "84": "dev-clean",
    "116": "dev-other",
}


def make(folder):
    """Write it; give the options."""
    speakers = [
        f"{speaker} | F | {subset} | 8.00 | Someone"
        for speaker, subset in SUBSETS.items()
    ]
    write_lines(folder / "SPEAKERS.TXT", *speakers)
    for speaker, subset in SUBSETS.items():
        chapter = folder / subset / speaker / "7"
        names = [f"{speaker}-7-{i:04d}" for i in range(2)]
        for path in write_tones(chapter, names, seconds=3.0).values():
            wave, rate = soundfile.read(path)
            soundfile.write(path.with_suffix(".flac"), wave, rate)
            path.unlink()
        texts = [f"{name} HELLO" for name in names]
        write_lines(chapter / f"{speaker}-7.trans.txt", *texts)
    return [f"--data_folder={folder}", *SMALL]
