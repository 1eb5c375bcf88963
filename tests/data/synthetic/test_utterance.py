import dataclasses

import numpy as np
import pytest

pytest.importorskip("espeakng_loader")

from speechbrain_mtl.data.synthetic.plan import Line
from speechbrain_mtl.data.synthetic.speakers import speaker
from speechbrain_mtl.data.synthetic.utterance import utter

CLEAN = Line("key", speaker(0, 0), "some fresh fish", level_db=-30.0)


@pytest.fixture(scope="module")
def clean():
    return utter(CLEAN, 0)


@pytest.mark.parametrize(
    "augment", [{"snr_db": 10.0}, {"rt60": 0.5}, {"snr_db": 5.0, "rt60": 0.2}]
)
def test_noise_and_rooms_change_the_sound_but_no_label(clean, augment):
    other = utter(dataclasses.replace(CLEAN, augment=augment), 0)
    assert other.phones == clean.phones and other.words == clean.words
    assert other.wave.shape == clean.wave.shape
    assert not np.allclose(other.wave, clean.wave, atol=1e-3)


def test_noise_has_the_wanted_power(clean):
    noisy = utter(dataclasses.replace(CLEAN, augment={"snr_db": 10.0}), 0)
    noise = noisy.wave - clean.wave
    found = 10 * np.log10((clean.wave**2).mean() / (noise**2).mean())
    assert found == pytest.approx(10)


def test_a_room_leaves_the_direct_sound_where_it_was(clean):
    there = utter(dataclasses.replace(CLEAN, augment={"rt60": 0.3}), 0)
    lags = np.arange(-200, 201)
    match = [np.roll(there.wave, -lag) @ clean.wave for lag in lags]
    assert lags[np.argmax(match)] == 0


def test_silence_lies_around_the_speech(clean):
    first, last = clean.phones[0], clean.phones[-1]
    assert first.label == last.label == "SIL"
    assert 800 <= first.end <= 3200 + 800
    assert last.end == len(clean.wave) and last.end - last.start >= 1280
    assert abs(clean.wave[: first.end - 200]).max() < 1e-3


def test_another_key_is_spoken_differently(clean):
    again = utter(CLEAN, 0)
    assert np.array_equal(again.wave, clean.wave)
    other = utter(dataclasses.replace(CLEAN, key="other"), 0)
    assert len(other.wave) != len(clean.wave)
    assert len(utter(CLEAN, 1).wave) != len(clean.wave)
