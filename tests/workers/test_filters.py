import pytest
import torch
from scipy.signal import lfilter

from speechbrain_mtl.workers.filters import one_pole


@pytest.mark.parametrize("frames", [1, 63, 64, 65, 200, 1000])
@pytest.mark.parametrize("pole", [0.0, 0.5, 0.94, 0.999])
def test_it_is_the_recursive_filter(frames, pole):
    values = torch.randn(2, frames, 3, dtype=torch.float64)
    expected = lfilter([1.0], [1.0, -pole], values.numpy(), axis=1)
    torch.testing.assert_close(
        one_pole(values.float(), pole).double(),
        torch.from_numpy(expected),
        rtol=1e-4,
        atol=1e-4,
    )


def test_the_past_never_sees_the_future():
    values = torch.randn(1, 150, 1)
    changed = values.clone()
    changed[:, 100:] = 1e6
    before, after = one_pole(values, 0.9), one_pole(changed, 0.9)
    assert torch.equal(before[:, :100], after[:, :100])
