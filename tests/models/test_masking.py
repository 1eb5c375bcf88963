import copy

import pytest
import torch

from speechbrain_mtl.models import Wav2Vec2Encoder
from speechbrain_mtl.models.masking import SpanMask, hidden_frames


@pytest.mark.slow
def test_a_compiled_mask_takes_any_length_and_hides_the_same():
    """The second length is where a compiler first asks for any."""
    mask = SpanMask(3, prob=0.5, span=4)
    torch.nn.init.ones_(mask.vector)
    compiled = torch.compile(mask, backend="eager")
    for frames in (40, 57, 80):
        x, lens = torch.zeros(2, frames, 3), torch.tensor([frames, 30])
        torch.manual_seed(3)
        expected = mask(x, lens)
        torch.manual_seed(3)
        assert torch.equal(compiled(x, lens), expected) and expected.any()


def hide(training: bool, share: float, items: int = 8) -> torch.Tensor:
    lens = torch.full((items,), 40)
    valid = torch.ones(items, 40, dtype=torch.bool)
    return hidden_frames(True, training, lens, valid, 0.4, 5, 1, share)


def test_frames_are_hidden_in_a_share_of_items_others_in_every_step():
    torch.manual_seed(0)
    chosen = [hide(True, 0.25).any(dim=1) for _ in range(40)]
    assert {int(row.sum()) for row in chosen} == {2}
    assert torch.stack(chosen).any(dim=0).all()


def test_one_item_at_least_is_hidden_in_and_all_where_nothing_trains():
    torch.manual_seed(0)
    assert int(hide(True, 0.01).any(dim=1).sum()) == 1
    assert bool(hide(True, 0.01, items=1).any())
    assert int(hide(False, 0.01).any(dim=1).sum()) == 8
    assert int(hide(True, 1.0).any(dim=1).sum()) == 8


@pytest.mark.parametrize("share", [0, -0.5, 1.5])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match=f"mask_share is {share}"):
        hide(True, share)


def test_an_encoder_and_its_copy_hear_the_other_items_whole():
    encoder = Wav2Vec2Encoder(
        32, 2, 2, 64, conv_channels=16, dropout=0.0, mask_share=0.5
    )
    wavs, lens = torch.randn(4, 16000), torch.ones(4)
    whole = encoder(wavs, lens, hide=False)
    for model in (encoder, copy.deepcopy(encoder)):
        encoded = model.train()(wavs, lens)
        kept = ~encoded.hidden.any(dim=1)
        assert int(kept.sum()) == 2
        torch.testing.assert_close(
            encoded.layers[-1][kept], whole.layers[-1][kept]
        )
        assert not torch.allclose(
            encoded.layers[-1][~kept], whole.layers[-1][~kept]
        )
