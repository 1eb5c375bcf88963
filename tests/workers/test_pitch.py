import pytest
import torch

from speechbrain_mtl.workers import F0, LogHNR, Voicing

TIME = torch.arange(16000) / 16000
ONE = torch.ones(1)


def noise(samples=16000, seed=0):
    return torch.randn(samples, generator=torch.Generator().manual_seed(seed))


def harmonic(hertz, harmonics=10):
    return sum(
        torch.sin(2 * torch.pi * k * hertz * TIME + k) / k
        for k in range(1, harmonics + 1)
    )


@pytest.mark.parametrize("hertz", [80, 111.1, 150, 233.3, 440, 570])
def test_the_pitch_of_a_tone_is_exact(hertz):
    for wav in (torch.sin(2 * torch.pi * hertz * TIME), harmonic(hertz, 5)):
        labels = F0()(wav[None], ONE)
        assert (labels / hertz - 1).abs().median() < 5e-4
        assert (labels / hertz - 1).abs().max() < 5e-3


def test_a_glide_is_followed_frame_by_frame():
    hertz = 100 * 2 ** (1.5 * TIME)
    phase = 2 * torch.pi * torch.cumsum(hertz / 16000, 0)
    worker = F0()
    labels = worker(torch.sin(phase)[None], ONE)[0, :, 0]
    centres = worker.offset + worker.hop * torch.arange(len(labels))
    expected = 100 * 2 ** (1.5 * centres)
    assert (labels / expected - 1).abs().max() < 0.005


def test_no_pitch_lies_above_the_ceiling():
    labels = F0()(torch.sin(2 * torch.pi * 612 * TIME)[None], ONE)
    assert labels.max() <= 600


def test_silence_is_judged_without_offset_and_padding():
    wav = harmonic(200) * 10 ** (-8 * TIME)
    wav = torch.stack([noise(), wav + 8])
    wav[1, 8000:] = 0
    together = F0()(wav, torch.tensor([1.0, 0.5]))[1]
    alone = F0()(wav[1:, :8000], ONE)[0]
    centred = F0()(wav[1:, :8000] - 8, ONE)[0]
    assert torch.equal(together[: len(alone)], alone)
    assert torch.equal(alone > 0, centred > 0)


def test_a_missing_fundamental_is_heard():
    wav = harmonic(150) - torch.sin(2 * torch.pi * 150 * TIME + 1)
    labels = F0()(wav[None], ONE)
    assert (labels / 150 - 1).abs().max() < 0.005


def test_white_noise_is_unvoiced():
    wav = noise()[None]
    assert (F0()(wav, ONE) > 0).float().mean() < 0.02
    assert Voicing()(wav, ONE).mean() < 0.3
    assert LogHNR()(wav, ONE).mean() < 0


def test_voicing_begins_and_ends_with_the_tone():
    wav = 0.02 * noise()
    wav[4800:9600] += harmonic(200)[4800:9600]
    voiced = F0()(wav[None], ONE)[0, :, 0] > 0
    index = voiced.nonzero().flatten()
    assert abs(index[0] - 28) <= 2 and abs(index[-1] - 58) <= 2
    assert voiced[index[0] : index[-1]].all()


@pytest.mark.parametrize("gain, heard", [(0.003, False), (0.06, True)])
def test_a_quiet_echo_after_a_loud_vowel_counts_as_silence(gain, heard):
    wav = harmonic(200).clone()
    wav[8000:] *= gain
    voiced = F0()(wav[None], ONE)[0, :, 0] > 0
    assert voiced[:45].all() and (voiced[55:] == heard).all()


@pytest.mark.parametrize("share, heard", [(0.3, False), (0.65, True)])
def test_voiced_is_what_repeats_by_about_half(share, heard):
    tone = harmonic(200)
    hiss = noise() * tone.std() * (1 / share - 1) ** 0.5
    voiced = F0()((tone + hiss)[None], ONE) > 0
    assert ((voiced == heard).float().mean()) > 0.8


@pytest.mark.parametrize("decibel", [0, 10, 20, 30])
def test_harmonicity_is_the_ratio_that_was_mixed(decibel):
    tone = harmonic(200)
    hiss = noise() * tone.std() * 10 ** (-decibel / 20)
    labels = LogHNR()((tone + hiss)[None], ONE)
    assert abs(labels.mean() - decibel) < 1


@pytest.mark.parametrize("decibel", [0, 10, 20])
def test_voicing_is_the_periodic_share_of_power(decibel):
    tone = harmonic(200)
    hiss = noise() * tone.std() * 10 ** (-decibel / 20)
    labels = Voicing()((tone + hiss)[None], ONE)
    share = 1 / (1 + 10 ** (-decibel / 10))
    assert abs(labels.mean() - share) < 0.05


def test_a_perfect_tone_reaches_the_bounds():
    wav = torch.sin(2 * torch.pi * 200 * TIME)[None]
    assert (LogHNR()(wav, ONE) > 35).all()
    assert (Voicing()(wav, ONE) > 0.995).all()
    assert (Voicing()(wav, ONE) <= 1).all()
