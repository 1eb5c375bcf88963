"""A table's column: every probe of one frozen encoder."""

from dataclasses import dataclass
from functools import partial

import torch
from tqdm import tqdm

from speechbrain_mtl.evaluation.classify import classify
from speechbrain_mtl.evaluation.examples import (
    POOLINGS,
    SILENCE,
    frame_examples,
    frequent_classes,
    segment_examples,
)
from speechbrain_mtl.evaluation.features import Features, extract
from speechbrain_mtl.evaluation.layers import choose_mix
from speechbrain_mtl.evaluation.probes import ProbeResult
from speechbrain_mtl.evaluation.transcribe import transcribe, transcripts
from speechbrain_mtl.models import Encoder

# Kinds of probe, and the batch size of each when none is asked for.
BATCH_SIZES = {"frames": 1024, "segments": 128, "transcript": 3000}


@dataclass
class ProbeSpec:
    """One question to ask of frozen features.

    Arguments
    ---------
    kind : str
        ``"frames"`` (label of each frame), ``"segments"`` (label of each
        pooled segment or utterance) or ``"transcript"`` (CTC).
    field : str
        Manifest field with the labels.
    heads : list of str
        Heads to train: linear, mlp, and rnn for transcripts.
    lrs : list of float
        Learning rates to choose from on the validation set.
    epochs : int
        Passes over the training set.
    batch_size : int
        Frames or segments a batch; padded frames for transcripts.
    split : str
        Manifest field that says train, valid or test.
    least : int
        Training examples a class needs to take part.
    minutes : float, optional
        Labelled speech to train on, drawn at random; all by default.
    pooling : str
        ``"mean"`` or ``"stats"`` (mean and deviation) over a segment.
    """

    kind: str
    field: str
    heads: list[str]
    lrs: list[float]
    epochs: int
    batch_size: int = 0
    split: str = "split"
    least: int = 1
    minutes: float | None = None
    pooling: str = "mean"

    def __post_init__(self) -> None:
        if self.kind not in BATCH_SIZES:
            raise ValueError(
                f"probe kind '{self.kind}' is none of {list(BATCH_SIZES)}"
            )
        if self.pooling not in POOLINGS:
            raise ValueError(
                f"pooling '{self.pooling}' is none of {list(POOLINGS)}"
            )
        self.batch_size = self.batch_size or BATCH_SIZES[self.kind]


class ProbeSuite:
    """Probes to run on any frozen encoder.

    Arguments
    ---------
    probes : dict
        Arguments of `ProbeSpec` by probe name. Where ``split`` is a list of
        fields, there is one probe a field, ``"<probe>.<field>"``: the folds
        of a cross-validation.
    seed : int
        Fixes the heads' initial values and which minutes are drawn.

    Example
    -------
    >>> ask = {"kind": "segments", "field": "word", "split": ["a", "b"]}
    >>> ask |= {"heads": ["linear"], "lrs": [0.01], "epochs": 5}
    >>> list(ProbeSuite({"word": ask}).probes)
    ['word.a', 'word.b']
    """

    def __init__(self, probes: dict[str, dict], seed: int = 0) -> None:
        self.probes = {}
        for name, spec in probes.items():
            folds = spec.get("split")
            if not isinstance(folds, list):
                self.probes[name] = ProbeSpec(**spec)
                continue
            for field in folds:
                fold = ProbeSpec(**{**spec, "split": field})
                self.probes[f"{name}.{field}"] = fold
        self.seed = seed

    def run(
        self,
        encoder: Encoder,
        entries: dict[str, dict],
        device: str | torch.device = "cpu",
        title: str = "probes",
    ) -> dict[str, ProbeResult]:
        """Extract features once and run every probe with every head.

        Arguments
        ---------
        encoder : Encoder
            Frozen; put into eval mode.
        entries : dict
            Manifest entries with resolved ``wav`` paths.
        device : str or torch.device
            Where the encoder runs. Probes run on the host.
        title : str
            Shown beside the progress bar.

        Returns
        -------
        results : dict
            `ProbeResult` by ``"<probe>/<head>"``.
        """
        wanted = {spec.field for spec in self.probes.values()}
        entries = {
            name: entry
            for name, entry in entries.items()
            if any(entry.get(field) for field in wanted)
        }
        if not entries:
            raise ValueError(
                f"no entry has any of the fields {sorted(wanted)} that the "
                "probes ask for: name another field, or label the manifest"
            )
        features = extract(encoder, entries, device, progress=False)
        results = {}
        with tqdm(self.probes.items(), desc=title) as bar:
            for name, spec in bar:
                bar.set_postfix_str(name)
                results.update(self._probe(name, spec, features, entries))
        return results

    def _probe(
        self, name: str, spec: ProbeSpec, features: Features, entries: dict
    ) -> dict[str, ProbeResult]:
        parts = {
            part: {
                i: e
                for i, e in entries.items()
                if e.get(spec.field) and e.get(spec.split) == part
            }
            for part in ("train", "valid", "test")
        }
        empty = [part for part, chosen in parts.items() if not chosen]
        if empty:
            raise ValueError(
                f"probe '{name}': no entry has the field '{spec.field}' and "
                f"{spec.split} = {' or '.join(empty)}"
            )
        labels = [
            segment[2] if isinstance(segment, list) else segment
            for entry in parts["train"].values()
            for segment in _as_list(entry[spec.field])
        ]
        classes = frequent_classes(
            [label for label in labels if label not in SILENCE], spec.least
        )
        if spec.minutes is not None:
            parts["train"] = self._draw(parts["train"], spec.minutes)
        make = frame_examples
        if spec.kind == "segments":
            make = partial(segment_examples, pooling=spec.pooling)
        sets = [
            make(features, part, spec.field, classes) for part in parts.values()
        ]
        mix = choose_mix(*sets[:2], len(classes))
        run = classify
        if spec.kind == "transcript":
            run = transcribe
            sets = [
                transcripts(features, part, spec.field, classes, mix)
                for part in parts.values()
            ]
        return {
            f"{name}/{head}": run(
                *sets,
                classes=len(classes),
                head=head,
                mix=mix,
                lrs=spec.lrs,
                epochs=spec.epochs,
                batch_size=spec.batch_size,
                seed=self.seed,
            )
            for head in spec.heads
        }

    def _draw(
        self, entries: dict[str, dict], minutes: float
    ) -> dict[str, dict]:
        """Choose utterances at random until there are enough minutes."""
        names = sorted(entries)
        generator = torch.Generator().manual_seed(self.seed)
        chosen, seconds = {}, 0.0
        for index in torch.randperm(len(names), generator=generator).tolist():
            if seconds >= 60 * minutes:
                break
            chosen[names[index]] = entries[names[index]]
            seconds += entries[names[index]]["duration"]
        return chosen


def _as_list(value: object) -> list:
    return value if isinstance(value, list) else [value]
