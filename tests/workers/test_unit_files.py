import json

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.data.manifest import load_manifest
from speechbrain_mtl.workers.unit_files import fit_units, load_units


@pytest.fixture
def manifest(tmp_path):
    random = np.random.default_rng(0)
    entries = {}
    for index in range(6):
        wave = 0.1 * random.standard_normal(8000) * (1 + index)
        wave += np.sin(np.arange(8000) * (index + 1) / 20)
        soundfile.write(tmp_path / f"{index}.wav", 0.1 * wave, 16000)
        entries[f"u{index}"] = {
            "wav": f"{{data_root}}/{index}.wav",
            "duration": 0.5,
        }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(entries))
    return path


@pytest.mark.parametrize("source", ["mfcc", "prosody"])
def test_units_come_back_from_their_file(manifest, tmp_path, source):
    path = tmp_path / "units.pt"
    fitted = fit_units(load_manifest(manifest), path, source, units=8)
    wavs, lens = torch.randn(2, 9000), torch.tensor([1.0, 0.5])
    assert torch.equal(load_units(path)(wavs, lens), fitted(wavs, lens))
    assert fitted.standardize == (source == "prosody")


def test_the_command_writes_units_for_a_selection(manifest, tmp_path, capsys):
    out = tmp_path / "five.pt"
    code = main(["units", str(manifest), "--units", "5", "--out", str(out)])
    assert code == 0 and load_units(out).units == 5
    assert "5 units of mfcc, a frame every 10 ms" in capsys.readouterr().out


def test_too_few_frames_and_other_files_are_refused(manifest, tmp_path, capsys):
    assert main(["units", str(manifest), "--units", "5000"]) == 1
    assert "fewer units" in capsys.readouterr().err
    other = tmp_path / "other.pt"
    torch.save({"a": 1}, other)
    with pytest.raises(ValueError, match="no file of units"):
        load_units(other)
    other.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="no file of units"):
        load_units(other)
