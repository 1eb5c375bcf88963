import pytest
import torch

from speechbrain_mtl.models.masking import SpanMask


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
