import json

import pytest

from speechbrain_mtl.data.corpora.flickr8k_audio import prepare_flickr8k_audio
from speechbrain_mtl.data.manifest import ManifestError, load_manifest, subset
from tests.helpers.trees import change, write_lines, write_tone

NAMES = [f"{i}_abc.jpg" for i in range(6)]
PARTS = {"train": NAMES[:3], "dev": NAMES[3:4], "test": NAMES[4:5]}  # not 5


@pytest.fixture
def corpus(tmp_path):
    """The public layout: five images in the lists, one in none."""
    folder = tmp_path / "flickr8k"
    capt, spk, tokens = [], [], []
    for i, image in enumerate(NAMES):
        path = folder / "Flicker8k_Dataset" / image
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        for turn in range(2):
            wav = f"{i}_abc_{turn}.wav"
            write_tone(folder / "flickr_audio" / "wavs" / wav)
            capt.append(f"{wav} {image} #{turn}")
            spk.append(f"{wav} {7 + turn}")
            tokens.append(f"{image}#{turn}\tA Dog , seen {turn} times .")
    write_lines(folder / "flickr_audio/wav2capt.txt", *capt)
    write_lines(folder / "flickr_audio/wav2spk.txt", *spk)
    write_lines(folder / "Flickr8k_text/Flickr8k.token.txt", *tokens)
    for part, images in PARTS.items():
        write_lines(
            folder / f"Flickr8k_text/Flickr_8k.{part}Images.txt", *images
        )
    return folder


def load(corpus, **options):
    path = prepare_flickr8k_audio(corpus, corpus.parent / "out", **options)
    return load_manifest(path, data_root=corpus)


def test_every_caption_has_its_words_speaker_and_image(corpus, capsys):
    manifest = load(corpus)
    assert len(manifest) == 10
    assert manifest["4_abc_1"] == {
        "wav": f"{corpus}/flickr_audio/wavs/4_abc_1.wav",
        "duration": 0.1,
        "sample_rate": 16000,
        "speaker": "8",
        "text": "a dog seen 1 times",
        "image_id": "4_abc",
        "image": f"{corpus}/Flicker8k_Dataset/4_abc.jpg",
        "split": "test",
    }
    assert capsys.readouterr().out.splitlines() == [
        "2 captions of images in no part are left out",
        "train: pool of 3 images and 6 captions, 2 to 2 an image",
        "valid: pool of 1 images and 2 captions, 2 to 2 an image",
        "test: pool of 1 images and 2 captions, 2 to 2 an image",
    ]


def test_the_karpathy_split_may_decide(corpus, tmp_path):
    splits = ["val", "test", "train", "train", "train", "train"]
    images = [{"filename": n, "split": s} for n, s in zip(NAMES, splits)]
    path = tmp_path / "dataset_flickr8k.json"
    path.write_text(json.dumps({"images": images}))
    for part in PARTS:
        (corpus / f"Flickr8k_text/Flickr_8k.{part}Images.txt").unlink()
    manifest = load(corpus, karpathy=path)
    assert len(manifest) == 12
    for split, image in (("valid", "0_abc"), ("test", "1_abc")):
        part = subset(manifest, split=split).values()
        assert {entry["image_id"] for entry in part} == {image}


def test_images_may_stay_away_when_there_are_features(corpus):
    for name in NAMES:
        (corpus / "Flicker8k_Dataset" / name).unlink()
    with pytest.raises(ManifestError, match="0_abc.jpg: missing in Flicker8k"):
        load(corpus)
    (corpus / "Flicker8k_Dataset").rmdir()
    manifest = load(corpus, images=False)
    assert {e["image"] for e in manifest.values()} == {None}


def test_all_that_is_missing_is_named_at_once(corpus):
    (corpus / "flickr_audio/wavs/0_abc_0.wav").unlink()
    change(corpus / "flickr_audio/wav2spk.txt", "1_abc_0.wav 7\n", "")
    change(corpus / "Flickr8k_text/Flickr8k.token.txt", "2_abc.jpg#1", "x#1")
    change(corpus / "flickr_audio/wav2capt.txt", "_0.wav 3_abc.jpg", "")
    with pytest.raises(ManifestError) as error:
        load(corpus)
    message = str(error.value)
    assert "4 problem(s)" in message
    assert "0_abc_0.wav: missing in flickr_audio/wavs. Get Flickr8k" in message
    assert "1_abc_0.wav: not in wav2spk.txt" in message
    assert "2_abc.jpg#1: not in Flickr8k.token.txt" in message
    assert "wav2capt.txt, line 7: '3_abc #0' has not 3 columns" in message


def test_an_image_in_two_parts_is_named(corpus):
    write_lines(corpus / "Flickr8k_text/Flickr_8k.devImages.txt", *NAMES[2:4])
    with pytest.raises(ManifestError, match="2_abc.jpg: in train and valid"):
        load(corpus)


def test_an_empty_part_is_named(corpus):
    write_lines(corpus / "Flickr8k_text/Flickr_8k.testImages.txt")
    with pytest.raises(ManifestError, match="test: no images"):
        load(corpus)


def test_a_folder_that_is_not_the_corpus_says_where_to_get_it(tmp_path):
    with pytest.raises(
        ManifestError, match="wav2capt.txt: missing. Get Flickr"
    ):
        prepare_flickr8k_audio(tmp_path, tmp_path / "out")
