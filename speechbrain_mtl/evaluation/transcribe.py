"""Probes that transcribe: CTC over frozen frames, phone error rate."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from speechbrain_mtl.evaluation.examples import SILENCE
from speechbrain_mtl.evaluation.features import Features
from speechbrain_mtl.evaluation.heads import LinearHead, MLPHead, RNNHead
from speechbrain_mtl.evaluation.intervals import bootstrap_interval
from speechbrain_mtl.evaluation.layers import LayerMix
from speechbrain_mtl.evaluation.probes import ProbeResult, train_head
from speechbrain_mtl.evaluation.text import ctc_greedy, edit_distances

HEADS = {"linear": LinearHead, "mlp": MLPHead, "rnn": RNNHead}
BLANK = 0


@dataclass
class Utterance:
    """Frames and label sequence of one recording."""

    x: torch.Tensor  # mixed layers, [F, D]
    y: list[int]  # classes from 1; 0 is the blank
    cluster: str


def transcripts(
    features: Features,
    entries: dict[str, dict],
    field: str,
    classes: list[str],
    mix: LayerMix,
) -> list[Utterance]:
    """Collect the utterances that have a segment list, silence left out."""
    number = {label: i for i, label in enumerate(classes, start=1)}
    utterances = []
    for utterance, entry in entries.items():
        labels = [s[2] for s in entry.get(field, []) if s[2] not in SILENCE]
        if not labels:
            continue
        unknown = sorted(set(labels) - set(number))
        if unknown:
            raise ValueError(
                f"{utterance}: {field} {unknown} never occur in the training "
                "part; map or remove them"
            )
        first, last = features.span(utterance)
        utterances.append(
            Utterance(
                mix(features.frames[first:last]),
                [number[label] for label in labels],
                entry.get("speaker") or utterance,
            )
        )
    return utterances


def collate(utterances: list[Utterance]) -> tuple:
    """Pad frames and labels: x, frame lens, y, label lens."""
    x = pad_sequence([u.x for u in utterances], batch_first=True)
    lens = torch.tensor([len(u.x) for u in utterances])
    y = torch.tensor([label for u in utterances for label in u.y])
    y_lens = torch.tensor([len(u.y) for u in utterances])
    return x, lens, y, y_lens


def group(utterances: list[Utterance], frames: int) -> list[list[Utterance]]:
    """Put neighbours in a length-sorted list into batches of `frames`."""
    batches, batch = [], []
    for utterance in sorted(utterances, key=lambda u: len(u.x)):
        if batch and len(utterance.x) * (len(batch) + 1) > frames:
            batches.append(batch)
            batch = []
        batch.append(utterance)
    return [*batches, batch] if batch else batches


def ctc_loss(head: nn.Module, batch: tuple) -> torch.Tensor:
    """CTC per label; labels that need more frames than there are count 0."""
    x, lens, y, y_lens = batch
    scores = head(x, lens).log_softmax(-1).transpose(0, 1)
    loss = functional.ctc_loss(
        scores, y, lens, y_lens, BLANK, reduction="sum", zero_infinity=True
    )
    return loss / y_lens.sum()


@torch.no_grad()
def errors(
    head: nn.Module, utterances: list[Utterance], frames: int
) -> tuple[list[int], list[int], list[str]]:
    """Count edits and reference labels of each utterance, with its cluster."""
    edits, labels, clusters = [], [], []
    for batch in group(utterances, frames):
        x, lens, _, _ = collate(batch)
        hyps = ctc_greedy(head(x, lens), lens / x.shape[1], BLANK)
        edits += edit_distances([u.y for u in batch], hyps).tolist()
        labels += [len(utterance.y) for utterance in batch]
        clusters += [utterance.cluster for utterance in batch]
    return edits, labels, clusters


def transcribe(
    train: list[Utterance],
    valid: list[Utterance],
    test: list[Utterance],
    classes: int,
    head: str,
    mix: LayerMix,
    lrs: list[float],
    epochs: int,
    batch_size: int,
    seed: int = 0,
) -> ProbeResult:
    """Train one CTC head on frozen frames and test it once.

    Arguments
    ---------
    train, valid, test : list of Utterance
        Splits; `valid` chooses the learning rate.
    classes : int
        Number of labels, the blank not counted.
    head : str
        ``"linear"``, ``"mlp"`` or ``"rnn"``.
    mix : LayerMix
        That made the frames, for the record.
    lrs : list of float
        Learning rates to try.
    epochs, batch_size : int
        Length of training and padded frames a batch.
    seed : int
        Fixes initial values and order.

    Returns
    -------
    result : ProbeResult
        Label error rate, with a bootstrap interval over test clusters.
    """
    ready = [collate(batch) for batch in group(train, batch_size)]

    def batches(generator: torch.Generator) -> list[tuple]:
        order = torch.randperm(len(ready), generator=generator)
        return [ready[i] for i in order]

    best = None
    for lr in lrs:
        torch.manual_seed(seed)
        candidate = HEADS[head](train[0].x.shape[-1], classes + 1)
        train_head(candidate, batches, ctc_loss, lr, epochs, seed)
        edits, labels, _ = errors(candidate, valid, batch_size)
        rate = sum(edits) / sum(labels)
        if best is None or rate < best[0]:
            best = (rate, lr, candidate)
    valid_rate, lr, chosen = best
    edits, labels, clusters = errors(chosen, test, batch_size)
    return ProbeResult(
        metric="per",
        value=sum(edits) / sum(labels),
        interval=list(bootstrap_interval(edits, clusters, labels, seed=seed)),
        n=sum(labels),
        head=head,
        lr=lr,
        valid=valid_rate,
        layers=[round(w, 4) for w in mix.weights.tolist()],
    )
