"""Two processes tell pairs apart as one with the joint batch does."""

import pytest
import torch

from tests.training.test_distributed import torchrun
from tests.training.two_processes_matching import MATCHINGS, ROWS, learn

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
