"""What all tests share: where real recordings are, and one thread each."""

import os
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture
def shared_data():
    """Find a set of real recordings by name, or skip and say why."""
    root = Path(
        os.environ.get(
            "SPEECHBRAIN_MTL_DATA",
            Path(__file__).parents[2] / "shared" / "data",
        )
    )

    def find(name: str) -> Path:
        if not (root / name / "manifest.json").is_file():
            pytest.skip(f"recordings '{name}' are not in {root}")
        return root / name

    return find
