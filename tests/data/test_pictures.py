"""Pictures of one size, as they are or from a file."""

import pickle

import numpy as np
import pytest
import torch

from speechbrain_mtl.data import pictures
from speechbrain_mtl.data.manifest import ManifestError
from speechbrain_mtl.data.pictures import Pictures, square
from speechbrain_mtl.data.synthetic.scenes import png

pytest.importorskip("PIL")


@pytest.fixture
def file(tmp_path):
    """Four by six bytes, each another one."""
    pixels = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)
    path = tmp_path / "a.png"
    path.write_bytes(png(pixels))
    return path, torch.from_numpy(pixels).permute(2, 0, 1)


def test_the_middle_square_is_taken_to_the_byte(file):
    path, pixels = file
    found, boxes = Pictures({"a": path}, pixels=4)["a"]
    assert boxes is None and torch.equal(found, pixels[:, :, 1:5])


def test_halves_are_means_of_what_they_cover():
    image = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    means = image.unfold(1, 2, 2).unfold(2, 2, 2).mean(dim=(3, 4))
    expected = (255 * means).round().to(torch.uint8)
    assert torch.equal(square(image, 4), expected)
    assert (square(torch.full((3, 9, 9), 0.4), 5) == 102).all()


def test_what_is_kept_is_read_once(file, monkeypatch):
    path, _ = file
    read = []

    def counted(name):
        read.append(name)
        return torch.zeros(3, 2, 2)

    monkeypatch.setattr(pictures, "read_image", counted)
    for keep, times in ((True, 1), (False, 3)):
        read.clear()
        shown = Pictures({"a": path}, 2, keep)
        for _ in range(3):
            shown["a"]
        assert len(read) == times
    assert "a" in shown and "b" not in shown and len(shown) == 1
    assert pickle.loads(pickle.dumps(shown)).pixels == 2


def test_errors_name_the_picture(file, tmp_path):
    with pytest.raises(ManifestError, match="b: no such picture among 1"):
        Pictures({"a": file[0]}, 2)["b"]
    with pytest.raises(ManifestError, match="c.png: no such image"):
        Pictures({"c": tmp_path / "c.png"}, 2)["c"]
    with pytest.raises(ValueError, match="0 pixels"):
        Pictures({}, 0)
