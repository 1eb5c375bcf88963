import pytest
import torch

from speechbrain_mtl.selection.candidates import choose_workers
from speechbrain_mtl.workers import (
    KMeansUnits,
    RMSEnergy,
    ZeroCrossingRate,
    default_bank,
    every_worker,
)


def test_scalar_means_the_standard_labels_of_one_value_a_frame():
    standard = default_bank()
    assert list(choose_workers()) == list(choose_workers("scalar"))
    assert list(choose_workers("scalar")) == sorted(
        name for name in standard if standard[name].dim == 1
    )
    assert len(choose_workers("scalar")) == 8


def test_all_means_every_worker_and_any_of_them_may_be_chosen():
    names = sorted([*every_worker(), "units"])
    assert list(choose_workers("all")) == names
    for name in names:
        assert list(choose_workers(name)) == [name]


def test_names_come_in_one_order_however_they_are_given():
    expected = ["f0", "zcr"]
    for names in ("zcr,f0", "f0, zcr", ["zcr", "f0"], ("f0", "zcr")):
        assert list(choose_workers(names)) == expected
    own = {"b": RMSEnergy(), "a": ZeroCrossingRate()}
    assert choose_workers(own) == own
    assert list(choose_workers(own)) == ["a", "b"]


def test_unknown_repeated_and_no_names_are_refused():
    with pytest.raises(ValueError, match="'pitch'.*Choose each once from f0"):
        choose_workers("f0,pitch")
    with pytest.raises(ValueError, match="a name twice"):
        choose_workers("f0,f0")
    for nothing in ([], {}):
        with pytest.raises(ValueError, match="no workers"):
            choose_workers(nothing)


def test_files_of_units_are_candidates_known_by_their_stem(tmp_path):
    path = tmp_path / "mine.pt"
    worker = KMeansUnits(units=4).fit([torch.randn(16000)])
    worker.save(path, {"source": "mfcc", "layer": -1})
    chosen = choose_workers(f"f0,{path}")
    assert list(chosen) == ["f0", "mine"] and chosen["mine"].units == 4
    with pytest.raises(ValueError, match="a name twice"):
        choose_workers(f"{path},{path}")
