import json

import numpy as np
import pytest

from speechbrain_mtl.data.corpora.openmic import prepare_openmic
from speechbrain_mtl.data.corpora.openmic_labels import INSTRUMENTS
from speechbrain_mtl.data.manifest import load_manifest, subset
from tests.helpers.recordings import failure_without, loaders
from tests.helpers.trees import change, write_lines, write_tone

TRAIN = [f"{100 + number:06d}_{90 * number}" for number in range(40)]
TEST = ["000046_3840", "155310_372480"]
ARRAYS, TABLE = "openmic-2018.npz", "openmic-2018-aggregated-labels.csv"
PIANO, VOICE = INSTRUMENTS.index("piano"), INSTRUMENTS.index("voice")


def write_arrays(root, clips, true, mask, dtype=str):
    np.savez(
        root / ARRAYS,
        X=np.zeros((len(clips), 10, 128), dtype=int),
        Y_true=true,
        Y_mask=mask,
        sample_key=np.array(clips, dtype=dtype),
    )


@pytest.fixture
def corpus(tmp_path):
    """42 clips: piano asked of all, voice of the first only."""
    root, clips = tmp_path / "openmic", sorted(TRAIN + TEST)
    mask = np.zeros((len(clips), 20), dtype=bool)
    mask[:, PIANO], mask[0, VOICE] = True, True
    true = np.full((len(clips), 20), 0.5)
    true[:, PIANO], true[0, VOICE] = 0.25, 0.875
    for clip in clips:
        write_tone(root / "audio" / clip[:3] / f"{clip}.ogg")
    write_arrays(root, clips, true, mask)
    write_lines(
        root / TABLE,
        "sample_key,instrument,relevance,num_responses",
        f"{clips[0]},voice,0.875,3",
        *(f"{clip},piano,0.25,4" for clip in clips),
    )
    (root / "class-map.json").write_text(
        json.dumps({name: i for i, name in enumerate(INSTRUMENTS)})
    )
    write_lines(root / "partitions" / "split01_train.csv", *TRAIN)
    write_lines(root / "partitions" / "split01_test.csv", *TEST)
    return root


load, failure = loaders(prepare_openmic)


def test_every_clip_has_its_labels_and_what_was_asked(corpus):
    manifest = load(corpus)
    assert sorted(manifest) == sorted(TRAIN + TEST)
    labels, mask = [0.5] * 20, [0] * 20
    labels[PIANO], labels[VOICE] = 0.25, 0.875
    mask[PIANO], mask[VOICE] = 1, 1
    assert manifest["000046_3840"] == {
        "wav": f"{corpus}/audio/000/000046_3840.ogg",
        "duration": pytest.approx(0.1, abs=0.01),
        "sample_rate": 16000,
        "track": "000046",
        "labels": labels,
        "label_mask": mask,
        "split": "test",
    }
    assert sum(sum(entry["label_mask"]) for entry in manifest.values()) == 43


def test_pickled_names_are_not_read_and_the_table_says_the_same(corpus):
    expected = load(corpus)
    with np.load(corpus / ARRAYS) as old:
        clips, true, mask = old["sample_key"], old["Y_true"], old["Y_mask"]
    # Arrays that would contradict: were they read, the test would tell.
    write_arrays(corpus, clips, 1 - true, mask, dtype=object)
    assert load(corpus) == expected
    change(corpus / TABLE, "voice", "flute")
    assert load(corpus)["000046_3840"]["label_mask"][VOICE] == 0


def test_what_was_not_asked_is_unknown_whatever_the_array_says(corpus):
    clips = sorted(TRAIN + TEST)
    true = np.full((42, 20), np.nan)
    write_arrays(corpus, clips, true, np.zeros((42, 20), dtype=int))
    assert load(corpus)["000046_3840"]["labels"] == [0.5] * 20


def test_validation_is_drawn_by_track_and_seed(corpus):
    # Two clips of one track share its lot.
    twin = TRAIN[0].split("_")[0] + "_777"
    write_tone(corpus / "audio" / twin[:3] / f"{twin}.ogg")
    clips = sorted([*TRAIN, *TEST, twin])
    shape = (len(clips), 20)
    write_arrays(corpus, clips, np.ones(shape), np.ones(shape))
    write_lines(corpus / "partitions" / "split01_train.csv", *TRAIN, twin)
    drawn = set()
    for seed in range(8):
        manifest = load(corpus, valid_share=0.3, seed=seed)
        assert manifest == load(corpus, valid_share=0.3, seed=seed)
        assert manifest[twin]["split"] == manifest[TRAIN[0]]["split"]
        assert set(subset(manifest, split="test")) == set(TEST)
        valid = frozenset(subset(manifest, split="valid"))
        assert 3 <= len(valid) <= 24
        drawn.add(valid)
    assert len(drawn) == 8


