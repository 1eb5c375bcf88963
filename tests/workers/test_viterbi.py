import itertools

import pytest
import torch

from speechbrain_mtl.workers.viterbi import best_path

JUMP, ONSET = 0.35, 0.14


def problem(candidates, batch, frames, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pitch = 3 * torch.rand(candidates, batch, frames, generator=generator)
    strength = torch.rand(1 + candidates, batch, frames, generator=generator)
    return pitch, 0.4 * strength


def value(pitch, strength, path):
    """Sum of strengths less costs of one path of one utterance."""
    total = 0.0
    for t, state in enumerate(path):
        total += strength[state, t].item()
        if t == 0:
            continue
        last = path[t - 1]
        if state and last:
            jump = pitch[state - 1, t] - pitch[last - 1, t - 1]
            total -= JUMP * abs(jump.item())
        elif state or last:
            total -= ONSET
    return total


def plain_viterbi(pitch, strength):
    """The recursion as in the books, one frame and state at a time."""
    states, frames = strength.shape
    score, back = [strength[s, 0].item() for s in range(states)], []
    for t in range(1, frames):
        steps = [
            [
                score[i]
                + value(pitch[:, t - 1 : t + 1], torch.zeros(states, 2), [i, j])
                for i in range(states)
            ]
            for j in range(states)
        ]
        back.append([step.index(max(step)) for step in steps])
        score = [
            max(step) + strength[j, t].item() for j, step in enumerate(steps)
        ]
    path = [score.index(max(score))]
    for best in back[::-1]:
        path.append(best[path[-1]])
    return path[::-1]


@pytest.mark.parametrize("seed", range(5))
def test_no_path_of_a_short_utterance_is_better(seed):
    pitch, strength = problem(2, 1, 6, seed)
    path = best_path(pitch, strength, torch.tensor([6]), JUMP, ONSET)[0]
    found = value(pitch[:, 0], strength[:, 0], path.tolist())
    best = max(
        value(pitch[:, 0], strength[:, 0], other)
        for other in itertools.product(range(3), repeat=6)
    )
    assert abs(found - best) < 1e-5


@pytest.mark.parametrize("frames", [1, 31, 32, 33, 100])
def test_the_path_is_that_of_the_plain_recursion(frames):
    pitch, strength = problem(3, 12, frames)
    lens = torch.tensor([max(frames - 3 * b, 1) for b in range(12)])
    paths = best_path(pitch, strength, lens, JUMP, ONSET)
    assert paths.shape == (12, frames)
    for b, n in enumerate(lens):
        expected = plain_viterbi(pitch[:, b, :n], strength[:, b, :n])
        assert paths[b, :n].tolist() == expected


def test_what_lies_beyond_the_end_does_not_matter():
    pitch, strength = problem(4, 1, 150)
    lens = torch.tensor([70])
    alone = best_path(pitch[..., :70], strength[..., :70], lens, JUMP, ONSET)
    padded = best_path(pitch, strength, lens, JUMP, ONSET)
    assert torch.equal(alone, padded[:, :70])


def test_a_long_utterance_keeps_small_differences():
    strength = torch.full((2, 1, 20000), 100.0)
    strength[1, :, 19000:] += 0.001  # one in all, against 0.14 for an onset
    lens = torch.tensor([20000])
    path = best_path(torch.zeros(1, 1, 20000), strength, lens, JUMP, ONSET)
    assert (path == 1).all()
