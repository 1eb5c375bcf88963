import logging

import pytest

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.corpora import prepare_audio_snips
from speechbrain_mtl.data.corpora.audio_snips import SPEAKERS, prefixed
from speechbrain_mtl.data.manifest import load_manifest, subset
from speechbrain_mtl.tasks.superb import SlotTokens
from tests.helpers.recordings import (
    CORRUPT,
    audio,
    complaint,
    failure_without,
    fill,
    loaders,
)

EVERYONE = [voice for voices in SPEAKERS.values() for voice in voices]
# Bare slots, as SUPERB's file has them; the last tag is the intent.
SAID = [
    ("play Abba & Blur , please .", "O artist artist artist O O O", "Play"),
    ("rain in New York ?", "state O city city O", "Weather"),
]


def line(name, said, tags, intent):
    return f"{name} BOS {said} EOS\tO {tags} {intent}\n"


def names(part, voices=EVERYONE):
    return [
        f"{voice}-snips-{part}-{number}"
        for voice in voices
        for number in range(2)
    ]


def tags(said=SAID):
    return "".join(
        line(name, *said[int(name[-1])])
        for part in SPEAKERS
        for name in names(part)
    )


def release(folder):
    """All voices read all parts, as in the corpus itself."""
    files = {"all.iob.snips.txt": tags(), "slots.txt": "O\n"}
    for part in SPEAKERS:
        files |= {f"{part}/{n}.wav": audio(0.25) for n in names(part)}
    return fill(folder, files)


@pytest.fixture
def corpus(tmp_path):
    return release(tmp_path / "SNIPS")


load, refuse = loaders(prepare_audio_snips)


def test_every_request_has_its_words_tags_and_voice(corpus):
    manifest = load(corpus)
    assert manifest["Nicole-snips-valid-0"] == {
        "wav": f"{corpus}/valid/Nicole-snips-valid-0.wav",
        "duration": 0.25,
        "sample_rate": 16000,
        "speaker": "Nicole",
        "text": "play Abba AND Blur please",
        "bio": ["O", "B-artist", "I-artist", "I-artist", "O"],
        "intent_label": "Play",
        "split": "valid",
    }
    assert manifest["Ivy-snips-train-1"]["bio"] == [
        "B-state",
        "O",
        "B-city",
        "I-city",
    ]
    require_clean(manifest)


def test_each_part_has_the_voices_of_superb(corpus):
    manifest = load(corpus)
    assert len(manifest) == 2 * 16
    for part, voices in SPEAKERS.items():
        assert list(subset(manifest, split=part)) == names(part, voices)
    assert [len(voices) for voices in SPEAKERS.values()] == [8, 4, 4]


def test_the_task_s_tokens_read_the_manifest(corpus):
    entry = load(corpus)["Emma-snips-test-1"]
    assert SlotTokens().reference(entry) == (
        "B-state RAIN E-state IN B-city NEW YORK E-city".split()
    )


def test_tags_with_prefixes_are_kept():
    tags = ["B-city", "B-city", "I-city", "O"]
    assert prefixed(tags) == tags


def test_punctuation_parts_slots_as_its_tags_say(corpus):
    """One slot, two of a kind, and a slot that begins with a comma."""
    said = [
        ("a , b", "city city city", "X"),
        ("a , b", "city O city", "X"),
    ]
    fill(corpus, {"all.iob.snips.txt": tags(said)})
    manifest = load(corpus)
    assert manifest["Amy-snips-valid-0"]["bio"] == ["B-city", "I-city"]
    assert manifest["Amy-snips-valid-1"]["bio"] == ["B-city", "B-city"]
    said = [(", a b", "B-city I-city I-city", "X")] * 2
    fill(corpus, {"all.iob.snips.txt": tags(said)})
    manifest = load(corpus)
    assert manifest["Amy-snips-valid-0"]["bio"] == ["B-city", "I-city"]


def test_a_small_copy_is_counted_against_the_whole(corpus, caplog):
    with caplog.at_level(logging.WARNING):
        load(corpus)
    assert "16 recordings of train, the whole corpus has 104672" in caplog.text


def test_parent_of_the_archive_is_understood(corpus):
    path = prepare_audio_snips(corpus.parent, corpus.parent / "out")
    manifest = load_manifest(path, corpus.parent)
    assert list(manifest) == list(load(corpus))


@pytest.mark.parametrize("there", [True, False])
def test_missing_corpus_says_where_to_get_it_and_its_licence(tmp_path, there):
    message = failure_without(refuse, tmp_path / "SNIPS", there)
    assert "Get Audio SNIPS from https://github.com/aws-samples/" in message
    assert "(texts CC0, audio as its repository says)" in message
    assert ("all.iob.snips.txt: missing" in message) == there


def test_half_the_corpus_is_refused(corpus):
    (corpus / "test").rename(corpus / "elsewhere")
    assert "test: missing. Get Audio SNIPS" in refuse(corpus)


def test_a_part_without_any_text_is_refused(corpus):
    kept = [x for x in tags().splitlines(True) if "-test-" not in x]
    fill(corpus, {"all.iob.snips.txt": "".join(kept)})
    for file in (corpus / "test").iterdir():
        file.unlink()
    message = refuse(corpus)
    assert "nothing of test by Brian, Emma, Raveena, Russell" in message


def test_lost_and_unlabelled_recordings_are_named(corpus):
    (corpus / "train/Ivy-snips-train-0.wav").unlink()
    (corpus / "train/Amy-snips-train-0.wav").unlink()  # not of this part
    lost = line("Emma-snips-test-1", *SAID[1])
    fill(corpus, {"all.iob.snips.txt": tags().replace(lost, "")})
    message = refuse(corpus)
    assert "2 problem(s)" in message
    assert "Ivy-snips-train-0: missing, though all.iob.snips.txt" in message
    assert "Emma-snips-test-1: not in all.iob.snips.txt" in message


def test_lines_of_another_form_are_all_named(corpus):
    bad = (
        "Ivy-snips-train-7 BOS play it EOS\tO O X\n"  # a tag too few
        "Ivy-snips-train-8 play it\tO O\n"  # no marks
        "Ivy-snips-train-9\n"  # no tags
        "Ivy-snips-train-6 BOS ? EOS\tO O X\n"  # nothing said
        + line("Ivy-snips-train-0", *SAID[0])  # once more
    )
    fill(corpus, {"all.iob.snips.txt": bad + tags()})
    fill(corpus, {"train/Ivy-snips-train-6.wav": audio(0.25)})
    message = refuse(corpus)
    assert "5 problem(s)" in message
    for number in (1, 2, 3):
        assert f"all.iob.snips.txt, line {number}: 'Ivy-snips" in message
    assert "line 4: no words" in message
    assert "line 6: Ivy-snips-train-0 comes twice" in message


def test_unreadable_recordings_are_all_named(corpus):
    for name in ("train/Ivy-snips-train-0", "test/Emma-snips-test-1"):
        fill(corpus, {f"{name}.wav": CORRUPT})
    message = refuse(corpus)
    assert "2 problem(s)" in message
    assert "Ivy-snips-train-0.wav" in message
    assert "Emma-snips-test-1.wav" in message


def test_corpus_is_never_written_to(corpus):
    message = complaint(prepare_audio_snips, corpus, corpus)
    assert "Choose another output_folder" in message
