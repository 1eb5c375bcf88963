"""Harmonic tones, the simplest recordings with a pitch and a level."""

import numpy as np


def harmonic_tone(random, pitch, samples):
    """Five harmonics at a level drawn by chance, in faint noise."""
    time = np.arange(samples) / 16000
    wave = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 6))
    wave = wave * 10 ** random.uniform(-1.6, -0.8)
    return wave + 1e-3 * random.standard_normal(samples)
