"""Two processes: the updates of one process with the joint batch."""

import pytest
import torch

from tests.training.test_distributed import torchrun
from tests.training.two_processes_weightings import MAKERS, train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    torchrun("tests/training/two_processes_weightings.py", folder)
    return [torch.load(folder / f"rank{rank}.pt") for rank in (0, 1)]


@pytest.mark.parametrize("kind", MAKERS)
def test_two_processes_update_as_one(kind, ranks):
    one = train(MAKERS[kind]())
    weights = torch.stack([one[f"{number}.weights"] for number in range(4)])
    # Else this would show little.
    assert weights.max() > 1.05 * weights.min()
    for rank in ranks:
        assert set(rank[kind]) == set(one)
        for name, expected in one.items():
            torch.testing.assert_close(
                rank[kind][name], expected, rtol=1e-5, atol=1e-5
            )
    for name, value in ranks[0][kind].items():
        assert torch.equal(ranks[1][kind][name], value), name
