"""bf16: the network is rounded, labels and losses are not."""

import json
import math

import pytest
import torch

from speechbrain_mtl.models import TransformerEncoder
from speechbrain_mtl.training import MultiTaskModel
from speechbrain_mtl.workers import WorkerBank
from speechbrain_mtl.workers.analysis import Analysis
from tests.recipes.miniature import write_tones
from tests.training import test_pretrain as crdnn
from tests.training import test_pretrain_wav2vec2 as wav2vec2


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A folder of forty tones with their entries."""
    folder = tmp_path_factory.mktemp("tones")
    paths = write_tones(folder, [f"t{i}" for i in range(40)], 1.5)
    entries = {n: {"wav": str(p), "duration": 1.5} for n, p in paths.items()}
    (folder / "entries.json").write_text(json.dumps(entries))
    return folder


@pytest.fixture
def dtypes(monkeypatch):
    """What labels, and the layers of wav2vec 2.0, are made of in training."""
    seen = {"labels": set(), "layers": set()}
    label, layers = WorkerBank.forward, TransformerEncoder._layers

    def labels(bank, wavs, lens):
        values = label(bank, wavs, lens)
        seen["labels"] |= {value.dtype for value in values.values()}
        return values

    def outputs(encoder, *rest):
        made = layers(encoder, *rest)
        seen["layers"] |= {layer.dtype for layer in made if encoder.training}
        return made

    monkeypatch.setattr(WorkerBank, "forward", labels)
    monkeypatch.setattr(TransformerEncoder, "_layers", outputs)
    return seen


def finite(folder):
    log = [json.loads(x) for x in (folder / "train_log.jsonl").open()]
    losses = [entry["loss"] for entry in log]
    losses += [t["loss"] for entry in log for t in entry["tasks"].values()]
    return len(losses) > 4 and all(map(math.isfinite, losses))


def test_a_crdnn_trains_in_bf16(corpus, tmp_path, dtypes):
    options = {"precision": "bf16"}
    summary, encoder = crdnn.run(
        corpus, tmp_path / "b", hours=0.02, run_opts=options
    )
    assert finite(tmp_path / "b")
    assert dtypes["labels"] == {torch.float32}
    # Weights stay in float32, and the losses near those of float32.
    assert {p.dtype for p in encoder.parameters()} == {torch.float32}
    exact, _ = crdnn.run(corpus, tmp_path / "f", hours=0.02)
    assert summary["valid"] != exact["valid"]
    assert summary["valid"] == pytest.approx(exact["valid"], rel=0.05)


def test_wav2vec2_trains_in_bf16(corpus, tmp_path, dtypes):
    entries = json.loads((corpus / "entries.json").read_text())
    summary = wav2vec2.run(entries, tmp_path, precision="bf16")
    assert summary["steps"] >= 6 and finite(tmp_path)
    assert dtypes["labels"] == {torch.float32}
    assert torch.bfloat16 in dtypes["layers"]


def test_labels_under_autocast_are_those_without():
    model = MultiTaskModel(*crdnn.parts())
    generator = torch.Generator().manual_seed(0)
    wavs, lens = torch.randn(2, 16000, generator=generator), torch.ones(2)
    plain = model.inputs(wavs, lens, crdnn.WEIGHTS).labels
    with torch.autocast("cpu", torch.bfloat16):
        cast = model.inputs(wavs, lens, crdnn.WEIGHTS).labels
        # What autocast makes of cepstra that nobody shields from it.
        rounded = model.bank["mfcc"].label(Analysis(wavs, lens))
    for name in crdnn.WEIGHTS:
        assert torch.equal(plain[name].values, cast[name].values), name
    assert not torch.equal(rounded.float(), plain["mfcc"].values)
