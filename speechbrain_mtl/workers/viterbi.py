"""The best path through pitch candidates, without a loop over frames."""

import torch

CHUNK = 32  # frames; fixed, so that padding changes no rounding


def into_chunks(values: torch.Tensor) -> torch.Tensor:
    """Cut [..., B, F] into [CHUNK, ..., B * chunks], zeros at the end."""
    spare = -values.shape[-1] % CHUNK
    values = torch.nn.functional.pad(values, (0, spare))
    values = values.unflatten(-1, (-1, CHUNK)).flatten(-3, -2)
    return values.movedim(-1, 0).contiguous()


def step_gains(
    pitch: torch.Tensor,
    strength: torch.Tensor,
    inside: torch.Tensor,
    octave_jump: float,
    onset: float,
) -> torch.Tensor:
    """What each step between states of neighbouring frames gains.

    Arguments are those of `best_path`.

    Returns
    -------
    gains : torch.Tensor
        The strength of state j less the cost of the step from state i to j,
        at the step into each frame, [CHUNK, i, j, B * chunks]. The step into
        a first frame costs nothing; beyond the end everything is free.
    """
    before = torch.nn.functional.pad(pitch, (1, 0))[..., :-1]
    jump = into_chunks(before)[:, :, None] - into_chunks(pitch)[:, None]
    states = strength.shape[0]
    gains = pitch.new_full((CHUNK, states, states, jump.shape[-1]), -onset)
    gains[:, 0, 0] = 0.0
    gains[:, 1:, 1:] = jump.abs_().mul_(-octave_jump)
    first = torch.zeros_like(inside)
    first[:, 0] = True
    gains *= into_chunks(inside & ~first)[:, None, None]
    gains += into_chunks(strength)[:, None]
    return gains


def best_path(
    pitch: torch.Tensor,
    strength: torch.Tensor,
    frame_lens: torch.Tensor,
    octave_jump: float,
    onset: float,
) -> torch.Tensor:
    """Find the states with the largest sum of strengths less costs.

    Viterbi's recursion is cut into chunks of 32 frames. The chunks of all
    utterances advance together, once for every state they may be entered
    in; a short recursion over chunks then says which one it was, and the
    chunks are passed through once more. The path is that of the plain
    recursion.

    Arguments
    ---------
    pitch : torch.Tensor
        log2 of the candidates' frequency, [K, B, F].
    strength : torch.Tensor
        Of the unvoiced state and of each candidate, [1 + K, B, F].
    frame_lens : torch.Tensor
        Valid frames, [B].
    octave_jump : float
        Cost of a jump of one octave between neighbouring frames.
    onset : float
        Cost of voicing that begins or ends.

    Returns
    -------
    path : torch.Tensor
        int64 [B, F]: 0 is unvoiced, k the candidate k - 1.

    Example
    -------
    >>> strength = torch.tensor([[0.0, 0.0, 0.0], [0.4, -0.1, 0.4]])
    >>> best_path(
    ...     torch.zeros(1, 1, 3), strength[:, None], torch.tensor([3]), 1.0, 0.2
    ... )
    tensor([[1, 1, 1]])
    """
    states, batch, frames = strength.shape
    index = torch.arange(frames, device=pitch.device)
    inside = index < frame_lens[:, None]
    gains = step_gains(pitch, strength, inside, octave_jump, onset)

    # Best sum from the state before a chunk to each state at its end.
    through = gains[0]
    for gain in gains[1:]:
        through = (through[:, :, None] + gain).amax(1)
    through = through.view(states, states, batch, -1)

    score = strength.new_zeros((states, batch))
    entry, back = [], []
    for chunk in through.unbind(-1):
        entry.append(score)
        score, best = (score[:, None] + chunk).max(0)
        score = score - score.amax(0)  # long sums would lose precision
        back.append(best)
    state = score.argmax(0, keepdim=True)
    ends = [state]
    for best in back[:0:-1]:
        state = best.gather(0, state)
        ends.append(state)

    score = torch.stack(entry, dim=-1).view(states, -1)
    back = []
    for gain in gains:
        score, best = (score[:, None] + gain).max(0)
        back.append(best)
    state = torch.stack(ends[::-1], dim=-1).view(1, -1)
    path = [state]
    for best in back[:0:-1]:
        state = best.gather(0, state)
        path.append(state)
    path = torch.cat(path[::-1]).view(CHUNK, batch, -1)
    return path.permute(1, 2, 0).reshape(batch, -1)[:, :frames]
