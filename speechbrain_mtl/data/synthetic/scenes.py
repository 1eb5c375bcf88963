"""Scenes of coloured shapes: captions, pictures, and a PNG writer."""

import itertools
import struct
import zlib
from typing import Any

import numpy as np

from speechbrain_mtl.data.synthetic.keyed import shuffled
from speechbrain_mtl.data.synthetic.tables import table


def scene(
    number: int, objects: int, seed: int, random: np.random.Generator
) -> dict[str, Any]:
    """Describe a picture of one object, or of two in a relation.

    Arguments
    ---------
    number : int
        Chooses the caption; it repeats only after all others with as many
        objects have come (48 and 9024).
    objects : int
        1 or 2.
    seed : int
        Of the corpus: the order of captions.
    random : numpy.random.Generator
        Chooses the places.

    Returns
    -------
    labels : dict
        ``text`` and ``scene``, a list of objects with ``shape``, ``color``,
        ``size`` and ``cell`` (row by row).

    Example
    -------
    >>> scene(0, 1, 0, np.random.default_rng(0))["text"].split()[0]
    'a'
    """
    content = table("scenes")
    kinds = list(
        itertools.product(
            content["sizes"], content["colors"], content["shapes"]
        )
    )
    cells = range(content["grid"] ** 2)
    if objects == 1:
        chosen = [shuffled(number, len(kinds), seed, "single")]
        places = [int(random.integers(len(cells)))]
        phrase = ""
    else:
        relations = content["relations"]
        pairs = list(itertools.permutations(range(len(kinds)), 2))
        code = shuffled(number, len(pairs) * len(relations), seed, "double")
        pair, relation = divmod(code, len(relations))
        chosen, phrase = pairs[pair], relations[relation]
        fitting = [
            (a, b)
            for a, b in itertools.permutations(cells, 2)
            if relation_of(a, b) == phrase
        ]
        places = fitting[random.integers(len(fitting))]
    shown = []
    for kind, cell in zip(chosen, places):
        size, color, shape = kinds[kind]
        shown.append(
            {"shape": shape, "color": color, "size": size, "cell": cell}
        )
    names = [f"a {o['size']} {o['color']} {o['shape']}" for o in shown]
    return {"text": f" {phrase} ".join(names), "scene": shown}


def relation_of(first: int, second: int) -> str:
    """Say where the first cell lies, seen from the second; rows count first.

    Example
    -------
    >>> relation_of(0, 5), relation_of(4, 3)
    ('above', 'to the right of')
    """
    above, below, left, right = table("scenes")["relations"]
    row, column = divmod(first, table("scenes")["grid"])
    other_row, other_column = divmod(second, table("scenes")["grid"])
    if row != other_row:
        return above if row < other_row else below
    return left if column < other_column else right


def render(objects: list[dict[str, Any]]) -> np.ndarray:
    """Paint a scene.

    Arguments
    ---------
    objects : list of dict
        As in `scene`.

    Returns
    -------
    image : numpy.ndarray
        uint8, [pixels, pixels, 3].

    Example
    -------
    >>> render([]).shape
    (96, 96, 3)
    """
    content = table("scenes")
    pixels, grid = content["pixels"], content["grid"]
    image = np.full((pixels, pixels, 3), content["background"], np.uint8)
    y, x = np.mgrid[0:pixels, 0:pixels].astype(float)
    for item in objects:
        row, column = divmod(item["cell"], grid)
        half = content["sizes"][item["size"]] * pixels / grid
        down = (y - (row + 0.5) * pixels / grid) / half
        across = (x - (column + 0.5) * pixels / grid) / half
        inside = _SHAPES[item["shape"]](across, down)
        image[inside] = content["colors"][item["color"]]
    return image


def _circle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x**2 + y**2 < 1


def _square(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(abs(x), abs(y)) < 0.85


def _triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (y < 0.8) & (y > 1.9 * abs(x) - 1)


def _star(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    fifth = np.arctan2(x, -y) * 5 / (2 * np.pi) % 1
    return np.hypot(x, y) < 0.42 + 0.58 * abs(2 * fifth - 1) ** 1.6


_SHAPES = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
}


def png(image: np.ndarray) -> bytes:
    """Encode a picture as PNG.

    Arguments
    ---------
    image : numpy.ndarray
        uint8, [height, width, 3].

    Returns
    -------
    content : bytes
        Of the file.

    Example
    -------
    >>> png(np.zeros((2, 2, 3), np.uint8))[1:4]
    b'PNG'
    """
    height, width, _ = image.shape

    def chunk(name: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    # every row begins with its filter, 0: none
    rows = b"".join(b"\0" + row.tobytes() for row in image)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 6))
        + chunk(b"IEND", b"")
    )
