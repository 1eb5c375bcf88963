import torch

from speechbrain_mtl.selection.evidence import gather
from speechbrain_mtl.selection.group_sums import PairPlan, ratio_sums
from speechbrain_mtl.selection.intervals import ClusterBootstrap
from speechbrain_mtl.selection.problem import Problem
from speechbrain_mtl.selection.ranking import rank
from speechbrain_mtl.selection.resampled import ResampledSums
from speechbrain_mtl.selection.stability import selection_frequency


def frequencies(data, draws=20, seed=0, pairs=200_000):
    """Frequencies of all labels, judged anew in every draw."""
    clusters = data.clusters
    evidence = gather(data.comparison, data.classes, clusters, draws, seed)
    ranking = rank(evidence, data.names, "centered")
    every, scale = list(range(len(data.names))), evidence.speech_scale
    sums = ratio_sums(data.comparison, data.classes, every, scale)
    problem = Problem.of_ratio(sums, ranking.noise, "sparsemax", 2.0)
    bootstrap = ClusterBootstrap(int(clusters.max()) + 1, draws, seed)
    plan = PairPlan(data.comparison, data.classes)
    resampled = ResampledSums(
        sums, plan, data.comparison, clusters, bootstrap, scale
    )
    weights = torch.zeros(len(every), dtype=torch.float64)
    weights[ranking.eligible] = 1 / len(ranking.eligible)
    found = selection_frequency(
        problem, weights, resampled, ranking.eligible_drawn, pairs
    )
    return dict(zip(data.names, found.tolist()))


def test_a_good_label_is_chosen_nearly_always_and_noise_nearly_never(planted):
    for seed in range(2):
        data = planted(seed=seed, speakers=20)
        for pairs in (200_000, 10_000):
            found = frequencies(data, pairs=pairs)
            assert found["good"] >= 0.95
            for name in ("blind", "noise", "small_noise", "speaker"):
                assert found[name] <= 0.15, name


def test_of_labels_near_the_threshold_some_draws_choose_some(planted):
    data = planted(classes=4, per_class=20, speakers=5)
    found = frequencies(data)
    assert any(0 < share < 1 for share in found.values())


def test_draws_in_which_no_label_is_fit_choose_none(planted):
    data = planted(classes=3, per_class=12)
    evidence = gather(data.comparison, data.classes, data.clusters, draws=4)
    scale = evidence.speech_scale
    sums = ratio_sums(data.comparison, data.classes, [0, 1], scale)
    problem = Problem.of_ratio(sums, (0.1, 0.1), "softmax", 1.0)
    plan = PairPlan(data.comparison, data.classes)
    bootstrap = ClusterBootstrap(int(data.clusters.max()) + 1, 4)
    resampled = ResampledSums(
        sums, plan, data.comparison, data.clusters, bootstrap, scale
    )
    fit = torch.tensor([[True, False], [False, False], [True, True]])
    half = torch.full((2,), 0.5, dtype=torch.float64)
    found = selection_frequency(problem, half, resampled, fit)
    assert found.tolist() == [2 / 3, 1 / 3]


def test_the_same_seed_gives_the_same_frequencies(planted):
    data = planted(classes=4, per_class=20)
    first = frequencies(data, seed=3, draws=8)
    torch.manual_seed(99)
    assert first == frequencies(data, seed=3, draws=8)
