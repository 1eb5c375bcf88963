"""Frame-level agreement with established tools on real speech."""

import numpy as np
import pytest
import torch

from benchmarks.oracles import (
    COLUMNS,
    pearson,
    praat_harmonicity,
    praat_pitch,
    smile_pair,
    smile_sets,
    smile_tables,
)
from speechbrain_mtl.workers import default_bank

ONE = torch.ones(1)


def test_energy_and_spectral_labels_agree_with_opensmile(speech):
    pytest.importorskip("opensmile")
    tools = smile_sets()
    pairs = {name: [] for name in COLUMNS}
    for wav in speech("librispeech_unlabelled", 4):
        labels, tables = default_bank()(wav, ONE), smile_tables(tools, wav[0])
        for name in COLUMNS:
            contour = labels[name][0, :, 0].numpy()
            pairs[name].append(smile_pair(name, contour, tables))
    for name, (_, _, target) in COLUMNS.items():
        assert pearson(pairs[name]) >= target, name


@pytest.mark.parametrize("name", ["ljspeech_aligned", "librispeech_unlabelled"])
def test_pitch_agrees_with_praat(speech, name):
    pytest.importorskip("parselmouth")
    decision, error = [], []
    for wav in speech(name, 12, seconds=10):
        theirs = praat_pitch(wav[0])
        ours = default_bank()["f0"](wav, ONE)[0, :, 0].numpy()
        assert len(ours) == len(theirs)
        decision.append((ours > 0) == (theirs > 0))
        both = (ours > 0) & (theirs > 0)
        error.append(np.abs(ours[both] / theirs[both] - 1))
    error = np.concatenate(error)
    assert np.concatenate(decision).mean() >= 0.98
    assert (error > 0.2).mean() <= 0.02
    assert np.median(error) <= 0.0005


def test_harmonicity_agrees_with_praat(speech):
    pytest.importorskip("parselmouth")
    pairs = []
    for wav in speech("librispeech_unlabelled", 6):
        theirs = praat_harmonicity(wav[0])
        labels = default_bank()(wav, ONE)
        ours = labels["log_hnr"][0, :, 0].numpy()
        assert len(ours) == len(theirs)
        voiced = (labels["f0"][0, :, 0].numpy() > 0) & (theirs > -200)
        pairs.append((ours[voiced], theirs[voiced]))
    assert pearson(pairs) >= 0.92