def test_parent_of_the_archive_is_understood(corpus):
    corpus.rename(corpus.parent / "openmic-2018")
    path = prepare_openmic(corpus.parent, corpus.parent / "out")
    wav = load_manifest(path, "/x")["000046_3840"]["wav"]
    assert wav == "/x/openmic-2018/audio/000/000046_3840.ogg"


@pytest.mark.parametrize("there", [True, False])
def test_missing_corpus_says_where_to_get_it_and_its_licence(tmp_path, there):
    folder = tmp_path / "openmic"
    message = failure_without(failure, folder, there)
    assert "https://zenodo.org/records/1432913 (CC BY 4.0" in message
    assert (f"{ARRAYS}: missing" in message) == there
    assert ("6 problem(s)" in message) == there


def test_missing_and_misnamed_clips_are_all_named(corpus):
    (corpus / "audio" / "000" / f"{TRAIN[1]}.ogg").unlink()
    clip = corpus / "audio" / "155" / f"{TEST[1]}.ogg"
    clip.rename(clip.with_name("155310.ogg"))
    message = failure(corpus)
    assert "3 problem(s)" in message
    assert f"{TRAIN[1]}.ogg: missing, though partitions/split01" in message
    assert "155310.ogg: not in partitions/split01_train.csv and" in message


def test_half_a_data_set_is_noticed(corpus):
    for file in (corpus / "audio" / "000").iterdir():
        file.unlink()
    assert "41 problem(s)" in failure(corpus)


def test_clips_without_labels_or_in_both_partitions_are_named(corpus):
    write_arrays(corpus, TRAIN, np.ones((40, 20)), np.ones((40, 20)))
    change(corpus / "partitions" / "split01_test.csv", TEST[1], TRAIN[2])
    message = failure(corpus)
    assert f"{TEST[0]}: no labels in {ARRAYS}. Copy it from" in message
    assert f"{TRAIN[2]}: in both partitions" in message
    write_lines(corpus / "partitions" / "split01_test.csv")
    assert "split01_test.csv: empty" in failure(corpus)


def test_unknown_labels_of_the_table_are_all_named(corpus):
    (shape, clips) = (42, 20), sorted(TRAIN + TEST)
    write_arrays(corpus, clips, np.ones(shape), np.ones(shape), dtype=object)
    change(corpus / TABLE, "voice,0.875", "lute,0.875")
    change(corpus / TABLE, f"{TRAIN[3]},piano,0.25", f"{TRAIN[3]},piano,-1")
    change(corpus / TABLE, f"{TRAIN[4]},piano,0.25", f"{TRAIN[4]},piano,yes")
    message = failure(corpus)
    assert "3 problem(s)" in message
    assert "000046_3840: instrument is 'lute', none of the 20" in message
    assert f"{TRAIN[3]}: relevance of piano is '-1', not 0 to 1" in message
    assert f"{TRAIN[4]}: relevance of piano is 'yes'" in message


def test_arrays_of_another_form_are_refused(corpus):
    clips = sorted(TRAIN + TEST)
    write_arrays(corpus, clips, np.ones((42, 19)), np.ones((42, 20)))
    assert "Y_true is (42, 19) and Y_mask (42, 20) for 42" in failure(corpus)
    true = np.ones((42, 20))
    true[0, 0] = 2
    write_arrays(corpus, clips, true, np.ones((42, 20)))
    assert "000046_3840: probabilities beyond 0 to 1" in failure(corpus)
    np.savez(corpus / ARRAYS, X=np.ones(2))
    assert "not readable" in failure(corpus)
    (corpus / ARRAYS).write_bytes(b"")
    assert "Copy it from https://zenodo" in failure(corpus)


def test_another_order_of_instruments_is_refused(corpus):
    change(corpus / "class-map.json", '"banjo": 1', '"banjo": 2')
    assert "not the instruments accordion, banjo" in failure(corpus)
    (corpus / "class-map.json").write_text("accordion")
    assert "not JSON" in failure(corpus)


def test_unreadable_clips_are_all_named(corpus):
    for clip in TRAIN[:2]:
        (corpus / "audio" / "000" / f"{clip}.ogg").write_bytes(b"text")
    message = failure(corpus)
    assert "2 problem(s)" in message
    assert "Copy the file again." in message


@pytest.mark.parametrize("share", [0, 1, -0.5])
def test_share_that_leaves_a_part_empty_is_refused(corpus, share):
    assert f"valid_share is {share}. Choose a share" in failure(
        corpus, valid_share=share
    )
