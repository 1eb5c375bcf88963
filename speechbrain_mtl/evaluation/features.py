"""Frozen features of a manifest, extracted once for all probes."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm

from speechbrain_mtl.data.audio import entry_seconds, read_entry
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
        self, utterance: str, start: float = 0.0, stop: float = float("inf")
    ) -> tuple[int, int]:
        """Find the frames centred in [start, stop): first and past-last.

        A span shorter than a frame gets the frame nearest to its middle.
        """
        count = self.counts[utterance]
        first = max(0, -int((self.offset - start) // self.hop))
        last = count
        if stop < float("inf"):
            last = min(count, -int((self.offset - stop) // self.hop))
        if last <= first:
            middle = (start + stop) / 2 if stop < float("inf") else start
            first = round((middle - self.offset) / self.hop)
            first = min(max(first, 0), count - 1)
            last = first + 1
        begin = self.begins[utterance]
        return begin + first, begin + last


def _batches(
    entries: dict[str, dict], batch_seconds: float
) -> Iterable[list[str]]:
    """Group ids by length so that padding is small; longest first."""
    seconds = {i: entry_seconds(entry) for i, entry in entries.items()}
    order = sorted(entries, key=lambda i: (-seconds[i], i))
    batch, longest = [], 0.0
    for utterance in order:
        longest = longest or seconds[utterance]
        if batch and longest * (len(batch) + 1) > batch_seconds:
            yield batch
            batch, longest = [], seconds[utterance]
        batch.append(utterance)
    if batch:
        yield batch


@torch.no_grad()
def extract(
    encoder: Encoder,
    entries: dict[str, dict],
    device: str | torch.device = "cpu",
    batch_seconds: float = 60.0,
    progress: bool = True,
    title: str = "features",
) -> Features:
    """Run a frozen encoder over a manifest, all layers in one forward.

    Arguments
    ---------
    encoder : Encoder
        Put into eval mode and onto `device`.
    entries : dict
        Manifest entries with ``wav`` (a path) and ``duration``; ``start``
        and ``stop``, where given, are the part to read.
    device : str or torch.device
        Where to run.
    batch_seconds : float
        Padded audio a forward.
    progress : bool
        Show a progress bar.
    title : str
        Of the bar.

    Returns
    -------
    features : Features
        On the host, float16.
    """
    encoder = encoder.to(device).eval()
    width = max(encoder.dims)
    chunks, begins, counts, total = [], {}, {}, 0
    batches = list(_batches(entries, batch_seconds))
    for batch in tqdm(batches, desc=title, disable=not progress):
        wavs = [read_entry(i, entries[i]) for i in batch]
        samples = torch.tensor([len(wav) for wav in wavs])
        wavs = pad_sequence(wavs, batch_first=True)
        lens = samples / wavs.shape[1]
        encoded = encoder(wavs.to(device), lens.to(device))
        layers = [
            torch.nn.functional.pad(layer, (0, width - layer.shape[-1]))
            for layer in encoded.layers
        ]
        stacked = torch.stack(layers, dim=2).half().cpu()
        valid = encoded.mask().cpu()
        chunks.append(stacked[valid])
        for utterance, count in zip(batch, encoded.lens.tolist()):
            begins[utterance], counts[utterance] = total, count
            total += count
    return Features(
        torch.cat(chunks), begins, counts, encoder.hop, encoder.offset
    )
