import logging

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from speechbrain.processing import PLDA_LDA

from speechbrain_mtl.evaluation.plda import PLDA
from speechbrain_mtl.evaluation.scoring import cosine_scores
from speechbrain_mtl.evaluation.verification import equal_error_rate

FIRST, SECOND = np.arange(12), np.arange(12, 36)[::2]


def voices(speakers=30, takes=10, size=6, noise=0.5, seed=0):
    """Embeddings of speakers, and who they are."""
    random = np.random.default_rng(seed)
    means = np.repeat(random.normal(size=(speakers, size)), takes, axis=0)
    names = np.repeat([f"s{i:02}" for i in range(speakers)], takes)
    return means + noise * random.normal(size=means.shape), names


def fitted(rank=4, **settings):
    table, names = voices()
    plda = PLDA(rank, **settings)
    plda.fit(table, names)
    return plda, table


def test_scores_are_ratios_of_gaussian_likelihoods():
    plda, table = fitted()
    x, model = plda.project(table), plda.model
    between = model.F @ model.F.T
    total = between + model.Sigma
    joint = np.block([[total, between], [between, total]])
    mean = model.mean
    slow = [
        multivariate_normal.logpdf(np.r_[a, b], np.r_[mean, mean], joint)
        - multivariate_normal.logpdf(a, mean, total)
        - multivariate_normal.logpdf(b, mean, total)
        for a, b in zip(x[FIRST], x[SECOND])
    ]
    assert plda(table, FIRST, SECOND) == pytest.approx(slow)


def test_scores_are_speechbrains():
    plda, table = fitted()
    x = plda.project(table)
    names = np.arange(len(x)).astype(str).astype(object)

    def stats(rows):
        none = np.full(len(rows), None)
        return PLDA_LDA.StatObject_SB(
            names[rows], names[rows], none, none, np.ones((len(rows), 1)),
            x[rows].copy(),
        )  # fmt: skip

    model = plda.model
    found = PLDA_LDA.fast_PLDA_scoring(
        stats(FIRST), stats(SECOND),
        PLDA_LDA.Ndx(models=names[FIRST], testsegs=names[SECOND]),
        model.mean, model.F, model.Sigma,
    )  # fmt: skip
    rows = {name: row for row, name in enumerate(found.modelset)}
    columns = {name: column for column, name in enumerate(found.segset)}
    theirs = [
        found.scoremat[rows[a], columns[b]]
        for a, b in zip(names[FIRST], names[SECOND])
    ]
    assert plda(table, FIRST, SECOND) == pytest.approx(theirs)


def test_both_sides_may_trade_places():
    plda, table = fitted()
    assert plda(table, FIRST, SECOND) == pytest.approx(
        plda(table, SECOND, FIRST)
    )


def noisy(seed):
    """Voices in few directions, louder noise in all others."""
    table, names = voices(60, 8, size=12, noise=0.6, seed=seed)
    table[:, 4:] = 3 * np.random.default_rng(seed).normal(size=(480, 8))
    return table, names


def test_it_learns_which_directions_are_voices():
    """Cosines cannot know that; new speakers, whom it never saw."""
    plda = PLDA(rank=4)
    plda.fit(*noisy(0))
    table, names = noisy(5)
    first, second = np.triu_indices(len(table), k=1)
    same = names[first] == names[second]
    errors = [
        equal_error_rate(scorer(table, first, second), same)
        for scorer in (plda, cosine_scores)
    ]
    assert errors[0] < 0.3 < 0.4 < errors[1]


def test_more_dimensions_than_recordings_are_no_trouble():
    table, names = voices(4, 5, size=64, noise=0.3)
    plda = PLDA(rank=100)
    plda.fit(table, names)
    first, second = np.triu_indices(20, k=1)
    scores = plda(table, first, second)
    assert np.isfinite(scores).all()
    assert equal_error_rate(scores, names[first] == names[second]) < 0.2


def test_a_constant_direction_is_left_out():
    table, names = voices()
    plda = PLDA(rank=4)
    plda.fit(np.hstack([table, np.ones((300, 1))]), names)
    assert plda.whitening.shape == (7, 6)


def test_speakers_lost_to_the_scaling_are_reported(caplog):
    with caplog.at_level(logging.WARNING):
        fitted(scaling=0.01)
    assert "found no differences between speakers" in caplog.text
    assert "raise its scaling of 0.01" in caplog.text
    caplog.clear()
    fitted()
    assert not caplog.text


def test_what_cannot_be_is_refused():
    table, names = voices()
    with pytest.raises(ValueError, match="rank 0, iterations 10"):
        PLDA(rank=0)
    with pytest.raises(ValueError, match="PLDA is not trained yet"):
        PLDA()(table, FIRST, SECOND)
    with pytest.raises(ValueError, match=r"300 recordings by 1 speaker\(s\)"):
        PLDA().fit(table, ["ann"] * 300)
    with pytest.raises(ValueError, match="two recordings more than speakers"):
        PLDA().fit(table[:9], list("abcdefghi"))
    with pytest.raises(ValueError, match="embeddings that are all equal"):
        PLDA().fit(np.ones((300, 6)), names)
