"""Two processes tell pairs apart as one with the joint batch does."""

import pytest
import torch

from tests.training.test_distributed import torchrun
from tests.training.two_processes_matching import (
    MATCHINGS,
    ROWS,
    learn,
    learn_grounding,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    torchrun("tests/training/two_processes_matching.py", folder)
    return [torch.load(folder / f"rank{rank}.pt") for rank in (0, 1)]


@pytest.mark.parametrize("kind", MATCHINGS)
def test_others_images_are_negatives_with_gradient(kind, ranks):
    whole, alone = learn(kind), learn(kind, ROWS[0])
    for rank in ranks:
        assert set(rank[kind]) == set(whole)
        for name, expected in whole.items():
            torch.testing.assert_close(
                rank[kind][name], expected, rtol=1e-5, atol=1e-6
            )
    # Else the processes might not have spoken to each other.
    for name in ("loss", "frames.weight", "image.weight", "norm.running_mean"):
        assert (whole[name] - alone[name]).abs().max() > 1e-3, name


def test_the_whole_model_learns_as_in_one_process(ranks):
    whole, alone = learn_grounding(), learn_grounding(slice(0, 2))
    for rank in ranks:
        found = rank["grounding"]
        assert set(whole) <= set(found)
        for name, expected in whole.items():
            torch.testing.assert_close(
                found[name], expected, rtol=1e-4, atol=1e-5
            )
        # DDP gives zeros to what no process used.
        assert not any(found[n].any() for n in set(found) - set(whole))
    assert abs(whole["loss"] - alone["loss"]) > 1e-3
