"""The cheapest path through pitch candidates, without a loop over frames."""

import math

import torch


def transition_gain(
    pitch: torch.Tensor, octave_jump: float, onset: float
) -> torch.Tensor:
    """Gain (minus cost) of each step between two frames' states.

    State 0 is unvoiced, state k is candidate k - 1.

    Arguments:
    ---------
    pitch : torch.Tensor
        log2 of the candidates' frequency, [F, K, N].
    octave_jump : float
        Cost of a jump of one octave.
    onset : float
        Cost of voicing that begins or ends.

    Returns:
    -------
    gain : torch.Tensor
        From state i to state j at the step into each frame,
        [F, i: K + 1, j: K + 1, N]; the step into the first frame is free.
    """
    frames, candidates, n = pitch.shape
    states = candidates + 1
    gain = pitch.new_full((frames, states, states, n), -onset)
    gain[:, 0, 0] = 0.0
    jump = pitch[1:, None] - pitch[:-1, :, None]
    gain[1:, 1:, 1:] = jump.abs_().mul_(-octave_jump)
    gain[0] = 0.0
    return gain


def best_path(gain: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
    """Find the states with the largest sum of strengths and gains.

    Viterbi's recursion is cut into about sqrt(F) chunks. All chunks advance
    together, each once for every state it may be entered in; a second, short
    recursion over whole chunks then says which one it was. The path is that
    of the plain recursion.

    Arguments:
    ---------
    gain : torch.Tensor
        From state i to state j at the step into each frame, [F, i, j, N].
    strength : torch.Tensor
        Of each state, [F, S, N].

    Returns:
    -------
    path : torch.Tensor
        State of each frame, int64 [F, N].

    Example
    -------
    >>> strength = torch.tensor([[0.0, 1.0], [0.3, 0.0], [0.0, 1.0]])
    >>> stay = -torch.tensor([[0.0, 0.5], [0.5, 0.0]]).expand(3, 2, 2)
    >>> best_path(stay[..., None], strength[..., None]).flatten()
    tensor([1, 1, 1])
    """
    frames, states, n = strength.shape
    size = math.isqrt(frames - 1) + 1
    chunks = -(-frames // size)
    spare = chunks * size - frames

    # Frames after the last cost nothing and give nothing.
    pad = (0, 0) * 2 + (0, spare)
    strength = torch.nn.functional.pad(strength, pad)
    gain = torch.nn.functional.pad(gain, (0, 0, *pad))
    # To [size, ..., chunks * N]: one step serves all chunks.
    strength = (
        strength.view(chunks, size, states, n)
        .permute(1, 2, 0, 3)
        .reshape(size, states, -1)
    )
    gain = (
        gain.view(chunks, size, states, states, n)
        .permute(1, 2, 3, 0, 4)
        .reshape(size, states, states, -1)
    )

    # Best score from the state before a chunk to each state at its end.
    through = gain[0] + strength[0]
    for step in range(1, size):
        through = (through[:, :, None] + gain[step]).amax(1) + strength[step]
    through = through.view(states, states, chunks, n)

    score = strength.new_zeros((states, n))
    entry = []
    for chunk in range(chunks):
        entry.append(score)
        score = (score[:, None] + through[:, :, chunk]).amax(0)
    state = score.argmax(0)
    ends = [state]
    for chunk in range(chunks - 1, 0, -1):
        index = state.expand(states, 1, n)
        into = through[:, :, chunk].gather(1, index)[:, 0]
        state = (entry[chunk] + into).argmax(0)
        ends.append(state)

    score = torch.stack(entry, dim=1).view(states, -1)
    scores = []
    for step in range(size):
        score = (score[:, None] + gain[step]).amax(0) + strength[step]
        scores.append(score)
    state = torch.stack(ends[::-1]).view(-1)
    path = [state]
    for step in range(size - 1, 0, -1):
        index = state.expand(states, 1, state.numel())
        into = gain[step].gather(1, index)[:, 0]
        state = (scores[step - 1] + into).argmax(0)
        path.append(state)
    path = torch.stack(path[::-1]).view(size, chunks, n)
    return path.transpose(0, 1).reshape(-1, n)[:frames]
