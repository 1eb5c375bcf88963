"""Joint training over two processes: the updates, and the end, of one."""

from pathlib import Path

import pytest
import torch

from tests.helpers import joint
from tests.training.test_distributed import torchrun
from tests.training.two_processes_joint import CASES, MAKERS, run

pytestmark = pytest.mark.slow
SCRIPT = "tests/training/two_processes_joint.py"


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    torchrun(SCRIPT, "steps", folder)
    return [torch.load(folder / f"rank{rank}.pt") for rank in (0, 1)]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("case", CASES)
def test_two_processes_update_as_one(case, kind, ranks, tmp_path):
    one = run(case, kind, tmp_path)
    both = [rank[f"{case}, {kind}"] for rank in ranks]
    for name, expected in one.items():
        assert expected.isfinite().all(), name
        for found in both:
            torch.testing.assert_close(
                found[name], expected, rtol=1e-4, atol=1e-5, msg=name
            )
    for name, value in both[0].items():
        assert torch.equal(both[1][name], value), name
    # Else this would show little.
    assert any(g.any() for name, g in one.items() if name.startswith("grad"))


def test_both_processes_end_with_the_same_weights(tmp_path):
    joint.write_parts(tmp_path)
    torchrun(SCRIPT, "whole_run", tmp_path)
    one, two = (torch.load(tmp_path / f"rank{r}.pt") for r in (0, 1))
    assert len(one["kept"]) == len(two["kept"]) == 2
    for first, second in zip(one["kept"], two["kept"]):
        for name, value in first.items():
            if isinstance(value, torch.Tensor):
                assert torch.equal(value, second[name]), name
    name = "tasks.word.head.weight"
    assert not torch.equal(one["kept"][0][name], one["kept"][1][name])
    # In turn the same task, of which each heard other utterances.
    assert len(one["heard"]) == len(two["heard"]) == 6
    assert all(set(a).isdisjoint(b) for a, b in zip(one["heard"], two["heard"]))
    assert one["results"]["rules"] == two["results"]["rules"]
    assert one["results"]["steps"] == 6


def test_a_recording_that_one_cannot_read_ends_both(tmp_path):
    """The other waits for its gradients, and must not be waited for."""
    parts = joint.write_parts(tmp_path)
    last = list(parts["word"]["train"].values())[-1]
    Path(last["wav"]).write_bytes(b"no audio")
    with pytest.raises(AssertionError):
        torchrun(SCRIPT, "whole_run", tmp_path)
    # Not that the other did not come.
    found = (tmp_path / "error.txt").read_text()
    assert Path(last["wav"]).stem in found
