"""Frame-level agreement with established tools on real speech."""

import numpy as np
import pytest
import torch

from speechbrain_mtl.workers import default_bank

ONE = torch.ones(1)


def smooth(contour):
    """The three-frame moving average that openSMILE applies."""
    padded = np.pad(contour, 1, mode="edge")
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3


def test_energy_and_spectral_labels_agree_with_opensmile(speech, correlation):
    opensmile = pytest.importorskip("opensmile")
    columns = {
        "rms": ("ComParE_2016", "pcm_RMSenergy_sma", 0.999),
        "zcr": ("ComParE_2016", "pcm_zcr_sma", 0.999),
        "rasta_l1": ("ComParE_2016", "audspecRasta_lengthL1norm_sma", 0.99),
        "loudness": ("eGeMAPSv02", "Loudness_sma3", 0.999),
        "alpha_ratio": ("eGeMAPSv02", "alphaRatio_sma3", 0.99),
    }
    tools = {
        name: opensmile.Smile(
            getattr(opensmile.FeatureSet, name),
            opensmile.FeatureLevel.LowLevelDescriptors,
        )
        for name in ("ComParE_2016", "eGeMAPSv02")
    }
    pairs = {name: [] for name in columns}
    for wav in speech("librispeech_unlabelled", 4):
        labels = default_bank()(wav, ONE)
        tables = {
            name: tool.process_signal(wav[0].numpy(), 16000)
            for name, tool in tools.items()
        }
        for name, (table, column, _) in columns.items():
            ours = smooth(labels[name][0, :, 0].numpy())
            theirs = tables[table][column].values
            # RASTA starts differently; the last frames hold padding there.
            span = slice(
                25 if name == "rasta_l1" else 0,
                min(len(ours), len(theirs)) - 2,
            )
            pairs[name].append((ours[span], theirs[span]))
    for name, (_, _, target) in columns.items():
        assert correlation(pairs[name]) >= target, name


@pytest.mark.parametrize("name", ["ljspeech_aligned", "librispeech_unlabelled"])
def test_pitch_agrees_with_praat(speech, name):
    parselmouth = pytest.importorskip("parselmouth")
    decision, error = [], []
    for wav in speech(name, 12, seconds=10):
        sound = parselmouth.Sound(wav[0].double().numpy(), 16000)
        pitch = sound.to_pitch_ac(
            time_step=0.01, pitch_floor=75, pitch_ceiling=600
        )
        theirs = pitch.selected_array["frequency"]
        ours = default_bank()["f0"](wav, ONE)[0, :, 0].numpy()
        assert len(ours) == len(theirs)
        decision.append((ours > 0) == (theirs > 0))
        both = (ours > 0) & (theirs > 0)
        error.append(np.abs(ours[both] / theirs[both] - 1))
    error = np.concatenate(error)
    assert np.concatenate(decision).mean() >= 0.98
    assert (error > 0.2).mean() <= 0.02
    assert np.median(error) <= 0.0005


def test_harmonicity_agrees_with_praat(speech, correlation):
    parselmouth = pytest.importorskip("parselmouth")
    pairs = []
    for wav in speech("librispeech_unlabelled", 6):
        # Its frames are centred 15 ms after the start of this part.
        sound = parselmouth.Sound(wav[0, 80:-80].double().numpy(), 16000)
        theirs = sound.to_harmonicity_cc(
            time_step=0.01, minimum_pitch=75
        ).values[0]
        labels = default_bank()(wav, ONE)
        ours = labels["log_hnr"][0, :, 0].numpy()
        assert len(ours) == len(theirs)
        voiced = (labels["f0"][0, :, 0].numpy() > 0) & (theirs > -200)
        pairs.append((ours[voiced], theirs[voiced]))
    assert correlation(pairs) >= 0.92
