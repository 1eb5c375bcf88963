"""Features come back as they were computed, whatever interrupts."""

import pickle
import sys

import numpy as np
import pytest
import torch

pytest.importorskip("h5py")

import h5py

from speechbrain_mtl.data import image_features
from speechbrain_mtl.data.image_features import ImageFeatures, store_features
from speechbrain_mtl.data.manifest import ManifestError

IDS = [f"image{i}" for i in range(11)]
SETTINGS = {"source": "test"}


@pytest.fixture
def content():
    random = np.random.default_rng(0)
    features = random.normal(size=(11, 6, 4)).astype(np.float32)
    boxes = random.random((11, 6, 4)).astype(np.float32)
    rows = {name: i for i, name in enumerate(IDS)}

    def compute(names):
        chosen = [rows[name] for name in names]
        return features[chosen], boxes[chosen]

    compute.features, compute.boxes = features, boxes
    return compute


@pytest.fixture
def path(tmp_path, content, monkeypatch):
    monkeypatch.setattr(image_features, "SHARD", 4)
    path = tmp_path / "features.h5"
    made = store_features(path, IDS, content, SETTINGS, "float32", batch=3)
    assert made == 11
    return path


def test_features_and_boxes_come_back_by_image(path, content):
    found = ImageFeatures(path, dim=4, regions=6)
    assert len(found) == 11 and found.ids == IDS
    for row in (7, 0, 10, 3):
        features, boxes = found[IDS[row]]
        assert torch.equal(features, torch.tensor(content.features[row]))
        assert torch.equal(boxes, torch.tensor(content.boxes[row]))
    assert "image3" in found and "image11" not in found
    assert [p.name for p in path.parent.iterdir()] == ["features.h5"]


def test_half_precision_is_half_the_size_and_read_as_float32(tmp_path, content):
    store_features(tmp_path / "f.h5", IDS, content, SETTINGS)
    features, boxes = ImageFeatures(tmp_path / "f.h5")["image2"]
    assert features.dtype == boxes.dtype == torch.float32
    assert torch.equal(
        features, torch.tensor(content.features[2]).half().float()
    )
    assert torch.equal(boxes, torch.tensor(content.boxes[2]))
    with h5py.File(tmp_path / "f.h5") as file:
        assert file["features"].dtype == np.float16
        assert file["features"].chunks == (1, 6, 4)


def test_equal_boxes_are_given_once(tmp_path, content):
    one = content.boxes[0]
    store_features(
        tmp_path / "f.h5", IDS, lambda n: (content(n)[0], one), SETTINGS
    )
    for name in IDS:
        boxes = ImageFeatures(tmp_path / "f.h5")[name][1]
        assert torch.equal(boxes, torch.tensor(one))


class Stop(Exception):
    """What a kill is to a test."""


def test_an_interrupted_run_goes_on_to_the_same_content(
    tmp_path, path, content
):
    seen = []

    def dies(names):
        if "image9" in names:
            raise Stop
        seen.extend(names)
        return content(names)

    def goes_on(names):
        seen.extend(names)
        return content(names)

    out = tmp_path / "again.h5"
    with pytest.raises(Stop):
        store_features(out, IDS, dies, SETTINGS, "float32", batch=2)
    assert seen == IDS[:8] and not out.exists()
    seen.clear()
    made = store_features(out, IDS, goes_on, SETTINGS, "float32", batch=2)
    assert made == 3 and seen == IDS[8:]
    with h5py.File(out) as one, h5py.File(path) as other:
        assert dict(one.attrs) == dict(other.attrs)
        for name in ("ids", "features", "boxes"):
            assert (one[name][:] == other[name][:]).all()
    assert {p.name for p in tmp_path.iterdir()} == {"again.h5", "features.h5"}


def test_a_finished_file_is_left_alone(path):
    before = path.read_bytes()
    assert store_features(path, IDS, None, SETTINGS, "float32") == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"settings": {"source": "other"}}, "source = test, not other"),
        ({"dtype": "float16"}, "dtype = float32, not float16"),
        ({"ids": IDS[:-1]}, "digest_of_ids = "),
    ],
)
def test_features_of_other_settings_are_refused(path, changes, message):
    wanted = {"ids": IDS, "settings": SETTINGS, "dtype": "float32"} | changes
    with pytest.raises(ManifestError, match=message):
        store_features(path, compute=None, **wanted)


