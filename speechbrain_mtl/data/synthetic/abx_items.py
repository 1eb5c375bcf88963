"""Triphones for ABX tests, in the columns of the ZeroSpeech challenges."""

from collections.abc import Iterator
from typing import Any

from speechbrain_mtl.data.synthetic.alignment import SILENCE

HEADER = "#file onset offset #phone prev-phone next-phone speaker\n"


def abx_items(name: str, entry: dict[str, Any]) -> Iterator[str]:
    """List the triphones of a recording.

    Only clean speech of one speaker counts: noise and reverberation would
    measure the channel, and mixtures have overlaps.

    Arguments
    ---------
    name : str
        Id of the recording: the items' file.
    entry : dict
        Its entry of the manifest.

    Yields
    ------
    line : str
        One item: the phone with its left and right neighbour, times from the
        beginning of the left to the end of the right one.

    Example
    -------
    >>> phones = [[0.0, 0.1, "K"], [0.1, 0.2, "AE"], [0.2, 0.3, "T"]]
    >>> entry = {"augment": {}, "speaker": "spk0", "phones": phones}
    >>> list(abx_items("a", entry))
    ['a 0.0000 0.3000 AE K T spk0\\n']
    """
    if entry["augment"] or entry["speaker"] is None:
        return
    phones = entry["phones"]
    for left, middle, right in zip(phones, phones[1:], phones[2:]):
        labels = middle[2], left[2], right[2]
        if SILENCE not in labels:
            yield (
                f"{name} {left[0]:.4f} {right[1]:.4f} {' '.join(labels)} "
                f"{entry['speaker']}\n"
            )
