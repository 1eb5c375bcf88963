import json

import pytest

from speechbrain_mtl.data.corpora.spokencoco import prepare_spokencoco
from speechbrain_mtl.data.manifest import ManifestError, load_manifest, subset
from tests.helpers.trees import change, write_tone

IMAGES = {
    "train": [f"train2014/COCO_train2014_{i:012}.jpg" for i in range(6)],
    "val": [f"val2014/COCO_val2014_{i:012}.jpg" for i in range(6, 9)],
}


@pytest.fixture
def corpus(tmp_path):
    """The public layout: six images to train, three official val."""
    folder = tmp_path / "SpokenCOCO"
    for official, images in IMAGES.items():
        data = []
        for image in images:
            (tmp_path / "images" / image).parent.mkdir(
                parents=True, exist_ok=True
            )
            (tmp_path / "images" / image).touch()
            captions = []
            for turn in range(2):
                speaker = f"m0715{turn}"
                name = f"{speaker}-3LUY_{image[-6:-4]}_{turn}"
                wav = f"wavs/{official}/0/{name}.wav"
                write_tone(folder / wav)
                text = f"A DOG AND {turn} CATS"
                captions.append(
                    {"text": text, "speaker": speaker, "uttid": name}
                    | {"wav": wav}
                )
            data.append({"image": image, "captions": captions})
        path = folder / f"SpokenCOCO_{official}.json"
        path.write_text(json.dumps({"data": data}))
    return folder


@pytest.fixture
def karpathy(tmp_path):
    splits = ["train"] * 4 + ["restval", "val", "test", "test", "val"]
    names = [image.split("/")[1] for part in IMAGES.values() for image in part]
    path = tmp_path / "dataset_coco.json"
    images = [{"filename": n, "split": s} for n, s in zip(names, splits)]
    path.write_text(json.dumps({"images": images, "dataset": "coco"}))
    return path


def load(corpus, **options):
    path = prepare_spokencoco(corpus, corpus.parent / "out", **options)
    return load_manifest(path, data_root=corpus)


def test_every_caption_has_its_words_speaker_and_image(corpus, karpathy):
    images = corpus.parent / "images"
    manifest = load(corpus, karpathy=karpathy, image_folder=images)
    assert len(manifest) == 18
    assert manifest["m07151-3LUY_06_1"] == {
        "wav": f"{corpus}/wavs/val/0/m07151-3LUY_06_1.wav",
        "duration": 0.1,
        "sample_rate": 16000,
        "speaker": "m07151",
        "text": "a dog and 1 cats",
        "image_id": "COCO_val2014_000000000006",
        "image": str(images / "val2014/COCO_val2014_000000000006.jpg"),
        "official_split": "val",
        "split": "test",
    }


def ids(manifest, split):
    part = subset(manifest, split=split).values()
    return sorted({int(entry["image_id"][-3:]) for entry in part})


def test_the_karpathy_split_decides_and_restval_trains(
    corpus, karpathy, capsys
):
    manifest = load(corpus, karpathy=karpathy)
    assert ids(manifest, "train") == [0, 1, 2, 3, 4]
    assert ids(manifest, "valid") == [5, 8]
    assert ids(manifest, "test") == [6, 7]
    assert capsys.readouterr().out.splitlines() == [
        "train: pool of 5 images and 10 captions, 2 to 2 an image",
        "valid: pool of 2 images and 4 captions, 2 to 2 an image",
        "test: pool of 2 images and 4 captions, 2 to 2 an image",
    ]


def test_without_it_the_official_val_is_tested_and_never_validates(corpus):
    manifest = load(corpus, valid_share=0.4)
    assert ids(manifest, "test") == [6, 7, 8]
    valid, train = ids(manifest, "valid"), ids(manifest, "train")
    assert sorted(valid + train) == list(range(6)) and valid and train
    assert {e["image"] for e in manifest.values()} == {None}
    assert load(corpus, valid_share=0.4) == manifest


def test_the_folder_above_will_do(corpus, karpathy):
    out = corpus.parent.parent / f"{corpus.parent.name}_out"
    path = prepare_spokencoco(corpus.parent, out, karpathy=karpathy)
    manifest = load_manifest(path, data_root=corpus.parent)
    wav = manifest["m07151-3LUY_06_1"]["wav"]
    assert wav == f"{corpus}/wavs/val/0/m07151-3LUY_06_1.wav"


def test_all_that_is_missing_is_named_at_once(corpus, karpathy):
    (corpus / "wavs/val/0/m07151-3LUY_06_1.wav").unlink()
    images = corpus.parent / "images"
    (images / IMAGES["train"][2]).unlink()
    change(karpathy, IMAGES["val"][1].split("/")[1], "other.jpg")
    with pytest.raises(ManifestError) as error:
        load(corpus, karpathy=karpathy, image_folder=images)
    message = str(error.value)
    assert "3 problem(s)" in message
    assert "m07151-3LUY_06_1.wav: missing. Get SpokenCOCO from" in message
    assert f"{IMAGES['train'][2]}: missing in {images}" in message
    assert "COCO_val2014_000000000007.jpg: not in" in message


@pytest.mark.parametrize(
    "file, old, new, message",
    [
        ("SpokenCOCO_val.json", '"captions"', '"caption"', "not of SpokenCOCO"),
        ("SpokenCOCO_val.json", '"data"', "data", "not JSON"),
        ("SpokenCOCO_val.json", "0007.jpg", "0006.jpg", "listed twice"),
        ("../dataset_coco.json", '"images"', '"files"', "not a Karpathy split"),
        (
            "../dataset_coco.json",
            '"restval"',
            '"rest"',
            "split 'rest', not one",
        ),
        ("../dataset_coco.json", "0000008", "0000007", "in two splits"),
    ],
)
def test_files_of_another_form_are_named(
    corpus, karpathy, file, old, new, message
):
    change(corpus / file, old, new)
    with pytest.raises(ManifestError, match=message):
        load(corpus, karpathy=karpathy)


def test_an_empty_part_is_named(corpus):
    with pytest.raises(ManifestError, match="valid: no images"):
        load(corpus, valid_share=1e-9)
    with pytest.raises(ValueError, match="valid_share is 0"):
        load(corpus, valid_share=0)


def test_a_folder_that_is_not_the_corpus_says_where_to_get_it(tmp_path):
    with pytest.raises(ManifestError, match="SpokenCOCO_val.json: missing"):
        prepare_spokencoco(tmp_path, tmp_path / "out")
