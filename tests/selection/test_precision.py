import pytest
import torch

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.criterion import ratio
from speechbrain_mtl.selection.evidence import gather
from speechbrain_mtl.selection.precision import (
    block_errors,
    pair_variance,
    rounding_error,
)
from speechbrain_mtl.selection.ranking import rank
from speechbrain_mtl.selection.selector import Selector
from speechbrain_mtl.selection.tiled_sums import TiledSums
from speechbrain_mtl.selection.weighing import weigh


def test_what_segments_bring_is_no_variance_of_pairs():
    effects = torch.randn(2, 400, dtype=torch.float64)
    noise = torch.randn(2, 400, 400, dtype=torch.float64).tril(-1)
    noise = torch.tensor([0.5, 2.0])[:, None, None] * (noise + noise.mT)
    terms = effects[:, :, None] + effects[:, None] + noise + 7
    torch.testing.assert_close(
        pair_variance(terms).float(),
        torch.tensor([0.25, 4.0]),
        rtol=0.03,
        atol=0,
    )


def test_few_segments_leave_the_variance_unbiased():
    noise = torch.randn(4000, 6, 6).tril(-1)
    found = pair_variance(noise + noise.mT).mean()
    assert float(found) == pytest.approx(1.0, abs=0.03)


def test_whole_classes_have_no_error_and_small_parts_have_more():
    variances = torch.ones(4, 1)
    assert block_errors(variances, [50] * 4, [[0], [1], [2], [3]]) == 0
    halves = block_errors(variances, [50] * 4, [[0, 1], [2, 3]])
    whole = block_errors(variances, [50] * 4, [[0, 1, 2, 3]])
    assert 0 < float(halves) < float(whole)


def test_scores_of_blocks_are_off_by_about_the_error_told(planted):
    data = planted(classes=2, per_class=120)
    scale = 1.0
    tiled = TiledSums(data.comparison, data.classes, range(6), scale)
    exact = torch.stack([tiled(v)[0] for v in torch.eye(6).double()], dim=1)
    gaps = {"unbiased": [], "relevance": []}
    for seed in range(24):
        comparison = Comparison(
            data.measured, data.classes, max_pairs=10, seed=seed
        )
        # Bandwidths and pairs of different classes as before.
        comparison._scaled = data.comparison._scaled
        evidence = gather(comparison, data.classes, data.clusters, draws=2)
        for row, kind in enumerate(gaps):
            gap = evidence.columns[kind] - exact[row]
            gaps[kind].append(gap / evidence.errors[kind])
    for kind, rows in gaps.items():
        z = torch.stack(rows)
        # One at the truth; the mean over 24 cuts of six labels.
        assert 0.75 < float(z.square().mean().sqrt()) < 1.35, kind
        assert (z.square().mean(dim=0).sqrt() < 2).all(), kind


def test_the_score_is_off_by_about_its_error(planted):
    data = planted(classes=2, per_class=120)
    names = data.names
    whole = rank(
        gather(data.comparison, data.classes, data.clusters, draws=2),
        names,
        "centered",
    )
    assert not whole.block_errors.any()
    assert "block_error" not in whole.row(0)
    rows = []
    for seed in range(12):
        comparison = Comparison(
            data.measured, data.classes, max_pairs=10, seed=seed
        )
        comparison._scaled = data.comparison._scaled
        part = rank(
            gather(comparison, data.classes, data.clusters, draws=2),
            names,
            "centered",
        )
        assert part.row(0)["block_error"] == float(part.block_errors[0])
        # At the same noise level: fewer pairs have more.
        exact = ratio(
            whole.evidence.columns["unbiased"],
            whole.evidence.columns["relevance"],
            part.noise,
            part.evidence.speech_scale,
        )
        # Of the labels that tell the class; a ratio of noise has no error
        # that a first order would show.
        rows.append(((part.ci - exact) / part.block_errors)[:2])
    z = torch.cat(rows)
    assert 0.7 < float(z.square().mean().sqrt()) < 1.4


def test_single_precision_is_measured(planted):
    data = planted(classes=2, per_class=60)
    fine = rounding_error(data.comparison)
    assert 0 < fine < 1e-6
    # Embeddings of one direction: what tells them apart is nearly lost.
    data.comparison._speech = data.comparison._speech + 1e3
    evidence = gather(data.comparison, data.classes, data.clusters, draws=2)
    assert evidence.rounding > 3 * fine


def test_exact_weights_come_from_all_pairs(planted):
    data = planted(classes=3, per_class=60)
    leaky, noise = data.measured.labels["leaky"], torch.randn(180, 3, 1)
    data.measured.labels.clear()
    for number, column in enumerate(noise.unbind(1)):
        data.measured.labels[f"leaky{number}"] = leaky + column.double()

    def weighed(max_pairs, exact):
        comparison = Comparison(
            data.measured, data.classes, max_pairs=max_pairs
        )
        evidence = gather(comparison, data.classes, data.clusters, draws=4)
        found = weigh(
            comparison,
            data.classes,
            data.clusters,
            rank(evidence, comparison.names, "centered"),
            mapping="softmax",
            temperature=1.0,
            centering="centered",
            solver="projected",
            exact=exact,
            draws=4,
            seed=0,
        )
        weights = [task["weight"] for task in found.tasks.values()]
        return torch.tensor(weights), found.solver

    whole, plain = weighed(10**6, exact=True)
    cut, _ = weighed(10, exact=False)
    exact, solver = weighed(10, exact=True)
    assert "pairs" not in plain  # nothing was cut
    assert solver["pairs"] == 3 * 60 * 61 / 2
    assert solver["moved_by_exact"] == pytest.approx(
        float((exact - cut).abs().max()), abs=1e-6
    )
    assert (cut - whole).abs().max() > 1e-3
    assert (exact - whole).abs().max() < 0.5 * (cut - whole).abs().max()
    assert solver["gap"] <= 1e-6


def test_exact_is_refused_where_it_would_be_ignored():
    with pytest.raises(ValueError, match="exact=True"):
        Selector(exact=True, solver="reference", centering="reference")
