import numpy as np
import pytest
import torch
from torchaudio.functional import compute_deltas

from speechbrain_mtl.workers import MFCC, Fbank
from speechbrain_mtl.workers.cepstral import deltas


def test_deltas_are_those_of_each_utterance_alone():
    values = torch.randn(3, 20, 4)
    lens = torch.tensor([20, 7, 1])
    slopes = deltas(values, lens)
    for row, n, slope in zip(values, lens, slopes):
        expected = compute_deltas(row[:n].t(), win_length=5).t()
        torch.testing.assert_close(slope[:n], expected)


def test_fbank_and_mfcc_are_librosas():
    librosa = pytest.importorskip("librosa")
    wav = torch.randn(16000, generator=torch.Generator().manual_seed(0))
    wav *= torch.linspace(1e-4, 0.3, 16000)
    # librosa centres the window in n_fft samples: 96 zeros on each side.
    padded = torch.nn.functional.pad(wav, (96, 96)).double().numpy()
    power = librosa.feature.melspectrogram(
        y=padded,
        sr=16000,
        n_fft=512,
        win_length=320,
        hop_length=160,
        window=torch.hamming_window(320, periodic=False).double().numpy(),
        center=False,
        n_mels=80,
        norm=None,
    )
    fbank = Fbank()(wav[None], torch.ones(1))[0]
    expected = torch.from_numpy(power).log().t().float()
    torch.testing.assert_close(fbank, expected, rtol=1e-3, atol=1e-3)

    every = [librosa.feature.mfcc(S=expected.t().numpy(), n_mfcc=20)]
    for _ in range(2):
        slope = librosa.feature.delta(every[-1], width=5, mode="nearest")
        every.append(slope)
    mfcc = MFCC()(wav[None], torch.ones(1))[0]
    expected = torch.from_numpy(np.concatenate(every)).t()
    torch.testing.assert_close(mfcc, expected, rtol=1e-3, atol=1e-2)


def test_a_gain_moves_only_the_zeroth_coefficient():
    wav = torch.randn(1, 8000)
    labels = MFCC()(torch.cat([wav, 2 * wav]), torch.ones(2))
    moved = labels[1] - labels[0]
    expected = torch.zeros_like(moved)
    expected[:, 0] = 80**0.5 * torch.tensor(4.0).log()
    torch.testing.assert_close(moved, expected, rtol=1e-3, atol=1e-3)
