import pytest

from speechbrain_mtl.data.check import require_clean
from speechbrain_mtl.data.corpora import prepare_iemocap
from speechbrain_mtl.data.manifest import subset
from tests.helpers.recordings import CORRUPT, audio, complaint, fill, loaders

EMOTIONS = {"F000": "ang", "F001": "exc", "M000": "hap", "M001": "xxx"}
LABELS = """% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

{lines}
"""
LINE = """[6.2901 - 8.2357]\t{name}\t{emotion}\t[2.5000, 3.0000, 4.5000]
C-E2:\tNeutral;\t()
C-F1:\tAnger; Sadness;\t(tired)
A-E3:\tval 3; act 2; dom  2;\t()
"""


def dialogue(session, name):
    """Labels and recordings; of the woman's or the man's side."""
    labels = "\n".join(
        LINE.format(name=f"{name}_{turn}", emotion=emotion)
        for turn, emotion in EMOTIONS.items()
    )
    place = f"Session{session}/dialog/EmoEvaluation"
    wavs = f"Session{session}/sentences/wav/{name}"
    return {
        f"{place}/{name}.txt": LABELS.format(lines=labels),
        f"{place}/._{name}.txt": "[ a leftover of a file system",
        f"{place}/Categorical/{name}_e2_cat.txt": "[single raters]",
        **{f"{wavs}/{name}_{turn}.wav": audio(0.5) for turn in EMOTIONS},
    }


def evaluation(session, name):
    return f"Session{session}/dialog/EmoEvaluation/{name}.txt"


@pytest.fixture
def corpus(tmp_path):
    files = {}
    for session in range(1, 6):
        files |= dialogue(session, f"Ses0{session}F_impro01")
        files |= dialogue(session, f"Ses0{session}M_script02_1b")
    return fill(tmp_path / "data" / "IEMOCAP_full_release", files)


load, refuse = loaders(prepare_iemocap)


def test_every_utterance_has_its_emotion_speaker_and_folds(corpus):
    manifest = load(corpus, fold=2)
    assert len(manifest) == 30
    place = "Session1/sentences/wav/Ses01M_script02_1b"
    assert manifest["Ses01M_script02_1b_F001"] == {
        "wav": f"{corpus}/{place}/Ses01M_script02_1b_F001.wav",
        "duration": 0.5,
        "sample_rate": 16000,
        "emotion": "hap",
        "annotation": "exc",
        "valence": 2.5,
        "activation": 3.0,
        "dominance": 4.5,
        "speaker": "Ses01F",
        "gender": "F",
        "session": 1,
        "dialog": "Ses01M_script02_1b",
        "style": "scripted",
        "split": "train",
        "fold_1": "test",
        "fold_2": "train",
        "fold_3": "train",
        "fold_4": "train",
        "fold_5": "valid",
    }
    require_clean(manifest, labels={"emotion": ["ang", "hap", "neu", "sad"]})


def test_the_one_who_speaks_is_not_the_one_whose_dialogue_it_is(corpus):
    entry = load(corpus)["Ses03F_impro01_M000"]
    assert (entry["speaker"], entry["gender"]) == ("Ses03M", "M")
    assert entry["style"] == "improvised"


@pytest.mark.parametrize("fold", range(1, 6))
def test_parts_of_a_fold_are_disjoint_in_speakers(corpus, fold):
    manifest = load(corpus, fold=fold)
    voices = {
        split: {e["speaker"] for e in subset(manifest, split=split).values()}
        for split in ("train", "valid", "test")
    }
    assert voices["test"] == {f"Ses0{fold}F", f"Ses0{fold}M"}
    follower = fold % 5 + 1
    assert voices["valid"] == {f"Ses0{follower}F", f"Ses0{follower}M"}
    assert len(voices["train"]) == 6
    assert len(set.union(*voices.values())) == 10
    assert all(e["split"] == e[f"fold_{fold}"] for e in manifest.values())


def test_each_utterance_is_tested_once(corpus):
    for entry in load(corpus).values():
        parts = [entry[f"fold_{k}"] for k in range(1, 6)]
        assert sorted(parts) == ["test"] + 3 * ["train"] + ["valid"]


