"""Patches of tiny random vision transformers, and regions of TSV files."""

import base64
import json

import numpy as np
import pytest
import torch

pytest.importorskip("h5py")
pytest.importorskip("PIL")
pytest.importorskip("transformers")

import transformers

from speechbrain_mtl.__main__ import main
from speechbrain_mtl.data.image_features import ImageFeatures
from speechbrain_mtl.data.manifest import ManifestError, save_manifest
from speechbrain_mtl.data.patch_features import PatchEncoder, patch_boxes
from speechbrain_mtl.data.region_features import RegionFile
from speechbrain_mtl.data.synthetic.scenes import png

SIZE = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "image_size": 32,
    "patch_size": 8,
}


def vit(**changes):
    return transformers.ViTModel(transformers.ViTConfig(**SIZE | changes))


def dinov2():
    return transformers.Dinov2WithRegistersModel(
        transformers.Dinov2WithRegistersConfig(**SIZE, num_register_tokens=3)
    )


def clip():
    config = transformers.CLIPConfig(
        text_config={"hidden_size": 16, "num_hidden_layers": 1}
        | {"num_attention_heads": 2, "intermediate_size": 16},
        vision_config=SIZE,
    )
    return transformers.CLIPModel(config)


@pytest.fixture
def save(tmp_path):
    """Saves a model with the settings of its pictures."""

    def save(model, **size):
        folder = tmp_path / "model"
        model.save_pretrained(folder)
        transformers.ViTImageProcessorPil(
            size={"height": 32, "width": 32} | size
        ).save_pretrained(folder)
        return str(folder)

    return save


@pytest.fixture
def pictures(tmp_path):
    random = np.random.default_rng(0)
    paths = []
    for number in range(5):
        pixels = random.integers(0, 256, (32, 32, 3), np.uint8)
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(png(pixels))
    return paths


@pytest.mark.parametrize("make, before", [(vit, 1), (dinov2, 4), (clip, 1)])
def test_patches_are_the_models_own_without_what_stands_before(
    make, before, save, pictures
):
    torch.manual_seed(0)
    model = make().eval()
    features, boxes = PatchEncoder(save(model))(pictures[:2])
    assert features.shape == (2, 16, 16)
    assert np.array_equal(boxes, patch_boxes(4, 4))
    vision = getattr(model, "vision_model", model)
    for path, found in zip(pictures, features):
        pixels = np.array(transformers.image_utils.load_image(str(path)))
        scaled = torch.tensor(pixels).permute(2, 0, 1)[None] / 255
        with torch.no_grad():
            wanted = vision(pixel_values=(scaled - 0.5) / 0.5)
        wanted = wanted.last_hidden_state[0, before:].numpy()
        assert np.allclose(found, wanted, atol=1e-5)


def test_a_box_is_where_its_patch_looks(save, tmp_path):
    """Without layers, a changed patch changes its own feature only."""
    torch.manual_seed(0)
    grey = np.full((32, 64, 3), 128, np.uint8)
    white = grey.copy()
    white[8:16, 40:48] = 255
    for name, pixels in (("grey", grey), ("white", white)):
        (tmp_path / name).write_bytes(png(pixels))
    model = vit(num_hidden_layers=0, image_size=[32, 64])
    encode = PatchEncoder(save(model, width=64))
    features, boxes = encode([tmp_path / "grey", tmp_path / "white"])
    (changed,) = np.nonzero(abs(features[1] - features[0]).max(1) > 1e-4)
    assert len(changed) == 1
    x1, y1, x2, y2 = boxes[changed[0]] * [64, 32, 64, 32]
    assert (x1, y1, x2, y2) == (40, 8, 48, 16)


def test_models_without_patches_are_refused(save):
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8], depths=[1]
    )
    name = save(transformers.ResNetModel(config))
    with pytest.raises(ValueError, match="ResNetModel has no patch size"):
        PatchEncoder(name)


