from collections import Counter

import numpy as np
import pytest

from speechbrain_mtl.selection.strata import stratify


def words(counts, speakers=4):
    """One recording a word: a manifest with so many of each."""
    manifest = {}
    for word, count in counts.items():
        for i in range(count):
            manifest[f"{word}{i}"] = {
                "duration": 2.0,
                "speaker": f"s{i % speakers}",
                "words": [[0.0, 0.5, ""], [0.5, 1.0, word], [1.0, 1.5, "sil"]],
            }
    return manifest


def key(segments):
    names = [segments.names[c] for c in segments.classes]
    return list(zip(names, segments.ids, segments.starts, segments.ends))


def test_segments_of_frequent_classes_are_found_and_the_rest_listed():
    segments = stratify(words({"dog": 12, "cat": 15, "emu": 9}), "words")
    assert segments.names == ("cat", "dog")
    assert Counter(segments.classes.tolist()) == {0: 15, 1: 12}
    assert segments.dropped == {"emu": 9}
    assert set(segments.starts) == {0.5} and set(segments.ends) == {1.0}
    assert segments.speakers == 4 and not segments.whole
    assert (np.diff(segments.classes) >= 0).all()


def test_values_of_a_recording_are_classes_of_any_type():
    manifest = {
        f"u{i}": {"duration": 1.0, "digit": i % 2, "speaker": i % 5}
        for i in range(40)
    }
    segments = stratify(manifest, "digit")
    assert segments.names == ("0", "1") and segments.whole
    assert segments.speakers == 5 and len(set(segments.clusters)) == 5


def test_null_means_no_label():
    manifest = words({"dog": 12, "cat": 12})
    for entry in list(manifest.values())[::2]:
        entry["words"] = None
    with pytest.raises(ValueError, match="0 class"):
        stratify(manifest, "words")
    assert len(stratify(manifest, "words", min_per_class=4)) == 12


def test_a_class_too_large_is_drawn_evenly_over_speakers():
    manifest = words({"dog": 60, "cat": 60})
    for i, entry in enumerate(manifest.values()):
        entry["speaker"] = "talkative" if i % 6 else f"s{i % 60}"
    segments = stratify(manifest, "words", max_per_class=15)
    of_dog = [
        manifest[id_]["speaker"]
        for id_, c in zip(segments.ids, segments.classes)
        if segments.names[c] == "dog"
    ]
    # Ten others have one each; the talkative one fills up.
    assert Counter(of_dog)["talkative"] == 5 and len(of_dog) == 15


def test_the_draw_depends_on_seed_and_class_alone():
    manifest = words({"dog": 50, "cat": 40})
    first = stratify(manifest, "words", max_per_class=20, seed=1)
    backwards = dict(reversed(list(manifest.items())))
    again = stratify(backwards, "words", max_per_class=20, seed=1)
    assert key(first) == key(again)
    more = stratify(
        {**manifest, **words({"ant": 30})}, "words", max_per_class=20, seed=1
    )
    assert [row for row in key(more) if row[0] != "ant"] == key(first)
    other = stratify(manifest, "words", max_per_class=20, seed=2)
    assert key(other) != key(first)


def test_unknown_or_single_speakers_leave_recordings_to_be_drawn():
    manifest = words({"dog": 12, "cat": 12}, speakers=1)
    segments = stratify(manifest, "words")
    assert segments.speakers == 1 and len(set(segments.clusters)) == 24
    for entry in manifest.values():
        del entry["speaker"]
    segments = stratify(manifest, "words")
    assert segments.speakers == 0 and len(set(segments.clusters)) == 24


def test_pauses_are_no_class_unless_asked_for():
    manifest = words({"dog": 12, "cat": 12})
    assert "sil" not in stratify(manifest, "words").names
    assert "sil" in stratify(manifest, "words", ignore=("",)).names


def test_a_field_nobody_has_is_refused_naming_those_there():
    with pytest.raises(ValueError, match="'word'.*duration, speaker, words"):
        stratify(words({"dog": 12}), "word")


def test_one_class_alone_is_refused_with_the_counts():
    with pytest.raises(ValueError, match="1 class.*'dog': 12"):
        stratify(words({"dog": 12, "emu": 3}), "words")
    with pytest.raises(ValueError, match="'dog': 1, 'cat': 1|'cat': 1"):
        stratify(words({"dog": 1, "cat": 1}), "words")


@pytest.mark.parametrize("times", [[0.5, 0.5], [0.9, 0.5], [-0.1, 0.5]])
def test_segments_without_length_are_refused(times):
    manifest = words({"dog": 12, "cat": 12})
    manifest["dog3"]["words"] = [[*times, "dog"]]
    with pytest.raises(ValueError, match="dog3: segment"):
        stratify(manifest, "words")


def test_a_list_of_something_else_is_refused():
    manifest = words({"dog": 12, "cat": 12})
    manifest["cat2"]["words"] = ["cat", "dog"]
    with pytest.raises(ValueError, match="cat2: words holds 'cat'"):
        stratify(manifest, "words")


def test_senseless_limits_are_refused():
    manifest = words({"dog": 12, "cat": 12})
    with pytest.raises(ValueError, match="min_per_class is 1"):
        stratify(manifest, "words", min_per_class=1)
    with pytest.raises(ValueError, match="max_per_class 5"):
        stratify(manifest, "words", max_per_class=5)


def test_effective_strata_count_classes_by_their_shares():
    even = stratify(words({"dog": 12, "cat": 12, "emu": 12}), "words")
    assert even.effective_strata == pytest.approx(3)
    assert even.samples == {"cat": 12, "dog": 12, "emu": 12}
    skewed = stratify(words({"dog": 90, "cat": 10}), "words")
    assert skewed.effective_strata == pytest.approx(1 / 0.82)
    assert skewed.samples == {"cat": 10, "dog": 90}


def test_segments_shorter_than_a_frame_are_counted():
    manifest = words({"dog": 12, "cat": 12})
    manifest["dog3"]["words"] = [[0.5, 0.505, "dog"]]
    segments = stratify(manifest, "words")
    assert segments.short == 1 and len(segments) == 24
    whole = {
        f"u{i}": {"duration": 1.0, "digit": i % 2, "speaker": i % 5}
        for i in range(40)
    }
    assert stratify(whole, "digit").short == 0


def test_a_segment_beyond_its_recording_is_refused_before_audio_is_read():
    manifest = words({"dog": 12, "cat": 12})
    manifest["cat7"]["words"] = [[1.5, 2.005, "cat"]]  # aligners round
    assert len(stratify(manifest, "words")) == 24
    manifest["cat7"]["words"] = [[1.5, 2.5, "cat"]]
    with pytest.raises(ValueError, match="cat7: segment .* is 2.0 s long"):
        stratify(manifest, "words")


def test_segments_all_of_one_class_are_refused_by_its_name():
    with pytest.raises(ValueError, match="all 12 segments .* one class, 'dog'"):
        stratify(words({"dog": 12}), "words")


def test_a_class_of_one_sample_is_left_out_and_said():
    segments = stratify(words({"dog": 12, "cat": 12, "yak": 1}), "words")
    assert segments.dropped == {"yak": 1} and "yak" not in segments.names
    lonely = words({f"w{i}": 1 for i in range(9)})
    with pytest.raises(ValueError, match="0 class.*'w0': 1.*lower"):
        stratify(lonely, "words")
