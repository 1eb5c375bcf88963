"""Frozen features of a manifest, extracted once for all probes."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

import torch
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from speechbrain_mtl.data.audio import read_audio
from speechbrain_mtl.models import Encoder


@dataclass
class Features:
    """All layers of many utterances, frames laid end to end.

    Arguments
    ---------
    frames : torch.Tensor
        [N, L, D] float16; layers narrower than D are filled up with zeros.
    begins : dict
        First frame of each utterance in `frames`, by id.
    counts : dict
        Number of frames of each utterance, by id.
    hop, offset : float
        Seconds between frame centres, and the centre of the first.

    Example
    -------
    >>> frames = torch.zeros(5, 1, 1, dtype=torch.float16)
    >>> features = Features(frames, {"a": 0, "b": 3}, {"a": 3, "b": 2}, 0.5, 0.0)
    >>> features.times("a")
    tensor([0.0000, 0.5000, 1.0000], dtype=torch.float64)
    >>> features.span("b", 0.4, 0.9)
    (4, 5)
    """

    frames: torch.Tensor
    begins: dict[str, int]
    counts: dict[str, int]
    hop: float
    offset: float

    def times(self, utterance: str) -> torch.Tensor:
        """Give the centre of every frame of an utterance in seconds."""
        frames = torch.arange(self.counts[utterance], dtype=torch.float64)
        return self.offset + self.hop * frames

    def span(
        self, utterance: str, start: float = 0.0, stop: float = inf
    ) -> tuple[int, int]:
        """Find the frames centred in [start, stop): first and past-last.

        A span without a frame gets the one nearest to its middle.
        """
        count = self.counts[utterance]
        # Comparing the very times above leaves rounding no say.
        first, last = (
            bisect_left(
                range(count), time, key=lambda k: self.offset + self.hop * k
            )
            for time in (start, stop)
        )
        if first == last:
            middle = start if stop == inf else (start + stop) / 2
            nearest = round((middle - self.offset) / self.hop)
            first = min(max(nearest, 0), count - 1)
            last = first + 1
        begin = self.begins[utterance]
        return begin + first, begin + last


@torch.no_grad()
def extract(
    encoder: Encoder,
    entries: dict[str, dict],
    device: str | torch.device = "cpu",
    batch_seconds: float = 60.0,
) -> Features:
    """Run a frozen encoder over a manifest, all layers in one forward.

    Arguments
    ---------
    encoder : Encoder
        Put into eval mode and onto `device`.
    entries : dict
        Manifest entries with ``wav`` (a path) and ``duration``.
    device : str or torch.device
        Where to run.
    batch_seconds : float
        Padded audio a forward; a longer recording runs alone.

    Returns
    -------
    features : Features
        On the host, float16.

    Raises
    ------
    ValueError
        When a recording is too short for a frame, or the encoder gives
        numbers that half precision does not hold.

    Example
    -------
    >>> import soundfile
    >>> from speechbrain_mtl.models import ContextFbank
    >>> path = str(getfixture("tmp_path") / "noise.wav")
    >>> soundfile.write(path, torch.randn(8000).clamp(-1, 1).numpy(), 16000)
    >>> encoder = ContextFbank(n_mels=8, context=1)
    >>> encoder.calibrate(torch.randn(1, 8000), torch.ones(1))
    >>> extract(encoder, {"a": {"wav": path, "duration": 0.5}}).frames.shape
    torch.Size([24, 1, 24])
    """
    encoder = encoder.to(device).eval()
    width = max(encoder.dims)
    chunks, begins, counts, total = [], {}, {}, 0
    for batch in batches_by_length(entries, batch_seconds):
        wavs = [read_audio(entries[i]["wav"]) for i in batch]
        samples = torch.tensor([len(wav) for wav in wavs])
        wavs = pad_sequence(wavs, batch_first=True)
        lens = samples / wavs.shape[1]
        encoded = encoder(wavs.to(device), lens.to(device))
        layers = [
            pad(layer.half(), (0, width - layer.shape[-1]))
            for layer in encoded.layers
        ]
        chunk = torch.stack(layers, dim=2)[encoded.mask()].cpu()
        for utterance, count in zip(batch, encoded.lens.tolist()):
            if count == 0:
                raise ValueError(
                    f"{entries[utterance]['wav']}: too short for one frame of "
                    "the encoder. Remove the entry."
                )
            begins[utterance], counts[utterance] = total, count
            total += count
        if not chunk.abs().amax().isfinite():
            raise ValueError(
                f"{entries[batch[0]]['wav']}, or another of the {len(batch)} "
                "recordings of its length: the encoder's output is NaN or "
                "beyond the 65504 of half precision. Pretraining diverged, or "
                "a layer wants a normalisation."
            )
        chunks.append(chunk)
    return Features(
        torch.cat(chunks), begins, counts, encoder.hop, encoder.offset
    )


def batches_by_length(
    entries: dict[str, dict], batch_seconds: float
) -> Iterable[list[str]]:
    """Group ids by length so that padding is small; longest first.

    Arguments
    ---------
    entries : dict
        Manifest entries with ``duration``.
    batch_seconds : float
        Most padded seconds a group.

    Returns
    -------
    batches : iterable of list of str
        Each id once; one longer than the budget is alone.

    Example
    -------
    >>> entries = {i: {"duration": d} for i, d in zip("abc", [1.0, 9.0, 2.0])}
    >>> list(batches_by_length(entries, 4.0))
    [['b'], ['c', 'a']]
    """
    order = sorted(entries, key=lambda i: (-entries[i]["duration"], i))
    batch: list[str] = []
    for utterance in order:
        longest = entries[batch[0]]["duration"] if batch else 0.0
        if batch and longest * (len(batch) + 1) > batch_seconds:
            yield batch
            batch = []
        batch.append(utterance)
    if batch:
        yield batch
