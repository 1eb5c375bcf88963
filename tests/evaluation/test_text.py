import random
from functools import cache
from itertools import groupby

import pytest
import torch
from speechbrain.utils.edit_distance import accumulatable_wer_stats

from speechbrain_mtl.evaluation import (
    ctc_greedy,
    edit_distances,
    error_rate,
)


def logits_of(paths, size=30):
    return torch.nn.functional.one_hot(torch.tensor(paths), size).float()


def letters(text):
    return ["_ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(c) for c in text]


def text(tokens):
    return "".join("_ABCDEFGHIJKLMNOPQRSTUVWXYZ"[t] for t in tokens)


def slow_greedy(path, blank, legacy):
    if legacy:
        path = [token for token in path if token != blank]
    return [token for token, _ in groupby(path) if token != blank]


def slow_distance(ref, hyp):
    @cache
    def distance(i, j):
        if not i or not j:
            return i + j
        return min(
            distance(i - 1, j) + 1,
            distance(i, j - 1) + 1,
            distance(i - 1, j - 1) + (ref[i - 1] != hyp[j - 1]),
        )

    return distance(len(ref), len(hyp))


def test_double_letter_survives_only_without_the_legacy_rule():
    logits = logits_of([letters("HHEELL__LLOO")])
    [now] = ctc_greedy(logits, torch.ones(1))
    [old] = ctc_greedy(logits, torch.ones(1), legacy=True)
    assert text(now) == "HELLO"
    assert text(old) == "HELO"


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("blank", range(4))
def test_greedy_equals_grouping_one_path_at_a_time(blank, legacy):
    draw = random.Random(blank)
    paths = [draw.choices(range(4), k=12) for _ in range(100)]
    frames = [draw.randint(0, 12) for _ in paths]
    decoded = ctc_greedy(
        logits_of(paths, 4), torch.tensor(frames) / 12, blank, legacy
    )
    assert decoded == [
        slow_greedy(path[:n], blank, legacy) for path, n in zip(paths, frames)
    ]


def test_relative_lengths_lose_no_frame_to_rounding():
    frames = torch.arange(1, 148)
    paths = torch.arange(147).remainder(2).add(1).repeat(147, 1).tolist()
    decoded = ctc_greedy(logits_of(paths, 3), frames / 147)
    assert [len(tokens) for tokens in decoded] == frames.tolist()


@pytest.mark.parametrize("legacy", [True, False])
def test_padding_changes_no_decoded_token(legacy):
    torch.manual_seed(0)
    logits = torch.randn(3, 20, 5)
    lens = torch.tensor([20, 13, 7])
    padded = torch.cat([logits, torch.randn(3, 12, 5)], dim=1)
    assert ctc_greedy(logits, lens / 20, legacy=legacy) == ctc_greedy(
        padded, lens / 32, legacy=legacy
    )


@pytest.mark.parametrize("pairs", [1, 2, 5, 200])
def test_error_rate_equals_a_recursive_distance(pairs):
    draw = random.Random(pairs)
    refs, hyps = (
        [draw.choices("abcd", k=draw.randint(0, 9)) for _ in range(pairs)]
        for _ in range(2)
    )
    refs[0] += "a"
    edits = sum(slow_distance(ref, hyp) for ref, hyp in zip(refs, hyps))
    assert error_rate(refs, hyps) == edits / sum(map(len, refs))


def test_error_rate_equals_speechbrain_over_more_pairs_than_one_block():
    generator = torch.Generator().manual_seed(0)
    lens = torch.randint(1, 15, (2, 200), generator=generator).tolist()
    refs, hyps = (
        [torch.randint(5, (n,), generator=generator).tolist() for n in side]
        for side in lens
    )
    theirs = accumulatable_wer_stats(refs, hyps)["WER"] / 100
    assert error_rate(refs, hyps) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(
    ("ref", "hyp", "rate"),
    [
        ("kitten", "sitting", 3 / 6),
        ("ab", "", 1.0),
        ("ab", "abab", 1.0),
        ("ab", "abcdef", 2.0),
        ("ab", "ba", 1.0),
        ("same", "same", 0.0),
    ],
)
def test_error_rate_of_strings_counts_letters(ref, hyp, rate):
    assert error_rate([ref], [hyp]) == rate
    assert isinstance(error_rate([ref], [hyp]), float)


def test_distances_come_in_the_order_of_the_pairs():
    refs = ["abc" * (n % 7) for n in range(150)]
    hyps = ["b" * (n % 5) for n in range(150)]
    assert edit_distances(refs, hyps).tolist() == [
        slow_distance(ref, hyp) for ref, hyp in zip(refs, hyps)
    ]


def test_long_utterances_weigh_more_than_short_ones():
    assert error_rate(["abcdefgh", "x"], ["abcdefgh", "y"]) == 1 / 9


def test_insertions_into_an_empty_reference_count():
    assert error_rate(["", "ab"], ["xy", "ab"]) == 1.0


@pytest.mark.parametrize(
    ("refs", "hyps", "message"),
    [
        (["a"], [], "1 references, but 0 hypotheses"),
        ([], [], "hold no token"),
        ([""], ["a"], "hold no token"),
    ],
)
def test_what_has_no_error_rate_says_so(refs, hyps, message):
    with pytest.raises(ValueError, match=message):
        error_rate(refs, hyps)
