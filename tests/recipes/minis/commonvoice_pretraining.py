"""A release of Common Voice with ten clips, two of them too short."""

from tests.helpers.small_sizes import SMALL
from tests.helpers.trees import write_lines
from tests.recipes.miniature import write_tones

PARTS = {"train": 6, "dev": 1, "test": 1}


def make(folder):
    """Write it; give the options."""
    clips = folder / "en" / "clips"
    for part, count in PARTS.items():
        names = [f"{part}{i}" for i in range(count)]
        write_tones(clips, names, seconds=3.0)
        rows = [f"voice of {name}\t{name}.wav\tHello." for name in names]
        write_lines(
            folder / "en" / f"{part}.tsv", "client_id\tpath\tsentence", *rows
        )
    write_tones(clips, ["short0", "short1"], seconds=0.3)
    with open(folder / "en" / "train.tsv", "a") as file:
        file.write("someone\tshort0.wav\tO.\nsomeone\tshort1.wav\tO.\n")
    return [f"--data_folder={folder}", *SMALL]
