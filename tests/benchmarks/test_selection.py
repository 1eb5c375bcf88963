import json

import pytest
import torch

from benchmarks import selection
from benchmarks.planted import plant
from benchmarks.selection_many import TILE, AllPairs
from speechbrain_mtl.selection import cosine_kernel, hsic, log_rbf_kernel


def test_sums_over_all_pairs_are_the_scores_of_whole_classes():
    world = plant(2, TILE + 30, 3)  # two tiles, the second one short
    speech = world.embedded().flatten(1).view(2, TILE + 30, -1)
    scaled = world.values.float() / 0.05**0.5
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    expected = {"reference": 0, "unbiased": 0, "similarity": 0}
    for x, z in zip(speech.double(), scaled.double()):
        logs = log_rbf_kernel(z.T[..., None], 1.0)
        K, L = cosine_kernel(x), torch.tensordot(weights, logs, 1).exp()
        clamped = torch.tensordot(weights, logs.clamp(-10, 0), 1).exp()
        n = len(K)
        expected["reference"] += hsic(K, clamped, "reference") / 2
        expected["unbiased"] += hsic(K, L, estimator="unbiased") / 2
        expected["similarity"] += (L.sum() - n) / (n * (n - 1)) / 2
    expected = {name: float(value) for name, value in expected.items()}
    published = AllPairs(speech, scaled, published=True)(weights)[0]
    ours = AllPairs(speech, scaled, published=False)(weights)[0]
    assert float(published) == pytest.approx(expected["reference"], rel=1e-5)
    assert float(ours[0]) == pytest.approx(expected["unbiased"], rel=1e-4)
    assert float(ours[1]) == pytest.approx(expected["similarity"], rel=1e-5)


@pytest.mark.parametrize("published", [True, False])
def test_their_gradient_is_that_of_finite_differences(published):
    world = plant(1, 40, 3)
    speech = world.embedded().flatten(1)[None]
    sums = AllPairs(speech, world.values.float() / 0.3, published)
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    jacobian = sums(weights)[1]
    for k in range(3):
        step = torch.zeros_like(weights)
        step[k] = 1e-2
        slope = (sums(weights + step)[0] - sums(weights - step)[0]) / 2e-2
        torch.testing.assert_close(slope, jacobian[:, k], rtol=1e-2, atol=1e-5)


def test_a_planted_world_is_the_same_again_and_its_labels_follow_speech():
    world, again = plant(2, 400, 3), plant(2, 400, 3)
    assert torch.equal(world.values, again.values)
    first, second = world.segments(1), again.segments(1)
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    frames = {len(segment) for segment in first}
    assert min(frames) == 20 and max(frames) == 79
    # Bands explain of each label the square of its share in a trait.
    x = world.means[0] - world.means[0].mean(0)
    for y, share in zip(world.values[0].T, (0.3, 0.65, 1.0)):
        y = y - y.mean()
        rest = y - x @ torch.linalg.pinv(x, rtol=1e-9) @ y
        explained = 1 - float(rest.square().sum() / y.square().sum())
        assert explained == pytest.approx(share**2, abs=0.08)


def test_the_benchmark_runs_and_its_checks_hold(tmp_path, monkeypatch, capsys):
    tiny = selection.Plan(
        steps_size=(2, 15, 3),
        steps=2,
        whole_size=(1, 12, 3),
        samples=(8, 16),
        classes=(2, 4),
        labels=(2, 4),
        many=80,
        repetitions=1,
    )
    monkeypatch.setattr(selection, "QUICK", tiny)
    threads = torch.get_num_threads()
    out = tmp_path / "card.json"
    try:
        selection.main(["--quick", f"--out={out}"])
    finally:
        torch.set_num_threads(threads)
    card = json.loads(out.read_text())
    assert "exponent" in capsys.readouterr().out
    assert len(card["published"]) == 8 and len(card["growth"]) == 3
    for entry in card["published"]:
        assert entry.get("hsic_error", 0) < 1e-7
        assert entry.get("weights_error", 0) < 1e-4
        assert entry["ratio"]["median"] == pytest.approx(
            entry["published_s"]["median"] / entry["ours_s"]["median"]
        )
    whole = [e for e in card["published"] if e["published_steps_timed"] == 1000]
    for entry in whole:
        assert entry.get("objective_over_published", 0) < 1e-6
    assert card["many"]["published"]["same_support"]
