"""Captions of scenes: true, different, and right with one scene only."""

import hashlib
import itertools
import json
import re
from collections import Counter, defaultdict

import pytest

from speechbrain_mtl.data.synthetic.captions import (
    captioned_scene,
    scene_count,
)
from speechbrain_mtl.data.synthetic.corpus import VERSION
from speechbrain_mtl.data.synthetic.plan import SCENE, Plan
from speechbrain_mtl.data.synthetic.tables import table

MANY = 600


@pytest.fixture(scope="module")
def scenes():
    return [captioned_scene(number, 0) for number in range(MANY)]


PLAIN = {
    "big": "large",
    "little": "small",
    "over": "above",
    "under": "below",
    "beneath": "below",
}
SWAPPED = {"above": "below", "below": "above", "left": "right", "right": "left"}
OBJECT = r"(?:the|a) (large|small) (\w+) (\w+)"


def understood(caption):
    """First object, relation, second object: of any sentence form."""
    words = " ".join(PLAIN.get(word, word) for word in caption.split())
    found = re.findall(OBJECT, words)
    assert len(found) == 2, caption
    relation = re.findall(r"above|below|left|right", words)
    assert len(relation) == 1, caption
    relation = relation[0]
    if " and " in words:  # "a, and below it b": b is below a
        relation = SWAPPED[relation]
    return found[0], relation, found[1]


def seen(objects):
    """The same, from the cells."""
    first, second = objects
    (row, column), (other_row, other_column) = (
        divmod(item["cell"], 3) for item in objects
    )
    if row != other_row:
        relation = "above" if row < other_row else "below"
    else:
        relation = "left" if column < other_column else "right"
    names = [(o["size"], o["color"], o["shape"]) for o in (first, second)]
    return names[0], relation, names[1]


def meaning(first, relation, second):
    """The same whichever is named first."""
    return min((first, relation, second), (second, SWAPPED[relation], first))


def test_every_caption_is_true_of_its_scene(scenes):
    for labels in scenes:
        wanted = meaning(*seen(labels["scene"]))
        for caption in labels["captions"]:
            assert meaning(*understood(caption)) == wanted, caption


def test_no_two_scenes_mean_the_same(scenes):
    meanings = {meaning(*seen(labels["scene"])) for labels in scenes}
    assert len(meanings) == MANY
    last = captioned_scene(scene_count() - 1, 0)
    assert meaning(*seen(last["scene"])) not in meanings
    kinds = 2 * 6 * 4
    assert scene_count() == 4 * kinds * (kinds - 1) // 2


def test_all_captions_differ_and_sound_unlike(scenes):
    captions = [c for labels in scenes for c in labels["captions"]]
    assert len(set(captions)) == 5 * MANY
    openings = Counter(caption.split()[0] for caption in captions)
    assert len(openings) == 6  # a, there, the, i, look, someone
    words = {word for caption in captions for word in caption.split()}
    assert {"big", "large", "little", "over", "under"} <= words


def test_every_sentence_form_and_word_comes(scenes):
    forms = Counter()
    for labels in scenes:
        for caption in labels["captions"]:
            forms[re.sub(OBJECT, "x", caption).split()[0]] += 1
    assert min(forms.values()) > MANY / 4


def test_every_kind_of_object_and_every_relation_is_trained(scenes):
    parts = table("scenes")["parts"]
    kinds, relations = Counter(), Counter()
    for number, labels in enumerate(scenes):
        if parts[number % 10] == "train":
            first, relation, second = seen(labels["scene"])
            kinds.update([first, second])
            relations[relation] += 1
    assert len(kinds) == 48 and min(kinds.values()) > 4
    assert max(kinds.values()) < 3 * kinds.total() / 48
    assert min(relations.values()) > MANY / 10


def test_another_seed_shows_other_scenes():
    def some(seed):
        return [captioned_scene(i, seed) for i in range(5)]

    assert some(1) == some(1)
    assert some(1) != some(2)


def test_scenes_change_only_together_with_the_version(scenes):
    """When this fails on purpose, raise VERSION and renew the hash."""
    found = hashlib.sha256(json.dumps(scenes).encode()).hexdigest()
    assert (VERSION, found[:16]) == (1, "af0f78e160b10def")


def scene_items(plan):
    return [plan[i] for i in range(len(plan)) if plan[i].kind == SCENE]


@pytest.mark.parametrize("speakers", [4, 24])
def test_scenes_and_speakers_of_one_split_stay_there(speakers):
    items = scene_items(Plan(1, speakers, scenes=40))
    images, voices, said = (defaultdict(set) for _ in range(3))
    for item in items:
        assert item.split == item.utterance_split
        images[item.split].add(item.labels["image_id"])
        voices[item.split].add(item.lines[0].speaker.name)
        said[item.labels["image_id"]].add(item.lines[0].speaker.name)
    assert {part: len(v) for part, v in images.items()} == {
        "train": 28,
        "valid": 4,
        "test": 8,
    }
    for mapping in (images, voices):
        for a, b in itertools.combinations(mapping.values(), 2):
            assert not a & b
    for image, names in said.items():
        part = next(p for p in images if image in images[p])
        assert len(names) == min(5, len(voices[part]))


def test_scenes_come_after_all_else_and_change_nothing():
    few, many = Plan(4, 10), Plan(4, 10, scenes=3)
    assert many.counts == few.counts | {SCENE: 15}
    for index in range(len(few)):
        labels = many[index].labels
        image = labels.pop("image_id")
        assert many[index].name == few[index].name
        assert labels == few[index].labels
        assert many[index].lines == few[index].lines
        assert many[index].folder == few[index].folder
        assert (image == few[index].name) == (few[index].kind == "caption")
    assert few.expected_seconds + 15 * 3.44 == pytest.approx(
        many.expected_seconds
    )


def test_more_scenes_keep_the_first_ones():
    few, many = Plan(1, 8, scenes=4), Plan(1, 8, scenes=300)
    assert scene_items(few) == scene_items(many)[:20]


def test_five_captions_of_a_scene_share_a_folder_of_at_most_a_thousand():
    items = scene_items(Plan(1, 8, scenes=401))
    folders = Counter(item.folder for item in items)
    assert folders == {"scene/000/": 1000, "scene/001/": 1000, "scene/002/": 5}
    by_image = defaultdict(set)
    for item in items:
        by_image[item.labels["image_id"]].add(item.folder)
    assert {len(v) for v in by_image.values()} == {1}
    # more than five thousand recordings, but not of other kinds
    assert Plan(1, 8, scenes=1001)[0].folder == ""


@pytest.mark.parametrize("scenes", [0, 4513])
def test_counts_that_cannot_be_told_apart_are_refused(scenes):
    with pytest.raises(ValueError, match=f"scenes is {scenes}; there are 1 to"):
        Plan(scenes=scenes)
