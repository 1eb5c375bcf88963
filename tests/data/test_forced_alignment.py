import itertools

import numpy as np
import pytest
import torch

from speechbrain_mtl.data.forced_alignment import (
    AlignmentError,
    align_tokens,
    align_words,
)

LETTERS = {"|": 1, "a": 2, "b": 3, "c": 4}


def random_log_probs(frames, classes, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(frames, classes, generator=generator).log_softmax(-1)


def reads(path, blank):
    """What a path of CTC says."""
    said = [token for token, _ in itertools.groupby(path)]
    return [token for token in said if token != blank]


def best_by_enumeration(log_probs, tokens, blank):
    """Score of the best of all paths that read as the tokens."""
    frames, classes = log_probs.shape
    return max(
        sum(log_probs[t, c].item() for t, c in enumerate(path))
        for path in itertools.product(range(classes), repeat=frames)
        if reads(path, blank) == tokens
    )


def best_by_dynamic_programming(log_probs, tokens, blank):
    """Score and spans, by loops over frames and states."""
    log_probs = log_probs.double().numpy()
    states = [blank] + [s for token in tokens for s in (token, blank)]
    frames = len(log_probs)
    score = np.full((frames, len(states)), -np.inf)
    came = np.zeros((frames, len(states)), dtype=int)
    score[0, :2] = log_probs[0, states[:2]]
    for t in range(1, frames):
        for s, state in enumerate(states):
            before = [s] + [s - 1] * (s > 0)
            if s > 1 and state != blank and state != states[s - 2]:
                before.append(s - 2)
            came[t, s] = max(before, key=lambda b: score[t - 1, b])
            score[t, s] = score[t - 1, came[t, s]] + log_probs[t, state]
    s = max(len(states) - 1, len(states) - 2, key=lambda s: score[-1, s])
    total, visited = score[-1, s], []
    for t in reversed(range(frames)):
        visited.insert(0, s)
        s = came[t, s]
    spans = []
    for n in range(len(tokens)):
        inside = [t for t, s in enumerate(visited) if s == 2 * n + 1]
        spans.append((inside[0], inside[-1] + 1))
    return total, spans


CASES = [
    (5, 3, [1], 0),
    (5, 3, [1, 2], 0),
    (5, 3, [1, 1], 0),
    (5, 3, [2, 1, 2], 0),
    (5, 4, [0, 0, 2], 3),
    (4, 3, [2, 1, 2, 1], 0),
]


@pytest.mark.parametrize(("frames", "classes", "tokens", "blank"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_no_path_that_reads_so_is_likelier(
    frames, classes, tokens, blank, seed
):
    log_probs = random_log_probs(frames, classes, seed)
    _, score = align_tokens(log_probs, tokens, blank)
    best = best_by_enumeration(log_probs, tokens, blank)
    assert score == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_spans_are_those_of_plain_dynamic_programming(seed):
    random = np.random.default_rng(seed)
    frames, classes = random.integers(12, 40), random.integers(2, 7)
    tokens = random.integers(1, classes, random.integers(1, 6)).tolist()
    log_probs = random_log_probs(int(frames), int(classes), seed)
    spans, score = align_tokens(log_probs, tokens)
    best, expected = best_by_dynamic_programming(log_probs, tokens, 0)
    assert spans == expected
    assert score == pytest.approx(best, abs=1e-4)


def planted(path, classes=5):
    """Log-probabilities that leave no doubt."""
    return torch.eye(classes)[torch.tensor(path)].add(1e-4).log()


def test_planted_words_are_found_where_they_are():
    #       0  1  2  3  4  5  6  7  8  9
    path = [0, 2, 2, 0, 2, 1, 3, 0, 4, 0]  # "aa|bc"
    words = align_words(
        planted(path)[None],
        torch.ones(1),
        [["aa", "bc"]],
        LETTERS,
        0.02,
        separator="|",
    )
    assert words == [[[0.02, 0.1, "aa"], [0.12, 0.18, "bc"]]]


def test_without_separator_words_follow_each_other():
    path = [2, 3, 0, 4, 4, 2, 2]
    words = align_words(
        planted(path)[None], torch.ones(1), [["ab", "c", "a"]], LETTERS, 0.5
    )
    assert words == [[[0.0, 1.0, "ab"], [1.5, 2.5, "c"], [2.5, 3.5, "a"]]]


def test_padding_does_not_matter():
    utterances = [random_log_probs(size, 5, size) for size in (30, 18, 9)]
    transcripts = [["ab", "cab"], ["a", "b"], ["ca"]]
    alone = [
        align_words(u[None], torch.ones(1), [w], LETTERS, 0.02, "|")[0]
        for u, w in zip(utterances, transcripts)
    ]
    # Behind the end stands what would be the best match.
    batch = torch.zeros(3, 30, 5)
    for row, utterance in zip(batch, utterances):
        row[: len(utterance)] = utterance
    lens = torch.tensor([30, 18, 9]) / 30
    together = align_words(batch, lens, transcripts, LETTERS, 0.02, "|")
    assert together == alone


def test_half_precision_is_aligned_in_single():
    log_probs = planted([0, 2, 0, 3]).bfloat16()
    assert align_tokens(log_probs, [2, 3])[0] == [(1, 2), (3, 4)]


def test_all_transcripts_longer_than_their_recording_are_named():
    batch = torch.stack([random_log_probs(6, 5, seed) for seed in range(3)])
    with pytest.raises(AlignmentError) as raised:
        align_words(
            batch,
            torch.tensor([1.0, 0.5, 1.0]),
            [["abcabc"], ["abca"], ["aabbc", "d"]],
            LETTERS,
            0.02,
        )
    message = str(raised.value)
    assert "utterance 0" not in message
    assert "utterance 1: 4 tokens need 4 frames and there are 3" in message
    assert "utterance 2: no class for the characters ['d']" in message
    assert "Look whether transcript and recording belong together" in message


def test_equal_neighbours_need_a_frame_between_them():
    assert align_tokens(random_log_probs(3, 3, 0), [1, 1])[0] == [
        (0, 1),
        (2, 3),
    ]
    with pytest.raises(AlignmentError, match="2 tokens need 3 frames"):
        align_tokens(random_log_probs(2, 3, 0), [1, 1])


@pytest.mark.parametrize("tokens", [[0], [3], [-1], []])
def test_tokens_that_are_no_classes_are_refused(tokens):
    with pytest.raises(AlignmentError, match="0 to 2 without the blank 0"):
        align_tokens(random_log_probs(5, 3, 0), tokens)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(AlignmentError, match=r"the shape \[1, 5, 3\]"):
        align_tokens(random_log_probs(5, 3, 0)[None], [1])
    with pytest.raises(AlignmentError, match="1 utterances, 1 lengths and 2"):
        align_words(
            torch.zeros(1, 5, 5), torch.ones(1), [["a"], ["b"]], LETTERS, 0.02
        )


def test_words_without_letters_are_refused():
    batch = random_log_probs(5, 5, 0)[None]
    with pytest.raises(AlignmentError, match="an empty word"):
        align_words(batch, torch.ones(1), [["a", ""]], LETTERS, 0.02)
