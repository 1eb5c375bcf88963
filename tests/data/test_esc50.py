import pytest
import soundfile
from numpy import zeros

from speechbrain_mtl.data.corpora.esc50 import CATEGORIES, prepare_esc50
from speechbrain_mtl.data.manifest import ManifestError, load_manifest, subset
from tests.helpers.recordings import failure_without, loaders
from tests.helpers.trees import change, write_lines, write_tone

HEADER = "filename,fold,target,category,esc10,src_file,take"
CLASSES = {"dog": "True", "pig": "False", "clock_tick": "True"}


@pytest.fixture
def corpus(tmp_path):
    """Three classes, two of them in ESC-10, one recording each a fold."""
    root = tmp_path / "esc"
    rows = []
    for fold in range(1, 6):
        for category, esc10 in CLASSES.items():
            target = CATEGORIES.index(category)
            name = f"{fold}-{fold}00{target}-A-{target}.wav"
            source = f"{fold}00{target}"
            write_tone(root / "audio" / name, rate=44100)
            rows.append(f"{name},{fold},{target},{category},{esc10},{source},A")
    write_lines(root / "meta" / "esc50.csv", HEADER, *rows)
    return root


load, failure = loaders(prepare_esc50)


def test_every_recording_has_its_class_fold_and_source(corpus):
    manifest = load(corpus, fold=2)
    assert len(manifest) == 15
    assert manifest["3-30038-A-38"] == {
        "wav": f"{corpus}/audio/3-30038-A-38.wav",
        "duration": 0.1,
        "sample_rate": 44100,
        "category": "clock_tick",
        "fold": 3,
        "source": "30038",
        "split": "valid",
    }


@pytest.mark.parametrize(("fold", "valid"), [(1, 2), (4, 5), (5, 1)])
def test_a_fold_is_tested_the_next_validates_the_others_train(
    corpus, fold, valid
):
    manifest = load(corpus, fold=fold)
    by_split = {
        split: {e["fold"] for e in subset(manifest, split=split).values()}
        for split in ("train", "valid", "test")
    }
    assert by_split == {
        "test": {fold},
        "valid": {valid},
        "train": {1, 2, 3, 4, 5} - {fold, valid},
    }


def test_esc10_takes_its_classes_only(corpus):
    manifest = load(corpus, esc10=True)
    assert {e["category"] for e in manifest.values()} == {"dog", "clock_tick"}
    assert len(manifest) == 10


def test_fifty_classes_stand_in_the_order_of_targets():
    assert len(set(CATEGORIES)) == 50
    assert CATEGORIES.index("rain") == 10
    assert CATEGORIES.index("crying_baby") == 20
    assert CATEGORIES.index("door_wood_knock") == 30
    assert CATEGORIES.index("helicopter") == 40
    assert CATEGORIES[49] == "hand_saw"


def test_parent_of_the_archive_is_understood(corpus):
    corpus.rename(corpus.parent / "ESC-50-master")
    path = prepare_esc50(corpus.parent, corpus.parent / "out")
    wav = load_manifest(path, "/x")["1-1000-A-0"]["wav"]
    assert wav == "/x/ESC-50-master/audio/1-1000-A-0.wav"


def test_two_copies_side_by_side_are_not_guessed_between(corpus):
    corpus.rename(corpus.parent / "ESC-50-master")
    (corpus.parent / "ESC-50" / "audio").mkdir(parents=True)
    with pytest.raises(ManifestError, match="ESC-50-master and ESC-50. Set"):
        prepare_esc50(corpus.parent, corpus.parent / "out")


@pytest.mark.parametrize("there", [True, False])
def test_missing_corpus_says_where_to_get_it_and_its_licence(tmp_path, there):
    folder = tmp_path / "esc"
    message = failure_without(failure, folder, there)
    assert "Get ESC-50 from https://github.com/karolpiczak/ESC-50" in message
    assert "CC BY-NC 3.0" in message
    assert ("meta/esc50.csv: missing" in message) == there


def test_missing_unlisted_and_misnamed_files_are_all_named(corpus):
    audio = corpus / "audio"
    (audio / "1-1000-A-0.wav").unlink()
    (audio / "2-2002-A-2.wav").rename(audio / "dog.wav")
    (audio / "._dog.wav").touch()
    change(corpus / "meta" / "esc50.csv", "5-5002-A-2.wav", "5-5002-A.wav")
    (audio / "5-5002-A-2.wav").rename(audio / "5-5002-A.wav")
    message = failure(corpus)
    assert "4 problem(s)" in message
    assert "1-1000-A-0.wav: missing, though meta/esc50.csv lists" in message
    assert "2-2002-A-2.wav: missing" in message
    assert "dog.wav: not in meta/esc50.csv. Move it away" in message
    assert "5-5002-A.wav: not named <fold>-<source>-<take>-<target>" in message


def test_half_a_data_set_names_its_missing_folds(corpus):
    for path in (corpus / "audio").glob("[345]-*"):
        path.unlink()
    table = corpus / "meta" / "esc50.csv"
    lines = table.read_text().splitlines()
    kept = [line for line in lines if line[0] not in "345"]
    write_lines(table, *kept)
    message = failure(corpus)
    assert "3 problem(s)" in message
    assert "fold 3: no recordings. Get ESC-50 from" in message


def test_unknown_and_mixed_up_labels_are_all_named(corpus):
    table = corpus / "meta" / "esc50.csv"
    change(table, "1,0,dog", "1,0,hound")
    change(table, "2,2,pig", "2,2,cow")
    change(table, "3,38,clock_tick,True", "3,38,clock_tick,yes")
    change(table, "4-40038-A-38.wav,4", "4-40038-A-38.wav,7")
    message = failure(corpus)
    assert "category is 'hound', none of the 50" in message
    assert "target is 2, that of 'cow' is 3" in message
    assert "esc10 is 'yes'" in message
    assert "4-40038-A-38.wav: fold is 7, not 1 to 5" in message


def test_unreadable_files_are_all_named(corpus):
    (corpus / "audio" / "1-1000-A-0.wav").write_bytes(b"text")
    soundfile.write(corpus / "audio" / "2-2000-A-0.wav", zeros(0), 44100)
    message = failure(corpus)
    assert "2 problem(s)" in message
    assert "1-1000-A-0.wav" in message
    assert "2-2000-A-0.wav: no samples. Copy the file again." in message


def test_table_of_another_form_is_refused(corpus):
    table = corpus / "meta" / "esc50.csv"
    change(table, "category,esc10", "label,small")
    assert "no column category, esc10. Copy" in failure(corpus)
    write_lines(table, HEADER)
    assert "no rows" in failure(corpus)
    write_lines(table, HEADER, "1-1-A-0.wav,1,,dog,True,1,A")
    assert "line 2: no target" in failure(corpus)


@pytest.mark.parametrize("fold", [0, 6])
def test_fold_that_is_not_there_is_refused(corpus, fold):
    assert f"fold is {fold}. Choose one of 1 to 5." in failure(
        corpus, fold=fold
    )


def test_corpus_is_never_written_to(corpus):
    with pytest.raises(ManifestError, match="Choose another output_folder"):
        prepare_esc50(corpus, corpus)
