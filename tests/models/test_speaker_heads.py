"""x-vectors and ECAPA-TDNN: padding never matters, layers are SpeechBrain's."""

import pytest
import torch
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN
from speechbrain.lobes.models.Xvector import Xvector
from speechbrain.nnet.CNN import Conv1d

from speechbrain_mtl.models import ECAPA, XVector
from speechbrain_mtl.models.tdnn import TDNNLayer

LENS = torch.tensor([60, 31, 1])


def heads():
    torch.manual_seed(0)
    return {
        "xvector": XVector(5, (8, 8, 8, 8, 12), embedding_size=6),
        "ecapa": ECAPA(
            5, channels=16, scale=4, attention_size=6, squeeze_size=6,
            embedding_size=6,
        ),
    }  # fmt: skip


def settle(head):
    """Give batch norms statistics that are not those of nothing."""
    with torch.no_grad():
        for _ in range(5):
            head(2 * torch.randn(3, 60, 5) + 1, LENS)
    return head


@pytest.mark.parametrize("name", heads())
def test_an_utterance_is_embedded_alike_in_any_company(name):
    head = settle(heads()[name]).eval()
    x = torch.randn(3, 60, 5)
    for row, length in enumerate(LENS):
        x[row, length:] = 1e4
    together = head(x, LENS)
    longer = head(torch.cat([x, torch.full((3, 7, 5), 1e4)], 1), LENS)
    torch.testing.assert_close(longer, together, rtol=1e-4, atol=1e-5)
    for row, length in enumerate(LENS):
        alone = head(x[row : row + 1, :length], LENS[row : row + 1])
        torch.testing.assert_close(
            alone[0], together[row], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("name", heads())
def test_padding_does_not_teach_either(name):
    results = []
    for padding in (0, 9):
        head = heads()[name].train()
        torch.manual_seed(1)
        x = torch.randn(3, 60, 5)
        x = torch.nn.functional.pad(x, (0, 0, 0, padding), value=50.0)
        x.requires_grad_()
        head(x, LENS).square().sum().backward()
        assert torch.isfinite(x.grad).all()
        assert (x.grad[0, 60:] == 0).all() and (x.grad[1, 31:] == 0).all()
        results.append(
            [x.grad[:, :60], *(b.clone() for b in head.buffers())]
            + [p.grad for p in head.parameters()]
        )
    torch.testing.assert_close(*results, rtol=1e-3, atol=1e-3)


def zero_ends(model):
    """SpeechBrain mirrors what lies beyond; ours is silent there."""
    for module in model.modules():
        if isinstance(module, Conv1d):
            module.padding_mode = "constant"
    return model


def shapes_agree(state, other):
    return [v.numel() for v in state] == [v.numel() for v in other]


def borrow(ours, theirs):
    """Take their parameters: both list them in one order."""
    own = ours.state_dict()
    found = list(theirs.state_dict().values())
    assert shapes_agree(own.values(), found)
    ours.load_state_dict(
        {name: v.reshape(own[name].shape) for name, v in zip(own, found)}
    )


def test_x_vector_frames_are_speechbrains():
    torch.manual_seed(0)
    theirs = Xvector(
        in_channels=5, lin_neurons=6, tdnn_channels=[8, 8, 8, 8, 12]
    )
    theirs = zero_ends(theirs)
    theirs(torch.randn(4, 50, 5))
    theirs.eval()
    ours = heads()["xvector"]
    borrow(ours, theirs)
    ours.eval()
    x = torch.randn(2, 40, 5)
    frames = x
    for block in theirs.blocks[:-2]:
        frames = block(frames)
    lens = torch.tensor([40, 40])
    torch.testing.assert_close(
        ours.frames(x, lens).mT, frames, rtol=1e-4, atol=1e-5
    )
    # Their deviation is of n - 1, and their mean has noise added.
    mean, deviation = frames.mean(1), frames.std(1, unbiased=False)
    wanted = theirs.blocks[-1](torch.cat([mean, deviation], 1))
    torch.testing.assert_close(ours(x, lens), wanted, rtol=1e-4, atol=1e-4)


def test_ecapa_is_speechbrains():
    torch.manual_seed(0)
    theirs = ECAPA_TDNN(
        5,
        lin_neurons=6,
        channels=[16] * 4 + [48],
        attention_channels=6,
        se_channels=6,
        res2net_scale=4,
    )
    theirs = zero_ends(theirs)
    theirs(torch.randn(4, 50, 5))
    theirs.eval()
    ours = heads()["ecapa"]
    borrow(ours, theirs)
    ours.eval()
    x = torch.randn(3, 40, 5)
    wanted = theirs(x)[:, 0]
    found = ours(x, torch.tensor([40, 40, 40]))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="kernel_size is 4; give an odd one"):
        TDNNLayer(3, 3, kernel_size=4)
    with pytest.raises(ValueError, match="2 channels, 5 kernel_sizes"):
        XVector(3, channels=(4, 4))
    with pytest.raises(ValueError, match="channels 12, scale 8"):
        ECAPA(3, channels=12)
