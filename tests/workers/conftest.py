"""Real speech for the workers, and how to compare with other tools."""

import json

import pytest
import torch

from speechbrain_mtl.data.audio import read_audio


@pytest.fixture
def speech(shared_data):
    """Read the first seconds of some recordings as [1, T] waveforms.

    They end where a pitch frame ends, one sample later: a tool that centres
    its frames in the recording then has the same frames.
    """

    def read(name, count, seconds=5):
        folder = shared_data(name)
        entries = json.loads((folder / "manifest.json").read_text()).values()
        step = len(entries) // count
        for entry in list(entries)[::step][:count]:
            path = entry["wav"].replace("{data_root}", str(folder))
            wav = read_audio(path, stop=min(seconds, entry["duration"]))
            yield wav[None, : (len(wav) - 641) // 160 * 160 + 641]

    return read


@pytest.fixture
def correlation():
    """Pearson's r of the concatenation of pairs of contours."""

    def pearson(pairs):
        ours, theirs = (
            torch.cat([torch.tensor(x).double() for x in side])
            for side in zip(*pairs)
        )
        return torch.corrcoef(torch.stack([ours, theirs]))[0, 1].item()

    return pearson
