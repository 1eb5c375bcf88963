import pytest

from speechbrain_mtl.selection.candidates import choose_workers
from speechbrain_mtl.workers import RMSEnergy, ZeroCrossingRate


def test_scalar_means_one_value_a_frame_and_all_means_vectors_too():
    scalar = choose_workers("scalar")
    assert {worker.dim for worker in scalar.values()} == {1}
    rest = set(choose_workers("all")) - set(scalar)
    assert rest and all(choose_workers("all")[name].dim > 1 for name in rest)


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
