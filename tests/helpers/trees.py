"""Miniature corpora: short recordings and tables in a published layout."""

import numpy as np
import soundfile


def write_tone(path, seconds=0.1, rate=16000):
    """One quiet recording; its folder is made when missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = 0.1 * np.sin(np.arange(round(seconds * rate)) / 10)
    soundfile.write(path, wave, rate)


def write_lines(path, *lines):
    """A text file of these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def change(path, old, new):
    """Put one text in the place of another, which must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
