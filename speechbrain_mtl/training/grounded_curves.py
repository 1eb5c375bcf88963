"""What the log of a training with images says of each epoch."""

from collections.abc import Mapping, Sequence

from speechbrain_mtl.training.grounded_brain import SPEECH


def read_curves(entries: Sequence[Mapping]) -> dict[str, dict]:
    """Read what a log says of each epoch.

    Arguments
    ---------
    entries : sequence of dict
        Lines of ``train_log.jsonl``.

    Returns
    -------
    read : dict
        ``curves``: ``{epoch: {"task/measure": value}}`` of validation, with
        the ABX errors of the best layer of the transformer; ``train``:
        ``{epoch: {task: mean loss}}``; ``abx``: ``{epoch: {speaker: errors of
        all layers}}``.

    Example
    -------
    >>> line = {"split": "abx", "epoch": 2, "step": 9}
    >>> line["within"] = {"errors": [0.1, 0.4, 0.3], "cells": 5}
    >>> read_curves([line])["curves"]
    {2: {'wav2vec2/abx_within': 0.3}}
    """
    curves: dict[int, dict[str, float]] = {}
    losses: dict[int, dict[str, list[tuple[float, int]]]] = {}
    abx: dict[int, dict[str, list[float]]] = {}
    before = 0
    for entry in entries:
        epoch = entry["epoch"]
        if entry["split"] == "train":
            steps, before = entry["step"] - before, entry["step"]
            for task, found in entry["tasks"].items():
                if "loss" in found:
                    epoch_losses = losses.setdefault(epoch, {})
                    pair = (found["loss"], steps)
                    epoch_losses.setdefault(task, []).append(pair)
        elif entry["split"] == "valid":
            for task, found in entry["tasks"].items():
                for what, value in found.items():
                    curves.setdefault(epoch, {})[f"{task}/{what}"] = value
        elif entry["split"] == "abx":
            by_speaker = {
                speaker: entry[speaker]["errors"]
                for speaker in ("within", "across")
                if speaker in entry
            }
            abx[epoch] = by_speaker
            for speaker, errors in by_speaker.items():
                # Layer 0 is what the transformer is given.
                best = min(errors[1:])
                curves.setdefault(epoch, {})[f"{SPEECH}/abx_{speaker}"] = best
    train = {
        epoch: {
            task: sum(v * n for v, n in pairs) / sum(n for _, n in pairs)
            for task, pairs in by_task.items()
        }
        for epoch, by_task in losses.items()
    }
    return {"curves": curves, "train": train, "abx": abx}
