"""Turn manifest labels and frozen features into examples for probes."""

from collections import Counter
from dataclasses import dataclass
from math import inf

import numpy as np
import torch

from speechbrain_mtl.evaluation.features import Features

POOLINGS = ("mean", "stats")
SILENCE = frozenset({"", "SIL", "sil", "sp", "spn", "<unk>"})
BLOCK = 8192  # frames held as float32 at once


@dataclass
class Examples:
    """Labelled inputs of one split.

    Arguments
    ---------
    x : torch.Tensor
        Rows to choose from, such as all frames there are, [M, L, D].
    rows : torch.Tensor
        Which row each example is, [N]: frames are looked up, not copied.
    y : torch.Tensor
        Class numbers, [N].
    clusters : list of str
        What each example was cut from, see `clusters`.
    """

    x: torch.Tensor
    rows: torch.Tensor
    y: torch.Tensor
    clusters: list[str]

    def thin(self, most: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Take at most so many, evenly spread: [n, L, D] float32 and [n]."""
        count = len(self.rows)
        index = torch.arange(min(most, count)) * count // min(most, count)
        return self.x[self.rows[index]].float(), self.y[index]


def segments(entry: dict, field: str) -> list[tuple[float, float, str]]:
    """List what a manifest entry says of a field; silence is left out.

    Arguments
    ---------
    entry : dict
        Manifest entry.
    field : str
        A field with segments ``[[start, end, label], ...]`` or one label for
        the whole utterance; None or no field is no label.

    Returns
    -------
    segments : list of (float, float, label)
        In seconds.

    Raises
    ------
    ValueError
        When the field holds anything else.

    Example
    -------
    >>> segments({"phones": [[0.0, 0.1, "SIL"], [0.1, 0.3, "AH"]]}, "phones")
    [(0.1, 0.3, 'AH')]
    >>> segments({"speaker": "ann"}, "speaker")
    [(0.0, inf, 'ann')]
    """
    value = entry.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        value = [[0.0, inf, value]]
    for segment in value:
        if (
            not isinstance(segment, list)
            or len(segment) != 3
            or not isinstance(segment[2], str | int)
        ):
            raise ValueError(
                f"{entry.get('wav')}: '{field}' is {segment!r}. Name a field "
                "with one label, or with segments [start, end, label]."
            )
    return [tuple(segment) for segment in value if segment[2] not in SILENCE]


def frequent_classes(
    entries: dict[str, dict], field: str, least: int = 1
) -> list[str]:
    """Give the sorted labels that occur at least `least` times.

    Example
    -------
    >>> entries = {i: {"word": w} for i, w in enumerate(["no", "yes", "no"])}
    >>> frequent_classes(entries, "word", least=2)
    ['no']
    """
    counts = Counter(
        label
        for entry in entries.values()
        for _, _, label in segments(entry, field)
    )
    return sorted(label for label, n in counts.items() if n >= least)


def clusters(entries: dict[str, dict]) -> dict[str, str]:
    """Tell which utterances resemble each other: those of one speaker.

    Utterances stand alone where fewer than two speakers are named.

    Example
    -------
    >>> clusters({"1": {"speaker": "ann"}, "2": {"speaker": "bob"}, "3": {}})
    {'1': 'ann', '2': 'bob', '3': '3'}
    >>> clusters({"1": {"speaker": "ann"}, "2": {"speaker": "ann"}})
    {'1': '1', '2': '2'}
    """
    speakers = {i: entry.get("speaker") for i, entry in entries.items()}
    if len(set(speakers.values()) - {None}) < 2:
        return {i: i for i in entries}
    return {i: i if s is None else s for i, s in speakers.items()}


def frame_examples(
    features: Features,
    entries: dict[str, dict],
    field: str,
    classes: list[str],
) -> Examples:
    """Label each frame by the segment its centre lies in.

    Arguments
    ---------
    features : Features
        Of at least these entries.
    entries : dict
        Manifest entries, see `segments`. Where segments overlap, the one
        that starts last counts.
    field : str
        Name of the label.
    classes : list of str
        Labels to keep; frames of other labels are left out.

    Returns
    -------
    examples : Examples
        Clustered by `clusters`.
    """
    number = {label: i for i, label in enumerate(classes)}
    cluster = clusters(entries)
    rows, y, where = [], [], []
    for utterance, entry in entries.items():
        labels = np.full(features.counts[utterance], -1)
        labelled = sorted(segments(entry, field), key=lambda s: s[0])
        times = features.times(utterance).numpy()
        borders = np.searchsorted(times, [s[:2] for s in labelled])
        for (first, last), segment in zip(borders.tolist(), labelled):
            labels[first:last] = number.get(segment[2], -1)
        kept = np.flatnonzero(labels >= 0)
        rows.append(features.begins[utterance] + kept)
        y.append(labels[kept])
        where += [cluster[utterance]] * len(kept)
    return Examples(
        features.frames,
        torch.from_numpy(np.concatenate(rows)),
        torch.from_numpy(np.concatenate(y)),
        where,
    )


def segment_examples(
    features: Features,
    entries: dict[str, dict],
    field: str,
    classes: list[str],
    pooling: str = "mean",
) -> Examples:
    """Pool each labelled segment, or each labelled utterance.

    Arguments
    ---------
    features : Features
        Of at least these entries.
    entries : dict
        Manifest entries, see `segments`.
    field : str
        Name of the label.
    classes : list of str
        Labels to keep; others are left out.
    pooling : str
        One of `POOLINGS`.

    Returns
    -------
    examples : Examples
        Clustered by `clusters`.
    """
    number = {label: i for i, label in enumerate(classes)}
    cluster = clusters(entries)
    found = [
        (features.span(utterance, start, stop), number[label], utterance)
        for utterance, entry in entries.items()
        for start, stop, label in segments(entry, field)
        if label in number
    ]
    return Examples(
        pool(features, [span for span, _, _ in found], pooling),
        torch.arange(len(found)),
        torch.tensor([label for _, label, _ in found], dtype=torch.long),
        [cluster[utterance] for _, _, utterance in found],
    )


def pool(
    features: Features, spans: list[tuple[int, int]], pooling: str = "mean"
) -> torch.Tensor:
    """Summarise each layer over spans of frames.

    Arguments
    ---------
    features : Features
        Where the frames are.
    spans : list of (int, int)
        First and past-last frame of each span.
    pooling : str
        ``"mean"``, or ``"stats"`` for means followed by standard deviations
        (of all frames, not of a sample of them).

    Returns
    -------
    pooled : torch.Tensor
        [S, L, D] or [S, L, 2 D], float32.

    Example
    -------
    >>> frames = torch.tensor([1.0, 3.0, 8.0]).half().view(3, 1, 1)
    >>> features = Features(frames, {"a": 0}, {"a": 3}, 0.02, 0.0)
    >>> pool(features, [(0, 2), (2, 3)], "stats").tolist()
    [[[2.0, 1.0]], [[8.0, 0.0]]]
    """
    _, layers, width = features.frames.shape
    begins, ends = torch.tensor(spans, dtype=torch.long).view(-1, 2).unbind(1)
    counts = ends - begins
    sizes = (counts.cumsum(0) // BLOCK).bincount().tolist()
    pooled = [torch.zeros(0, POOLINGS.index(pooling) + 1, layers, width)]
    for begin, count in zip(begins.split(sizes), counts.split(sizes)):
        which = torch.repeat_interleave(torch.arange(len(count)), count)
        within = torch.arange(len(which)) - (count.cumsum(0) - count)[which]
        x = features.frames[begin[which] + within].float().flatten(1)

        def mean(x: torch.Tensor, which=which, count=count) -> torch.Tensor:
            sums = torch.zeros(len(count), x.shape[1])
            return sums.index_add_(0, which, x) / count[:, None]

        moments = [mean(x)]
        if pooling == "stats":
            # Deviations from the mean: squares alone would cancel.
            moments.append(mean((x - moments[0][which]).square_()).sqrt())
        moments = torch.stack(moments, dim=1)
        pooled.append(moments.view(len(count), -1, layers, width))
    return torch.cat(pooled).transpose(1, 2).flatten(2)
