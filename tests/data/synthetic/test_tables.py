"""The data files say only what the code can do."""

import re

import pytest

from speechbrain_mtl.data.synthetic.scenes import _SHAPES
from speechbrain_mtl.data.synthetic.tables import table
from tests.helpers.phrases import phrases

ARPABET = set(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P "
    "R S SH T TH UH UW V W Y Z ZH".split()
)


def all_phrases():
    yield from phrases()
    yield from table("texts")["commands"]["locations"]
    scenes = table("scenes")
    for field in ("colors", "shapes", "sizes", "relations"):
        yield from scenes[field]
    for words in scenes["synonyms"].values():
        yield from words


@pytest.mark.parametrize(
    "name", ["phones", "plan", "scenes", "texts", "voices"]
)
def test_each_file_says_what_it_is(name):
    assert len(table(name)["about"]) > 20


def test_all_words_are_lower_case_and_singly_spaced():
    for phrase in all_phrases():
        assert re.fullmatch(r"[a-z]+( [a-z]+)*", phrase), phrase


def test_phones_are_those_of_arpabet_and_all_39_can_come():
    phones = table("phones")
    found = {p for v in phones["arpabet"].values() for p in v.split()}
    assert found == ARPABET
    assert set(phones["vowels"]) | set(phones["closures"]) < ARPABET
    assert not set(phones["vowels"]) & set(phones["closures"])


def test_templates_name_only_slots_that_exist():
    commands = table("texts")["commands"]
    for name, action in commands["actions"].items():
        for template in action["templates"]:
            slots = set(re.findall(r"\{(\w+)\}", template))
            assert "object" in slots <= {"object", "value"}
            assert ("value" in slots) == (name == "set")
        if name == "set":
            assert set(action["objects"]) <= set(commands["values"])


def test_keywords_and_unknown_words_are_disjoint():
    texts = table("texts")
    assert not set(texts["keywords"]) & set(texts["unknown"])


def test_splits_of_eight_speakers_are_five_one_two():
    for pattern in table("plan")["speaker_splits"]:
        assert sorted(pattern) == ["test"] * 2 + ["train"] * 5 + ["valid"]


def test_shapes_of_scenes_can_be_drawn():
    assert set(table("scenes")["shapes"]) == set(_SHAPES)


def test_sentences_of_scenes_name_what_there_is():
    scenes = table("scenes")
    for form in scenes["sentences"]:
        slots = re.findall(r"\{(\w+)\}", form)
        relation = {"relation", "opposite"} & set(slots)
        assert sorted(slots) == sorted(["first", "second", *relation])
        assert len(relation) == 1
        first = slots.index("first") < slots.index("second")
        # "a {first} and {opposite} it a {second}" alone turns it round
        assert first == ("relation" in relation or " and " in form)
    assert len(scenes["sentences"]) >= scenes["captions"]
    terms = {*scenes["sizes"], *scenes["relations"]}
    assert set(scenes["synonyms"]) == terms
    assert set(scenes["opposites"]) == set(scenes["relations"])
    assert sorted(scenes["parts"]) == ["test"] * 2 + ["train"] * 7 + ["valid"]


def test_minutes_of_the_default_corpus_sum_to_its_length():
    kinds = table("plan")["kinds"].values()
    assert abs(sum(kind["minutes"] for kind in kinds) - 32) < 1
