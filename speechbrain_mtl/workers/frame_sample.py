"""Some frames of many recordings, for whatever is fitted to frames."""

import math
from collections.abc import Mapping, Sequence
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
    parts, found = [], 0
    bar = tqdm(total=count, unit="frame", disable=not progress)
    with bar:
        for index in random.permutation(len(names)):
            name = names[index]
            wav = recordings[name]
            if isinstance(wav, Mapping):
                wav = read_audio(wav["wav"])
            labels = worker(wav[None].to(device), torch.ones(1, device=device))
            frames = labels[0].cpu()
            if not frames.isfinite().all():
                raise ValueError(
                    f"recording {name}: {type(worker).__name__} gives NaN or "
                    "infinity. Look at the recording, or leave it out."
                )
            kept = random.permutation(len(frames))
            kept = np.sort(kept[: math.ceil(share * len(frames))])
            parts.append(frames[torch.from_numpy(kept)])
            bar.update(len(kept))
            found += len(kept)
            if found >= count:
                break
    return torch.cat(parts)[:count]
