import math

import pytest
import torch
from speechbrain.nnet.losses import (
    AdditiveAngularMargin,
    AngularMargin,
    LogSoftmaxWrapper,
)

from speechbrain_mtl.losses import am_softmax, known_cross_entropy


def batch(seed=0, items=12, classes=5):
    generator = torch.Generator().manual_seed(seed)
    cosines = 2 * torch.rand(items, classes, generator=generator) - 1
    targets = torch.randint(classes, (items,), generator=generator)
    # Angle and margin together of more than half a turn, too.
    cosines[torch.arange(3), targets[:3]] = -0.99
    return cosines, targets


@pytest.mark.parametrize("margin", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("angular", [False, True])
def test_it_is_a_loop_over_items_and_classes(margin, angular):
    cosines, targets = batch()
    losses = []
    for row, target in zip(cosines.tolist(), targets.tolist()):
        lowered = row[target] - margin
        angle = math.acos(row[target])
        if angular and angle + margin < math.pi:
            lowered = math.cos(angle + margin)
        elif angular:
            lowered = row[target] - margin * math.sin(margin)
        row[target] = lowered
        total = sum(math.exp(30 * cosine) for cosine in row)
        losses.append(math.log(total) - 30 * lowered)
    loss = am_softmax(cosines, targets, margin, 30.0, angular)
    assert float(loss) == pytest.approx(sum(losses) / len(losses), rel=1e-4)


@pytest.mark.parametrize(
    ("angular", "theirs"),
    [(False, AngularMargin), (True, AdditiveAngularMargin)],
)
def test_it_is_speechbrains(angular, theirs):
    cosines, targets = batch(1)
    wrapped = LogSoftmaxWrapper(theirs(margin=0.3, scale=20.0))
    wanted = wrapped(cosines[:, None], targets[:, None])
    ours = am_softmax(cosines, targets, 0.3, 20.0, angular)
    torch.testing.assert_close(ours, wanted, rtol=1e-4, atol=1e-5)


def test_without_margin_it_is_cross_entropy():
    cosines, targets = batch(2)
    wanted = torch.nn.functional.cross_entropy(7 * cosines, targets)
    torch.testing.assert_close(am_softmax(cosines, targets, 0.0, 7.0), wanted)
    torch.testing.assert_close(
        known_cross_entropy(7 * cosines, targets), wanted
    )


@pytest.mark.parametrize("angular", [False, True])
def test_items_of_no_known_class_do_not_count(angular):
    cosines, targets = batch(3)
    wanted = am_softmax(cosines[:4], targets[:4], angular=angular)
    targets[4:] = -1
    cosines.requires_grad_()
    loss = am_softmax(cosines, targets, angular=angular)
    torch.testing.assert_close(loss, wanted)
    loss.backward()
    assert (cosines.grad[4:] == 0).all() and cosines.grad[:4].any()


@pytest.mark.parametrize("angular", [False, True])
def test_a_batch_without_known_classes_costs_nothing(angular):
    cosines = torch.zeros(2, 3, requires_grad=True)
    loss = am_softmax(cosines, torch.tensor([-1, -1]), angular=angular)
    loss.backward()
    assert loss.item() == 0 and (cosines.grad == 0).all()


@pytest.mark.parametrize("angular", [False, True])
def test_gradients_are_those_of_small_steps_and_finite_at_the_ends(angular):
    torch.manual_seed(0)
    cosines = 1.6 * torch.rand(3, 4) - 0.8
    targets = torch.tensor([1, -1, 3])
    cosines.requires_grad_()
    am_softmax(cosines, targets, 0.3, 3.0, angular).backward()
    step = 1e-2
    for place in [(0, 1), (0, 2), (2, 3)]:
        moved = []
        for sign in (1, -1):
            other = cosines.detach().clone()
            other[place] += sign * step
            moved.append(float(am_softmax(other, targets, 0.3, 3.0, angular)))
        slope = (moved[0] - moved[1]) / (2 * step)
        assert float(cosines.grad[place]) == pytest.approx(slope, abs=2e-3)
    ends = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], requires_grad=True)
    am_softmax(ends, torch.tensor([0, 0]), angular=angular).backward()
    assert torch.isfinite(ends.grad).all()
