from collections import Counter

import numpy as np
import pytest

from speechbrain_mtl.data.synthetic.speakers import (
    prosody,
    speaker,
    split_of,
    variant,
)
from speechbrain_mtl.data.synthetic.tables import table


@pytest.mark.parametrize("blocks", [1, 3, 10])
def test_of_eight_speakers_five_train_one_validates_two_test(blocks):
    splits = Counter(map(split_of, range(8 * blocks)))
    assert splits == {
        "train": 5 * blocks,
        "valid": blocks,
        "test": 2 * blocks,
    }


def test_genders_are_balanced_in_every_split():
    people = [speaker(0, i) for i in range(48)]
    genders = Counter((p.split, p.gender) for p in people)
    for split in ("train", "valid", "test"):
        assert genders[split, "f"] == genders[split, "m"]


def test_every_split_has_both_accents():
    people = [speaker(0, i) for i in range(24)]
    pairs = {(p.split, p.accent) for p in people}
    assert len(pairs) == 6
    assert sum(p.accent == "british" for p in people) == 4


def test_no_two_speakers_or_moods_sound_alike():
    moods = table("voices")["emotions"]
    texts = [
        variant(speaker(0, i), mood).split("gender")[1]
        for i in range(200)
        for mood in moods
    ]
    assert len(set(texts)) == len(texts)


def test_a_speaker_depends_on_seed_and_index_alone():
    speaker.cache_clear()
    later = speaker(7, 5)
    speaker.cache_clear()
    [speaker(7, i) for i in range(5)]
    assert speaker(7, 5) == later != speaker(8, 5)


def test_parameters_stay_in_their_ranges():
    ranges = table("voices")
    for index in range(200):
        who = speaker(1, index)
        for name in ("flutter", "roughness", "voicing", "breath"):
            low, high = ranges[name]
            assert low <= getattr(who, name) <= high
        low, high = ranges["genders"][who.gender]["pitch_hz"]
        assert low <= who.pitch[0] <= high < 2 * who.pitch[1]
        assert who.pitch[0] < who.pitch[1]
        assert all(60 < f[0] < 150 for f in who.formants)


def test_women_have_shorter_tracts_on_average():
    scale = {
        gender: np.mean(
            [
                [f[0] for f in speaker(0, i).formants[1:]]
                for i in range(first, 100, 2)
            ]
        )
        for first, gender in enumerate("fm")
    }
    assert scale["f"] > 1.1 * scale["m"]


def test_prosody_follows_the_mood_and_never_repeats():
    who, random = speaker(0, 0), np.random.default_rng(0)
    drawn = {
        mood: [prosody(who, mood, random) for _ in range(50)]
        for mood in table("voices")["emotions"]
    }
    mean = {
        mood: {k: np.mean([d[k] for d in many]) for k in many[0]}
        for mood, many in drawn.items()
    }
    for name in ("rate", "pitch", "range", "volume"):
        assert mean["sad"][name] < mean["neutral"][name] < mean["angry"][name]
    assert mean["happy"]["pitch"] > mean["angry"]["pitch"]
    assert len({d["rate"] for d in drawn["neutral"]}) == 50
    assert max(d["rate"] for many in drawn.values() for d in many) <= 450
