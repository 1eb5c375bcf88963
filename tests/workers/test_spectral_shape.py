import numpy as np
import pytest
import torch

from benchmarks.oracles import pearson, smile_sets, smooth
from speechbrain_mtl.workers import (
    SpectralCentroid,
    SpectralEntropy,
    SpectralFlux,
    SpectralKurtosis,
    SpectralRolloff,
    SpectralSlope,
    WorkerBank,
)

ONE = torch.ones(1)


def sound(samples=4000):
    """Noise whose colour changes with time, [1, samples]."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, samples, generator=generator)
    tone = torch.sin(torch.arange(samples) ** 2 * 1e-4)
    return 0.1 * noise.cumsum(1) + noise * torch.linspace(0, 1, samples) + tone


def power_of(wav):
    """Power by frame and bin without the first, in double precision."""
    window = torch.hamming_window(320, periodic=False).double().numpy()
    frames = np.lib.stride_tricks.sliding_window_view(wav[0].double(), 320)
    return np.abs(np.fft.rfft(frames[::160] * window, 512))[:, 1:] ** 2


def moments(power, kilohertz):
    share = power / power.sum()
    mean = share @ kilohertz
    return mean, *(share @ (kilohertz - mean) ** k for k in (2, 4))


def rolloff(power, kilohertz, percent=0.85):
    heard = 0.0
    for value, frequency in zip(power, kilohertz):
        heard += value
        if heard >= percent * power.sum():
            return 1000 * frequency


ORACLES = {
    SpectralCentroid: lambda p, f: 1000 * moments(p, f)[0],
    SpectralEntropy: lambda p, f: -(p / p.sum() * np.log2(p / p.sum())).sum(),
    SpectralKurtosis: lambda p, f: moments(p, f)[2] / moments(p, f)[1] ** 2,
    SpectralSlope: lambda p, f: np.polyfit(f, p, 1)[0],
    SpectralRolloff: rolloff,
}


@pytest.mark.parametrize("worker", ORACLES)
def test_each_frame_has_the_shape_that_slow_double_precision_gives(worker):
    wav, kilohertz = sound(), np.arange(1, 257) / 32
    labels = worker()(wav, ONE)[0, :, 0]
    expected = [ORACLES[worker](p, kilohertz) for p in power_of(wav)]
    torch.testing.assert_close(
        labels, torch.tensor(np.array(expected)).float(), rtol=1e-4, atol=1e-4
    )


def test_shape_and_flux_agree_with_opensmile(speech):
    pytest.importorskip("opensmile")
    tool = smile_sets()["ComParE_2016"]
    bank = WorkerBank(
        {
            "Flux": SpectralFlux(),
            "Centroid": SpectralCentroid(),
            "Entropy": SpectralEntropy(),
            "Kurtosis": SpectralKurtosis(),
            "Slope": SpectralSlope(),
            "RollOff25_0": SpectralRolloff(0.25),
            "RollOff50_0": SpectralRolloff(0.5),
            "RollOff75_0": SpectralRolloff(0.75),
            "RollOff90_0": SpectralRolloff(0.9),
        }
    )
    pairs = {name: [] for name in bank}
    for wav in speech("librispeech_unlabelled", 4):
        table = tool.process_signal(wav[0].numpy(), 16000)
        for name, labels in bank(wav, ONE).items():
            column = f"pcm_fftMag_spectral{name.replace('_', '.')}_sma"
            theirs = table[column].values
            ours = smooth(labels[0, :, 0].numpy())
            end = min(len(ours), len(theirs)) - 2
            # Its entropy of near silence is more than 256 bins can have.
            heard = table["pcm_RMSenergy_sma"].values[:end] > 1e-3
            pairs[name].append((ours[:end][heard], theirs[:end][heard]))
    # It gives the slope per Hz, 255 times too large.
    unit = {"Slope": 1000 / 255}
    for name, contours in pairs.items():
        assert pearson(contours) > 0.9999, name
        ours, theirs = (np.concatenate(x) for x in zip(*contours))
        ratio = np.median(theirs / ours) * unit.get(name, 1)
        assert ratio == pytest.approx(1, abs=1e-3), name


def test_centroid_and_rolloff_are_librosas():
    librosa = pytest.importorskip("librosa")
    wav = sound()
    given = {"S": power_of(wav).T, "freq": np.arange(1, 257) * 31.25}
    expected = librosa.feature.spectral_centroid(**given)[0]
    labels = SpectralCentroid()(wav, ONE)[0, :, 0].numpy()
    np.testing.assert_allclose(labels, expected, rtol=1e-4)
    for percent in (0.5, 0.85):
        expected = librosa.feature.spectral_rolloff(
            roll_percent=percent, **given
        )[0]
        labels = SpectralRolloff(percent)(wav, ONE)[0, :, 0].numpy()
        np.testing.assert_allclose(labels, expected, rtol=1e-4)


def test_slope_grows_with_the_square_of_the_level():
    wav = sound()
    torch.testing.assert_close(
        SpectralSlope()(4 * wav, ONE), 16 * SpectralSlope()(wav, ONE)
    )


@pytest.mark.parametrize("percent", [0.0, 1.0, 85])
def test_a_share_that_is_none_is_refused(percent):
    with pytest.raises(ValueError, match="between 0 and 1, got"):
        SpectralRolloff(percent)
