"""What segments sound like, and what their pretext labels are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from speechbrain.lobes.features import Fbank
from tqdm import tqdm

from speechbrain_mtl.data.audio import (
    SAMPLE_RATE,
    entry_seconds,
    read_entry,
)
from speechbrain_mtl.selection.labels import (
    NothingToCompare,
    UnitLabels,
    ValueLabels,
)
from speechbrain_mtl.selection.processes import mine, total
from speechbrain_mtl.selection.spans import Spans
from speechbrain_mtl.selection.strata import Segments
from speechbrain_mtl.workers import Worker, WorkerBank

MELS = 40
SILENT_DB = 1e-3  # range of a spectrogram in which there is nothing
HOP = 160  # samples between frames of the spectrogram, the first centred at 0


@dataclass(frozen=True)
class Measurements:
    """Segments as the estimator sees them.

    Arguments
    ---------
    mels : torch.Tensor
        Downsampled log-mel spectrograms in dB, float32 [N, n_samples, 40].
    labels : dict
        Label of each segment, [N, d] by name: means or trajectories of values
        (`ValueLabels`), histograms of units (`UnitLabels`). Squared distances
        are means over dimensions and rows, so that labels of any kind lie on
        one scale.
    seconds : float
        Audio read.
    """

    mels: torch.Tensor
    labels: dict[str, torch.Tensor]
    seconds: float


def measure(
    manifest: Mapping[str, Mapping[str, Any]],
    segments: Segments,
    workers: Mapping[str, Worker],
    n_samples: int = 10,
    batch_seconds: float = 120.0,
    device: str | torch.device = "cpu",
    progress: bool = False,
    trajectory: bool = False,
) -> Measurements:
    """Read every recording once; embed its segments, sum up their labels.

    Several processes share out the recordings, and all get the measurements.
    Segments are cut by time: each worker, and the spectrogram, gives the
    frames whose centres lie inside, by its own clock.

    Arguments
    ---------
    manifest : dict
        ``{id: entry}`` with paths resolved.
    segments : Segments
        From `stratify`.
    workers : dict
        Worker by name.
    n_samples : int
        Rows of a segment's embedding.
    batch_seconds : float
        Seconds of audio, padding included, worked on at once.
    device : str or torch.device
        Where to compute; the measurements stay there.
    progress : bool
        Show a bar.
    trajectory : bool
        Keep each label's course over the segment, downsampled to `n_samples`
        rows as the speech is, instead of its mean.

    Returns
    -------
    measurements : Measurements

    Raises
    ------
    ValueError
        When a recording cannot be read, a segment reaches beyond its end, a
        worker gives NaN, infinity or a unit it does not have.
    NothingToCompare
        When a label is constant, or all recordings are silent.

    Example
    -------
    >>> import soundfile
    >>> from speechbrain_mtl.selection.strata import stratify
    >>> from speechbrain_mtl.workers import RMSEnergy
    >>> folder, manifest = getfixture("tmp_path"), {}
    >>> for i in range(8):
    ...     wav = str(folder / f"{i}.wav")
    ...     noise = 0.01 * (i + 1) * torch.randn(8000)
    ...     soundfile.write(wav, noise.numpy(), 16000)
    ...     manifest[f"u{i}"] = {"wav": wav, "duration": 0.5, "loud": i > 3}
    >>> segments = stratify(manifest, "loud", min_per_class=4)
    >>> measured = measure(manifest, segments, {"rms": RMSEnergy()}, 4)
    >>> measured.mels.shape, measured.labels["rms"].shape
    (torch.Size([8, 4, 40]), torch.Size([8, 1]))
    """
    bank = WorkerBank(dict(workers)).to(device).eval()
    fbank = Fbank(n_mels=MELS).to(device).eval()
    of_file: dict[str, list[int]] = {}
    for index, key in enumerate(segments.ids):
        of_file.setdefault(key, []).append(index)
    durations = {key: entry_seconds(manifest[key]) for key in of_file}
    count = len(segments)
    mels = torch.zeros(count, n_samples, MELS, device=device)
    rows_kept = n_samples if trajectory else None
    collected = {
        name: ValueLabels(name, worker.dim, count, rows_kept, device)
        if worker.units is None
        else UnitLabels(
            name, worker.dim, worker.units, count, rows_kept, device
        )
        for name, worker in bank.items()
    }
    samples_read = 0
    batches = [
        keys for _, keys in mine(list(_batches(durations, batch_seconds)))
    ]
    bar = tqdm(total=sum(map(len, batches)), unit="file", disable=not progress)
    with bar, torch.no_grad():
        for keys in batches:
            wavs = [read_entry(key, manifest[key]) for key in keys]
            samples = [len(wav) for wav in wavs]
            index = [i for key in keys for i in of_file[key]]
            rows = [r for r, key in enumerate(keys) for _ in of_file[key]]
            starts, ends = segments.starts[index], segments.ends[index]
            spans = Spans(starts, ends, rows, samples, keys)
            batch = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True)
            batch = batch.to(device)
            lens = torch.tensor(samples, device=device) / batch.shape[1]
            cut = spans.frames(
                HOP / SAMPLE_RATE, 0.0, [n // HOP + 1 for n in samples]
            )
            mels[index] = spans.downsample(fbank(batch), *cut, n_samples)
            for name, label in bank(batch, lens).items():
                worker = bank[name]
                valid = worker.frame_lens(torch.tensor(samples)).numpy()
                cut = spans.frames(worker.hop, worker.offset, valid)
                _check_finite(name, label, keys)
                collected[name].add(index, label, spans, *cut)
            samples_read += sum(samples)
            bar.update(len(keys))
    mels = total(mels)
    seconds = float(total(torch.tensor(samples_read))) / SAMPLE_RATE
    if mels.amax() - mels.amin() < SILENT_DB:
        raise NothingToCompare(
            f"all {len(of_file)} recordings are silent. Check that the "
            "manifest names the right files, and copy them again."
        )
    for label in collected.values():
        label.gather()
    labels = {name: label.result() for name, label in collected.items()}
    return Measurements(mels, labels, seconds)


def _batches(
    durations: Mapping[str, float], batch_seconds: float
) -> Iterator[list[str]]:
    """Group recordings of similar length, each group within the budget."""
    batch: list[str] = []
    for key in sorted(durations, key=lambda key: (durations[key], key)):
        if batch and (len(batch) + 1) * durations[key] > batch_seconds:
            yield batch
            batch = []
        batch.append(key)
    yield batch


def _check_finite(name: str, label: torch.Tensor, keys: list[str]) -> None:
    """Refuse NaN and infinity, naming the first recording that has any."""
    bad = ~label.isfinite().all(dim=2).all(dim=1)
    if bad.any():
        key = keys[int(bad.nonzero()[0])]
        raise ValueError(
            f"{key}: worker {name!r} gives NaN or infinity. Look at the "
            "recording (`python -m speechbrain_mtl check`), or leave the "
            "worker out."
        )
