import copy

import pytest

from benchmarks import weightings


@pytest.mark.filterwarnings("ignore:.*not DPP.*")
@pytest.mark.parametrize("name", weightings.WEIGHTINGS)
def test_every_weighting_trains_all_nine_heads(name):
    try:
        run = weightings.Run(name)
    except ImportError as error:
        pytest.skip(str(error))
    before = copy.deepcopy(run.model.state_dict())
    run()
    for key, value in run.model.state_dict().items():
        # Adam's first step is its learning rate wherever there is a slope.
        moved = float((value - before[key]).abs().max())
        assert moved == pytest.approx(1e-4, rel=0.1), key


def test_everybodys_steps_are_timed_and_the_first_two_are_not():
    names = [weightings.REFERENCE, "scaled losses"]
    found = weightings.seconds(names, 3)
    assert [len(found[name]) for name in names] == [3, 3]


def test_a_peak_is_above_what_the_gradients_and_adam_take():
    """Two moments and a gradient of every parameter, in float32."""
    model = weightings.NineHeads()
    least = 12 * sum(p.numel() for p in model.parameters()) / 2**20
    assert weightings.memory(weightings.REFERENCE) > least
