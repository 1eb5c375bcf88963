"""Some frames of many recordings, for whatever is fitted to frames."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from speechbrain_mtl.data.audio import SAMPLE_RATE, read_audio
from speechbrain_mtl.workers.base import Worker

Recordings = Mapping[str, Mapping[str, Any]] | Sequence[torch.Tensor]
# Of a recording's frames at least: at most ten times as much audio is read
# as frames are kept.
SHARE = 0.1
BATCH_SECONDS = 60.0  # of audio worked on at once, padding included


def sample_frames(
    worker: Worker,
    recordings: Recordings,
    count: int,
    seed: int = 0,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> torch.Tensor:
    """Draw frames from recordings in random order, an even share of each.

    Arguments
    ---------
    worker : Worker
        Gives the frames.
    recordings : dict or sequence of torch.Tensor
        Entries of a manifest ``{id: {"wav": path, "duration": s}}``, or
        waveforms [T] at 16 kHz. The order of entries does not matter.
    count : int
        Frames at most; all there are when fewer.
    seed : int
        Of the draw.
    device : str or torch.device
        Where the worker is.
    progress : bool
        Show a bar.

    Returns
    -------
    frames : torch.Tensor
        float32 [n, worker.dim] on the processor.

    Raises
    ------
    ValueError
        When there is no recording, or frames are not finite.

    Example
    -------
    >>> from speechbrain_mtl.workers import MFCC
    >>> wavs = [torch.randn(16000) for _ in range(3)]
    >>> sample_frames(MFCC(), wavs, count=100).shape
    torch.Size([100, 60])
    """
    if isinstance(recordings, Mapping):
        names = sorted(recordings)
        seconds = [recordings[name]["duration"] for name in names]
    else:
        names = range(len(recordings))
        seconds = [len(wav) / SAMPLE_RATE for wav in recordings]
    if not len(names):
        raise ValueError("no recordings to take frames from. Give some.")
    samples = torch.tensor([round(s * SAMPLE_RATE) for s in seconds])
    total = int(worker.frame_lens(samples).sum())
    share = min(max(count / total, SHARE), 1.0)
    random = np.random.default_rng(seed)
    order = random.permutation(len(names))
    parts, found = [], 0
    with tqdm(total=count, unit="frame", disable=not progress) as bar:
        for batch in _batches(order, samples):
            wavs = [_read(recordings[names[index]]) for index in batch]
            read = torch.tensor([len(wav) for wav in wavs])
            padded = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True)
            lens = read / padded.shape[1]
            labels = worker(padded.to(device), lens.to(device)).cpu()
            for index, frames, valid in zip(
                batch, labels, worker.frame_lens(read).tolist()
            ):
                frames = frames[:valid]
                if not frames.isfinite().all():
                    raise ValueError(
                        f"recording {names[index]}: {type(worker).__name__} "
                        "gives NaN or infinity. Look at the recording, or "
                        "leave it out."
                    )
                kept = random.permutation(valid)[: math.ceil(share * valid)]
                parts.append(frames[torch.from_numpy(np.sort(kept))])
                bar.update(len(kept))
                found += len(kept)
            if found >= count:
                break
    return torch.cat(parts)[:count]


def _batches(order: np.ndarray, samples: torch.Tensor) -> Iterator[list[int]]:
    """Group recordings in the given order, so much audio at once."""
    batch: list[int] = []
    longest = 0
    for index in order:
        longest = max(longest, int(samples[index]))
        if batch and (len(batch) + 1) * longest > BATCH_SECONDS * SAMPLE_RATE:
            yield batch
            batch, longest = [], int(samples[index])
        batch.append(index)
    yield batch


def _read(recording: Mapping[str, Any] | torch.Tensor) -> torch.Tensor:
    """Give the waveform of an entry, or the waveform itself."""
    if isinstance(recording, Mapping):
        return read_audio(recording["wav"])
    return recording
