import numpy as np
import pytest

from speechbrain_mtl.report.bands import spread


@pytest.mark.parametrize("seed", range(5))
def test_names_are_moved_apart_in_order_and_only_where_needed(seed):
    places = np.sort(np.random.default_rng(seed).random(9))
    moved = spread(places, 0.08)
    assert (np.diff(moved) >= 0.08 - 1e-12).all()
    assert moved[-1] <= 1.0 + 1e-12
    assert moved[0] >= min(places[0], 1 - 8 * 0.08) - 1e-12
    apart = np.arange(5) / 5
    assert np.array_equal(spread(apart, 0.1), apart)