def test_an_unfinished_file_of_other_settings_is_refused(tmp_path, content):
    def dies(names):
        raise Stop

    out = tmp_path / "f.h5"
    with pytest.raises(Stop):
        store_features(out, IDS, dies, SETTINGS)
    with pytest.raises(ManifestError, match="source = test, not other"):
        store_features(out, IDS, content, {"source": "other"})


def test_features_that_are_not_finite_are_named(tmp_path, content):
    content.features[5, 1, 2] = 1e6  # too large for half precision
    with (
        np.errstate(over="ignore"),
        pytest.raises(
            ManifestError, match="image5: features are not finite in float16"
        ),
    ):
        store_features(tmp_path / "f.h5", IDS, content, SETTINGS)
    store_features(tmp_path / "g.h5", IDS, content, SETTINGS, "float32")


@pytest.mark.parametrize("first", [8, 9])
def test_images_of_another_shape_are_named(
    tmp_path, content, monkeypatch, first
):
    """Within what is made at a time, and from one such part to the next."""
    monkeypatch.setattr(image_features, "SHARD", 4)

    def fewer(names):
        features, boxes = content(names)
        cut = 5 if int(names[0][5:]) >= first else 6
        return features[:, :cut], boxes[:, :cut]

    with pytest.raises(
        ManifestError, match=rf"image{first}: features of shape \(5, 4\), image"
    ):
        store_features(tmp_path / "f.h5", IDS, fewer, SETTINGS, batch=1)
    assert not (tmp_path / "f.h5").exists()


def test_bad_use_is_named(tmp_path, path):
    with pytest.raises(
        ManifestError, match="4 values a region, the model takes 8"
    ):
        ImageFeatures(path, dim=8)
    with pytest.raises(ManifestError, match="6 regions an image, the model"):
        ImageFeatures(path, regions=36)
    with pytest.raises(ManifestError, match="no features of image lost"):
        ImageFeatures(path)["lost"]
    with pytest.raises(ManifestError, match="gone.h5: no such file. Make it"):
        ImageFeatures(tmp_path / "gone.h5")
    (tmp_path / "x.h5").write_text("text")
    with pytest.raises(ManifestError, match="not image features of this"):
        ImageFeatures(tmp_path / "x.h5")
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["ids"] = [b"a"]
    with pytest.raises(ManifestError, match="not image features of this"):
        ImageFeatures(tmp_path / "y.h5")
    with pytest.raises(ManifestError, match="no images"):
        store_features(tmp_path / "z.h5", [], None, {})
    with pytest.raises(ValueError, match="dtype is 'int8'"):
        store_features(tmp_path / "z.h5", IDS, None, {}, "int8")


def test_without_h5py_nothing_is_computed(tmp_path, content, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"speechbrain_mtl\[vgs\]"):
        store_features(tmp_path / "f.h5", IDS, None, SETTINGS)


class Rows(torch.utils.data.Dataset):
    def __init__(self, features):
        self.features = features

    def __len__(self):
        return len(self.features)

    def __getitem__(self, row):
        return self.features[self.features.ids[row]]


def test_workers_of_a_loader_open_the_file_themselves(path, content):
    features = ImageFeatures(path)
    features["image0"]  # opened here, before any fork
    loader = torch.utils.data.DataLoader(
        Rows(features),
        batch_size=2,
        num_workers=2,
        multiprocessing_context="fork",
    )
    read = torch.cat([values for values, _ in loader])
    assert torch.equal(read, torch.tensor(content.features))


def test_a_handle_of_another_process_is_never_used(path, content, monkeypatch):
    features = ImageFeatures(path)
    features["image1"]
    handle = features._opened[1]
    monkeypatch.setattr(image_features.os, "getpid", lambda: -1)
    read = features["image1"][0]
    assert features._opened[1] is not handle
    assert torch.equal(read, torch.tensor(content.features[1]))


def test_a_handle_is_never_pickled(path):
    features = ImageFeatures(path)
    first = features["image1"][0]
    copy = pickle.loads(pickle.dumps(features))
    assert copy._opened is None
    assert torch.equal(copy["image1"][0], first)
