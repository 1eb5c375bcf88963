import pytest

from speechbrain_mtl.selection.candidates import choose_workers
from speechbrain_mtl.workers import (
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
    assert list(choose_workers("all")) == sorted(every_worker())
    for name in every_worker():
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
