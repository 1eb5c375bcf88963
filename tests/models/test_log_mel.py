"""wav2vec 2.0 on log-mel bands: torchaudio's bands, and padding-safe."""

import copy
import pickle

import pytest
import torch
import torchaudio

from speechbrain_mtl.inference import export_huggingface, write_inference
from speechbrain_mtl.models import Wav2Vec2Encoder
from speechbrain_mtl.models.log_mel import FLOOR, LogMelConvolution
from speechbrain_mtl.training.pretrain import save_encoder

pytest.importorskip("transformers")

SETTINGS = {
    "hidden_size": 32, "layers": 2, "heads": 2, "feedforward_size": 64,
    "conv_channels": 40, "conv_kernels": [400, 3], "conv_strides": [160, 2],
    "position_kernel": 8, "position_groups": 4, "dropout": 0.0,
    "log_mel": True,
}  # fmt: skip


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return Wav2Vec2Encoder(**SETTINGS)


def test_bands_are_torchaudios():
    wavs = torch.randn(2, 1, 4000)
    theirs = torchaudio.transforms.MelSpectrogram(
        16000, 400, 400, 160, n_mels=40, center=False
    )(wavs[:, 0])
    ours = LogMelConvolution(40, 400, 160)(wavs)
    torch.testing.assert_close(
        ours, (theirs + FLOOR).log(), rtol=1e-4, atol=1e-4
    )


def test_company_and_padding_change_nothing(encoder):
    encoder.eval()
    long, short = torch.randn(12000), 0.1 + 2 * torch.randn(7003)
    batch = torch.full((2, 15000), 7.0)
    batch[0, :12000], batch[1, :7003] = long, short
    both = encoder(batch, torch.tensor([12000, 7003]) / 15000)
    for row, wav in enumerate((long, short)):
        one = encoder(wav[None], torch.ones(1))
        n = int(one.lens)
        # Windows of 400 each 160, then three of those each 2.
        assert int(both.lens[row]) == n == (len(wav) - 720) // 320 + 1
        for ours, layer in zip(both.layers, one.layers):
            torch.testing.assert_close(
                ours[row, :n], layer[0, :n], rtol=1e-3, atol=1e-4
            )
    assert encoder.hop == 0.02


def test_loudness_changes_nothing(encoder):
    encoder.eval()
    wavs = torch.randn(1, 8000)
    loud, quiet = (encoder(wavs * a, torch.ones(1)) for a in (1.0, 0.01))
    torch.testing.assert_close(
        loud.layers[-1], quiet.layers[-1], rtol=1e-3, atol=1e-3
    )


def test_copies_hear_the_same(encoder):
    encoder.eval()
    wavs, lens = torch.randn(2, 8000), torch.ones(2)
    expected = encoder(wavs, lens).layers[-1]
    sent = pickle.loads(pickle.dumps(encoder))
    for other in (copy.deepcopy(encoder), sent):
        assert torch.equal(other(wavs, lens).layers[-1], expected)


def test_all_else_learns(encoder):
    encoder.train()(torch.randn(2, 8000), torch.ones(2)).layers[
        -1
    ].square().sum().backward()
    unmoved = [n for n, p in encoder.named_parameters() if p.grad is None]
    assert unmoved == []


def test_it_is_none_of_huggingfaces(encoder, tmp_path):
    save_encoder(encoder, tmp_path / "encoder.ckpt")
    settings = {"!": "!new:speechbrain_mtl.models.Wav2Vec2Encoder", **SETTINGS}
    write_inference(tmp_path, settings)
    with pytest.raises(ValueError, match="log_mel: True"):
        export_huggingface(tmp_path, tmp_path / "out")
