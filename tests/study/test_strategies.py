import numpy as np
import pytest
import soundfile

from speechbrain_mtl.selection import Selector
from speechbrain_mtl.study.strategies import STRATEGIES, strategy_weights
from speechbrain_mtl.workers import F0, RMSEnergy, Voicing, ZeroCrossingRate
from tests.helpers.tones import harmonic_tone


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Tones whose pitch is the class and whose level is chance."""
    folder = tmp_path_factory.mktemp("tones")
    random = np.random.default_rng(0)
    entries = {}
    for index in range(36):
        pitch = 150 * (1 + index % 3) * random.uniform(0.97, 1.03)
        wave = harmonic_tone(random, pitch, 8000)
        path = folder / f"{index}.wav"
        soundfile.write(path, wave.astype("float32"), 16000)
        entries[f"u{index:02d}"] = {
            "wav": str(path),
            "duration": 0.5,
            "note": f"n{index % 3}",
            "speaker": f"s{index % 4}",
        }
    workers = {
        "f0": F0(),
        "voicing": Voicing(),
        "zcr": ZeroCrossingRate(),
        "rms": RMSEnergy(),
    }
    return strategy_weights(entries, "note", workers, Selector())


def test_every_strategy_weighs_every_label(weights):
    assert list(weights) == list(STRATEGIES)
    for name, row in weights.items():
        assert set(row) == {"f0", "voicing", "zcr", "rms"}
        assert min(row.values()) >= 0
        total = {"all": 4, "base alone": 0}.get(name, 1)
        assert sum(row.values()) == pytest.approx(total)


def test_choosers_choose_as_many_as_sparsemax(weights):
    def kept(name):
        return sum(weight > 0 for weight in weights[name].values())

    for name in ("naive top", "lowest spread", "mrmr", "rfe"):
        assert kept(name) == kept("sparsemax")
    assert kept("single best") == 1


def test_random_draws_differ(weights):
    assert weights["random 1"] != weights["random 2"] != weights["random 3"]
