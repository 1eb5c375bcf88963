import pytest

from speechbrain_mtl.data.synthetic.keyed import draws, shuffled


def test_chance_depends_on_the_key_alone():
    first = draws(0, "a").random(4)
    draws(0, "b").random(100)
    assert (draws(0, "a").random(4) == first).all()
    assert (draws(0, "b").random(4) != first).any()
    assert (draws(1, "a").random(4) != first).any()


def test_parts_of_a_key_do_not_run_together():
    assert draws("a", "bc").random() != draws("ab", "c").random()


@pytest.mark.parametrize("size", [1, 2, 7, 25, 48, 9024])
def test_shuffled_is_a_permutation_that_begins_again(size):
    values = [shuffled(i, size, "x") for i in range(size)]
    assert sorted(values) == list(range(size))
    assert shuffled(size + size // 2, size, "x") == values[size // 2]


def test_another_key_is_another_permutation():
    orders = {
        tuple(shuffled(i, 25, key) for i in range(25)) for key in range(20)
    }
    assert len(orders) > 10
