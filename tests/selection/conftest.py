"""Segments whose structure is known, as arrays and as recordings."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.features import Measurements
from tests.helpers.tones import harmonic_tone


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture
def planted():
    """Make measurements in which every label's merit is known.

    Speech carries the class, a nuisance within classes ("speaker") and noise.
    """

    def make(classes=8, per_class=40, speakers=10, seed=0):
        generator = torch.Generator().manual_seed(seed)
        count = classes * per_class

        def normal(*shape):
            return torch.randn(*shape, generator=generator).double()

        y = torch.arange(classes).repeat_interleave(per_class)
        g = torch.randint(speakers, (count,), generator=generator)
        of_class, of_speaker = normal(classes)[y], normal(speakers)[g]
        nuisance = normal(count)
        mels = 0.3 * normal(count, 10, 40)
        for source in (of_class, of_speaker, nuisance):
            mels += source[:, None, None] * normal(10, 40)
        labels = {
            "good": of_class + 0.3 * normal(count),
            "leaky": of_class + 0.7 * nuisance,
            "blind": nuisance + 0.3 * normal(count),
            "noise": normal(count),
            "small_noise": 1e-3 * normal(count),
            "speaker": of_speaker + 0.3 * normal(count),
        }
        labels = {name: z[:, None] for name, z in labels.items()}
        measured = Measurements(mels.float(), labels, float(count))
        return SimpleNamespace(
            measured=measured,
            classes=y,
            clusters=g,
            names=list(labels),
            comparison=Comparison(measured, y),
        )

    return make


@pytest.fixture
def tone_corpus(tmp_path):
    """Write recordings of tones: the class sets the pitch, chance the rest."""

    def write(classes=3, per_class=12, speakers=4, seconds=0.4, seed=0):
        random = np.random.default_rng(seed)
        manifest = {}
        for index in range(classes * per_class):
            pitch = 150 * (1 + index % classes) * random.uniform(0.97, 1.03)
            length = seconds * random.uniform(0.8, 1.2)
            wave = harmonic_tone(random, pitch, int(16000 * length))
            path = tmp_path / f"{index}.wav"
            soundfile.write(path, wave.astype("float32"), 16000)
            manifest[f"u{index:03d}"] = {
                "wav": "{data_root}/" + path.name,
                "duration": len(wave) / 16000,
                "note": f"n{index % classes}",
                "speaker": f"s{random.integers(speakers)}",
                "halves": [
                    [0.0, length / 2, f"a{index % classes}"],
                    [length / 2, length, f"b{index % classes}"],
                ],
            }
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps(manifest))
        return path

    return write
