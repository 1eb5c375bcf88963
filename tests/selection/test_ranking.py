import pytest
import torch

from speechbrain_mtl.selection.comparison import Comparison
from speechbrain_mtl.selection.evidence import gather
from speechbrain_mtl.selection.ranking import (
    rank,
    rank_intervals,
    split_half_agreement,
)


def ranked(data, centering="centered", comparison=None, seed=0):
    evidence = gather(
        comparison or data.comparison,
        data.classes,
        data.clusters,
        draws=200,
        seed=seed,
    )
    return rank(evidence, data.names, centering)


def by_name(data, values):
    return dict(zip(data.names, values))


def test_the_label_that_is_the_class_and_little_else_ranks_first(planted):
    for seed in range(3):
        data = planted(seed=seed)
        ranking = ranked(data)
        ci = by_name(data, ranking.ci.tolist())
        assert min(ci, key=ci.get) == "good"
        assert ci["good"] < ci["leaky"] < ci["blind"]


def test_labels_that_know_nothing_of_the_class_are_flagged(planted):
    data = planted()
    ranking = ranked(data)
    flags = by_name(data, ranking.flags)
    assert flags["good"] == [] and flags["leaky"] == []
    assert flags["blind"] == ["class-blind"]
    assert flags["noise"] == ["noise-like"]
    assert "noise-like" in flags["small_noise"]
    names = [data.names[index] for index in ranking.eligible]
    assert set(names) == {"good", "leaky"}


def test_near_constant_labels_are_flagged_whatever_their_merit(planted):
    data = planted()
    assert "near-constant" in by_name(data, ranked(data).flags)["small_noise"]
    data.measured.labels["good"].mul_(0.01)
    comparison = Comparison(data.measured, data.classes)
    flags = by_name(data, ranked(data, comparison=comparison).flags)
    assert flags["good"] == ["near-constant"]


def test_the_published_score_crowns_wide_noise_and_ours_does_not(planted):
    data = planted()
    data.measured.labels["noise"].mul_(3)
    comparison = Comparison(data.measured, data.classes)
    published = ranked(data, "reference", comparison)
    scores = by_name(data, published.ci.tolist())
    assert min(scores, key=scores.get) == "noise"
    assert published.eligible == list(range(len(data.names)))
    ours = by_name(data, ranked(data, comparison=comparison).ci.tolist())
    assert min(ours, key=ours.get) == "good"


def test_noise_is_called_class_blind_or_noise_nearly_always(planted):
    wrong = 0
    for seed in range(15):
        data = planted(classes=4, per_class=15, seed=seed)
        ranking = ranked(data, seed=seed)
        for name in ("noise", "small_noise"):
            wrong += data.names.index(name) in ranking.eligible
    assert wrong <= 2  # 30 tests at 1 %


def test_intervals_hold_the_score(planted):
    data = planted()
    ranking = ranked(data)
    for name in ("good", "leaky"):
        k = data.names.index(name)
        low, high = ranking.intervals[k].tolist()
        assert 0 < low < float(ranking.ci[k]) < high


def test_blocks_estimate_what_whole_classes_give(planted):
    data = planted(classes=4, per_class=200)
    whole = gather(data.comparison, data.classes, data.clusters, draws=20)
    cut = Comparison(data.measured, data.classes, max_pairs=15_000)
    assert max(len(block.index) for block in cut.blocks()) < 40
    blocks = gather(cut, data.classes, data.clusters, draws=20)
    for k in range(len(data.names)):
        one, other = whole.dependence[k], blocks.dependence[k]
        assert other.deviation > one.deviation
        # Blocks of a dependent label scatter more than permutations do.
        slack = 4 * other.deviation + 0.2 * abs(one.score)
        assert abs(other.score - one.score) < slack
    for column in ("relevance", "mean_similarity"):
        torch.testing.assert_close(
            blocks.columns[column], whole.columns[column], rtol=0.1, atol=0.01
        )


def test_no_label_at_all_is_refused_with_what_was_found(planted):
    data = planted(classes=3, per_class=10)
    for name in ("good", "leaky"):
        data.measured.labels[name].copy_(data.measured.labels["noise"])
    with pytest.raises(ValueError, match="no label depends.*noise p = "):
        ranked(data, comparison=Comparison(data.measured, data.classes))


def test_a_row_is_ready_for_json(planted):
    import json

    data = planted(classes=3, per_class=12)
    row = ranked(data).row(0)
    assert json.loads(json.dumps(row, allow_nan=False)) == row


def test_ranks_lie_in_the_interval_of_nearly_all_draws():
    drawn = torch.rand(400, 5) + torch.tensor([0, 0.2, 0.4, 5, 9])
    ranks = rank_intervals(drawn)
    assert ranks[3].tolist() == [4, 4] and ranks[4].tolist() == [5, 5]
    assert ranks[0, 0] == 1 and ranks[2, 1] == 3
    for label, (low, high) in enumerate(ranks.tolist()):
        of_draw = (drawn < drawn[:, label : label + 1]).sum(1) + 1
        inside = (of_draw >= low) & (of_draw <= high)
        assert inside.float().mean() >= 0.94


def test_agreement_of_halves_is_the_correlation_of_their_ranks():
    from scipy.stats import spearmanr

    halves = torch.randn(8, 6)
    slow = [
        spearmanr(halves[i], halves[i + 1]).statistic for i in range(0, 8, 2)
    ]
    assert split_half_agreement(halves) == pytest.approx(sum(slow) / 4)
    assert split_half_agreement(torch.stack([halves[0], -halves[0]])) == -1
    assert split_half_agreement(halves[:, :1]) is None
    assert split_half_agreement(torch.zeros(2, 3)) is None


def test_halves_agree_on_planted_merits_and_a_lone_speaker_has_none(planted):
    data = planted(speakers=20)
    ranking = ranked(data)
    assert 0.5 < ranking.agreement <= 1
    assert by_name(data, ranking.ranks.tolist())["good"] == [1, 1]
    data.clusters.zero_()
    assert ranked(data).agreement is None
