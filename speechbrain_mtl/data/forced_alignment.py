"""When each word is said, by a recogniser trained with CTC.

For recordings that come with a transcript and without alignments. The best
path through the recogniser's log-probabilities that reads as the transcript
is found by Viterbi's algorithm (torchaudio's). The recogniser is the
caller's; nothing is downloaded here.
"""

from collections.abc import Mapping, Sequence

import torch
from torchaudio.functional import forced_align, merge_tokens


class AlignmentError(ValueError):
    """A transcript that no path reads as; the message names the remedy."""


def align_tokens(
    log_probs: torch.Tensor, tokens: Sequence[int], blank: int = 0
) -> tuple[list[tuple[int, int]], float]:
    """Find the frames of each token on the likeliest path that reads so.

    Arguments
    ---------
    log_probs : torch.Tensor
        Of one utterance without padding, shape [T, C].
    tokens : sequence of int
        What was said, without blanks.
    blank : int
        Index of the blank.

    Returns
    -------
    spans : list of (int, int)
        First frame and the one after the last, of each token. A recogniser
        trained with CTC holds a token only for a moment: the beginnings tell
        more than the ends.
    score : float
        Log-probability of the path.

    Raises
    ------
    AlignmentError
        When there are fewer frames than the tokens need, or a token is the
        blank or beyond the classes.

    Example
    -------
    >>> probs = torch.tensor([[0.8, 0.2], [0.1, 0.9], [0.7, 0.3]])
    >>> align_tokens(probs.log(), [1])[0]
    [(1, 2)]
    """
    if log_probs.dim() != 2:
        raise AlignmentError(
            f"log_probs has the shape {list(log_probs.shape)}. Give one "
            "utterance, [T, C]."
        )
    frames, classes = log_probs.shape
    wrong = {t for t in tokens if t == blank or not 0 <= t < classes}
    if wrong or not len(tokens):
        raise AlignmentError(
            f"tokens are {sorted(wrong)} where 0 to {classes - 1} without the "
            f"blank {blank} are known. Give one or more of these."
        )
    # Between two equal tokens CTC needs a blank, or they would be read as one.
    needed = len(tokens) + sum(a == b for a, b in zip(tokens, tokens[1:]))
    if needed > frames:
        raise AlignmentError(
            f"{len(tokens)} tokens need {needed} frames and there are {frames}. "
            "Look whether transcript and recording belong together, or use a "
            "recogniser with shorter steps."
        )
    # On the CPU and in single precision, the one kind that is always built.
    path, scores = forced_align(
        log_probs.detach().cpu().float()[None],
        torch.tensor([list(tokens)], dtype=torch.int32),
        blank=blank,
    )
    found = merge_tokens(path[0], scores[0], blank=blank)
    return [(span.start, span.end) for span in found], scores.sum().item()


def align_words(
    log_probs: torch.Tensor,
    lens: torch.Tensor,
    transcripts: Sequence[Sequence[str]],
    characters: Mapping[str, int],
    step: float,
    separator: str | None = None,
    blank: int = 0,
) -> list[list[list]]:
    """Give each word of a batch its time.

    Arguments
    ---------
    log_probs : torch.Tensor
        A batch of a recogniser's log-probabilities, shape [B, T, C].
    lens : torch.Tensor
        Relative lengths, shape [B]; what lies behind is not looked at.
    transcripts : sequence of sequences of str
        The words of each utterance.
    characters : mapping
        Class of each character: ``{"a": 1, ...}``.
    step : float
        Seconds a frame, such as 0.02.
    separator : str, optional
        Character the recogniser writes between words, such as ``"|"``.
    blank : int
        Index of the blank.

    Returns
    -------
    words : list of lists
        Of each utterance ``[[start, end, word], ...]`` in seconds, as
        manifests have them in the field ``words``.

    Raises
    ------
    AlignmentError
        Naming all utterances that cannot be aligned, and why.

    Example
    -------
    >>> said = torch.tensor([[0, 1, 1, 0, 2, 0]])
    >>> log_probs = torch.eye(3)[said].add(1e-3).log()
    >>> align_words(
    ...     log_probs, torch.ones(1), [["a", "b"]], {"a": 1, "b": 2}, 0.02
    ... )
    [[[0.02, 0.06, 'a'], [0.08, 0.1, 'b']]]
    """
    if not len(log_probs) == len(lens) == len(transcripts):
        raise AlignmentError(
            f"{len(log_probs)} utterances, {len(lens)} lengths and "
            f"{len(transcripts)} transcripts. Give as many of each."
        )
    sizes = (lens * log_probs.shape[1]).round().int().tolist()
    aligned, problems = [], []
    for row, (frames, size, words) in enumerate(
        zip(log_probs, sizes, transcripts)
    ):
        try:
            pieces = _pieces(words, characters, separator)
            tokens = [characters[c] for piece in pieces for c in piece]
            spans, _ = align_tokens(frames[:size], tokens, blank)
            aligned.append(_times(words, pieces, spans, step))
        except AlignmentError as error:
            problems.append(f"utterance {row}: {error}")
    if problems:
        raise AlignmentError("\n".join(problems))
    return aligned


def _pieces(
    words: Sequence[str], characters: Mapping[str, int], separator: str | None
) -> list[str]:
    """The words, with the separator between each two."""
    pieces = []
    for word in words:
        pieces += [separator, word] if pieces and separator else [word]
    unknown = sorted(set("".join(pieces)) - set(characters))
    if unknown or not all(pieces):
        raise AlignmentError(
            f"no class for the characters {unknown}"
            if unknown
            else "there is an empty word"
        )
    return pieces


def _times(
    words: Sequence[str],
    pieces: list[str],
    spans: list[tuple[int, int]],
    step: float,
) -> list[list]:
    """From the first character's first frame to the last one's last."""
    segments, position = [], 0
    every = 2 if len(pieces) > len(words) else 1  # skips separators
    for index, piece in enumerate(pieces):
        characters = spans[position : position + len(piece)]
        position += len(piece)
        if index % every == 0:
            start, end = characters[0][0] * step, characters[-1][1] * step
            segments.append([round(start, 6), round(end, 6), piece])
    return segments
