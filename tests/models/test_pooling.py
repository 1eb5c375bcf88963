"""Pooling and stored layers against the plain way."""

import pytest
import torch

from speechbrain_mtl.data.audio import read_audio
from speechbrain_mtl.evaluation.features import extract
from speechbrain_mtl.models import StoredEncoder
from speechbrain_mtl.models.pooling import pool_frames
from tests.helpers.encoders import calibrated_crdnn
from tests.helpers.trees import write_tone


@pytest.mark.parametrize("pooling", ["mean", "stats"])
def test_pooling_is_that_of_each_item_alone(pooling):
    torch.manual_seed(0)
    x = torch.randn(3, 9, 5)
    lens = torch.tensor([9, 4, 1])
    pooled = pool_frames(x, lens, pooling)
    for row, item, count in zip(pooled, x, lens):
        item = item[:count]
        wanted = [item.mean(0), item.std(0, correction=0)]
        wanted = torch.cat(wanted if pooling == "stats" else wanted[:1])
        torch.testing.assert_close(row, wanted, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("value", [7.0, float("nan"), float("inf")])
def test_padding_changes_nothing_not_even_bad_numbers(value):
    torch.manual_seed(0)
    x = torch.randn(2, 6, 3, requires_grad=True)
    lens = torch.tensor([6, 2])
    filled = x.detach().clone()
    filled[1, 2:] = value
    filled.requires_grad_()
    for pooling in ("mean", "stats"):
        one, two = (pool_frames(y, lens, pooling) for y in (x, filled))
        assert torch.equal(one, two)
    pool_frames(filled, lens, "stats").sum().backward()
    assert torch.isfinite(filled.grad).all()
    assert (filled.grad[1, 2:] == 0).all()


def test_an_unknown_pooling_is_named():
    with pytest.raises(ValueError, match="'max' is none of"):
        pool_frames(torch.zeros(1, 1, 1), torch.tensor([1]), "max")


def test_stored_layers_are_the_encoders(tmp_path):
    encoder = calibrated_crdnn()
    entries = {}
    for name, seconds in (("a", 0.4), ("b", 0.7)):
        write_tone(tmp_path / f"{name}.wav", seconds)
        wav = str(tmp_path / f"{name}.wav")
        entries[name] = {"wav": wav, "duration": seconds}
    features = extract(encoder, entries, progress=False)
    stored = StoredEncoder(encoder)
    spans = [features.span(name) for name in entries]
    frames = [features.frames[first:last] for first, last in spans]
    lens = torch.tensor([len(f) for f in frames])
    batch = torch.nn.utils.rnn.pad_sequence(frames, True, padding_value=9.0)
    encoded = stored(batch, lens / lens.max())
    assert encoded.lens.tolist() == lens.tolist()
    assert (encoded.hop, encoded.offset) == (encoder.hop, encoder.offset)
    for name, row in (("a", 0), ("b", 1)):
        wav = read_audio(entries[name]["wav"])[None]
        alone = encoder(wav, torch.ones(1))
        for mine, layer in zip(encoded.layers, alone.layers, strict=True):
            assert mine.shape[-1] == layer.shape[-1]
            count = lens[row]
            torch.testing.assert_close(
                mine[row, :count], layer[0], atol=2e-3, rtol=2e-3
            )
            assert (mine[row, count:] == 0).all()
