from collections import Counter, defaultdict

import pytest

from speechbrain_mtl.data.synthetic.plan import Plan
from speechbrain_mtl.data.synthetic.tables import table


@pytest.fixture(scope="module")
def default():
    plan = Plan()
    return [plan[i] for i in range(len(plan))]


def of_kind(items, kind):
    return [item for item in items if item.kind == kind]


def test_default_corpus_has_the_promised_minutes():
    plan = Plan()
    assert plan.expected_seconds / 60 == pytest.approx(32, abs=1.5)
    kinds = table("plan")["kinds"]
    for kind, count in plan.counts.items():
        minutes = count * kinds[kind]["seconds"] / 60
        assert minutes == pytest.approx(kinds[kind]["minutes"], rel=0.1)


@pytest.mark.parametrize("minutes", [2, 60, 6000])
def test_counts_scale_with_the_length(minutes):
    plan = Plan(minutes=minutes, speakers=4)
    assert plan.expected_seconds / 60 == pytest.approx(minutes, rel=0.15)
    assert min(plan.counts.values()) >= 1


def test_an_item_does_not_depend_on_those_made_before():
    plan = Plan(minutes=3, speakers=8, seed=2)
    items = [plan[i] for i in range(len(plan))]
    fresh = Plan(minutes=3, speakers=8, seed=2)
    assert [fresh[i] for i in reversed(range(len(plan)))] == items[::-1]


def test_another_seed_changes_voices_and_texts():
    one, two = Plan(seed=0)[0], Plan(seed=1)[0]
    assert one.lines[0].speaker != two.lines[0].speaker
    texts = [[Plan(seed=s)[i].lines[0].text for i in range(9)] for s in (0, 1)]
    assert texts[0] != texts[1]


def test_ids_are_unique_and_indices_end(default):
    assert len({item.name for item in default}) == len(default)
    for index in (len(default), -1):
        with pytest.raises(IndexError):
            Plan()[index]


def test_no_speaker_is_in_two_splits_and_all_are_in_one(default):
    splits = defaultdict(set)
    for item in default:
        for line in item.lines:
            splits[line.speaker.name].add(item.split)
    assert len(splits) == 24
    assert all(len(found) == 1 for found in splits.values())
    count = Counter(next(iter(found)) for found in splits.values())
    assert count == {"train": 15, "valid": 3, "test": 6}


@pytest.mark.parametrize("settings", [{}, {"minutes": 1, "speakers": 4}])
def test_every_speaker_has_utterances_in_all_three_splits(settings):
    plan = Plan(**settings)
    splits = defaultdict(Counter)
    for index in range(len(plan)):
        item = plan[index]
        if item.kind != "mixture":
            splits[item.lines[0].speaker.name][item.utterance_split] += 1
    for count in splits.values():
        assert set(count) == {"train", "valid", "test"}
        if not settings:
            share = {k: n / sum(count.values()) for k, n in count.items()}
            assert share["train"] == pytest.approx(0.60, abs=0.06)
            assert share["valid"] == pytest.approx(0.16, abs=0.05)
            assert share["test"] == pytest.approx(0.24, abs=0.05)


def test_held_out_combinations_are_said_by_test_speakers_alone(default):
    train, held = set(), []
    for item in default:
        if item.kind not in ("read", "emotion", "mixture"):
            continue
        for line in item.lines:
            if item.split != "test":
                train.add(line.text)
            elif item.labels.get("held_out"):
                held.append(line.text)
    assert len(held) == 24
    parts = table("texts")["sentences"]

    def joint(text, first, second):
        return next(
            (a, b)
            for a in parts[first]
            for b in parts[second]
            if f"{a} {b}" in text
        )

    heard = {joint(text, "subject", "verb") for text in train}
    for text in held:
        assert joint(text, "subject", "verb") not in heard


