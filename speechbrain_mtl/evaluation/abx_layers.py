"""Where in an encoder are phones? The ABX error of every layer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from speechbrain_mtl.data.manifest import raise_problems
from speechbrain_mtl.evaluation.abx import AbxScore, score_layers
from speechbrain_mtl.evaluation.abx_items import as_items, triphone_items
from speechbrain_mtl.evaluation.abx_slicing import lay_out
from speechbrain_mtl.evaluation.features import extract
from speechbrain_mtl.models import Encoder


def abx_by_layer(
    encoder: Encoder,
    entries: Mapping[str, Mapping[str, Any]],
    items: Iterable | None = None,
    speakers: Sequence[str] = ("within",),
    slicing: str = "fixed",
    distance: str = "angular",
    rename: Callable[[str], str] = str,
    device: str | torch.device = "cpu",
    batch_seconds: float = 60.0,
    progress: bool = False,
    most_tokens: int | None = None,
    most_speakers: int | None = None,
    seed: int = 0,
) -> dict[str, list[AbxScore]]:
    """Measure every layer after one forward, on the same triplets.

    Arguments
    ---------
    encoder : Encoder
        Put into eval mode and onto `device`. Its own hop and offset say when
        a frame is.
    entries : dict
        Manifest entries with ``wav`` and ``duration``, and with ``phones``
        and ``speaker`` unless `items` are given.
    items : path or iterable, optional
        See `abx_error`; the triphones of the entries by default.
    speakers : sequence of str
        ``"within"``, ``"across"``, or both.
    slicing, distance, most_tokens, most_speakers, seed
        See `abx_score`.
    rename : callable
        See `triphone_items`.
    device : str or torch.device
        Where to encode and compare.
    batch_seconds : float
        Padded audio a forward.
    progress : bool
        Show a bar while encoding.

    Returns
    -------
    scores : dict
        ``{speaker: [AbxScore of each layer, lowest first]}``. Layers are
        held as float16.

    Raises
    ------
    ValueError
        As `abx_score`; also when items name what is no entry.
    """
    rows = triphone_items(entries, rename) if items is None else as_items(items)
    names = dict.fromkeys(item.file for item in rows)
    raise_problems(
        "items",
        [
            f"{name}: named by items, but not in the manifest. Add it, or "
            "take its items out."
            for name in names
            if name not in entries
        ],
    )
    features = extract(
        encoder,
        {name: dict(entries[name]) for name in names},
        device,
        batch_seconds,
        progress,
    )
    segments = []
    for layer, width in enumerate(encoder.dims):
        frames = {
            name: features.frames[begin : begin + features.counts[name]][
                :, layer, :width
            ]
            for name, begin in features.begins.items()
        }
        segments.append(
            lay_out(frames, rows, features.hop, features.offset, slicing)
        )
    return {
        speaker: score_layers(
            [segment.frames for segment in segments],
            rows,
            segments[0].begins,
            segments[0].lengths,
            speaker,
            distance,
            most_tokens,
            most_speakers,
            seed,
            device,
        )
        for speaker in speakers
    }
