import itertools
import struct
import zlib
from collections import Counter

import numpy as np
import pytest

from speechbrain_mtl.data.synthetic.scenes import (
    png,
    relation_of,
    render,
    scene,
)
from speechbrain_mtl.data.synthetic.tables import table


def thing(**changes):
    base = {"shape": "square", "color": "red", "size": "large", "cell": 4}
    return base | changes


def decode(content):
    """Read a PNG without filters: an independent, slow reader."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        name = content[at + 4 : at + 8]
        data = content[at + 8 : at + 8 + length]
        (check,) = struct.unpack(">I", content[at + 8 + length :][:4])
        assert check == zlib.crc32(name + data)
        chunks[name] = data
        at += length + 12
    width, height, depth, color = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, color) == (8, 2)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8)
    rows = rows.reshape(height, 1 + 3 * width)
    assert (rows[:, 0] == 0).all()
    return rows[:, 1:].reshape(height, width, 3)


@pytest.mark.parametrize("color", table("scenes")["colors"])
def test_each_color_is_painted_as_it_is_defined(color):
    image = render([thing(color=color)])
    background = (image == table("scenes")["background"]).all(axis=2)
    painted = (image == table("scenes")["colors"][color]).all(axis=2)
    assert painted.sum() > 300
    assert (background | painted).all()


def test_each_shape_and_size_looks_different():
    shapes, sizes = table("scenes")["shapes"], table("scenes")["sizes"]
    images = [
        render([thing(shape=shape, size=size)]).tobytes()
        for shape, size in itertools.product(shapes, sizes)
    ]
    assert len(set(images)) == len(shapes) * len(sizes)


@pytest.mark.parametrize("cell", range(9))
@pytest.mark.parametrize("shape", table("scenes")["shapes"])
def test_an_object_lies_in_its_cell(cell, shape):
    image = render([thing(cell=cell, shape=shape)])
    y, x = np.nonzero((image != 245).any(axis=2))
    assert set(y // 32) == {cell // 3} and set(x // 32) == {cell % 3}


def test_large_is_larger():
    areas = [
        (render([thing(size=size)]) != 245).any(axis=2).sum()
        for size in ("small", "large")
    ]
    assert areas[1] > 2.5 * areas[0]


def test_nothing_but_the_drawing_is_needed_to_tell_the_relation():
    random = np.random.default_rng(0)
    for number in range(40):
        labels = scene(number, 2, 0, random)
        first, second = labels["scene"]
        words = f" {relation_of(first['cell'], second['cell'])} "
        left, right = labels["text"].split(words)
        for name, item in ((left, first), (right, second)):
            assert name == f"a {item['size']} {item['color']} {item['shape']}"


def test_opposite_relations_are_opposite():
    opposite = {
        "above": "below",
        "below": "above",
        "to the left of": "to the right of",
        "to the right of": "to the left of",
    }
    for a, b in itertools.permutations(range(9), 2):
        assert relation_of(b, a) == opposite[relation_of(a, b)]
    assert relation_of(2, 3) == "above"


@pytest.mark.parametrize("objects, captions", [(1, 48), (2, 9024)])
def test_captions_do_not_repeat_before_all_have_come(objects, captions):
    random = np.random.default_rng(0)
    some = min(captions, 400)
    said = Counter(scene(i, objects, 5, random)["text"] for i in range(some))
    assert set(said.values()) == {1}
    first = scene(0, objects, 5, random)["text"]
    assert scene(captions, objects, 5, random)["text"] == first


def test_the_picture_of_a_caption_varies():
    cells = {
        scene(0, 1, 0, np.random.default_rng(i))["scene"][0]["cell"]
        for i in range(50)
    }
    assert cells == set(range(9))


def test_png_keeps_every_pixel():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    assert np.array_equal(decode(png(image)), image)