def test_a_share_of_the_training_sessions_may_validate(corpus):
    manifest = load(corpus, fold=2, valid_share=0.5)
    parts = {
        split: set(subset(manifest, split=split))
        for split in ("train", "valid", "test")
    }
    assert {manifest[name]["session"] for name in parts["test"]} == {2}
    assert len(parts["test"]) == 6
    assert len(parts["train"] | parts["valid"]) == 24
    assert 6 <= len(parts["valid"]) <= 18
    sessions = {manifest[name]["session"] for name in parts["valid"]}
    assert len(sessions) > 1
    # The lot does not depend on what else is there.
    fewer = load(corpus, fold=2, valid_share=0.5, classes={"ang": "ang"})
    assert fewer and all(
        entry["split"] == manifest[name]["split"]
        for name, entry in fewer.items()
    )


@pytest.mark.parametrize("share", [0, 1, 20])
def test_shares_that_are_none_are_refused(corpus, share):
    message = refuse(corpus, valid_share=share)
    assert f"valid_share is {share}. Give a share above 0 and" in message


def test_other_classes_may_be_chosen(corpus):
    manifest = load(corpus, classes={"ang": "strong", "exc": "strong"})
    assert len(manifest) == 20
    assert {entry["emotion"] for entry in manifest.values()} == {"strong"}


def test_parent_of_the_release_is_understood(corpus):
    assert list(load(corpus.parent)) == list(load(corpus))


@pytest.mark.parametrize(
    "options",
    [{"fold": 0}, {"fold": 6}, {"classes": {"joy": "hap"}}, {"classes": {}}],
)
def test_unknown_folds_and_annotations_are_refused(corpus, options):
    message = refuse(corpus, **options)
    assert "Give a fold of 1 to 5, and classes of any of ang, dis" in message


def test_missing_folder_says_where_to_get_the_corpus(tmp_path):
    message = refuse(tmp_path / "gone")
    assert "gone: no such folder. Get IEMOCAP from https://sail" in message
    assert "free for research, after signing its licence" in message


def test_another_folder_or_half_the_corpus_is_refused(corpus, tmp_path):
    (corpus / "Session4").rename(corpus / "session 4")
    (corpus / "Session5/dialog/EmoEvaluation").rename(corpus / "labels")
    message = refuse(corpus)
    assert (
        "no folder Session4/sentences/wav, Session4/dialog/EmoEvaluation, "
        "Session5/dialog/EmoEvaluation. Each fold needs" in message
    )
    assert "Get IEMOCAP from https" in message


def test_no_utterance_of_a_class_is_refused(corpus):
    assert "no utterance is dis." in refuse(corpus, classes={"dis": "dis"})


def test_missing_recordings_and_broken_labels_are_all_named(corpus):
    one, other = "Ses02F_impro01", "Ses02M_script02_1b"
    wav = corpus / f"Session2/sentences/wav/{one}"
    (wav / f"{one}_F000.wav").rename(wav / f"{one}_F9.wav")
    (wav / f"{one}_M001.wav").unlink()  # xxx, yet part of the corpus
    path = corpus / evaluation(2, other)
    text = path.read_text().replace("ang\t", "mad\t")
    text = text.replace(f"{other}_F001", f"{one}_F001")
    text += "[6.29 - 8.23]\tno label\n"
    fill(corpus, {evaluation(2, other): text, evaluation(3, "Ses03F_x"): ""})
    message = refuse(corpus)
    assert "6 problem(s)" in message
    for part in (
        f"{one}.txt, line 3: no Session2/sentences/wav/{one}/{one}_F000.wav",
        f"{one}.txt, line 18: no Session2/sentences/wav/{one}/{one}_M001.wav",
        f"{other}.txt, line 3: 'mad' is none of ang, dis",
        f"{other}.txt, line 8: '[6.2901 - 8.2357]",
        "no label' is not [start - end], utterance of the dialogue",
        "Ses03F_x.txt: no labels",
    ):
        assert part in message


def test_unreadable_recordings_are_all_named(corpus):
    for name, content in [("F000", CORRUPT), ("M000", b"")]:
        wav = f"Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_{name}"
        fill(corpus, {f"{wav}.wav": content})
    message = refuse(corpus)
    assert "2 problem(s)" in message
    assert "Ses01F_impro01_F000.wav" in message
    assert "Ses01F_impro01_M000.wav" in message


def test_corpus_is_never_written_to(corpus):
    message = complaint(prepare_iemocap, corpus, corpus)
    assert "Choose another output_folder" in message
