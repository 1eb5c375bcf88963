import json

import pytest
import torch

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.evaluation.abx_layers import abx_by_layer
from speechbrain_mtl.inference import write_inference
from speechbrain_mtl.models import CRDNN
from speechbrain_mtl.training.pretrain import save_encoder

SIZES = {"n_mels": 20, "cnn_channels": [4], "rnn_layers": 1, "rnn_size": 8,
         "projection": 8}  # fmt: skip


def made(seed):
    torch.manual_seed(seed)
    encoder = CRDNN(**SIZES)
    encoder.calibrate(torch.randn(2, 16000), torch.ones(2))
    return encoder.eval()


@pytest.fixture
def training(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    save_encoder(made(1), folder / "encoder.ckpt")
    save_encoder(made(2), folder / "initial.ckpt")
    settings = {"!": "!new:speechbrain_mtl.models.CRDNN", **SIZES}
    write_inference(folder, settings)
    return folder


@pytest.fixture
def manifest(entries, tmp_path):
    """Phones with stress between two others; two speakers."""
    chosen = {}
    for number, (name, entry) in enumerate(entries.items()):
        spans = []
        for begin, end, label in entry["phones"]:
            spans += [
                [begin, begin + 0.1, "L"],
                [begin + 0.1, end - 0.1, f"{label}{number % 2}"],
                [end - 0.1, end, "R"],
            ]
        chosen[name] = {**entry, "phones": spans, "speaker": f"s{number % 3}"}
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(chosen))
    return path, chosen


@pytest.mark.parametrize("keep", [False, True])
def test_every_layer_trained_and_untrained(training, manifest, tmp_path, keep):
    path, entries = manifest
    out = tmp_path / "out"
    command = ["abx-layers", str(path), str(training), "--untrained"]
    command += ["--out", str(out), *["--keep-stress"] * keep]
    assert main(command) == 0
    layers = json.loads((out / "abx_layers.json").read_text())["layers"]
    assert list(layers) == [str(training), f"{training}, untrained"]
    for found, seed in zip(layers.values(), (1, 2)):
        rename = str if keep else lambda phone: phone.rstrip("012")
        wanted = abx_by_layer(made(seed), entries, rename=rename)["within"]
        assert found == [one.as_dict() for one in wanted]
    errors = [[one["error"] for one in found] for found in layers.values()]
    assert errors[0] != errors[1]


def test_models_of_others_have_nothing_untrained(manifest, tmp_path, capsys):
    path, _ = manifest
    command = ["abx-layers", str(path), str(tmp_path), "--untrained"]
    assert main(command) == 1
    assert "Leave out --untrained" in capsys.readouterr().err
