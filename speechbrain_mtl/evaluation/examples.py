"""Turn manifest labels and frozen features into examples for probes."""

from collections import Counter
from dataclasses import dataclass

import torch

from speechbrain_mtl.evaluation.features import Features

POOLINGS = ("mean", "stats")
SILENCE = frozenset({"", "SIL", "sil", "sp", "spn", "<unk>"})


@dataclass
class Examples:
    """Labelled inputs of one split.

    Arguments
    ---------
    x : torch.Tensor
        [N, L, D].
    y : torch.Tensor
        Class numbers, [N].
    clusters : list of str
        What each example was cut from (a speaker, an utterance): examples of
        one cluster are not independent.
    """

    x: torch.Tensor
    y: torch.Tensor
    clusters: list[str]


def frequent_classes(labels: list[str], least: int = 1) -> list[str]:
    """Give the sorted labels that occur at least `least` times.

    Example
    -------
    >>> frequent_classes(["a", "b", "a"], least=2)
    ['a']
    """
    counts = Counter(labels)
    return sorted(label for label, n in counts.items() if n >= least)


def segment_labels(entries: dict[str, dict], field: str) -> list[str]:
    """List the labels of all segments of a field, silence left out."""
    return [
        label
        for entry in entries.values()
        for _, _, label in entry.get(field, [])
        if label not in SILENCE
    ]


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
        Manifest entries with a segment list ``[[start, end, label], ...]``.
    field : str
        Name of that list.
    classes : list of str
        Labels to keep; frames of other labels are left out.

    Returns
    -------
    examples : Examples
        Clustered by utterance.
    """
    number = {label: i for i, label in enumerate(classes)}
    index, y, clusters = [], [], []
    for utterance, entry in entries.items():
        segments = entry.get(field)
        if not segments:
            continue
        times = features.times(utterance)
        starts = torch.tensor([s[0] for s in segments], dtype=torch.float64)
        ends = torch.tensor([s[1] for s in segments], dtype=torch.float64)
        ids = torch.tensor([number.get(s[2], -1) for s in segments])
        where = torch.searchsorted(starts, times, right=True) - 1
        labels = torch.where(
            (where >= 0) & (times < ends[where.clamp(min=0)]),
            ids[where.clamp(min=0)],
            -1,
        )
        kept = (labels >= 0).nonzero().flatten()
        index.append(features.begins[utterance] + kept)
        y.append(labels[kept])
        clusters += [utterance] * len(kept)
    return Examples(features.frames[torch.cat(index)], torch.cat(y), clusters)


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
        ``"mean"``, or ``"stats"`` for means followed by standard deviations.

    Returns
    -------
    pooled : torch.Tensor
        [S, L, D] or [S, L, 2 D], float32.
    """
    _, layers, width = features.frames.shape
    counts = torch.tensor([last - first for first, last in spans])
    which = torch.repeat_interleave(torch.arange(len(spans)), counts)
    begins = torch.tensor([first for first, _ in spans])
    within = torch.arange(len(which)) - (counts.cumsum(0) - counts)[which]
    rows = begins[which] + within
    moments = 1 if pooling == "mean" else 2
    sums = torch.zeros(moments, len(spans), layers, width)
    # Blocks bound the memory: the gathered frames are float32.
    for block in torch.arange(len(rows)).split(8192):
        frames = features.frames[rows[block]].float()
        for power in range(moments):
            sums[power].index_add_(0, which[block], frames ** (power + 1))
    sums /= counts[None, :, None, None]
    if pooling == "stats":
        sums[1] = (sums[1] - sums[0].square()).clamp(min=0).sqrt()
    return torch.cat(list(sums), dim=-1)


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
        Manifest entries; `field` is a segment list or one label.
    field : str
        Name of the label.
    classes : list of str
        Labels to keep; others are left out.
    pooling : str
        One of `POOLINGS`.

    Returns
    -------
    examples : Examples
        Clustered by speaker where the manifest names several, else by
        utterance.
    """
    number = {label: i for i, label in enumerate(classes)}
    spans, y, clusters, own = [], [], [], []
    for utterance, entry in entries.items():
        value = entry.get(field)
        if value is None:
            continue
        if not isinstance(value, list):
            value = [[0.0, float("inf"), value]]
        for start, stop, label in value:
            if label in number:
                spans.append(features.span(utterance, start, stop))
                y.append(number[label])
                clusters.append(entry.get("speaker") or utterance)
                own.append(utterance)
    if len(set(clusters)) < 2:
        clusters = own
    return Examples(pool(features, spans, pooling), torch.tensor(y), clusters)