def test_classes_are_balanced_in_all_splits_and_genders(default):
    emotions = Counter(
        (i.split, i.lines[0].speaker.gender, i.labels["emotion_label"])
        for i in of_kind(default, "emotion")
    )
    people = Counter(
        (i.split, i.lines[0].speaker.gender)
        for i in of_kind(default, "emotion")
    )
    for (split, gender, _), count in emotions.items():
        assert count == people[split, gender] / 4
    keywords = Counter(i.labels["keyword"] for i in of_kind(default, "keyword"))
    assert min(keywords.values()) >= 20
    assert max(keywords.values()) - min(keywords.values()) <= 2
    for field, classes in (("action", 5), ("location", 5)):
        found = Counter(
            i.labels["intent"][field] for i in of_kind(default, "command")
        )
        assert len(found) == classes
        assert max(found.values()) - min(found.values()) <= 2


@pytest.mark.parametrize("speakers", [5, 8, 24])
def test_neither_gender_nor_chance_tells_how_many_objects_a_picture_has(
    speakers,
):
    plan = Plan(minutes=8 * speakers, speakers=speakers)
    items = of_kind([plan[i] for i in range(len(plan))], "caption")
    found = Counter(
        (i.lines[0].speaker.gender, len(i.labels["scene"])) for i in items
    )
    for gender in "fm":
        assert abs(found[gender, 1] - found[gender, 2]) <= speakers
    pairs = [i.labels["text"] for i in items if len(i.labels["scene"]) == 2]
    assert len(set(pairs)) == len(pairs)


def test_noise_comes_where_it_may_and_as_often_as_it_should():
    plan = Plan(minutes=200)
    rules, noisy, rooms, able = table("plan"), 0, 0, 0
    for index in range(len(plan)):
        item = plan[index]
        augments = [line.augment for line in item.lines]
        if item.kind not in rules["noisy_kinds"]:
            assert not any(augments)
            continue
        able += 1
        [augment] = augments
        if augment:
            noisy += 1
            assert 5 <= augment["snr_db"] <= 20
        if "rt60" in augment:
            rooms += 1
            assert 0.2 <= augment["rt60"] <= 0.6
    assert noisy / able == pytest.approx(0.3, abs=0.03)
    assert rooms / noisy == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("speakers", [4, 8, 24])
def test_mixtures_are_of_two_speakers_of_one_split(speakers):
    plan = Plan(minutes=100, speakers=speakers, seed=1)
    items = [plan[i] for i in range(len(plan))]
    splits = set()
    for item in of_kind(items, "mixture"):
        people = {line.speaker for line in item.lines}
        assert len(people) == 2
        assert {p.split for p in people} == {item.split}
        splits.add(item.split)
    expected = {4: {"train"}, 8: {"train", "test"}}
    assert splits == expected.get(speakers, {"train", "valid", "test"})


def test_the_wanted_mixtures_come_and_all_else_stays():
    few, many = Plan(minutes=4, speakers=10), Plan(4, 10, mixtures=9)
    assert many.counts == few.counts | {"mixture": 9}
    assert few.counts["mixture"] < 9
    for index in range(len(few)):
        assert many[index] == few[index]
    splits = Counter(i.split for i in of_kind([*many], "mixture"))
    assert splits == {"train": 6, "test": 2, "valid": 1}


def test_only_emotion_has_a_level_and_only_abx_is_phoneme_input(default):
    for item in default:
        for line in item.lines:
            assert (line.level_db is not None) == (item.kind == "emotion")
            assert line.phonemes == (item.kind == "abx")
            assert item.kind == "emotion" or line.emotion == "neutral"


def test_many_files_go_to_folders_of_a_thousand():
    plan = Plan(minutes=400)
    folders = Counter(plan[i].folder for i in range(len(plan)))
    assert max(folders.values()) == 1000
    assert all(len(folder) == 4 for folder in folders)
    assert {Plan()[i].folder for i in (0, 1000)} == {""}


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"minutes": 0}, "minutes is 0"),
        ({"minutes": float("nan")}, "minutes is nan"),
        ({"speakers": 3}, "speakers is 3; at least 4"),
        ({"seed": -1}, "seed is -1"),
        ({"mixtures": 0}, "mixtures is 0; it must be at least 1"),
    ],
)
def test_settings_that_make_no_corpus_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Plan(**settings)
