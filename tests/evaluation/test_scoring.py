import numpy as np
import pytest

from speechbrain_mtl.evaluation.scoring import (
    NORMALISATIONS,
    NormalisedCosine,
    cosine_scores,
)

RANDOM = np.random.default_rng(0)
TABLE = RANDOM.normal(size=(9, 4))
FIRST, SECOND = np.array([0, 0, 3, 8]), np.array([1, 2, 4, 7])
TRAIN = RANDOM.normal(size=(30, 4)) + 0.5
SPEAKERS = [f"s{i % 6}" for i in range(30)]


def cosine(a, b):
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def test_cosines_are_those_of_a_loop():
    slow = [cosine(TABLE[a], TABLE[b]) for a, b in zip(FIRST, SECOND)]
    assert cosine_scores(TABLE, FIRST, SECOND) == pytest.approx(slow)
    assert cosine_scores(5 * TABLE, FIRST, SECOND) == pytest.approx(slow)


def test_a_silent_recording_scores_0():
    table = np.array([[0.0, 0.0], [1.0, 2.0]])
    assert cosine_scores(table, np.array([0]), np.array([1])).tolist() == [0]


def slow_norm(side, other, cohort, nearest):
    scores = sorted((cosine(side, voice) for voice in cohort), reverse=True)
    scores = scores[:nearest]
    return (cosine(side, other) - np.mean(scores)) / np.std(scores)


@pytest.mark.parametrize("nearest", [None, 3, 100])
@pytest.mark.parametrize("name", NORMALISATIONS)
def test_normalised_scores_are_those_of_a_loop(name, nearest):
    scorer = NormalisedCosine(name, nearest)
    scorer.fit(TRAIN, SPEAKERS)
    cohort = []
    for speaker in sorted(set(SPEAKERS)):
        rows = [x for x, s in zip(TRAIN, SPEAKERS) if s == speaker]
        cohort.append(np.mean([x / np.linalg.norm(x) for x in rows], axis=0))
    slow = []
    for a, b in zip(TABLE[FIRST], TABLE[SECOND]):
        z, t = (
            slow_norm(a, b, cohort, nearest),
            slow_norm(b, a, cohort, nearest),
        )
        slow.append({"z-norm": z, "t-norm": t, "s-norm": (z + t) / 2}[name])
    assert scorer(TABLE, FIRST, SECOND) == pytest.approx(slow)


def test_t_norm_is_z_norm_from_the_other_side_and_s_norm_has_no_sides():
    scores = {}
    for name in NORMALISATIONS:
        scorer = NormalisedCosine(name)
        scorer.fit(TRAIN, SPEAKERS)
        scores[name] = scorer(TABLE, FIRST, SECOND)
        scores[name, "turned"] = scorer(TABLE, SECOND, FIRST)
    assert scores["t-norm"] == pytest.approx(scores["z-norm", "turned"])
    assert scores["t-norm"] != pytest.approx(scores["z-norm"])
    assert scores["s-norm"] == pytest.approx(scores["s-norm", "turned"])


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="normalisation 'x' is none of"):
        NormalisedCosine("x")
    with pytest.raises(ValueError, match="nearest is 1; give 2 or more"):
        NormalisedCosine(nearest=1)
    with pytest.raises(ValueError, match="s-norm has no cohort yet"):
        NormalisedCosine()(TABLE, FIRST, SECOND)
    with pytest.raises(ValueError, match=r"a cohort of 1 speaker\(s\)"):
        NormalisedCosine().fit(TRAIN, ["ann"] * 30)
