"""The one reader of audio: any libsndfile format in, mono at one rate out."""

import os
from collections.abc import Mapping

import torch
from speechbrain.dataio import audio_io
from torchaudio.functional import resample

SAMPLE_RATE = 16000
# Two programs may round the length of one recording by so many seconds; also
# what a segment may reach beyond the end of its recording.
TOLERANCE = 0.01


class AudioError(ValueError):
    """A recording that cannot be used; the message names file and remedy."""


def read_audio(
    path: str | os.PathLike,
    sample_rate: int = SAMPLE_RATE,
    start: float = 0.0,
    stop: float | None = None,
) -> torch.Tensor:
    """Read a recording, or a part of it, as mono float32.

    Arguments
    ---------
    path : str or path-like
        A file of any format libsndfile reads (WAV, FLAC, Ogg, MP3, ...).
    sample_rate : int
        Wanted rate in Hz; other rates are resampled. Channels are averaged.
    start : float
        Where to begin, in seconds.
    stop : float, optional
        Where to end, in seconds; the end of the file by default. It may lie
        10 ms beyond, where the rounding of aligners puts it.

    Returns
    -------
    wav : torch.Tensor
        Shape [T], values about -1 to 1.

    Raises
    ------
    AudioError
        When the file is missing, empty, unreadable or holds NaN or infinity,
        and when the part wanted is empty or lies beyond the end.

    Example
    -------
    >>> import soundfile
    >>> path = getfixture("tmp_path") / "tone.wav"
    >>> soundfile.write(path, torch.zeros(8000, 2).numpy(), 8000)
    >>> read_audio(path).shape
    torch.Size([16000])
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise AudioError(
            f"{path}: no such file. Check data_root, or make the manifest anew."
        )
    try:
        info = audio_io.info(path)
        rate = info.sample_rate
        first = round(start * rate)
        # A negative count would read to the end, a negative offset from it.
        count = -1 if stop is None else max(round(stop * rate) - first, 0)
        wav, _ = audio_io.load(
            path, dtype=torch.float32, frame_offset=first, num_frames=count
        )
    except Exception as error:  # libsndfile raises its own kinds
        raise AudioError(
            f"{path}: not readable as audio ({error}). Copy it again, or "
            "convert it to WAV or FLAC."
        ) from error
    beyond = stop is not None and stop > info.duration + TOLERANCE
    if start < 0 or beyond or wav.numel() == 0:
        raise AudioError(
            f"{path}: no samples from {start} s to "
            f"{'the end' if stop is None else f'{stop} s'}; it is "
            f"{info.duration:.3f} s long. Correct the times, remove the entry, "
            "or copy the file again."
        )
    if not torch.isfinite(wav).all():
        raise AudioError(
            f"{path}: holds NaN or infinite samples. Write the file again "
            "from its source, or remove the entry."
        )
    wav = wav.mean(dim=0)
    return wav if rate == sample_rate else resample(wav, rate, sample_rate)


def read_entry(name: str, entry: Mapping) -> torch.Tensor:
    """Read the recording of a manifest entry, or the part it names.

    Arguments
    ---------
    name : str
        The entry's id, for messages.
    entry : dict
        With ``wav`` (a path) and, where a part is meant, ``start`` and
        ``stop`` in seconds.

    Returns
    -------
    wav : torch.Tensor
        [T], 16 kHz.

    Raises
    ------
    AudioError
        As `read_audio`; the message begins with the id.
    """
    try:
        return read_audio(
            entry["wav"], start=entry.get("start", 0.0), stop=entry.get("stop")
        )
    except AudioError as error:
        raise AudioError(f"{name}: {error}") from error


def entry_seconds(entry: Mapping) -> float:
    """Tell how long the recording of an entry, or the part it names, lasts.

    Example
    -------
    >>> entry_seconds({"duration": 60.0, "start": 1.0, "stop": 2.5})
    1.5
    """
    stop = entry.get("stop")
    stop = entry["duration"] if stop is None else stop
    return stop - entry.get("start", 0.0)
