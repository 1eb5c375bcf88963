import numpy as np
import pytest
import torch

from speechbrain_mtl.workers import Chroma
from speechbrain_mtl.workers.chroma import WINDOW

ONE = torch.ones(1)


def tones(hertz, samples=4000):
    time = torch.arange(samples) / 16000
    return torch.sin(2 * torch.pi * torch.tensor(hertz)[:, None] * time)


@pytest.mark.parametrize("octave", [4, 5, 6, 7])
def test_a_tone_is_loudest_in_its_pitch_class(octave):
    notes = [440 * 2 ** (octave - 4 + (k - 9) / 12) for k in range(12)]
    labels = Chroma()(tones(notes), torch.ones(12))
    assert (labels.argmax(-1) == torch.arange(12)[:, None]).all()
    assert (labels.amax(-1) == 1).all() and labels.min() >= 0


def test_chroma_is_librosas():
    librosa = pytest.importorskip("librosa")
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(8000, generator=generator)
    chord = tones([261.6, 329.6, 784.0, 1318.5], 8000).sum(0)
    wav = chord + torch.linspace(0, 1, 8000) * noise
    expected = librosa.feature.chroma_stft(
        y=wav.numpy(),
        sr=16000,
        n_fft=WINDOW,
        hop_length=160,
        window=torch.hamming_window(WINDOW, periodic=False).numpy(),
        center=False,
        tuning=0.0,
    ).T
    labels = Chroma()(wav[None], ONE)[0]
    assert labels.shape == expected.shape
    np.testing.assert_allclose(labels, expected, atol=2e-3)


def test_two_tones_of_a_class_are_one():
    labels = Chroma()(tones([440.0, 880.0]).sum(0)[None], ONE)[0]
    assert (labels.argmax(-1) == 9).all()
    others = labels[:, [0, 1, 2, 3, 4, 5, 6, 7]]
    assert others.max() < 0.1
