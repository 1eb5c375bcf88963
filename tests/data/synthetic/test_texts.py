import re
from collections import Counter

import numpy as np
import pytest

from speechbrain_mtl.data.synthetic import texts
from speechbrain_mtl.data.synthetic.tables import table


def joints(sentence):
    """The pairs (subject, verb) and (object, tail) of a sentence."""
    parts = table("texts")["sentences"]
    found = []
    for part in ("subject", "verb", "object", "tail"):
        [words] = [w for w in parts[part] if re.search(rf"\b{w}\b", sentence)]
        found.append(words)
    assert " ".join(found) == sentence
    return {tuple(found[:2]), tuple(found[2:])}


def test_open_and_held_out_sentences_share_no_joint_but_all_words():
    random = np.random.default_rng(0)
    said = {
        held_out: [texts.sentence(random, held_out) for _ in range(1500)]
        for held_out in (False, True)
    }
    pairs = {k: set().union(*map(joints, v)) for k, v in said.items()}
    assert not pairs[False] & pairs[True]
    # one joint in five is held out
    assert len(pairs[True]) == 2 * 10 * 10 // texts.HELD_OUT_EVERY
    assert len(pairs[False]) == 2 * 10 * 10 - len(pairs[True])
    words = [set(" ".join(v).split()) for v in said.values()]
    assert words[0] == words[1]


def test_a_sentence_without_tail_is_the_beginning_of_one():
    whole = texts.sentence(np.random.default_rng(3), False)
    short = texts.sentence(np.random.default_rng(3), False, tail=False)
    assert whole.startswith(short + " ")


def test_keywords_come_equally_often():
    said = [texts.keyword(t, w) for t in range(11) for w in range(22)]
    counts = Counter(labels["keyword"] for labels in said)
    assert set(counts.values()) == {22}
    assert len(counts) == 11


def test_unknown_words_are_none_of_the_keywords_and_all_come():
    said = [texts.keyword(t, w) for t in range(22) for w in range(24)]
    unknown = {s["text"] for s in said if s["keyword"] == "unknown"}
    assert unknown == set(table("texts")["unknown"])
    for labels in said:
        assert labels["keyword"] in ("unknown", labels["text"])


@pytest.fixture(scope="module")
def commands():
    random = np.random.default_rng(0)
    return [texts.command(i, 0, random) for i in range(500)]


def test_each_25_commands_hold_every_action_at_every_place_once(commands):
    for first in range(0, 500, 25):
        pairs = {
            (c["intent"]["action"], c["intent"]["location"])
            for c in commands[first : first + 25]
        }
        assert len(pairs) == 25


def test_all_intents_come_in_every_wording(commands):
    content = table("texts")["commands"]
    triples = {tuple(c["intent"].values()) for c in commands}
    objects = sum(len(a["objects"]) for a in content["actions"].values())
    assert len(triples) == objects * len(content["locations"])


def test_tags_spell_out_the_slots(commands):
    for labels in commands:
        words, spans = labels["text"].split(), {}
        assert len(words) == len(labels["bio"])
        for word, tag in zip(words, labels["bio"]):
            if tag.startswith("B-"):
                assert tag[2:] not in spans
                spans[tag[2:]] = word
            elif tag.startswith("I-"):
                spans[tag[2:]] += f" {word}"
            else:
                assert tag == "O"
        assert spans == labels["slots"]
        intent = labels["intent"]
        assert spans["object"] == intent["object"]
        assert spans.get("location", "none") == intent["location"]
        assert ("value" in spans) == (intent["action"] == "set")
    assert any("I-location" in labels["bio"] for labels in commands)


def test_every_speaker_says_a_b_and_x_in_one_context():
    for who in range(24):
        said = Counter(texts.syllable(turn, who, seed=0) for turn in range(6))
        assert sorted(said.values()) == [2, 2, 2]
        contexts = {(s[2], s[-3]) for s in said}
        assert len(contexts) == 1
    sets = [
        {texts.syllable(turn, who, 0) for turn in range(6)} for who in range(8)
    ]
    assert sets[0] == sets[1] == sets[3] != sets[4]
