"""Utterances of different lengths as workers and encoders get them."""

import torch


def padded(utterances):
    """Batch, relative lengths, sizes; the padding is not silent."""
    sizes = [len(utterance) for utterance in utterances]
    wavs = torch.full((len(sizes), max(sizes)), 3.0)
    for row, utterance in zip(wavs, utterances):
        row[: len(utterance)] = utterance
    return wavs, torch.tensor(sizes) / max(sizes), sizes


def noises(*sizes, offset=0.0):
    """A batch of white noise."""
    torch.manual_seed(1)
    return padded([0.1 * torch.randn(size) + offset for size in sizes])
