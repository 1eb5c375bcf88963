import pytest
import torch

from speechbrain_mtl.tasks.matching import CosineMatching, MarginMatching


def pairs():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 5, 3, generator=generator), torch.arange(5)


def test_dot_products_grow_with_vectors_and_cosines_do_not():
    (speech, images), _ = pairs()
    for matching, growth in ((MarginMatching(), 6.0), (CosineMatching(), 1.0)):
        once = matching.similarity(speech, images)
        more = matching.similarity(2 * speech, 3 * images)
        torch.testing.assert_close(more, growth * once)
        one = matching.similarity(speech[1:2], images[4:])
        torch.testing.assert_close(one, once[1:2, 4:])


def test_a_learnt_temperature_moves_and_stays_above_the_least():
    (speech, _), ids = pairs()
    matching = CosineMatching(0.5, least=0.1)
    optimizer = torch.optim.SGD(matching.parameters(), lr=1.0)
    heat = []
    for _ in range(20):
        # Pairs are identical: the colder, the surer.
        matching(speech, speech, ids).backward()
        optimizer.step()
        optimizer.zero_grad()
        heat.append(matching.temperature().item())
    assert heat[0] < 0.5 and heat == sorted(heat, reverse=True)
    matching.fall.data.fill_(50.0)
    assert matching.temperature().item() == pytest.approx(0.1)


def test_a_fixed_temperature_has_nothing_to_learn():
    assert not list(CosineMatching(0.2, learnt=False).parameters())
    with pytest.raises(ValueError, match=r"temperature 0.001, least 0.01"):
        CosineMatching(0.001)


def test_scores_are_float32_under_autocast():
    (speech, images), ids = pairs()
    for matching in (MarginMatching(), CosineMatching()):
        expected = matching(speech, images, ids)
        with torch.autocast("cpu", torch.bfloat16):
            found = matching(speech, images, ids)
        torch.testing.assert_close(found, expected, rtol=0, atol=0)
