import struct
import sys
import zlib

import numpy as np
import pytest
import torch

pytest.importorskip("PIL")

from PIL import Image

from speechbrain_mtl.data.images import images_of, read_image, require_images
from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.data.synthetic.scenes import png


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def test_every_pixel_is_where_it_was_and_from_0_to_1(tmp_path, pixels):
    (tmp_path / "a.png").write_bytes(png(pixels))
    image = read_image(tmp_path / "a.png")
    assert image.shape == (3, 5, 7) and image.dtype == torch.float32
    for y in range(5):
        for x in range(7):
            for c in range(3):
                assert image[c, y, x] == np.float32(pixels[y, x, c] / 255)


def grey_png(values):
    """A PNG of grey values, made by hand."""

    def chunk(name, content):
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    height, width = values.shape
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_grey_becomes_three_equal_colours(tmp_path, pixels):
    (tmp_path / "a.png").write_bytes(grey_png(pixels[..., 0]))
    image = read_image(tmp_path / "a.png")
    for colour in image:
        assert torch.equal(colour, torch.tensor(pixels[..., 0]) / 255)


def test_transparency_is_dropped_and_cameras_are_turned(tmp_path, pixels):
    alpha = np.dstack([pixels, np.zeros((5, 7), np.uint8)])
    Image.fromarray(alpha).save(tmp_path / "a.png")
    assert torch.equal(
        read_image(tmp_path / "a.png"),
        torch.tensor(pixels).permute(2, 0, 1) / 255,
    )
    tags = Image.Exif()
    tags[0x0112] = 6  # held so that it must be turned clockwise
    Image.fromarray(pixels).save(tmp_path / "b.png", exif=tags)
    turned = read_image(tmp_path / "b.png")
    assert torch.equal(
        turned[0], torch.tensor(np.rot90(pixels[..., 0], -1) / np.float32(255))
    )


def test_files_that_are_no_pictures_are_named(tmp_path, pixels):
    with pytest.raises(ManifestError, match="gone.png: no such image"):
        read_image(tmp_path / "gone.png")
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(ManifestError, match="a.png: not an image, or not all"):
        read_image(tmp_path / "a.png")
    whole = png(np.tile(pixels, (40, 40, 1)))
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ManifestError, match="b.png: not an image, or not all"):
        read_image(tmp_path / "b.png")


def test_without_pillow_the_remedy_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"speechbrain_mtl\[vgs\]"):
        read_image(tmp_path / "a.png")


def caption(image, file):
    return {"image_id": image, "image": str(file)}


def test_images_are_listed_once_in_order(tmp_path):
    for name in "ab":
        path = tmp_path / name
        path.write_bytes(png(np.zeros((2, 2, 3), np.uint8)))
    manifest = {
        "1": caption("y", tmp_path / "b"),
        "2": caption("x", tmp_path / "a"),
        "3": caption("y", tmp_path / "b"),
    }
    assert list(images_of(manifest).items()) == [
        ("y", tmp_path / "b"),
        ("x", tmp_path / "a"),
    ]


def test_all_that_is_wrong_with_images_is_named_at_once(tmp_path):
    (tmp_path / "a").write_bytes(png(np.zeros((2, 2, 3), np.uint8)))
    (tmp_path / "text").write_text("no picture")
    manifest = {
        "0": caption("v", tmp_path / "text"),
        "1": caption("x", tmp_path / "a"),
        "2": caption("x", tmp_path / "b"),
        "3": {"image_id": None},
        "4": {"image_id": "z"},
        "5": caption("w", tmp_path / "gone"),
    }
    with pytest.raises(ManifestError) as error:
        images_of(manifest)
    message = str(error.value)
    assert "5 problem(s)" in message
    assert "3: no image_id" in message
    assert "4: no image. Name the file of z" in message
    assert f"2: x is {tmp_path / 'b'}, elsewhere {tmp_path / 'a'}" in message
    assert f"w: no file {tmp_path / 'gone'}" in message
    assert f"v: {tmp_path / 'text'} is not an image" in message


def test_captions_without_features_are_named():
    manifest = {"1": {"image_id": "x"}, "2": {"image_id": "y"}}
    require_images(manifest, {"x", "y"})
    with pytest.raises(ManifestError, match="2: nothing of its image y"):
        require_images(manifest, {"x"})
    with pytest.raises(ManifestError, match="3: no image_id"):
        require_images(manifest | {"3": {}}, {"x", "y"})
