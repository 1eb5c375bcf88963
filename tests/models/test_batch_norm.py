import pytest
import torch
from torch import nn

from speechbrain_mtl.models.batch_norm import ValidBatchNorm
from speechbrain_mtl.models.encoder import frame_mask


def pair(channels=3):
    """Ours and torch's with the same scales and shifts."""
    ours, theirs = ValidBatchNorm(channels), nn.BatchNorm1d(channels)
    with torch.no_grad():
        ours.weight.normal_()
        ours.bias.normal_()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def batch(*lens):
    lens = torch.tensor(lens)
    valid = frame_mask(lens, int(lens.max()))[:, None]
    x = 4 * torch.randn(len(lens), 3, int(lens.max())) + 7
    return x.masked_fill(~valid, 1e6), valid


def test_it_is_torchs_on_the_valid_frames_laid_end_to_end():
    ours, theirs = pair()
    for training in (True, True, False):
        ours.train(training)
        theirs.train(training)
        x, valid = batch(9, 4, 1)
        found = ours(x, valid)
        frames = x.mT[valid[:, 0]]
        torch.testing.assert_close(found.mT[valid[:, 0]], theirs(frames))
        assert (found * ~valid == 0).all()
        for name, value in theirs.state_dict().items():
            torch.testing.assert_close(ours.state_dict()[name], value)


def test_gradients_are_torchs():
    ours, theirs = pair()
    x, valid = batch(6, 2)
    frames = x.mT[valid[:, 0]].requires_grad_()
    x.requires_grad_()
    (ours(x, valid) ** 3).sum().backward()
    (theirs(frames) ** 3).sum().backward()
    # Large gradients nearly cancel: rounding shows.
    for found, expected in (
        (x.grad.mT[valid[:, 0]], frames.grad),
        (ours.weight.grad, theirs.weight.grad),
    ):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_a_single_frame_is_normalised_by_what_ran_before(training):
    ours, _ = pair()
    ours.running_mean.fill_(7.0)
    ours.train(training)
    before = ours.running_mean.clone(), ours.running_var.clone()
    x = torch.full((1, 3, 1), 9.0)
    wanted = ours.weight * 2 / (1 + ours.eps) ** 0.5 + ours.bias
    torch.testing.assert_close(ours(x)[0, :, 0], wanted)
    torch.testing.assert_close((ours.running_mean, ours.running_var), before)


def test_speechbrain_leaves_it_in_distributed_runs():
    # What Brain calls; torch's own would not know of padding.
    network = nn.Sequential(ValidBatchNorm(3), nn.BatchNorm1d(3))
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    assert [type(m) for m in converted] == [ValidBatchNorm, nn.SyncBatchNorm]
