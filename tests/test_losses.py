import pytest
import torch

from speechbrain_mtl.losses import sample_negatives, wav2vec2_contrastive


def test_negatives_are_others_of_the_same_utterance():
    counts = torch.tensor([7, 2, 30, 0, 5])
    index, alone = sample_negatives(counts, 400)
    utterance = torch.arange(5).repeat_interleave(counts)
    assert index.shape == (44, 400) and not alone.any()
    assert (utterance[index] == utterance[:, None]).all()
    assert (index != torch.arange(44)[:, None]).all()
    # Every other frame is drawn, and as often as any.
    for row in range(7):
        drawn = index[row].bincount(minlength=7)[:7]
        assert (drawn > 0).sum() == 6
        assert drawn.max() < 110


def test_all_others_are_drawn_equally_often():
    index, _ = sample_negatives(torch.tensor([4]), 30000)
    shares = index[2].bincount(minlength=4) / 30000
    torch.testing.assert_close(
        shares, torch.tensor([1, 1, 0, 1]) / 3, atol=0.015, rtol=0
    )


def test_a_frame_alone_is_told():
    _, alone = sample_negatives(torch.tensor([1, 3, 1]), 5)
    assert alone.tolist() == [True, False, False, False, True]


def test_a_generator_fixes_the_draws():
    draws = [
        sample_negatives(
            torch.tensor([9, 9]), 8, torch.Generator().manual_seed(seed)
        )[0]
        for seed in (1, 1, 2)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


@pytest.mark.parametrize("with_codes", [False, True])
def test_the_loss_is_that_of_a_loop_over_frames(with_codes):
    counts = torch.tensor([6, 3, 8])
    targets, predictions = torch.randn(2, 17, 5, dtype=torch.float64)
    # Equal targets of other frames are no negatives.
    targets[4] = targets[1]
    targets[12] = targets[15]
    codes = torch.arange(17)
    codes[4], codes[12] = 1, 15
    index, _ = sample_negatives(counts, 10)
    losses, hits = wav2vec2_contrastive(
        predictions.float(),
        targets.float(),
        counts,
        index,
        0.2,
        codes if with_codes else None,
    )
    for frame in range(17):
        cosine = torch.cosine_similarity
        positive = cosine(predictions[frame], targets[frame], dim=0)
        others = [
            cosine(predictions[frame], targets[other], dim=0)
            for other in index[frame].tolist()
            if not torch.equal(targets[other], targets[frame])
        ]
        logits = torch.stack([positive, *others]) / 0.2
        slow = -logits.log_softmax(0)[0]
        assert float(losses[frame]) == pytest.approx(float(slow), rel=1e-4)
        assert bool(hits[frame]) == all(positive > other for other in others)


def test_chance_is_the_logarithm_of_the_candidates():
    targets = torch.randn(200, 64)
    index, _ = sample_negatives(torch.tensor([200]), 100)
    losses, _ = wav2vec2_contrastive(
        torch.zeros(200, 64), targets, torch.tensor([200]), index
    )
    assert float(losses.mean()) == pytest.approx(4.615, abs=1e-3)  # ln 101
