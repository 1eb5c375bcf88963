import copy

import pytest
import torch

from speechbrain_mtl.workers import F0, WorkerBank
from speechbrain_mtl.workers.layers import EncoderLayer
from tests.helpers.batches import noises
from tests.helpers.encoders import calibrated_crdnn


def batch():
    return noises(16000, 9001, 700, 100)


@pytest.mark.parametrize("layer", [0, 1, -1])
@pytest.mark.parametrize("pooling", [1, 2, 3])
def test_labels_are_the_layer_at_the_encoders_own_times(layer, pooling):
    encoder = calibrated_crdnn(time_pooling=pooling).eval()
    worker = EncoderLayer(encoder, layer)
    wavs, lens, sizes = batch()
    labels = worker(wavs, lens)
    with torch.no_grad():
        encoded = encoder(wavs, lens)
    assert worker.hop == pytest.approx(encoded.hop)
    assert worker.offset == pytest.approx(encoded.offset)
    counts = worker.frame_lens(torch.tensor(sizes))
    # An encoder may have no frame of what is too short, a worker has one.
    assert torch.equal(counts, encoded.lens.clamp(min=1))
    for row, count in enumerate(encoded.lens):
        torch.testing.assert_close(
            labels[row, :count], encoded.layers[layer][row, :count]
        )
        assert not labels[row, max(count, 1) :].any()


def test_an_utterance_is_labelled_alike_alone_and_in_a_batch():
    worker = EncoderLayer(calibrated_crdnn())
    wavs, lens, sizes = batch()
    together = worker(wavs, lens)
    for row, size in enumerate(sizes):
        alone = worker(wavs[row : row + 1, :size], torch.ones(1))[0]
        assert len(alone) == worker.frame_lens(torch.tensor(size))
        torch.testing.assert_close(
            together[row, : len(alone)], alone, rtol=1e-4, atol=1e-5
        )


def test_neither_training_around_it_nor_of_the_original_moves_the_labels():
    encoder = calibrated_crdnn(dropout=0.5, mask_prob=0.5)
    worker = EncoderLayer(encoder)
    bank = WorkerBank({"f0": F0(), "layer": worker})
    wavs, lens, _ = batch()
    before = bank(wavs, lens)["layer"]
    bank.train()
    with torch.no_grad():
        encoder.projection.weight.zero_()
    assert torch.equal(bank(wavs, lens)["layer"], before)
    assert not any(p.requires_grad for p in worker.parameters())
    assert all(p.requires_grad for p in encoder.parameters())


@pytest.mark.parametrize("layer", [3, -4])
def test_a_layer_that_is_not_there_is_refused(layer):
    with pytest.raises(ValueError, match=f"layer {layer}: CRDNN has 3 layers"):
        EncoderLayer(calibrated_crdnn(), layer)


def test_an_encoder_whose_frames_are_not_where_it_says_is_refused():
    encoder = calibrated_crdnn()
    off = copy.copy(encoder)
    off.hop = 0.01003
    with pytest.raises(ValueError, match="not on samples of 16000 Hz"):
        EncoderLayer(off)
    wrong = copy.copy(encoder)
    wrong.hop = 0.01
    with pytest.raises(ValueError, match="CRDNN gives .* there should be"):
        EncoderLayer(wrong)(torch.randn(1, 16000), torch.ones(1))
