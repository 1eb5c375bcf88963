import numpy as np
import pytest
from scipy.signal import resample_poly

from speechbrain_mtl.data.synthetic.channel import (
    PEAK,
    add_pink_noise,
    corpus_sample,
    limit_peak,
    reverberate,
    set_level,
    to_corpus_rate,
)


def test_resampling_is_scipys_own():
    wave = np.random.default_rng(0).integers(-9999, 9999, 5003)
    wave = wave.astype(np.int16)
    expected = resample_poly(wave / 32768, 320, 441)
    assert np.array_equal(to_corpus_rate(wave), expected)


def test_a_tone_keeps_its_pitch_and_level():
    tone = 16384 * np.sin(2 * np.pi * 1000 * np.arange(22050) / 22050)
    out = to_corpus_rate(tone.astype(np.int16))
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    assert len(out) == 16000
    assert abs(out - expected)[200:-200].max() < 1e-3


def test_a_click_lands_where_its_label_does():
    click = np.zeros(22050, np.int16)
    for sample in (5000, 12345, 20000):
        click[:] = 0
        click[sample] = 20000
        peak = np.argmax(abs(to_corpus_rate(click)))
        assert abs(int(peak) - corpus_sample(sample)) <= 1


@pytest.mark.parametrize("length", [1009, 16000, 65537])
@pytest.mark.parametrize("snr_db", [0.0, 5.0, 20.0])
def test_noise_has_the_wanted_power(length, snr_db):
    wave = np.sin(np.arange(length) / 7)
    noise = add_pink_noise(wave, snr_db, np.random.default_rng(0)) - wave
    found = 10 * np.log10((wave**2).mean() / (noise**2).mean())
    assert found == pytest.approx(snr_db)


def test_noise_falls_by_three_decibels_an_octave():
    silence = np.full(2**18, 1e-9)
    noise = add_pink_noise(silence, 0.0, np.random.default_rng(0)) - 1e-9
    power = abs(np.fft.rfft(noise)) ** 2
    hertz = np.fft.rfftfreq(len(noise), 1 / 16000)
    bands = [
        power[(hertz >= low) & (hertz < 2 * low)].mean()
        for low in (100, 200, 400, 800, 1600, 3200)
    ]
    steps = 10 * np.log10(np.divide(bands[1:], bands[:-1]))
    assert steps == pytest.approx(np.full(5, -3.01), abs=0.3)


@pytest.mark.parametrize("rt60", [0.2, 0.6])
def test_a_room_decays_by_60_db_in_its_rt60(rt60):
    click = np.zeros(16000)
    click[0] = 1
    response = reverberate(click, rt60, np.random.default_rng(0))
    assert response[0] == pytest.approx(1)
    assert abs(response[1:64]).max() < 1e-12
    assert (response[1:] ** 2).sum() == pytest.approx(0.35**2)
    # Schroeder's backward integral, read between -5 and -25 dB
    left = np.cumsum(response[:0:-1] ** 2)[::-1]
    level = 10 * np.log10(left / left[0] + 1e-30)
    start, stop = np.argmax(level < -5), np.argmax(level < -25)
    assert 3 * (stop - start) / 16000 == pytest.approx(rt60, rel=0.1)


def test_reverberation_moves_nothing():
    click = np.zeros(8000)
    click[3000] = 1
    out = reverberate(click, 0.4, np.random.default_rng(1))
    assert len(out) == len(click)
    assert np.argmax(abs(out)) == 3000
    assert abs(out[:3000]).max() < 1e-12


def test_level_is_set_exactly():
    wave = np.random.default_rng(0).standard_normal(999)
    out = set_level(wave, -26.0)
    assert 10 * np.log10((out**2).mean()) == pytest.approx(-26)
    assert np.allclose(out / wave, out[0] / wave[0])


def test_only_what_would_clip_is_turned_down():
    quiet = np.array([0.1, -0.97])
    assert np.array_equal(limit_peak(quiet), quiet)
    assert limit_peak(np.array([0.5, -2.0])) == pytest.approx([PEAK / 4, -PEAK])
    assert np.array_equal(limit_peak(np.zeros(3)), np.zeros(3))
