"""What happens to the sound after the mouth: rate, room, noise, level."""

import functools

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.signal import fftconvolve, firwin, resample_poly

SAMPLE_RATE = 16000
UP, DOWN = 320, 441  # 16,000 / 22,050
PEAK = 0.98


def to_corpus_rate(wave: np.ndarray) -> np.ndarray:
    """Resample the engine's int16 wave to 16 kHz floats in [-1, 1].

    Example
    -------
    >>> to_corpus_rate(np.zeros(441, np.int16)).shape
    (320,)
    """
    return resample_poly(wave / 32768.0, UP, DOWN, window=_low_pass())


@functools.cache
def _low_pass() -> np.ndarray:
    """scipy's own filter for these rates, which it would design every time."""
    return firwin(20 * DOWN + 1, 1 / DOWN, window=("kaiser", 5.0))


def corpus_sample(sample: int) -> int:
    """Translate a position at 22,050 Hz to one at 16,000 Hz.

    Example
    -------
    >>> corpus_sample(22050)
    16000
    """
    return round(sample * UP / DOWN)


def reverberate(
    wave: np.ndarray, rt60: float, random: np.random.Generator
) -> np.ndarray:
    """Put the sound into a room.

    The response is the direct path followed, after 4 ms, by exponentially
    decaying noise with 35 % of its amplitude (root of the energy). The direct
    path stays where it was, so labels stay true.

    Arguments
    ---------
    wave : numpy.ndarray
        [T].
    rt60 : float
        Seconds until the echo has fallen by 60 dB.
    random : numpy.random.Generator
        Draws the room.

    Returns
    -------
    wave : numpy.ndarray
        [T].
    """
    length = int(SAMPLE_RATE * rt60)
    decay = 10 ** (-3 * np.arange(length) / length)
    response = random.standard_normal(length) * decay
    response[: int(0.004 * SAMPLE_RATE)] = 0
    response *= 0.35 / np.sqrt((response**2).sum())
    response[0] = 1
    return fftconvolve(wave, response)[: len(wave)]


def add_pink_noise(
    wave: np.ndarray, snr_db: float, random: np.random.Generator
) -> np.ndarray:
    """Add noise whose power falls by 3 dB an octave (flat below 40 Hz).

    Arguments
    ---------
    wave : numpy.ndarray
        [T].
    snr_db : float
        Mean power of the wave over that of the noise, in dB.
    random : numpy.random.Generator
        Draws the noise.

    Returns
    -------
    wave : numpy.ndarray
        [T].

    Example
    -------
    >>> tone = np.sin(np.arange(16000))
    >>> noise = add_pink_noise(tone, 10.0, np.random.default_rng(0)) - tone
    >>> ratio = (tone**2).mean() / (noise**2).mean()
    >>> round(10 * float(np.log10(ratio)), 3)
    10.0
    """
    # lengths with large prime factors take many times longer
    length = next_fast_len(len(wave), real=True)
    hertz = rfftfreq(length, 1 / SAMPLE_RATE)
    spectrum = rfft(random.standard_normal(length))
    pink = spectrum / np.sqrt(np.maximum(hertz, 40))
    noise = irfft(pink, length)[: len(wave)]
    power = (wave**2).mean() / (noise**2).mean()
    return wave + noise * np.sqrt(power / 10 ** (snr_db / 10))


def set_level(wave: np.ndarray, decibels: float) -> np.ndarray:
    """Scale a wave to a root mean square level in dB of full scale.

    Example
    -------
    >>> wave = set_level(np.ones(8), -20.0)
    >>> round(float(np.sqrt((wave**2).mean())), 6)
    0.1
    """
    return wave * 10 ** (decibels / 20) / np.sqrt((wave**2).mean())


def limit_peak(wave: np.ndarray) -> np.ndarray:
    """Turn down a wave that would clip; leave others alone."""
    return wave * min(1.0, PEAK / max(np.abs(wave).max(), 1e-9))