@pytest.fixture
def manifest(tmp_path, pictures):
    entries = {
        f"caption{i}": {
            "wav": f"{i}.wav",
            "duration": 1.0,
            "image_id": f"scene{i // 2}",
            "image": f"{{data_root}}/{pictures[i // 2].name}",
        }
        for i in range(10)
    }
    entries["read"] = {"wav": "r.wav", "duration": 1.0, "image_id": None}
    return save_manifest(tmp_path / "manifest.json", entries)


def test_the_command_extracts_each_image_once(
    save, pictures, manifest, tmp_path, capsys
):
    torch.manual_seed(0)
    name, out = save(vit()), tmp_path / "features.h5"
    words = ["image-features", str(out), "--model", name, "--batch=2"]
    words += ["--manifest", str(manifest), "--dtype=float32"]
    assert main(words) == 0
    line = "5 images, 16 regions or patches of 16 values, float32, 5 made now"
    assert line in capsys.readouterr().out
    found = ImageFeatures(out, dim=16, regions=16)
    wanted, boxes = PatchEncoder(name)(pictures)
    for number in range(5):
        features, places = found[f"scene{number}"]
        assert np.allclose(features, wanted[number], atol=1e-6)
        assert np.array_equal(places, boxes)
    assert main(words) == 0
    assert "0 made now" in capsys.readouterr().out
    assert main([*words[:3], str(tmp_path), *words[4:]]) == 1


def test_the_command_names_what_is_missing(
    save, pictures, manifest, tmp_path, capsys
):
    name, out = save(vit()), str(tmp_path / "features.h5")
    assert main(["image-features", out, "--model", name]) == 1
    assert "--model needs --manifest" in capsys.readouterr().err
    pictures[3].unlink()
    words = ["image-features", out, "--model", name]
    assert main([*words, "--manifest", str(manifest)]) == 1
    assert "scene3: no file" in capsys.readouterr().err


def tsv_line(image, width, height, boxes, features):
    def coded(values):
        return base64.b64encode(np.float32(values).tobytes()).decode()

    fields = [image, height, width, *4 * ["AAAA"], len(boxes)]
    return "\t".join(map(str, [*fields, coded(boxes), coded(features)])) + "\n"


@pytest.fixture
def regions(tmp_path):
    random = np.random.default_rng(0)
    content = {}
    for name in ("train", "val"):
        lines = []
        for number in range(3):
            image = f"COCO_{name}_{number}"
            boxes = random.random((36, 4)) * [640, 480, 640, 480]
            content[image] = boxes, random.random((36, 8))
            lines.append(tsv_line(image, 640, 480, *content[image]))
        (tmp_path / f"{name}.tsv").write_text("".join(lines))
    return content


def test_the_command_stores_regions_with_boxes_as_shares(
    regions, tmp_path, capsys
):
    out = tmp_path / "features.h5"
    files = [str(tmp_path / f"{name}.tsv") for name in ("train", "val")]
    words = ["image-features", str(out), "--dtype=float32", "--regions"]
    assert main([*words, *files]) == 0
    found = ImageFeatures(out, dim=8, regions=36)
    assert found.ids == list(regions)
    for image, (boxes, features) in regions.items():
        values, places = found[image]
        assert np.array_equal(values, np.float32(features))
        assert np.allclose(places, boxes / [640, 480, 640, 480], atol=1e-6)
    settings = json.dumps(found.settings)
    assert "train.tsv val.tsv" in settings and str(tmp_path) not in settings


def test_bad_region_files_are_named(regions, tmp_path):
    path = tmp_path / "train.tsv"
    with pytest.raises(ManifestError, match="COCO_train_0 comes twice"):
        RegionFile([path, path])
    with pytest.raises(ManifestError, match="gone.tsv: no such file"):
        RegionFile([tmp_path / "gone.tsv"])
    with pytest.raises(ManifestError, match="COCO_train_1: 36 regions, not 10"):
        RegionFile([path], regions=10)(["COCO_train_1"])
    text = path.read_text()
    path.write_text(text[:-300] + "\n")
    with pytest.raises(ManifestError, match="COCO_train_2: "):
        RegionFile([path])(["COCO_train_2"])
    path.write_text(text.split("\t")[0] + "\n")
    with pytest.raises(ManifestError, match="not 10 columns"):
        RegionFile([path])
