"""Encoders: padding never matters, lengths and times are right."""

import pytest
import torch

from speechbrain_mtl.models import CRDNN, ContextFbank, frame_mask
from speechbrain_mtl.models.features import remove_utterance_mean
from speechbrain_mtl.models.masking import SpanMask, span_mask
from speechbrain_mtl.models.recurrent import BiLSTM, reverse_valid


def make(kind):
    torch.manual_seed(0)
    if kind == "context":
        return ContextFbank()
    pooling = 1 if kind == "reference" else 2
    return CRDNN(cnn_channels=[4, 6], time_pooling=pooling, rnn_size=8)


@pytest.mark.parametrize("kind", ["small", "reference", "context"])
def test_padding_changes_no_layer(kind):
    encoder = make(kind).eval()
    short, long = torch.randn(9000), torch.randn(16000)
    padded = torch.zeros(2, 16000)
    padded[0, :9000], padded[1] = short, long
    encoder.calibrate(long[None], torch.ones(1))
    alone = encoder(short[None], torch.ones(1))
    batch = encoder(padded, torch.tensor([9000 / 16000, 1.0]))
    count = int(alone.lens[0])
    assert batch.lens[0] == count > 0
    for one, two in zip(alone.layers, batch.layers):
        torch.testing.assert_close(one[0], two[0, :count], atol=2e-5, rtol=1e-4)
        assert (two[0, count:] == 0).all()


@pytest.mark.parametrize("kind", ["small", "reference", "context"])
def test_layers_have_the_declared_widths_and_rate(kind):
    encoder = make(kind).eval()
    wavs = torch.randn(1, 32000)
    encoder.calibrate(wavs, torch.ones(1))
    encoded = encoder(wavs, torch.ones(1))
    assert tuple(layer.shape[-1] for layer in encoded.layers) == encoder.dims
    assert abs(encoded.lens[0] * encoder.hop - 2.0) < 0.05


def test_frame_times_follow_an_impulse():
    encoder = make("small").eval()
    wavs = 1e-3 * torch.randn(1, 32000)
    encoder.calibrate(wavs, torch.ones(1))
    with torch.no_grad():
        quiet = encoder(wavs, torch.ones(1)).layers[0]
    wavs[0, 16000 - 40 : 16000 + 40] += 1.0
    with torch.no_grad():
        loud = encoder(wavs, torch.ones(1)).layers[0]
    # The convolutions see a few frames around the impulse; their centre of
    # change is where it happened. The utterance mean moves every frame a bit.
    change = (loud - quiet).norm(dim=-1)[0]
    change = (change - change.median()).clamp(min=0)
    times = encoder.offset + encoder.hop * torch.arange(len(change))
    centre = (change * times).sum() / change.sum()
    assert abs(float(centre) - 1.0) < encoder.hop


def test_bilstm_equals_packed_torch_lstm():
    torch.manual_seed(0)
    ours, theirs = (
        BiLSTM(6, 5),
        torch.nn.LSTM(6, 5, batch_first=True, bidirectional=True),
    )
    state = {}
    for name, value in ours.state_dict().items():
        side, key = name.split(".")
        state[key + ("_reverse" if side == "back" else "")] = value
    theirs.load_state_dict(state)
    x, lens = torch.randn(3, 7, 6), torch.tensor([7, 4, 1])
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lens, batch_first=True)
    wanted, _ = torch.nn.utils.rnn.pad_packed_sequence(
        theirs(packed)[0], batch_first=True
    )
    got = ours(x, lens) * frame_mask(lens, 7)[..., None]
    torch.testing.assert_close(got, wanted)


def test_reversing_twice_is_the_identity():
    x, lens = torch.randn(3, 6, 2), torch.tensor([6, 3, 1])
    twice = reverse_valid(reverse_valid(x, lens), lens)
    torch.testing.assert_close(twice, x)


def test_removing_the_mean_twice_changes_nothing():
    x, lens = torch.randn(2, 6, 3), torch.tensor([6, 4])
    once = remove_utterance_mean(x, lens)
    torch.testing.assert_close(remove_utterance_mean(once, lens), once)
    assert once[1, 4:].abs().max() == 0
    assert once.sum(1).abs().max() < 1e-5


def test_masks_hide_the_asked_share_and_no_padding():
    torch.manual_seed(0)
    lens = torch.tensor([400, 200, 12])
    masks = torch.stack(
        [span_mask(lens, 400, prob=0.2, span=8) for _ in range(200)]
    ).float()
    share = masks.sum(-1).mean(0) / lens
    # Overlapping spans hide 1 - (1 - span/len)^count of the frames.
    assert 0.15 < share[0] < 0.2 and 0.15 < share[1] < 0.2
    assert masks[:, 1, 200:].sum() == 0 and masks[:, 2].sum() == 0


def test_mask_is_off_in_eval_and_fixed_by_the_seed():
    mask = SpanMask(3, prob=0.5, span=4)
    torch.nn.init.ones_(mask.vector)
    x, lens = torch.zeros(2, 40, 3), torch.tensor([40, 30])
    torch.manual_seed(3)
    first = mask(x, lens)
    torch.manual_seed(3)
    assert torch.equal(first, mask(x, lens)) and first.sum() > 0
    assert torch.equal(mask.eval()(x, lens), x)


def test_too_many_convolution_blocks_are_refused():
    with pytest.raises(ValueError, match="mel bands away"):
        CRDNN(n_mels=4, cnn_channels=[2, 2, 2])
