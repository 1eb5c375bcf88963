import pytest

from speechbrain_mtl.data.corpora.medley_solos import (
    INSTRUMENTS,
    TABLE,
    prepare_medley_solos,
)
from speechbrain_mtl.data.manifest import ManifestError, subset
from tests.helpers.recordings import failure_without, loaders
from tests.helpers.trees import change, write_lines, write_tone

HEADER = "subset,instrument,instrument_id,song_id,uuid4"
SUBSETS = ("training", "validation", "test")


def uuid(subset, number):
    return f"0a28267{SUBSETS.index(subset)}-c22c-59ff-faaa-ff9eb73fc8e{number}"


def clip(subset, number):
    return f"Medley-solos-DB_{subset}-{number}_{uuid(subset, number)}.wav"


@pytest.fixture
def corpus(tmp_path):
    """Eight instruments, one clip each a subset."""
    root, rows = tmp_path / "medley", []
    for part in SUBSETS:
        for number, name in enumerate(INSTRUMENTS):
            write_tone(root / "audio" / clip(part, number), rate=44100)
            rows.append(f"{part},{name},{number},{number},{uuid(part, number)}")
    write_lines(root / TABLE, HEADER, *rows)
    return root


load, failure = loaders(prepare_medley_solos)


def test_every_clip_has_its_instrument_song_and_split(corpus):
    manifest = load(corpus)
    assert len(manifest) == 24
    assert manifest[uuid("validation", 5)] == {
        "wav": f"{corpus}/audio/{clip('validation', 5)}",
        "duration": 0.1,
        "sample_rate": 44100,
        "instrument": "tenor saxophone",
        "song": "5",
        "split": "valid",
    }
    for part in ("train", "valid", "test"):
        entries = subset(manifest, split=part).values()
        assert {entry["instrument"] for entry in entries} == set(INSTRUMENTS)
        assert len(entries) == 8


@pytest.mark.parametrize("folder", ["", "Medley-solos-DB"])
def test_clips_may_lie_as_the_archive_unpacks(corpus, folder):
    for file in list((corpus / "audio").iterdir()):
        (corpus / folder).mkdir(exist_ok=True)
        file.rename(corpus / folder / file.name)
    wav = load(corpus)[uuid("test", 0)]["wav"]
    assert wav == str(corpus / folder / clip("test", 0))


@pytest.mark.parametrize("folder", ["annotation", "Medley-solos-DB"])
def test_table_may_lie_in_its_own_folder(corpus, folder):
    (corpus / folder).mkdir()
    (corpus / TABLE).rename(corpus / folder / TABLE)
    assert len(load(corpus)) == 24


@pytest.mark.parametrize("there", [True, False])
def test_missing_corpus_says_where_to_get_it_and_its_licence(tmp_path, there):
    folder = tmp_path / "medley"
    message = failure_without(failure, folder, there)
    assert "https://zenodo.org/records/3464194 (CC BY 4.0)" in message
    assert (f"no {TABLE} in it" in message) == there


def test_missing_and_misnamed_clips_are_all_named(corpus):
    audio = corpus / "audio"
    (audio / clip("test", 3)).unlink()
    (audio / clip("test", 4)).rename(audio / "piano.wav")
    message = failure(corpus)
    assert "3 problem(s)" in message
    assert f"{clip('test', 3)}: missing, though {TABLE} lists it" in message
    assert f"{clip('test', 4)}: missing" in message
    assert f"piano.wav: not in {TABLE}. Move it away" in message


def test_half_a_data_set_names_what_lacks(corpus):
    for file in (corpus / "audio").glob("*_t*"):
        file.unlink()
    assert "16 problem(s)" in failure(corpus)
    lines = (corpus / TABLE).read_text().splitlines()
    write_lines(corpus / TABLE, lines[0], *lines[9:17])
    message = failure(corpus)
    assert "2 problem(s)" in message
    assert "training: no clips. Get Medley-solos-DB from" in message


def test_clip_listed_twice_is_counted(corpus):
    lines = (corpus / TABLE).read_text().splitlines()
    write_lines(corpus / TABLE, *lines, lines[-1])
    assert "1 clip(s) listed twice" in failure(corpus)


def test_unknown_and_mixed_up_labels_are_all_named(corpus):
    change(corpus / TABLE, "training,piano,4", "training,organ,4")
    change(corpus / TABLE, "test,flute,3", "test,violin,3")
    change(corpus / TABLE, "validation,flute", "dev,flute")
    message = failure(corpus)
    assert "3 problem(s)" in message
    assert "instrument is 'organ', not clarinet, distorted" in message
    assert "instrument_id is 3, that of 'violin' is 7" in message
    assert "subset is 'dev', not training, validation, test" in message


def test_unreadable_clips_are_all_named(corpus):
    for number in (1, 2):
        (corpus / "audio" / clip("test", number)).write_bytes(b"text")
    message = failure(corpus)
    assert "2 problem(s)" in message
    assert clip("test", 1) in message
    assert "Copy the file again." in message


def test_corpus_is_never_written_to(corpus):
    with pytest.raises(ManifestError, match="Choose another output_folder"):
        prepare_medley_solos(corpus, corpus)
