import torch

from speechbrain_mtl.models.group_norm import ValidGroupNorm


def test_without_padding_it_is_group_norm():
    norm = ValidGroupNorm(4)
    norm.weight.data.normal_()
    norm.bias.data.normal_()
    plain = torch.nn.GroupNorm(4, 4)
    plain.load_state_dict(norm.state_dict())
    x = 3 + torch.randn(2, 4, 50)
    torch.testing.assert_close(norm(x), plain(x))
    norm.lens = torch.tensor([50, 50])
    torch.testing.assert_close(norm(x), plain(x), rtol=1e-4, atol=1e-5)


def test_padding_is_left_out_and_becomes_0():
    norm = ValidGroupNorm(3)
    norm.bias.data.normal_()
    x = torch.randn(2, 3, 40)
    x[1, :, 25:] = 1e3
    norm.lens = torch.tensor([40, 25])
    y = norm(x)
    assert not y[1, :, 25:].any()
    norm.lens = torch.tensor([25])
    torch.testing.assert_close(y[1:, :, :25], norm(x[1:, :, :25]))
