"""The blocks of VGS+ are built; the paper's has the paper's parameters."""

from pathlib import Path

import pytest
import torch
from hyperpyyaml import load_hyperpyyaml

from speechbrain_mtl.training import MultiTaskModel

BLOCKS = Path(__file__).parents[2] / "hparams" / "blocks"

pytest.importorskip("transformers")


def built(name):
    with open(BLOCKS / name, encoding="utf-8") as fin:
        return load_hyperpyyaml(fin)


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_the_papers_sizes():
    """Counted from the shapes of its layers, without what it never trains."""
    # Shapes alone: random values of so many would take seconds.
    with torch.device("meta"):
        block = built("vgs_paper.yaml")
    encoder, tasks = block["encoder"], block["tasks"]
    # Base for pretraining, and the CLS token.
    assert count(encoder) + count(tasks["wav2vec2"]) == 95_044_608 + 768
    # A second projection of CLS is computed there and thrown away.
    unused = 768 * 1536 + 1536 + 1536 * 768 + 768
    assert count(tasks["grounding"].speech) == 43_466_368 - unused
    assert count(tasks["grounding"].image) == 46_470_144
    assert tasks["grounding"].deepest == 8 and len(encoder.dims) == 13
    assert tasks["grounding"].allows_hidden


def test_the_small_one_scores_pictures():
    block = built("vgs_small.yaml")
    model = MultiTaskModel(block["encoder"], block["tasks"]).eval()
    assert count(model) < 1_000_000 and model.encoder.hop == 0.02
    encoded = model.encoder(torch.randn(2, 8000), torch.ones(2))
    task = block["tasks"]["grounding"]
    speech = task.embed_speech(encoded)
    seen = task.image(torch.zeros(3, 3, 48, 48, dtype=torch.uint8))
    assert task.matching.similarity(speech, seen).shape == (2, 3)
