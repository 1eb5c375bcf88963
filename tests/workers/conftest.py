"""Real speech for the workers."""

import pytest

from benchmarks.oracles import read_clips


@pytest.fixture
def speech(shared_data):
    """Read the first seconds of some recordings as [1, T] waveforms."""

    def read(name, count, seconds=5):
        for wav in read_clips(shared_data(name), count, seconds):
            yield wav[None]

    return read
